#!/usr/bin/env bash
# The study: baselines on Jasper Ridge's last rows, a training on its first. Into the folder given, or runs/hyperspectral.
set -euo pipefail
out=${1:-runs/hyperspectral}
scene=(channels=198 "data.scene.path=$SRLAB_DATA/domain/hyperspectral/jasperRidge2_R198.mat" data.scene.key=Y "data.scene.size=[100,100]"
    data.scene.crop=96 data.scene.white=5000)
for network in expansion gsa sfim mtf_glp_cbd cnmf; do
    for times in 0 5; do
        srlab-test "network=$network" "framework.back_projections=$times" scale=4 protocol=wald data=cube "${scene[@]}" \
            "data.scene.guide_bands=[[0,52]]" "data.test_rows=[64,96]" "hydra.run.dir=$out/${network}_$times"
    done
done
srlab-train experiment=hyperspectral_x4 "${scene[@]}" "hydra.run.dir=$out/hyperpnn"
