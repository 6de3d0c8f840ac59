#!/usr/bin/env bash
# What is the photograph worth at x8 and x16? Networks with their own, tested with another scene's too, and their twins that learn without one,
# equally long; on Lu, and on the scenes of Middlebury that are not trained on: experiments/depth/guide.sh <output folder> [<network> <scale>
# <iterations>: of these one alone, or `chain`: FDKN at x16 and from there at x8]
set -euo pipefail
data=${SRLAB_DATA:?the folder that holds domain/depth}/domain/depth
out=${1:-runs/depth_guide}

train() { # name, scale, iterations, rate, decay of the average, overrides
  srlab-train experiment="depth_x$2" iterations="$3" optimizer.lr="$4" training.ema_decay="$5" trainer.val_check_interval="$3" \
    data.root="$data/middlebury" data.test_root="$data/lu" hydra.run.dir="$out/$1" "${@:6}"
}

score() { # name, guides
  for set in root="$data/middlebury" test_root="$data/lu"; do
    srlab-test weights="$out/$1" data=rgbd "data.$set" data.guides="$2" protocol=depth_levels hydra.run.dir="$out/test/$1_$2/$(basename "$set")"
  done
}

study() { # network, scale, iterations
  for guides in own blank; do
    train "$1_x$2_$guides" "$2" "$3" 2e-3 0.97 network="$1" data.guides=$guides
    score "$1_x$2_$guides" $guides
  done
  score "$1_x$2_own" other
}

chain() {
  train chain_x16 16 1000 2e-3 0.98
  train chain_x8 8 1000 1e-3 0.98 weights="$out/chain_x16/export"
  for run in chain_x16 chain_x8; do
    score $run own
    score $run other
  done
}

if [ "${2:-}" = chain ]; then
  chain
elif [ $# -gt 1 ]; then
  study "${@:2}"
else
  study fdkn 8 700
  study fdkn 16 600
  study fdkn_diffusion 8 500
  chain
fi
