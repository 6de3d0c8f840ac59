"""Optional metrics: they run on weights that are there, and say how to get those that are not."""

from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch import Tensor

from srlab.errors import InputError
from srlab.evaluation.metrics import FACTS, Metric
from srlab.evaluation.perceptual import Arniqa, BlurEffect, Dists, Lpips
from srlab.evaluation.video_metrics import TLP

CONF = Path(__file__).parents[2] / "conf" / "metric"
CHOICES = sorted(file.stem for file in CONF.glob("*.yaml"))


def no_network(*arguments: object, **options: object) -> None:
    raise URLError("no network in tests")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of torch.hub, and no way to fill it."""
    pytest.importorskip("torchvision")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    monkeypatch.setattr(torch.hub, "download_url_to_file", no_network)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def pair() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    hr = torch.nn.functional.avg_pool2d(torch.rand(1, 3, 98, 98, generator=generator), 3, 1)
    return (hr + 0.1 * torch.randn(hr.shape, generator=generator)).clamp(0, 1), hr


@pytest.mark.parametrize(
    ("metric", "name", "file"),
    [
        (Lpips, "LPIPS", "alexnet-owt-7be5be79.pth"),
        (TLP, "tLP", "alexnet-owt-7be5be79.pth"),
        (Dists, "DISTS", "vgg16-397923af.pth"),
        (Arniqa, "ARNIQA", "ARNIQA.pth"),
    ],
)
def test_weights_that_cannot_be_had_are_named(metric: Callable[[], Metric], name: str, file: str, hub: Path) -> None:
    with pytest.raises(InputError) as refusal:
        metric()
    for part in (file, str(hub), "no network in tests", "fetch https://", f"leave {name} out"):
        assert part in str(refusal.value)


def test_lpips_on_cached_weights(hub: Path, pair: tuple[Tensor, Tensor]) -> None:
    """Random weights stand in for AlexNet's: what is tested is the way to them, and that grey and RGB go through."""
    from torchvision.models import alexnet

    torch.manual_seed(0)
    torch.save(alexnet().state_dict(), hub / "alexnet-owt-7be5be79.pth")
    metric = Lpips()
    sr, hr = pair
    assert metric(hr, hr) == 0
    assert metric(sr, hr) > 0
    grey = metric(sr[:, :1], hr[:, :1])
    assert grey == pytest.approx(metric(sr[:, :1].expand(-1, 3, -1, -1), hr[:, :1].expand(-1, 3, -1, -1)))
    with pytest.raises(InputError, match="5 channels"):
        metric(torch.rand(1, 5, 96, 96), torch.rand(1, 5, 96, 96))


def test_a_metric_that_torchvision_is_missing_for_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"srlab\[perceptual\]"):
        Lpips()


def test_the_blur_effect_rises_with_blur(pair: tuple[Tensor, Tensor]) -> None:
    _, hr = pair
    blurred = torch.nn.functional.avg_pool2d(hr, 5, 1)
    metric = BlurEffect()
    assert 0 < metric(hr, hr) < metric(blurred, blurred) < 1
    grey = hr[:, :1]
    assert metric(grey, grey) == pytest.approx(metric(grey.expand(-1, 3, -1, -1), grey), abs=1e-6)
    assert not metric.facts.higher_is_better


@pytest.mark.parametrize("choice", CHOICES)
def test_every_choice_names_a_metric_by_its_facts(choice: str, hub: Path) -> None:
    config = OmegaConf.load(CONF / f"{choice}.yaml")
    assert list(config) == [choice]
    assert choice in FACTS
    try:
        built = instantiate(config, _convert_="all")[choice]
    except Exception as error:  # Hydra wraps the refusal
        assert isinstance(error.__cause__, InputError)  # noqa: PT017
    else:
        assert built.facts == FACTS[choice]


def test_options_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ValueError, match="backbone"):
        Lpips(backbone="resnet")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="regressor"):
        Arniqa(regressor="livec")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="window_pixels"):
        BlurEffect(window_pixels=1)
