#!/usr/bin/env bash
# Does growing from x2 beat direct training at equal time? A narrow ProSRs, trained at its largest scale alone, at all scales
# from the start, or grown; tested on Set5 and Set14. The iterations are such that all take about a minute of CPU time.
# SRLAB_DATA names the folder with photos/{T91,BSDS200,Set5,Set14}. Runs go to the folder given, or runs/growing_scales; the
# seeds may follow. seconds.csv there has what each training took.
set -euo pipefail
photos=${SRLAB_DATA:?set it to the folder that holds photos/T91, BSDS200, Set5 and Set14}/photos
runs=${1:-runs/growing_scales}
seeds=${2:-1 2}
common=(data=folder "data.root=[$photos/T91,$photos/BSDS200]" "data.val_root=$photos/Set5/HR"
    optimizer=adam optimizer.lr=1e-3 scheduler=cosine data.batch_size=8 training.ema_decay=0.99
    trainer.val_check_interval=100000 "callbacks=[checkpoints]" "logger=[csv]")
level="{_target_: srlab.networks.backbones.prosr.Level, _partial_: true, growth: 8, units: [3], compression: 0.4, input_compression: 0.5}"
network=(network=prosrs backbone.width=16 backbone.growth=8 "backbone.units=[3,3]" "framework.deeper=[$level,$level]")
mixed=("curriculum=[mixed_scales]")
growing=("curriculum=[growing_scales]")

train() { # name, scale, seed, iterations, options
    local run=$runs/$1_x$2_$3
    TIMEFORMAT="$1,x$2,$3,$4,%U"
    mkdir -p "$runs"
    { time srlab-train "${common[@]}" "${network[@]}" scale="$2" seed="$3" iterations="$4" network_name="$1" "${@:5}" \
        hydra.run.dir="$run" 2> "$runs/log.txt"; } 2>> "$runs/seconds.csv"
    srlab-test weights="$run" data=benchmark data.root="$photos" "data.names=[Set5,Set14]" hydra.run.dir="$run/benchmark"
}

for seed in $seeds; do
    train direct 4 "$seed" 650 data.patch=16
    train together 4 "$seed" 800 "${mixed[@]}" "curriculum.scales.scales=[2,4]" "curriculum.scales.patches=[24,16]"
    train growing 4 "$seed" 860 "${growing[@]}" "curriculum.scales.patches=[24,16,8]"
    train direct 8 "$seed" 445 data.patch=9
    train together 8 "$seed" 650 "${mixed[@]}" "curriculum.scales.scales=[2,4,8]" "curriculum.scales.patches=[24,16,9]"
    train growing 8 "$seed" 800 "${growing[@]}" "curriculum.scales.patches=[24,16,9]"
done
