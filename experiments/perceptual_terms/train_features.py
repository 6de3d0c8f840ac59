"""Train a small VGG-16 to say which photograph a crop is from: features of photographs, where no published ones are.

python train_features.py <folder of photos> ... --to vgg.safetensors
"""

import argparse
import math
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.losses.features import MEAN, STD, VGG

WIDTH, CROP, BATCH, ITERATIONS, RATE = 16, 64, 48, 1200, 2e-3


def batch_of(images: list[Tensor], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Crops (B, 3, CROP, CROP) in varied colours, turned; and whose they are."""
    chosen = torch.randint(0, len(images), (BATCH,), generator=generator)
    crops = []
    for index in chosen.tolist():
        image = images[index]
        top, left = (int(torch.randint(0, side - CROP + 1, (), generator=generator)) for side in image.shape[1:])
        crop = image[:, top : top + CROP, left : left + CROP].float() / 255
        crop = crop * (0.8 + 0.4 * torch.rand(3, 1, 1, generator=generator))
        crops.append(crop.flip(2) if torch.rand((), generator=generator) < 0.5 else crop)
    return torch.stack(crops).clamp(0, 1), chosen


def main() -> None:
    """Train, tell the accuracy on fresh crops, and write the layers' weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--to", type=Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    files = sorted(file for folder in arguments.folders for file in folder.iterdir())
    images = [torch.from_numpy(np.array(Image.open(file).convert("RGB"))).movedim(-1, 0) for file in files]
    images = [image for image in images if min(image.shape[1:]) >= CROP]
    layers = VGG(16, "random", WIDTH).layers.network.requires_grad_(True)
    network = nn.Sequential(layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8 * WIDTH, len(images)))
    network = network.to(memory_format=torch.channels_last)
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, STD))
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    generator = torch.Generator().manual_seed(0)
    for iteration in range(ITERATIONS):
        for group in optimizer.param_groups:
            group["lr"] = RATE * 0.5 * (1 + math.cos(math.pi * iteration / ITERATIONS)) * min(1, (iteration + 1) / 50)
        crops, whose = batch_of(images, generator)
        with torch.autocast("cpu", torch.bfloat16):
            logits = network(((crops - mean) / std).contiguous(memory_format=torch.channels_last)).float()
        loss = F.cross_entropy(logits, whose)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        if iteration % 100 == 99:
            print(f"{iteration + 1}: {loss.item():.3f}", flush=True)
    network.eval()
    hits = 0
    with torch.no_grad():
        for _ in range(20):
            crops, whose = batch_of(images, generator)
            hits += int((network((crops - mean) / std).argmax(1) == whose).sum())
    print(f"{hits / (20 * BATCH):.1%} of fresh crops are known among {len(images)} photographs")
    weights = {f"features.{name}": value.detach().contiguous() for name, value in layers.state_dict().items()}
    safetensors.torch.save_file(weights, arguments.to)


if __name__ == "__main__":
    main()
