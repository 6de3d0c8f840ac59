#!/usr/bin/env bash
# Train a zero-shot network on each LR image that run.py has written, with the true, the bicubic and the estimated kernels;
# their scores go to zero_shot.csv beside the runs.
# Arguments: the folder that run.py was given, and which images (as butterfly_6); 500 iterations, crops of 64.
set -euo pipefail
runs=${1:-runs/kernel_estimation}
shift || true
for label in "${@:-butterfly_6}"; do
    for kernel in truth bicubic recurrence kernel_gan; do
        srlab-train experiment=zssr_x2_kernel iterations=500 paradigm.fathers.crop=64 trainer.val_check_interval=500 \
            data.image="$runs/${label}_lr.png" data.hr="$runs/${label}_hr.png" reduction.path="$runs/${label}_$kernel.npy" \
            network_name="zssr-$kernel" "callbacks=[checkpoints]" trainer.enable_progress_bar=false "logger=[csv]" \
            hydra.run.dir="$runs/zssr_${label}_$kernel"
    done
done
awk 'NR == 1 || (FNR > 1 && !/,mean,/)' "$runs"/zssr_*/results.csv | sed 's/,[^,]*$//' | awk '!seen[$0]++' > "$runs/zero_shot.csv"
