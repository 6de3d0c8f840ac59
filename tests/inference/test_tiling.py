"""An image in tiles is the image as a whole."""

import random
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from srlab.data.pixels import to_tensor
from srlab.inference.enlarge import enlarge, enlarge_with_alpha
from srlab.inference.self_ensemble import SelfEnsemble, turned, turned_back
from srlab.inference.tiling import Tiling, halo_of, spans
from srlab.networks.network import Network
from srlab.types import Pixels, Prediction
from tests.networks.compositions import ALONE
from tests.networks.conftest import (
    Compose,
    composed,  # noqa: F401 - the fixture
)

RNG = np.random.default_rng(0)


def test_spans_cover_an_axis_once_in_near_equal_parts_at_multiples_of_the_unit() -> None:
    draw = random.Random(0)
    for _ in range(300):
        size, unit, halo = draw.randint(1, 200), draw.choice([1, 2, 4, 8]), draw.randint(0, 30)
        tile = draw.randint(unit, 80)
        found = spans(0, size, size, tile, halo, unit)
        assert [span.stop for span in found[:-1]] == [span.start for span in found[1:]]
        assert (found[0].start, found[-1].stop) == (0, size)
        lengths = [span.stop - span.start for span in found]
        assert 0 < min(lengths) <= max(lengths) <= max(tile // unit, 1) * unit
        assert all(span.first % unit == 0 and (span.last % unit == 0 or span.last == size) for span in found)
        assert all(span.start - span.first >= min(halo, span.start) for span in found)
        assert all(span.last - span.stop >= min(halo, size - span.stop) for span in found)


def tiled(tiling: Tiling, pixels: Pixels, alpha: bool = False) -> Pixels:
    return np.concatenate(list(tiling.bands(pixels, alpha)))


@torch.no_grad()
def whole(network: Network, pixels: Pixels, alpha: bool = False, factor: int | None = None) -> Pixels:
    method = enlarge_with_alpha if alpha else enlarge
    return method(network, to_tensor(pixels)[None], factor)[0].movedim(0, -1).numpy()


@torch.no_grad()
def lively(network: Network) -> Network:
    """With weights that let a pixel be seen from as far as its halo says, and an image of middling contrast."""
    torch.manual_seed(0)
    for parameter in network.parameters():
        terms = max(1, parameter[0].numel()) if parameter.ndim > 1 else 50
        nn.init.normal_(parameter, std=1.5 / terms**0.5)
    return network.eval()


@pytest.mark.parametrize("overrides", ALONE)
def test_tiles_are_the_whole_image_for_every_part_with_a_finite_halo(composed: Compose, overrides: list[str]) -> None:  # noqa: F811
    draw = random.Random(str(overrides))
    network = lively(composed(*overrides, f"scale={draw.choice([2, 4])}"))
    if network.halo is None:
        return  # it sees the whole image: what tiles cost such a network is measured, not asserted to be nothing
    unit = network.multiple_of
    for channels in (3, 4):
        height, width = (draw.randint(9, 9 + 2 * unit + network.halo // 2) for _ in range(2))
        pixels = RNG.random((height, width, channels), dtype=np.float32)
        tiling = Tiling(network, draw.randint(max(unit, 5), 12 + unit), halo_of(network), draw.randint(1, 3))
        expected = whole(network, pixels, channels == 4)
        assert float(np.ptp(expected)) > 0.05
        size = largest(network, expected.shape)  # what is clamped rounds coarser
        assert np.abs(tiled(tiling, pixels, channels == 4) - expected).max() < 1e-5 * max(1.0, size)


@torch.no_grad()
def largest(network: Network, shape: tuple[int, ...]) -> float:
    """Of an image of noise before it is clamped."""
    unit = network.multiple_of
    height, width = (-(-side // network.scale // unit) * unit for side in shape[:2])
    return float(network(torch.rand(1, network.channels, height, width)).sr.abs().max())


class Far(Network):
    """Each output pixel is the sum of those exactly `halo` to the left of and above it, and a half of its own."""

    def __init__(self, halo: int, unit: int = 1, channels: int = 3) -> None:
        super().__init__(channels, 2, unit, halo)
        self.reach = halo

    def predict(self, lr: Tensor) -> Prediction:
        padded = nn.functional.pad(lr, (self.reach, 0, self.reach, 0))
        image = 0.5 * lr + 0.5 * padded[..., : lr.shape[2], : lr.shape[3]]
        return Prediction(image.repeat_interleave(2, 2).repeat_interleave(2, 3), {})


@pytest.mark.parametrize("seed", range(25))
def test_random_sizes_tiles_and_networks(seed: int) -> None:
    draw = random.Random(seed)
    unit = draw.choice([1, 1, 2, 3, 8])
    network = Far(draw.randint(0, 20), unit, draw.choice([1, 3]))
    height, width = draw.randint(1, 60), draw.randint(1, 60)
    channels = draw.choice([1, 3])
    dtype = draw.choice(["uint8", "uint16", "float32"])
    pixels: Any = RNG.random((height, width, channels), dtype=np.float32)
    levels = {"uint8": 255, "uint16": 65535, "float32": 1}[dtype]
    pixels = pixels if levels == 1 else (pixels * levels).round().astype(dtype)
    tiling = Tiling(network, draw.randint(unit, 40), halo_of(network), draw.randint(1, 4))
    found = tiled(tiling, pixels)
    assert found.dtype == pixels.dtype
    assert (
        np.abs(found / np.float64(levels) - whole(network, pixels)).max() <= 0.5 / levels + 1e-6 if levels > 1 else 1e-6
    )


def test_a_margin_less_than_the_halo_would_be_seen() -> None:
    network, pixels = Far(9), RNG.random((40, 40, 3), dtype=np.float32)
    assert np.abs(tiled(Tiling(network, 16, 8), pixels) - whole(network, pixels)).max() > 0.1


class Tight(Far):
    """Refuses more than `limit` pixels, as a full device does."""

    def __init__(self, limit: int, error: Exception) -> None:
        super().__init__(3)
        self.limit, self.error = limit, error

    def predict(self, lr: Tensor) -> Prediction:
        if lr.shape[0] * lr.shape[2] * lr.shape[3] > self.limit:
            raise self.error
        return super().predict(lr)


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("x"), RuntimeError("DefaultCPUAllocator: can't allocate memory"), MemoryError()],
    ids=["device", "allocator", "python"],
)
def test_out_of_memory_shrinks_the_tile_and_goes_on(error: Exception) -> None:
    pixels = RNG.random((70, 50, 3), dtype=np.float32)
    tiling = Tiling(Tight(400, error), 64, 3, batch=4)
    np.testing.assert_allclose(tiled(tiling, pixels), whole(Far(3), pixels), atol=1e-6)
    assert tiling.tile + 6 <= 20
    with pytest.raises(MemoryError, match="device or network"):
        tiled(Tiling(Tight(3, error), 64, 3), pixels)
    with pytest.raises(RuntimeError, match="another fault"):
        tiled(Tiling(Tight(3, RuntimeError("another fault")), 64, 3), pixels)


def test_the_eight_orientations_are_different_and_are_turned_back() -> None:
    image = torch.rand(1, 3, 5, 5)
    images = [turned(image, place) for place in range(8)]
    assert len({tuple(one.flatten().tolist()) for one in images}) == 8
    assert all(torch.equal(turned_back(one, place), image) for place, one in enumerate(images))


def test_self_ensemble_is_symmetric_and_is_tiled_like_its_network() -> None:
    network = SelfEnsemble(Far(4))
    pixels = RNG.random((30, 21, 3), dtype=np.float32)
    lr = to_tensor(pixels)[None]
    mean = torch.stack([turned_back(Far(4)(turned(lr, place)).sr, place) for place in range(8)]).mean(0)
    torch.testing.assert_close(network(lr).sr, mean)
    for place in range(8):
        torch.testing.assert_close(turned_back(network(turned(lr, place)).sr, place), mean)
    np.testing.assert_allclose(tiled(Tiling(network, 8, halo_of(network)), pixels), whole(network, pixels), atol=1e-6)
