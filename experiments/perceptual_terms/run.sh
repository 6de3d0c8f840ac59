#!/usr/bin/env bash
# A small network at x4, trained on L1; then as long again on L1 with a content, a texture, an adversarial loss, or all.
# SRLAB_DATA names the folder with photos/{T91,BSDS200,Set5,Set14}. Runs go to the folder given, or runs/perceptual_terms;
# one that is there already is kept. Seeds by SEEDS (default "1").
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
photos=${SRLAB_DATA:?set it to the folder that holds photos/T91, BSDS200, Set5 and Set14}/photos
runs=${1:-runs/perceptual_terms}
mkdir -p "$runs"
features=$runs/vgg16x16.safetensors
[ -f "$features" ] || python "$here/train_features.py" "$photos/T91" "$photos/BSDS200" --to "$features"

setting=(scale=4 backbone.blocks=4 backbone.width=32 framework.global_residual=true
    data=folder "data.root=[$photos/T91,$photos/BSDS200]" "data.val_root=$photos/Set5/HR" data.batch_size=16 data.patch=16
    training.ema_decay=0.99 "logger=[csv]" "callbacks=[checkpoints]" trainer.enable_progress_bar=false)
# weights by which each term's gradient is about as large as that of L1, where the training starts
vgg() { echo "loss.$1.features.depth=16 +loss.$1.features.width=16 loss.$1.features.weights=$features loss.$1.mean_one=true"; }
content="$(vgg content) loss.content.layers.conv5_4=0 +loss.content.layers.relu3_3=1 loss.content.weight=0.05"
texture="$(vgg texture) loss.texture.average=true loss.texture.layers={relu1_1:1,relu2_1:1,relu3_1:1} loss.texture.weight=5e-4"
gan="paradigm=adversarial discriminator=patchgan discriminator.width=32 discriminator.strides=[2,2,1] loss.gan.weight=0.1 optimizer_d.lr=2e-4"

train() { # name, further arguments
    local run=$runs/$1_$seed
    shift
    [ -d "$run/export" ] || srlab-train "${setting[@]}" seed="$seed" hydra.run.dir="$run" "$@"
}
tune() { # name, losses, further arguments
    train "$1" "weights=$runs/start_$seed" iterations=300 trainer.val_check_interval=300 optimizer.lr=2e-4 "loss=[$2]" "${@:3}"
}
for seed in ${SEEDS:-1}; do
    train start iterations=800 trainer.val_check_interval=800 optimizer.lr=1e-3 "loss=[l1]"
    tune l1 l1
    # shellcheck disable=SC2086 # several arguments each
    {
        tune content l1,content $content
        tune texture l1,texture $texture
        tune gan l1,ragan $gan
        tune all l1,content,texture,ragan $content $texture $gan
    }
done
python "$here/measure.py" "$runs" "$photos"
