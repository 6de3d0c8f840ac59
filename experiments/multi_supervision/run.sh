#!/usr/bin/env bash
# Train a small DRCN (x2) and a small LapSRN (x4) with and without supervision on the way, equally long; test on Set5 and Set14.
# SRLAB_DATA names the folder with photos/{T91,BSDS200,Set5,Set14}. Runs go to the folder given, or runs/multi_supervision;
# the seeds may follow, and the iterations.
set -euo pipefail
photos=${SRLAB_DATA:?set it to the folder that holds photos/T91, BSDS200, Set5 and Set14}/photos
runs=${1:-runs/multi_supervision}
seeds=${2:-1 2}
iterations=${3:-800}
common=(data=folder "data.root=[$photos/T91,$photos/BSDS200]" "data.val_root=$photos/Set5/HR" iterations="$iterations"
    optimizer=adam optimizer.lr=1e-3 scheduler=cosine data.batch_size=16 training.ema_decay=0.99
    trainer.gradient_clip_val=1.0 trainer.val_check_interval=400 "callbacks=[checkpoints]" "logger=[csv]")
drcn=(network=drcn scale=2 backbone.width=16 backbone.recursions=6 data.patch=16)
lapsrn=(network=lapsrn scale=4 backbone.width=32 backbone.layers=4 data.patch=12)
ramp() { echo "{_target_: srlab.schedules.Linear, start: $1, end: $2, iterations: $iterations}"; }

train() { # name, seed, options
    local run=$runs/$1_$2
    srlab-train "${common[@]}" seed="$2" network_name="$1" "${@:3}" hydra.run.dir="$run"
    srlab-test weights="$run" data=benchmark data.root="$photos" "data.names=[Set5,Set14]" hydra.run.dir="$run/benchmark"
}

for seed in $seeds; do
    train drcn_result_only "$seed" "${drcn[@]}" "loss=[l2]"
    train drcn_supervised "$seed" "${drcn[@]}" "loss=[l2,recursions]" "+loss.l2.ramp=$(ramp 0.0 1.0)" \
        "loss.recursions.ramp=$(ramp 1.0 0.0)"
    train lapsrn_result_only "$seed" "${lapsrn[@]}" "loss=[charbonnier]"
    train lapsrn_supervised "$seed" "${lapsrn[@]}" "loss=[levels]" "loss.levels.weights=[0.25,1.0]"
done
