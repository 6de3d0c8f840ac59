"""How near is a learned degradation to the true one? Beside bicubic and average pooling, on the study's test images.

    python -m experiments.degradation_gan.measure <kernels_12.mat> <folder of prepare.py> [<run> ...]

writes, for each and for the camera itself, as CSV: the PSNR of its mean LR to the true LR without noise; the sigma of
its noise (of 255), that noise's correlation at two pixels, and the sigma of its 5 x 5 means as a share of what white
noise would have; the L1 distance of its kernel, by least squares from HR and mean LR, to the true one's; and the mean
distance of its radial power spectrum to that of real LR, in dB. With --figure, it draws the LR of three test images
beside each other. --noise and --jpeg are the camera's, as prepare.py was given them.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from experiments.degradation_gan.prepare import KERNEL, SCALE, degradation
from srlab.data.images import find_images, read_image, to_tensor
from srlab.degradation.base import Degradation
from srlab.degradation.blur import KernelBlur
from srlab.degradation.downscale import downscale
from srlab.degradation.learned import Learned
from srlab.evaluation.strips import Panel, stack, strip

DRAWS, TAPS, BORDER = 8, 15, 8
Maker = Callable[[Tensor, int], Tensor]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kernels")
    parser.add_argument("folder", type=Path)
    parser.add_argument("runs", type=Path, nargs="*")
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--noise", type=float, default=12.0)
    parser.add_argument("--jpeg", type=int, default=0)
    options = parser.parse_args()
    hrs, reals = (images(options.folder / name) for name in ("test", "test_LR"))
    blur = KernelBlur(SCALE, options.kernels, indices=[KERNEL])
    none = torch.zeros(1, dtype=torch.int64)
    trues = [blur(hr, none, none).lr for hr in hrs]
    kernel = least_squares(hrs, trues)
    spectrum = mean_spectrum(reals)
    makers: dict[str, Maker] = {
        "bicubic": lambda hr, seed: downscale(hr, SCALE, 0, rounding="none"),
        "average": lambda hr, seed: F.avg_pool2d(hr, SCALE),
    }
    noisy = {run.name: drawn_by(Learned(SCALE, str(run))) for run in options.runs}
    if options.figure:
        shown = [
            {name: make(hr, 0) for name, make in (makers | noisy).items()} | {"real": real}
            for hr, real in zip(hrs, reals, strict=True)
        ]
        stack([strip([Panel(f"{name} LR", lr[0]) for name, lr in one.items()], zoom=2) for one in shown[:3]]).save(
            options.figure
        )
    noisy |= {"camera": drawn_by(degradation(options.kernels, options.noise, options.jpeg))}
    print("degradation,psnr_of_mean,noise_sigma,noise_lag2,noise_low,kernel_l1,spectrum_db")
    for name, make in (makers | noisy).items():
        draws = [torch.cat([make(hr, seed) for seed in range(DRAWS if name in noisy else 1)]) for hr in hrs]
        means = [lrs.mean(0, keepdim=True) for lrs in draws]
        noise = torch.stack([lrs.var(0, correction=min(1, len(lrs) - 1)).mean() for lrs in draws])
        error = torch.stack([(a - b).square().mean() for a, b in zip(means, trues, strict=True)]) - noise / DRAWS
        sigma = noise.mean().sqrt() * 255
        distance = (least_squares(hrs, means) - kernel).abs().sum()
        off = (mean_spectrum([lrs[:1] for lrs in draws]) - spectrum).abs().mean()
        colour = "{:.2f},{:.2f}".format(*colour_of(draws)) if name in noisy else ","
        psnr = -10 * error.clamp(min=1e-6).log10().mean()
        print(f"{name},{psnr:.2f},{sigma:.1f},{colour},{distance:.3f},{off:.2f}")


def images(folder: Path) -> list[Tensor]:
    """The top left quarter of each: (1, C, 240, 160) of HR, or the other way round."""
    found = [to_tensor(read_image(path))[None] for path in find_images(folder)]
    return [image[..., : image.shape[2] // 4 * 2, : image.shape[3] // 4 * 2] for image in found]


def drawn_by(made: Degradation) -> Maker:
    """What a degradation makes of HR by a seed."""
    levels = torch.zeros(1, dtype=torch.int64)
    return lambda hr, seed: made(hr, torch.tensor([seed]), levels).lr


def colour_of(draws: list[Tensor]) -> tuple[float, float]:
    """Of the noise: its correlation at two pixels, and the sigma of 5 x 5 means, of what white noise has: 0, 1."""
    noises = torch.cat([lrs - lrs.mean(0) for lrs in draws if lrs.shape[2:] == draws[0].shape[2:]])
    sigma = noises.square().mean().sqrt()
    lag = (noises[..., 2:] * noises[..., :-2]).mean() / sigma**2
    return lag.item(), (5 * F.avg_pool2d(noises, 5).std() / sigma).item()


def least_squares(hrs: list[Tensor], lrs: list[Tensor]) -> Tensor:
    """The kernel (15, 15) that makes LR of HR with the least squared error, on the images' means over channels."""
    gram, right = torch.zeros(TAPS**2, TAPS**2, dtype=torch.float64), torch.zeros(TAPS**2, dtype=torch.float64)
    for hr, lr in zip(hrs, lrs, strict=True):
        grey, target = hr.mean(1, keepdim=True).double(), lr.mean(1).double()[0, BORDER:-BORDER, BORDER:-BORDER]
        rows = F.unfold(F.pad(grey, [TAPS // 2] * 4), TAPS, stride=SCALE).view(TAPS**2, *lr.shape[-2:])
        rows = rows[:, BORDER:-BORDER, BORDER:-BORDER].flatten(1)
        gram += rows @ rows.T
        right += rows @ target.flatten()
    gram += 1e-3 * gram.diagonal().mean() * torch.eye(TAPS**2)  # what the images do not excite
    kernel: Tensor = torch.linalg.solve(gram, right)
    return kernel.view(TAPS, TAPS)


def mean_spectrum(lrs: list[Tensor], size: int = 64) -> Tensor:
    """Power (16,) in dB over rings of frequency, of all windows of 64 x 64 under a Hann window."""
    window = torch.hann_window(size, periodic=False)
    weights = window[:, None] * window
    frequency = torch.fft.fftfreq(size)
    rings = ((frequency[:, None] ** 2 + frequency**2).sqrt() * 32).long().clamp(max=15)
    power = torch.zeros(size, size)
    for lr in lrs:
        patches = lr.mean(1)[0].unfold(0, size, size // 2).unfold(1, size, size // 2).reshape(-1, size, size)
        patches = (patches - patches.mean((1, 2), keepdim=True)) * weights
        power += torch.fft.fft2(patches).abs().square().mean(0) / len(lrs)
    sums = torch.zeros(16).index_add_(0, rings.flatten(), power.flatten())
    return 10 * (sums / torch.bincount(rings.flatten(), minlength=16)).log10()


if __name__ == "__main__":
    main()
