#!/usr/bin/env bash
# What the guide is worth, and RGB instead of PAN, on Jasper Ridge's last rows. Into the folder given, or runs/hyperspectral_guides.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$(mkdir -p "${1:-runs/hyperspectral_guides}" && cd "${1:-runs/hyperspectral_guides}" && pwd)
folder=$SRLAB_DATA/domain/hyperspectral
scene=(channels=198 "data.scene.path=$folder/jasperRidge2_R198.mat" data.scene.key=Y "data.scene.size=[100,100]"
    data.scene.crop=96 data.scene.white=5000)
tested=(scale=4 protocol=wald data=cube "${scene[@]}" "data.test_rows=[64,96]")
for network in hyper_sharpening gsa cnmf; do
    for guides in own other blank; do
        srlab-test "network=$network" "${tested[@]}" "data.scene.guide_bands=[[0,52]]" "data.guides=$guides" "hydra.run.dir=$out/${network}_$guides"
    done
done
python "$here/response.py" "$folder/nikon_d700_src.mat" "$folder/jasperRidge2_R198.mat" "$out/d700.npy"
rgb=("data.scene.response=$out/d700.npy")
for network in hyper_sharpening cnmf; do
    for times in 0 5; do
        srlab-test "network=$network" framework.guide_channels=3 "framework.back_projections=$times" "${tested[@]}" "${rgb[@]}" \
            "hydra.run.dir=$out/${network}_rgb_$times"
    done
done
srlab-train experiment=hyperspectral_x4 "${scene[@]}" data.scene.guide_bands=null "${rgb[@]}" framework.guide_channels=3 iterations=900 \
    trainer.val_check_interval=900 "hydra.run.dir=$out/hyperpnn_rgb"
srlab-test "weights=$out/hyperpnn_rgb" "${tested[@]}" "${rgb[@]}" data.guides=blank "hydra.run.dir=$out/hyperpnn_rgb_blank"
