#!/usr/bin/env bash
# A small network of faces; fine-tuned equally long with and without priors as losses; judged: experiments/faces/run.sh <output folder>
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
faces=${SRLAB_DATA:?the folder that holds domain/face}/domain/face
out=$(mkdir -p "${1:-runs/faces}" && cd "${1:-runs/faces}" && pwd)
export SRLAB_FACES=$faces/weights
data=(data=faces "data.root=$faces/fsrnet/data/celeba_val_1000_HR")
training=(experiment=face_x8 "${data[@]}" "data.landmarks=$faces/celeba_val_1000_dlib68.npz" framework.widths='[16,32,64,64]'
  framework.blocks=2 framework.hidden=16 data.batch_size=8 trainer.gradient_clip_val=1 trainer.precision=bf16-mixed
  trainer.accelerator=cpu protocol=classical_y protocol.border_per_scale=0)

srlab-train "${training[@]}" iterations=400 optimizer.lr=1e-3 training.ema_decay=0.99 \
  trainer.val_check_interval=400 hydra.run.dir="$out/sparnet_small"
identity=("loss=[l1,identity]" "loss.identity.prior.weights=$SRLAB_FACES/MobileFaceNet_068.ckpt")
mesh=("loss=[l1,mesh]" "loss.mesh.prior.weights=$SRLAB_FACES/blazeface_landmark.pth" loss.mesh.weight=0.01)
tune() {
  srlab-train "${training[@]}" weights="$out/sparnet_small" iterations=80 optimizer.lr=3e-4 training.ema_decay=0.98 \
    trainer.val_check_interval=80 hydra.run.dir="$out/$1" "${@:2}"
}
tune sparnet_small_l1 "loss=[l1]"
tune sparnet_small_identity "${identity[@]}" loss.identity.weight=0.02
tune sparnet_small_mesh "${mesh[@]}"
srlab-test network=bicubic scale=8 "${data[@]}" protocol=faces hydra.run.dir="$out/test/bicubic"
for run in sparnet_small{,_l1,_identity,_mesh}; do
  srlab-test weights="$out/$run" "${data[@]}" protocol=faces hydra.run.dir="$out/test/$run"
done
python "$here/compare.py" "$here/results.csv" "$out"/test/{sparnet_small_l1,sparnet_small_identity,sparnet_small_mesh,sparnet_small,bicubic}
python "$here/figure.py" "$here/figure.png" "$out/sparnet_small"
