#!/bin/sh
# One network for x1.1 to x4, trained on T91 + BSDS200, then measured on Set5 at whole and at real factors.
# Usage: SRLAB_DATA=<folder> experiments/any_scale/run.sh
set -eu
here=$(cd "$(dirname "$0")" && pwd)
srlab-train network=meta_edsr paradigm=any_scale scale=4 backbone.blocks=4 backbone.width=32 data=folder \
    "data.root=[$SRLAB_DATA/photos/T91,$SRLAB_DATA/photos/BSDS200]" "data.val_root=$SRLAB_DATA/photos/Set5/HR" \
    data.batch_size=8 data.patch=12 iterations=1500 trainer.val_check_interval=1500 optimizer.lr=1e-3 \
    training.ema_decay=0.99 hydra.run.dir=runs/any_scale
python "$here/measure.py" runs/any_scale "$SRLAB_DATA/photos/Set5/HR" > "$here/results.csv"
