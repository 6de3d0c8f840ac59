#!/usr/bin/env bash
# Train the demo's network on dead leaves and on photographs for equally many iterations; test both on Set5 and Set14.
# SRLAB_DATA names the folder with photos/{T91,BSDS200,Set5,Set14}. Runs go to the folder given, or runs/dead_leaves.
set -euo pipefail
photos=${SRLAB_DATA:?set it to the folder that holds photos/T91, BSDS200, Set5 and Set14}/photos
runs=${1:-runs/dead_leaves}
for seed in 1 2; do
    for trained_on in leaves photographs; do
        data=(data=builtin)
        [ $trained_on = leaves ] || data=(data=folder "data.root=[$photos/T91,$photos/BSDS200]")
        run=$runs/${trained_on}_$seed
        srlab-train experiment=demo seed=$seed "${data[@]}" hydra.run.dir="$run"
        srlab-test weights="$run" data=benchmark data.root="$photos" data.names=[Set5,Set14] hydra.run.dir="$run/benchmark"
    done
done
srlab-test network=bicubic data=benchmark data.root="$photos" data.names=[Set5,Set14] hydra.run.dir="$runs/bicubic"
