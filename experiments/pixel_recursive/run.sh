#!/usr/bin/env bash
# Train a small pixel-recursive network, 8x8 to 32x32, on crops of T91 + BSDS200; its likelihoods end in metrics.csv.
# SRLAB_DATA names the folder with photos/{T91,BSDS200}.
set -euo pipefail
photos=${SRLAB_DATA:?set it to the folder that holds photos/T91 and BSDS200}/photos
srlab-train experiment=pixel_recursive iterations=700 data.batch_size=4 data.val.count=1 trainer.val_check_interval=700 \
    data.train._target_=srlab.data.sources.Folder "+data.train.root=[$photos/T91,$photos/BSDS200]" \
    '~data.train.seed' '~data.train.count' '~data.train.size' hydra.run.dir="${1:-runs/pixel_recursive}"
