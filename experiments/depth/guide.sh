#!/usr/bin/env bash
# What is the photograph worth at x8 and x16? FDKN with its own, tested with another scene's too, and its twin that learns without one,
# equally long: experiments/depth/guide.sh <output folder>
set -euo pipefail
data=${SRLAB_DATA:?the folder that holds domain/depth}/domain/depth
out=${1:-runs/depth_guide}
for setting in "8 700" "16 600"; do
  read -r scale iterations <<< "$setting"
  for guides in own blank; do
    srlab-train experiment=depth_x$scale iterations=$iterations optimizer.lr=2e-3 training.ema_decay=0.97 \
      trainer.val_check_interval=$iterations data.guides=$guides data.root="$data/middlebury" data.test_root="$data/lu" \
      hydra.run.dir="$out/x${scale}_$guides"
  done
  srlab-test weights="$out/x${scale}_own" data=rgbd data.test_root="$data/lu" data.guides=other protocol=depth_levels \
    hydra.run.dir="$out/x${scale}_other"
done
