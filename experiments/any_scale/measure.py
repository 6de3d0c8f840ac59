"""PSNR-Y of one network at many factors beside bicubic's: measure.py <run> <folder of HR images>, as CSV.

The LR image is the bicubic reduction of HR, cropped to what the factor makes of whole LR pixels, and rounded to 8 bit;
SR is rounded too; as many pixels as the factor, rounded up, are left out at the borders.
"""

import csv
import math
import sys
from statistics import fmean

import torch
from torch import Tensor

import srlab
from srlab.color import rgb_to_ycbcr
from srlab.data.images import read_image, to_tensor
from srlab.data.sources import Folder
from srlab.degradation.resize import resize
from srlab.inference.enlarge import enlarge
from srlab.paradigms.any_scale import reduced

FACTORS = (1.5, 2.0, 2.7, 3.0, 3.5, 4.0)


def rounded(image: Tensor) -> Tensor:
    return (image.clamp(0, 1) * 255).round() / 255


def psnr(sr: Tensor, hr: Tensor, border: int) -> float:
    inside = slice(border, -border)
    error = (rgb_to_ycbcr(sr)[:, :1] - rgb_to_ycbcr(hr)[:, :1])[..., inside, inside]
    return float(-10 * error.square().mean().log10())


def main(run: str, folder: str) -> None:
    """Print a row for each factor."""
    network, images = srlab.load(run), Folder(folder)
    writer = csv.writer(sys.stdout)
    writer.writerow(["factor", "bicubic_psnr_y", "network_psnr_y"])
    for factor in FACTORS:
        scores = []
        for path in images.paths:
            lr, hr = reduced(to_tensor(read_image(path))[None], factor)
            lr = rounded(lr)
            with torch.no_grad():
                sr = enlarge(network, lr, factor)
            bicubic = resize(lr, size=(hr.shape[2], hr.shape[3]))
            scores.append([psnr(rounded(image), hr, math.ceil(factor)) for image in (bicubic, sr)])
        writer.writerow([factor, *(f"{fmean(column):.3f}" for column in zip(*scores, strict=True))])


if __name__ == "__main__":
    main(*sys.argv[1:])
