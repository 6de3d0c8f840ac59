#!/usr/bin/env bash
# The deep image prior at x4 on butterfly's middle (64 channels) and on the zebra. Runs go to the folder given, or runs/dip.
# SRLAB_DATA names the folder with photos/Set5 and unsupervised/dip. LENGTH=full: the zebra's 2000 published iterations.
set -euo pipefail
data=${SRLAB_DATA:?set it to the folder that holds photos and unsupervised}
runs=${1:-runs/dip}
iterations=1000
[ "${LENGTH:-short}" = short ] || iterations=2000
srlab-train experiment=dip_x4 data.image=null data.hr="$data/photos/Set5/HR/butterfly.png" data.crop=128 backbone.width=64 \
    iterations=600 hydra.run.dir="$runs/butterfly"
srlab-train experiment=dip_x4 data.image=null data.hr="$data/unsupervised/dip/zebra_crop.png" iterations=$iterations \
    hydra.run.dir="$runs/zebra"
set5=("$data"/photos/Set5/HR/*.png)
srlab-train -m experiment=dip_x4 data.image=null "data.hr=$(IFS=,; echo "${set5[*]}")" data.crop=128 backbone.width=64 iterations=300 \
    hydra.sweep.dir="$runs/set5"
