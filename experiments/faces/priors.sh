#!/usr/bin/env bash
# What is an estimated prior worth as conditioning? FSRNet with and without it, and DIC, small, for equally many minutes of a CPU:
# experiments/faces/priors.sh <output folder>
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
faces=${SRLAB_DATA:?the folder that holds domain/face}/domain/face
out=$(mkdir -p "${1:-runs/face_priors}" && cd "${1:-runs/face_priors}" && pwd)
export SRLAB_FACES=$faces/weights
data=(data=faces "data.root=$faces/fsrnet/data/celeba_val_1000_HR")
fsrnet=(network=fsrnet framework.residual=true framework.norm=none framework.width=16 framework.coarse_blocks=2 framework.decoder_blocks=2)
estimator=(framework.encoder_blocks=4 framework.hourglasses=1 framework.hourglass_width=32 framework.prior_blocks=1)
dic=(network=dic '~framework.residual' framework.width=16 framework.groups=1 framework.fusions=1 framework.steps=2 framework.hourglass_width=32)
coarse=loss.coarse.loss._target_=srlab.losses.pixel.L1
learn() { # name, iterations, overrides
  srlab-train experiment=face_x8 "${data[@]}" "data.landmarks=$faces/celeba_val_1000_dlib68.npz" "iterations=$2" optimizer.lr=1e-3 \
    training.ema_decay=0.99 trainer.val_check_interval="$2" data.batch_size=8 trainer.gradient_clip_val=1 trainer.precision=bf16-mixed \
    trainer.accelerator=cpu protocol=classical_y protocol.border_per_scale=0 hydra.run.dir="$out/$1" "${@:3}"
  srlab-test weights="$out/$1" "${data[@]}" protocol=faces hydra.run.dir="$out/test/$1"
}
learn fsrnet 400 "${fsrnet[@]}" "${estimator[@]}" "loss=[l1,coarse,heatmaps,parsing]" "$coarse" loss.heatmaps.weight=20 loss.heatmaps.sigma=3 loss.parsing.weight=1
learn fsrnet_no_prior 400 "${fsrnet[@]}" framework.encoder_blocks=10 framework.hourglasses=0 "loss=[l1,coarse]" "$coarse"
learn fsrnet_untold 400 "${fsrnet[@]}" "${estimator[@]}" "loss=[l1,coarse]" "$coarse"
learn dic 280 "${dic[@]}" "loss=[steps,heatmaps]" loss.heatmaps.weight=10 loss.heatmaps.sigma=1.5
python "$here/compare.py" "$here/results.csv" "$out"/test/{fsrnet_no_prior,fsrnet_untold,fsrnet,dic}
python "$here/swapped.py" "$faces" "$out"/{fsrnet,dic}
