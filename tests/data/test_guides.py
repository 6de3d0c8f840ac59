"""Guides and masks go with their images, through cache, crops and evaluation."""

from pathlib import Path

import numpy as np
import pytest
import torch

from srlab.data.images import Header
from srlab.data.module import SuperResolutionData
from srlab.data.source import Source
from srlab.degradation.downscale import Downscale
from srlab.errors import InputError
from srlab.inference.enlarge import enlarge
from srlab.networks.network import GuidedNetwork
from srlab.types import Batch, Pixels, Prediction


class Numbered(Source):
    """Images whose every pixel says where it is: the guide's too, so that one tells the place of the other."""

    def __init__(self, channels: int, sizes: list[tuple[int, int]], dtype: str = "uint16", guide: bool = True) -> None:
        self.name, self.channels, self.sizes, self.dtype = f"numbered{channels}", channels, sizes, dtype
        if guide:
            self.guide = Numbered(2, sizes, "uint16", guide=False)
            self.mask = Numbered(1, sizes, "uint8", guide=False)

    def __len__(self) -> int:
        return len(self.sizes)

    def label(self, index: int) -> str:
        return str(index)

    def header(self, index: int) -> Header:
        return Header(*self.sizes[index], self.channels, self.dtype)

    def image(self, index: int) -> Pixels:
        height, width = self.sizes[index]
        places = (np.arange(height * width).reshape(height, width, 1) + 7 * index) % np.iinfo(self.dtype).max
        return np.repeat(places, self.channels, axis=2).astype(self.dtype)

    def identity(self, index: int) -> str:
        return f"{self.name}/{index}"


class GuideAlone(GuidedNetwork):
    """The first channel of the guide, and something to train."""

    def __init__(self, channels: int = 1, scale: int = 2, guide_channels: int = 2) -> None:
        super().__init__(channels, scale, 3, 0, guide_channels)
        self.gain = torch.nn.Parameter(torch.ones(()))

    def predict_guided(self, lr: torch.Tensor, guide: torch.Tensor) -> Prediction:
        return Prediction(self.gain * guide[:, :1], {})


def data(tmp_path: Path, cache_gb: float = 1.0, sizes: list[tuple[int, int]] | None = None) -> SuperResolutionData:
    source = Numbered(1, sizes or [(40, 48), (44, 40)])
    return SuperResolutionData(
        degradation=Downscale(scale=2),
        train=source,
        val=source,
        test=source,
        scale=2,
        channels=1,
        batch_size=4,
        patch=12,
        iterations=3,
        seed=0,
        cache_gb=cache_gb,
        disk_cache_gb=1.0,
        cache_dir=str(tmp_path / "cache"),
    )


@pytest.mark.parametrize("cache_gb", [1.0, 0.0])
def test_guide_and_mask_are_cut_and_turned_with_their_image(tmp_path: Path, cache_gb: float) -> None:
    module = data(tmp_path, cache_gb)
    module.setup("fit")
    for raw in module.train_dataloader():
        batch = module.on_after_batch_transfer(raw, 0)
        assert isinstance(batch, Batch)
        assert batch.guide is not None
        assert batch.mask is not None
        assert batch.guide.shape == (4, 2, 24, 24)
        torch.testing.assert_close(batch.guide[:, :1], batch.hr, rtol=0, atol=0)
        places = (batch.hr * 65535).round().long() % 255
        torch.testing.assert_close((batch.mask * 255).round().long(), places)
        assert batch.lr.shape == (4, 1, 12, 12)


def test_whole_images_come_with_theirs_and_a_guided_network_is_given_it(tmp_path: Path) -> None:
    module = data(tmp_path)
    network = GuideAlone()
    module.check_network(network)
    module.setup("test")
    image = next(iter(module.test_dataloader()))
    assert image.guide is not None
    lr = torch.rand(1, 1, 20, 24)  # no multiple of the network's 3
    torch.testing.assert_close(enlarge(network, lr, guide=image.guide[None])[0], image.hr)
    with pytest.raises(InputError, match="guide of 2 channels, 40 x 48"):
        enlarge(network, lr)
    with pytest.raises(ValueError, match="Expected a guide"):
        network(torch.rand(1, 1, 3, 3))


def test_guides_that_are_missing_or_do_not_fit_are_named_before_work_starts(tmp_path: Path) -> None:
    module = data(tmp_path)
    module.check_network(GuideAlone(guide_channels=3))
    with pytest.raises(InputError, match="guide of 2 channels, and the network takes 3"):
        module.setup("fit")
    module = data(tmp_path)
    assert isinstance(module.train, Numbered)
    module.train.guide = None
    module.check_network(GuideAlone())
    with pytest.raises(InputError, match="has no guides"):
        module.setup("fit")
    module = data(tmp_path)
    assert isinstance(module.train, Numbered)
    module.train.guide = Numbered(2, [(40, 48), (40, 40)], guide=False)
    with pytest.raises(InputError, match="its guide 40 x 40"):
        module.setup("fit")
