#!/usr/bin/env bash
# Baselines, a small BasicVSR and its two twins, three other designs, and the figure: experiments/video/run.sh <output folder> [part ...]
# Parts, in this order, all of them where none is named: clips flow warped unwarped none vespcn frvsr tdan baselines figure
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
data=${SRLAB_DATA:?the folder that holds domain/video and photos}
out=$(mkdir -p "${1:-runs/video}" && cd "${1:-runs/video}" && pwd)
parts=("${@:2}")
[ ${#parts[@]} -gt 0 ] || parts=(clips flow warped unwarped none vespcn frvsr tdan baselines figure)
clips=$out/clips city=$data/domain/video/Vid4
tested=(data=clips data.test_root="$city" protocol=vid4_bd_crop8 scale=4 "metric@metrics=[tof,ewarp]")
common=(data=clips data.root="$clips" data.test_root="$city" protocol=vid4_bd_crop8 degradation=bd scale=4 channels=1
  framework.phase=first training.ema_decay=0.99 optimizer.lr=1e-3 trainer.precision=bf16-mixed +trainer.limit_val_batches=0
  trainer.enable_progress_bar=false "logger=[csv]" "callbacks=[checkpoints]")
recurrent=(data.frames=8 data.patch=28 data.batch_size=2 trainer.gradient_clip_val=1)

learn() { # name, options: train, then test
  srlab-train "${common[@]}" "${@:2}" hydra.run.dir="$out/$1"
  srlab-test weights="$out/$1" "${tested[@]}" network_name="$1" hydra.run.dir="$out/test_$1"
}
begin() { # name, options: the network's first weights, with the flow that was learned by itself
  python "$here/start.py" "$out/flow" "$out/$1.pth" channels=1 scale=4 "${@:2}"
}

for part in "${parts[@]}"; do case $part in
  clips)
    python "$here/prepare.py" "$data/photos/T91" "$data/photos/BSDS200" "$clips"
    ln -sfn "$data/domain/video/Aspen/hr" "$clips/Aspen" ;;
  flow)
    srlab-train network=spynet flow@framework.flow=spynet_small "${common[@]}" "loss=[photometric,smoothness]" iterations=1500 \
      data.frames=2 data.patch=40 data.batch_size=8 hydra.run.dir="$out/flow"
    begin basicvsr network=basicvsr_small
    begin frvsr network=frvsr flow@framework.flow=spynet_small framework.width=32 framework.blocks=4 ;;
  warped | unwarped | none)
    learn basicvsr_small_"$part" network=basicvsr_small framework.history="$part" weights="$out/basicvsr.pth" "loss=[charbonnier]" \
      "${recurrent[@]}" iterations=4000 ;;
  vespcn)
    learn vespcn network=vespcn framework.flow.reach=8 "loss=[charbonnier,photometric,smoothness]" loss.photometric.weight=0.1 \
      loss.smoothness.weight=1e-4 data.frames=5 data.patch=28 data.batch_size=3 trainer.gradient_clip_val=1 iterations=800 ;;
  frvsr)
    learn frvsr network=frvsr flow@framework.flow=spynet_small framework.width=32 framework.blocks=4 weights="$out/frvsr.pth" \
      "loss=[charbonnier]" "${recurrent[@]}" iterations=1000 ;;
  tdan)
    learn tdan network=tdan framework.width=32 framework.extraction_blocks=2 framework.blocks=4 framework.groups=4 framework.skip=true \
      "loss=[charbonnier,photometric]" loss.photometric.weight=0.1 data.frames=5 data.patch=24 data.batch_size=2 \
      trainer.gradient_clip_val=1 iterations=600 ;;
  baselines)
    srlab-test network=bicubic "${tested[@]}" hydra.run.dir="$out/test_bicubic"
    srlab-test network=mf_ibp channels=1 framework.frames=1 network_name=back_projection "${tested[@]}" hydra.run.dir="$out/test_ibp1"
    srlab-test network=mf_ibp channels=1 network_name=five_frame_back_projection "${tested[@]}" hydra.run.dir="$out/test_ibp5"
    srlab-test network=bicubic network_name=duf_52l data.made_root="$data/domain/video/DUF_52L" "${tested[@]}" \
      hydra.run.dir="$out/test_duf" ;;
  figure) python "$here/figure.py" "$out/figure.png" "$city/city" "$out/basicvsr_small_warped" "$out/basicvsr_small_none" ;;
  *) echo "$part: no such part" >&2; exit 2 ;;
esac; done
