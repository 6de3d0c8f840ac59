#!/usr/bin/env bash
# Baselines, a small BasicVSR and its two twins on city, and the figure: experiments/video/run.sh <output folder>
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
data=${SRLAB_DATA:?the folder that holds domain/video and photos}
out=$(mkdir -p "${1:-runs/video}" && cd "${1:-runs/video}" && pwd)
clips=$out/clips city=$data/domain/video/Vid4
python "$here/prepare.py" "$data/photos/T91" "$data/photos/BSDS200" "$clips"
ln -sfn "$data/domain/video/Aspen/hr" "$clips/Aspen"
common=(data=clips data.root="$clips" data.test_root="$city" protocol=vid4_bd_crop8 degradation=bd scale=4 channels=1
  training.ema_decay=0.99 optimizer.lr=1e-3 trainer.precision=bf16-mixed +trainer.limit_val_batches=0 "logger=[csv]"
  "callbacks=[checkpoints]")
srlab-train network=spynet flow@framework.flow=spynet_small framework.phase=first "loss=[photometric,smoothness]" "${common[@]}" \
  iterations=900 data.frames=2 data.patch=40 data.batch_size=8 hydra.run.dir="$out/flow"
python "$here/start.py" "$out/flow" "$out/start.pth" channels=1 scale=4 network=basicvsr_small
tested=(data=clips data.test_root="$city" protocol=vid4_bd_crop8 scale=4 "metric@metrics=[tof,ewarp]")
for history in warped unwarped none; do
  srlab-train network=basicvsr_small framework.history=$history weights="$out/start.pth" "${common[@]}" "loss=[charbonnier]" \
    iterations=2400 data.frames=5 data.patch=24 data.batch_size=4 trainer.gradient_clip_val=1 hydra.run.dir="$out/$history"
  srlab-test weights="$out/$history" "${tested[@]}" network_name=basicvsr_small_$history hydra.run.dir="$out/test_$history"
  srlab-train network=basicvsr_small framework.history=$history weights="$out/$history/export" seed=1 "${common[@]}" \
    "loss=[charbonnier]" iterations=2400 data.frames=5 data.patch=24 data.batch_size=4 trainer.gradient_clip_val=1 \
    hydra.run.dir="$out/${history}_long"
  srlab-test weights="$out/${history}_long" "${tested[@]}" network_name=basicvsr_small_${history}_long hydra.run.dir="$out/test_${history}_long"
done
srlab-test network=bicubic "${tested[@]}" hydra.run.dir="$out/test_bicubic"
srlab-test network=mf_ibp channels=1 framework.frames=1 network_name=back_projection "${tested[@]}" hydra.run.dir="$out/test_ibp1"
srlab-test network=mf_ibp channels=1 network_name=five_frame_back_projection "${tested[@]}" hydra.run.dir="$out/test_ibp5"
srlab-test network=bicubic network_name=duf_52l data.made_root="$data/domain/video/DUF_52L" "${tested[@]}" \
  hydra.run.dir="$out/test_duf"
python "$here/figure.py" "$out/figure.png" "$city/city" "$out/warped_long" "$out/none_long"
