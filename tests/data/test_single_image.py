"""One LR image is what is trained on; its HR image is for evaluation alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from srlab.data.images import read_image, to_tensor
from srlab.data.single_image import BenchmarkImageData, ImageData, SingleImageData
from srlab.degradation.base import Chain
from srlab.degradation.downscale import Downscale
from srlab.degradation.noise import GaussianNoise
from srlab.degradation.quantization import Quantize
from srlab.errors import InputError
from srlab.types import BareImage, LabelledImage

Make = Callable[..., SingleImageData]
NUMBERS: dict[str, Any] = {"scale": 2, "channels": 3, "iterations": 5, "seed": 0, "degradation": Downscale(2)}


def of(**files: Any) -> ImageData:
    return ImageData(**NUMBERS | files)


def ready(data: SingleImageData) -> SingleImageData:
    data.setup("fit")
    return data


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """An HR file and its LR file, which no degradation makes of it."""
    rng = np.random.default_rng(0)
    for folder, size in (("HR", 48), ("LR", 24)):
        (tmp_path / folder).mkdir()
        Image.fromarray(rng.integers(0, 256, (size, size, 3), dtype=np.uint8)).save(tmp_path / folder / "bird.png")
    return tmp_path / "HR/bird.png", tmp_path / "LR/bird.png"


def test_every_batch_is_the_lr_image(pair: tuple[Path, Path]) -> None:
    data = ready(of(image=str(pair[1])))
    batches = list(data.train_dataloader())
    assert len(batches) == 5
    assert all(torch.equal(batch, to_tensor(read_image(pair[1]))[None]) for batch in batches)
    data.start_iteration = 3
    assert len(list(data.train_dataloader())) == 2
    (shown,) = data.val_dataloader()
    assert isinstance(shown, BareImage)
    assert shown.name == "bird"


def test_hr_comes_with_its_own_lr_to_evaluation_alone(pair: tuple[Path, Path]) -> None:
    data = ready(of(image=str(pair[1]), hr=str(pair[0])))
    (shown,) = data.val_dataloader()
    assert isinstance(shown, LabelledImage)
    assert torch.equal(shown.hr, to_tensor(read_image(pair[0])))
    assert shown.lr is not None
    assert torch.equal(shown.lr, to_tensor(read_image(pair[1])))
    assert torch.equal(next(iter(data.train_dataloader()))[0], shown.lr)


def test_without_lr_the_degradation_makes_one_by_the_seed_and_the_images_name(pair: tuple[Path, Path]) -> None:
    noisy = Chain([Downscale(2, rounding="none"), GaussianNoise(0.1), Quantize()])
    first, again, other = (
        ready(of(image=None, hr=str(pair[0]), degradation=noisy, seed=seed)).given.lr for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    clean = ready(of(image=None, hr=str(pair[0]), crop=20))
    assert clean.given.lr.shape == (3, 10, 10)
    middle = to_tensor(read_image(pair[0]))[None, :, 14:34, 14:34]
    expected = Downscale(2)(middle, torch.tensor([0]), torch.tensor([255])).lr[0]
    assert torch.equal(clean.given.lr, expected)


def test_a_benchmark_gives_its_images_by_number_and_names_them(tmp_path: Path) -> None:
    for file in ("Set5/a.png", "Set5/b.png", "B100/c.png"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        Image.new("RGB", (40, 44)).save(tmp_path / file)
    found = [ready(BenchmarkImageData(**NUMBERS, root=str(tmp_path), index=index)) for index in range(3)]
    assert [(data.given.dataset, data.given.name) for data in found] == [("b100", "c"), ("set5", "a"), ("set5", "b")]
    (shown,) = found[0].test_dataloader()
    assert (shown.dataset, shown.name, shown.lr.shape) == ("b100", "c", (3, 22, 20))
    with pytest.raises(InputError, match=r"index=3: .* holds the images 0 to 2"):
        BenchmarkImageData(**NUMBERS, root=str(tmp_path), index=3)


def test_what_cannot_be_is_refused(pair: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"set data\.image to an LR file"):
        of(image=None)
    with pytest.raises(InputError, match=r"missing\.png: there is no such file"):
        of(image=str(tmp_path / "missing.png"))
    with pytest.raises(InputError, match=r"crop=8 cuts an HR image"):
        of(image=str(pair[1]), hr=str(pair[0]), crop=8)
    with pytest.raises(InputError, match="3 channels, and the network 1"):
        ready(of(image=str(pair[1]), channels=1))
    with pytest.raises(InputError, match="its LR image must be"):
        ready(of(image=str(pair[0]), hr=str(pair[0])))
