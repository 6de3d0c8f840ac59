#!/usr/bin/env bash
# MHF-net, consistent and blind, and SSPSR without a guide, on Jasper Ridge; the figure. Into the folder given, or runs/hyperspectral.
set -euo pipefail
out=${1:-runs/hyperspectral}
scene=(channels=198 "data.scene.path=$SRLAB_DATA/domain/hyperspectral/jasperRidge2_R198.mat" data.scene.key=Y "data.scene.size=[100,100]"
    data.scene.crop=96 data.scene.white=5000)
mhfnet=(network=mhfnet framework.stages=5 framework.blocks=1 "loss=[l1,spectral_angle,recursions]" loss.recursions.weight=0.1 data.batch_size=4
    iterations=700 trainer.val_check_interval=350)
srlab-train experiment=hyperspectral_x4 "${scene[@]}" "${mhfnet[@]}" "hydra.run.dir=$out/mhfnet"
srlab-train experiment=hyperspectral_x4 "${scene[@]}" network=sspsr framework.width=64 framework.blocks=1 framework.reduction=8 \
    "loss=[l1,spectral_angle,sstv]" optimizer.lr=1e-3 iterations=1500 trainer.val_check_interval=500 "hydra.run.dir=$out/sspsr"
srlab-train experiment=hyperspectral_x4 "${scene[@]}" "${mhfnet[@]}" framework.gain=null "hydra.run.dir=$out/mhfnet_blind"
python "$(dirname "$0")/figure.py" "$SRLAB_DATA/domain/hyperspectral/jasperRidge2_R198.mat" "$out/mhfnet" "$out/figure.png"
