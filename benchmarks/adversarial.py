"""Adversarial training speed: a step through the Trainer beside the sum of its bare PyTorch parts.

    python -m benchmarks.adversarial [--rounds 5] [--iterations 3]

SRGAN at a quarter of its batch: SRResNet x4, its discriminator, VGG-19's features of SR and HR (random weights: as fast as
trained ones), cross entropy. The bare step does the same on ready tensors: generator forward, the discriminator's step,
the features of HR without and of SR with a graph, the generator's step. The two take turns within one process.
"""

import argparse
import tempfile
import time
from collections.abc import Callable

import hydra
import torch
from torch.nn import functional as F

from benchmarks.training import take_turns
from srlab import build
from srlab.config import register
from srlab.losses.features import VGG

BATCH, PATCH, SCALE, LAYER = 4, 24, 4, "relu5_4"
OVERRIDES = [
    "experiment=srgan",
    "loss.content.features.weights=random",
    "data=builtin",
    "data.train.count=8",
    f"data.batch_size={BATCH}",
    "iterations=100000",
    "callbacks=[]",
    "logger=[csv]",
    "trainer.val_check_interval=100000",
    "trainer.enable_progress_bar=false",
]


def bare_step(generator: torch.nn.Module, discriminator: torch.nn.Module, precision: str) -> Callable[[int], float]:
    """The parts of a step in plain PyTorch: (iterations) -> CPU seconds."""
    layout = torch.channels_last
    generator, discriminator = generator.to(memory_format=layout), discriminator.to(memory_format=layout)
    optimizer, optimizer_d = (torch.optim.Adam(net.parameters(), lr=1e-4) for net in (generator, discriminator))
    vgg = VGG(19, "random")
    vgg.want([LAYER])
    lr = torch.rand(BATCH, 3, PATCH, PATCH).contiguous(memory_format=layout)
    hr = torch.rand(BATCH, 3, PATCH * SCALE, PATCH * SCALE).contiguous(memory_format=layout)
    mixed = torch.autocast("cpu", torch.bfloat16, enabled=precision.startswith("bf16"))

    def step() -> None:
        with mixed:
            sr = generator(lr).sr
            real, fake = discriminator(hr).float(), discriminator(sr.detach()).float()
            loss_d = F.softplus(-real).mean() + F.softplus(fake).mean()
        optimizer_d.zero_grad()
        torch.autograd.backward(loss_d)
        optimizer_d.step()
        discriminator.requires_grad_(False)
        with mixed:
            with torch.no_grad():
                target = vgg.of(hr)[LAYER].float()
            content = F.mse_loss(vgg.of(sr)[LAYER].float(), target)
            loss = content / 12.75**2 + 1e-3 * F.softplus(-discriminator(sr).float()).mean()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        discriminator.requires_grad_(True)

    def loop(iterations: int) -> float:
        start = time.process_time()
        for _ in range(iterations):
            step()
        return time.process_time() - start

    return loop


def main() -> None:
    """Parse the arguments, run, and print the Trainer's throughput as a share of the bare loop's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--iterations", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    register()
    with tempfile.TemporaryDirectory() as folder, hydra.initialize_config_module("srlab.conf", version_base="1.3"):
        cfg = hydra.compose("train", [*OVERRIDES, f"run_dir={folder}"])
        cfg.network_name = "srgan"
        training = build.training(cfg)
        bare = bare_step(build.build(cfg.framework), build.build(cfg.discriminator), cfg.trainer.precision)
        take_turns(training, bare, arguments.rounds, arguments.iterations)


if __name__ == "__main__":
    main()
