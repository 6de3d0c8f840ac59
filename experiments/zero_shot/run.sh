#!/usr/bin/env bash
# ZSSR on butterfly with true and wrong kernels, and on its authors' own example. Runs go to the folder given, or runs/zero_shot.
# SRLAB_DATA names the folder with photos/Set5 and unsupervised/{kernels_12.mat,kernel_example}. LENGTH=full: 3000 iterations, crops of 128.
set -euo pipefail
data=${SRLAB_DATA:?set it to the folder that holds photos and unsupervised}
runs=${1:-runs/zero_shot}
kernels=$data/unsupervised/kernels_12.mat
example=$data/unsupervised/kernel_example/BSD100_100_lr_rand_ker_c_X2
short=(paradigm.fathers.crop=64 iterations=500)
[ "${LENGTH:-short}" = short ] || short=()
image=(data.image=null data.hr="$data/photos/Set5/HR/butterfly.png")

reduced_by() { # LR by one of the twelve kernels
    echo "degradation.steps=[{_target_: srlab.degradation.blur.KernelBlur, scale: 2, path: $kernels, key: kernels, indices: [$1]}, \
{_target_: srlab.degradation.quantization.Quantize}]"
}

for index in 2 5; do
    given=(reduction.path="$kernels" reduction.key=kernels reduction.index=$index)
    srlab-train experiment=zssr_x2_kernel "${image[@]}" "${given[@]}" "${short[@]}" hydra.run.dir="$runs/kernel_$index"
done
srlab-train experiment=zssr_x2 degradation=kernels "$(reduced_by 2)" "${image[@]}" "${short[@]}" hydra.run.dir="$runs/wrong" \
    paradigm.ensemble=false paradigm.fathers.turn=false "paradigm.back_projections=[2]"
srlab-train experiment=zssr_x2 "${image[@]}" "${short[@]}" hydra.run.dir="$runs/ideal"
srlab-train -m experiment=zssr_x2 data=benchmark_image data.root="$data/photos/Set5/HR" "data.index=range(5)" "${short[@]}" \
    hydra.sweep.dir="$runs/set5"
srlab-train experiment=zssr_x2_real data.image="$data/unsupervised/real_photos/oldphoto2.png" \
    "${short[@]/500/300}" hydra.run.dir="$runs/photograph"
srlab-train experiment=zssr_x2_kernel data.image="$example.png" reduction.path="${example}_0.mat" hydra.run.dir="$runs/example"
