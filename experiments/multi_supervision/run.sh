#!/usr/bin/env bash
# Train a small DRCN (x2) and a small LapSRN (x4) with and without supervision on the way, equally long; test on Set5 and Set14.
# SRLAB_DATA names the folder with photos/{T91,BSDS200,Set5,Set14}. Runs go to the folder given, or runs/multi_supervision;
# a list of seeds may follow.
set -euo pipefail
photos=${SRLAB_DATA:?set it to the folder that holds photos/T91, BSDS200, Set5 and Set14}/photos
runs=${1:-runs/multi_supervision}
seeds=${2:-1 2}
common=(data=folder "data.root=[$photos/T91,$photos/BSDS200]" "data.val_root=$photos/Set5" optimizer=adam optimizer.lr=1e-3
    scheduler=cosine data.batch_size=16 training.ema_decay=0.99 trainer.gradient_clip_val=1.0 trainer.val_check_interval=1500
    "callbacks=[checkpoints]" callbacks.checkpoints.every=500 "logger=[csv]")
drcn=(network=drcn scale=2 backbone.width=32 backbone.recursions=8 data.patch=24 iterations=1500)
lapsrn=(network=lapsrn scale=4 backbone.width=32 backbone.layers=5 data.patch=16 iterations=1500)
falling="{_target_: srlab.schedules.Linear, start: 1.0, end: 0.0, iterations: 1500}"
rising="{_target_: srlab.schedules.Linear, start: 0.0, end: 1.0, iterations: 1500}"

train() { # name seed options...
    local run=$runs/$1_$2
    srlab-train "${common[@]}" seed="$2" "${@:3}" hydra.run.dir="$run" network_name="$1"
    srlab-test weights="$run" data=benchmark data.root="$photos" data.names=[Set5,Set14] hydra.run.dir="$run/benchmark"
}

for seed in $seeds; do
    train drcn_result_only "$seed" "${drcn[@]}" loss=[l2]
    train drcn_supervised "$seed" "${drcn[@]}" loss=[l2,recursions] loss.l2.ramp="$rising" loss.recursions.ramp="$falling"
    train drcn_constant "$seed" "${drcn[@]}" loss=[l2,recursions] loss.l2.weight=0.5 loss.recursions.weight=0.5
    train lapsrn_result_only "$seed" "${lapsrn[@]}" loss=[charbonnier]
    train lapsrn_supervised "$seed" "${lapsrn[@]}" loss=[levels] "loss.levels.weights=[0.25,1]"
done
