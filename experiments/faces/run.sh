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

srlab-train "${training[@]}" data.val_count=0 iterations=1000 optimizer.lr=1e-3 training.ema_decay=0.99 \
  trainer.val_check_interval=500 hydra.run.dir="$out/base"
identity=("loss=[l1,identity]" "loss.identity.prior.weights=$SRLAB_FACES/MobileFaceNet_068.ckpt")
mesh=("loss=[l1,mesh]" "loss.mesh.prior.weights=$SRLAB_FACES/blazeface_landmark.pth" loss.mesh.weight=0.01)
tune() {
  srlab-train "${training[@]}" weights="$out/base" iterations=120 optimizer.lr=3e-4 training.ema_decay=0.98 \
    trainer.val_check_interval=120 hydra.run.dir="$out/$1" "${@:2}"
}
tune l1 "loss=[l1]"
tune identity "${identity[@]}" loss.identity.weight=0.005
tune identity_more "${identity[@]}" loss.identity.weight=0.02
tune mesh "${mesh[@]}"
srlab-test network=bicubic scale=8 "${data[@]}" protocol=faces hydra.run.dir="$out/test_bicubic"
srlab-test weights="$out/base" "${data[@]}" protocol=faces hydra.run.dir="$out/test_base"
python "$here/judge.py" "$faces" "$out/l1" "$out/identity" "$out/identity_more" "$out/mesh"
python "$here/figure.py" "$here/figure.png" "$out/base"
