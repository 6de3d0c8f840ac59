#!/usr/bin/env bash
# Filters beside bicubic, DCTNet's published weights, a short training, and the figure: experiments/depth/run.sh <output folder>
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
data=${SRLAB_DATA:?the folder that holds domain/depth}/domain/depth
out=$(mkdir -p "${1:-runs/depth}" && cd "${1:-runs/depth}" && pwd)
python "$here/filters.py" "$out/filters.csv" "$data" 4
srlab-test network=dctnet scale=4 framework.range_from=given weights="$data/weights/DCTNet_4X.pth" \
  data=rgbd data.test_root="$data/lu" protocol=depth_levels_hr hydra.run.dir="$out/dctnet"
srlab-train experiment=depth_x4 iterations=220 data.batch_size=4 optimizer.lr=3e-3 training.ema_decay=0.97 \
  trainer.val_check_interval=220 data.root="$data/middlebury" data.test_root="$data/lu" hydra.run.dir="$out/x4"
python "$here/figure.py" "$out/figure.png" "$data" "$out/x4"
