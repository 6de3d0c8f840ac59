#!/usr/bin/env bash
# WorldView-2 without a truth: methods that learn nothing, and a training by consistency. Into the folder given, or runs/full_resolution.
set -euo pipefail
out=${1:-runs/full_resolution}
pair=(scale=4 channels=8 protocol=full_resolution data=cube "data.scene.path=$SRLAB_DATA/domain/hyperspectral/imgWV2.mat" data.scene.key=I_MS
    data.scene.white=2047 data.scene.guide=I_PAN data.full_resolution=true "data.test_rows=[240,320]")
for network in expansion gsa; do
    srlab-test "network=$network" "${pair[@]}" "hydra.run.dir=$out/$network"
done
srlab-train experiment=hyperspectral_x4 "${pair[@]}" data.scene.guide_bands=null "data.train_rows=[0,240]" loss=consistency \
    loss.consistency.guide_bands=estimated framework.residual=true iterations=300 optimizer.lr=1e-3 trainer.val_check_interval=300 \
    "hydra.run.dir=$out/hyperpnn"
