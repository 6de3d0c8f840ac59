"""Every network that learns can learn one pair of images by heart: beyond 40 dB, in a bounded number of steps."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import srlab
from srlab.data.images import read_image, to_tensor
from srlab.data.sources import SkimagePhotos
from srlab.degradation.resize import resize
from srlab.networks.attention_fh import AttentionFH
from srlab.networks.network import Network
from srlab.networks.pixel_recursive import PixelRecursive
from srlab.paradigms.attention_fh import reinforce
from srlab.paradigms.pixel_recursive import likelihoods
from tests.networks.conftest import Compose

CONF = Path(srlab.__file__).parents[2] / "conf"
BEYOND = 40.0  # dB, of the mean squared error over all channels
STEPS, RATE = 1000, 1e-3
PATIENT = {"srcnn_915": (6000, 4e-3), "srcnn_955": (6000, 4e-3)}
"""Steps and rate of what learns slowly: the paper gave SRCNN 8 x 10^8 steps."""

SETTLED = 30
"""Steps after which batch normalisation keeps its statistics: those of one small image are a biased estimate, so that
the network that learns and the network that is used would stay apart."""

SMALLER = {
    "srcnn_915": ["backbone.initial_std=0.05", "framework.tail.initial_std=0.02"],
    "srcnn_955": ["backbone.initial_std=0.05", "framework.tail.initial_std=0.02"],
    "swinir_light": ["backbone.depths=[2,2]"],
    "drcn": ["backbone.width=64", "backbone.recursions=8"],
    "drrn": ["backbone.width=64", "backbone.units=9"],
    "memnet": ["backbone.width=32", "backbone.memories=3", "backbone.recursions=3"],
    "edsr": ["backbone.width=128", "backbone.blocks=4"],
    "mdsr": ["backbone.blocks=4"],
    "rcan": ["backbone.groups=3", "backbone.blocks=3"],
    "srdensenet": ["backbone.blocks=4"],
    "rdn": ["backbone.blocks=2", "backbone.layers=4"],
    "rrdb": ["backbone.blocks=1"],
    "msrn": ["backbone.blocks=2"],
    "mwcnn": ["backbone.widths=[64,64,64]"],
    "lapsrn": ["scale=4", "backbone.layers=4"],
    "ms_lapsrn": ["scale=4", "backbone.recursions=2"],
    "prosr": ["scale=4", "backbone.units=[4,4]", "framework.deeper.0.units=[4]"],
    "prosrs": ["scale=4"],
    "dbpn": ["backbone.stages=3"],
    "srfbn": ["backbone.groups=3", "backbone.steps=2"],
    "dsrn": ["backbone.width=64"],
    "meta_edsr": ["backbone.blocks=4"],
    "pixel_recursive": [
        "backbone.blocks=1",
        "upsampler.blocks=1",
        "framework.temperature=0",
        "framework.prior.width=12",
        "framework.prior.layers=1",
        "framework.prior.hidden=32",
    ],
    # Patches as large as the image: that its policy learns where to look is tested by its reward, with its paradigm.
    "attention_fh": ["framework.fraction=1", "framework.places=1", "framework.steps=2"],
}
"""Sizes of networks that are slow at their published one, and SRCNN's start; pyramids have two levels."""

QUICK = {"espcn", "vdsr", "enhancenet", "lapsrn", "srfbn_s"}


def networks() -> list[Any]:
    """The choices that learn of images alone: not interpolation, what a weight file brings, and what takes a guide."""
    given = ("/framework: interpolation", "/framework: community", "beside a photograph", "pansharpening", "data=cube")
    choices = sorted((CONF / "network").glob("*.yaml"))
    learned = [path.stem for path in choices if not any(one in path.read_text() for one in given)]
    return [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in learned]


def pair(channels: int, scale: int, size: int) -> tuple[Tensor, Tensor]:
    """A face in a photograph, where bicubic is at 25 dB: LR, and HR of size x size."""
    photo = to_tensor(read_image(SkimagePhotos().paths[0]))
    hr = photo[None, :, 90 : 90 + size, 200 : 200 + size]
    hr = hr if channels == 3 else hr.mean(1, keepdim=True)
    return resize(hr, scale=1 / scale).clamp(0, 1), hr


def psnr(image: Tensor, hr: Tensor) -> float:
    return -10 * math.log10(float(F.mse_loss(image, hr)) + 1e-10)


def objective(network: Network, lr: Tensor, hr: Tensor) -> Tensor:
    """What a network's paradigm minimises."""
    if isinstance(network, PixelRecursive):
        return sum(likelihoods(network, lr, hr), torch.zeros(()))
    if isinstance(network, AttentionFH):
        episode = network.episode(lr, explore=True)
        return F.mse_loss(episode.images[-1], hr) + 0.01 * reinforce(episode, hr)[1]
    return F.mse_loss(network(lr).sr, hr)


@pytest.mark.parametrize("name", networks())
def test_one_pair_is_learnt_by_heart(composed: Compose, name: str) -> None:
    """What counts is the image that a user gets: of a distribution, the most probable codes, one after another."""
    torch.manual_seed(0)
    network = composed(f"network={name}", *SMALLER.get(name, []))
    drawn = isinstance(network, PixelRecursive)
    lr, hr = pair(network.channels, network.scale, 8 if drawn else 16)
    assert psnr(resize(lr, scale=network.scale), hr) < 30
    steps, rate = PATIENT.get(name, (STEPS, RATE))
    optimizer = torch.optim.Adam(network.parameters(), lr=rate)
    for step in range(1, steps + 1):
        network.train(step <= SETTLED)
        loss = objective(network, lr, hr)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        if step % 20 == 0 and step > SETTLED:
            with torch.no_grad():
                reached = psnr(network(lr).sr, hr)
            if reached > BEYOND:
                return
    pytest.fail(f"{reached:.2f} dB after {steps} steps")
