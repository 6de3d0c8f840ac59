"""Networks of faces: what makes each the one that it is, and that what they know of a face they found out themselves."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from srlab.networks.cost import cost
from srlab.networks.faces.dic import DIC, AttentiveFusion
from srlab.networks.faces.fsrnet import FSRNet
from srlab.networks.faces.sparnet import FaceAttentionUnit, SPARNet
from srlab.networks.network import Network
from srlab.types import Batch
from tests.conftest import Command
from tests.faces.drawn import face
from tests.networks.compositions import SMALL_FACES
from tests.networks.conftest import Compose


def small(composed: Compose, name: str, *overrides: str) -> Network:
    torch.manual_seed(0)
    return composed(f"network={name}", "scale=8", *SMALL_FACES[name], *overrides)


def faces(batch: int = 2) -> Tensor:
    return torch.rand(batch, 3, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", SMALL_FACES)
def test_faces_grow_eightfold_and_every_parameter_learns(composed: Compose, name: str) -> None:
    network = small(composed, name)
    prediction = network(faces())
    assert prediction.sr.shape == (2, 3, 128, 128)
    outputs = [prediction.sr, *prediction.intermediate.values(), *(prediction.priors or {}).values()]
    sum(output.square().sum() for output in outputs).backward()
    still = [name for name, tensor in network.named_parameters() if tensor.grad is None or not tensor.grad.any()]
    assert not still


@pytest.mark.parametrize("name", SMALL_FACES)
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_other_factors_go_too(composed: Compose, name: str, scale: int) -> None:
    network = composed(f"network={name}", f"scale={scale}", "channels=1", *SMALL_FACES[name]).eval()
    size = network.multiple_of
    with torch.no_grad():
        assert network(torch.rand(1, 1, size, 2 * size)).sr.shape == (1, 1, scale * size, 2 * scale * size)


@pytest.mark.parametrize("name", SMALL_FACES)
def test_costs_are_counted_and_the_whole_face_is_seen(composed: Compose, name: str) -> None:
    with torch.device("meta"):
        found = cost(small(composed, name))
    assert found.receptive_field is None
    assert found.multiply_adds > found.parameters


@pytest.mark.parametrize("name", ["fsrnet", "dic"])
def test_the_truth_is_no_input(composed: Compose, name: str) -> None:
    network = small(composed, name).eval()
    batch = Batch(faces(), torch.rand(2, 3, 128, 128), torch.arange(2))
    other = Batch(batch.lr, torch.rand(2, 3, 128, 128), torch.arange(2), landmarks=128 * torch.rand(2, 68, 2))
    with torch.no_grad():
        assert torch.equal(network.of(batch).sr, network.of(other).sr)


def test_fsrnet_sees_the_face_in_its_coarse_image_alone(composed: Compose) -> None:
    network = small(composed, "fsrnet").eval()
    assert isinstance(network, FSRNet)
    assert network.prior is not None
    lr = faces().requires_grad_(True)
    prediction = network(lr)
    assert prediction.priors is not None
    assert {name: tuple(maps.shape[1:]) for name, maps in prediction.priors.items()} == {
        "heatmaps": (68, 64, 64),
        "parsing": (10, 64, 64),
    }
    for name, maps in network.prior(prediction.intermediate["coarse"]).items():
        torch.testing.assert_close(maps, prediction.priors[name])
    network.coarse.register_forward_hook(lambda _, __, image: image.detach())
    assert not any(maps.requires_grad and reaches(maps, lr) for maps in (network(lr).priors or {}).values())
    assert small(composed, "fsrnet", "framework.hourglasses=0")(lr).priors is None


def test_dic_finds_landmarks_in_the_image_of_the_same_step(composed: Compose) -> None:
    network = small(composed, "dic").eval()
    assert isinstance(network, DIC)
    seen: list[Tensor] = []
    network.landmarks.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    prediction = network(faces())
    assert list(prediction.priors or {}) == ["heatmaps1", "heatmaps2"]
    assert (prediction.priors or {})["heatmaps1"].shape == (2, 68, 32, 32)
    for image, found in zip([prediction.intermediate["step1"], prediction.sr], seen, strict=True):
        torch.testing.assert_close(network.mean + found, image)


def test_dics_images_use_the_landmarks_unless_that_gradient_is_stopped(composed: Compose) -> None:
    for stopped in ("false", "true"):
        network = small(composed, "dic", f"framework.stop_attention={stopped}")
        prediction = network(faces())
        found = (prediction.priors or {})["heatmaps1"]
        assert reaches(prediction.sr, found) == (stopped == "false")
        assert not reaches(prediction.intermediate["step1"], found)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "losses", "logged"),
    [
        ("fsrnet", "l2,coarse,heatmaps,parsing", ["coarse_coarse", "heatmaps_heatmaps", "parsing_parsing"]),
        ("dic", "steps,heatmaps", ["steps_step1", "heatmaps_heatmaps1", "heatmaps_heatmaps2"]),
    ],
)
def test_what_is_estimated_is_learned_from_landmarks(
    name: str, losses: str, logged: list[str], command: Command, tmp_path: Path
) -> None:
    (tmp_path / "faces_HR").mkdir()
    names = [f"{number}.png" for number in range(4)]
    for one in names:
        Image.fromarray(np.random.default_rng(0).integers(0, 255, (128, 128, 3), np.uint8)).save(
            tmp_path / "faces_HR" / one
        )
    landmarks = np.repeat(face().numpy(), 4, 0)
    landmarks[1] = np.nan
    np.savez(tmp_path / "landmarks.npz", names=names, landmarks=landmarks)
    outcome = command(
        "train",
        f"network={name}",
        *SMALL_FACES[name],
        f"loss=[{losses}]",
        "scale=8",
        "data=faces",
        "data.root=faces_HR",
        "data.landmarks=landmarks.npz",
        "data.test_count=1",
        "data.val_count=1",
        "data.batch_size=2",
        "iterations=2",
        "trainer.log_every_n_steps=1",
        "trainer.enable_progress_bar=false",
        "logger=[csv]",
        "callbacks=[checkpoints]",
        "hydra.run.dir=run",
    )
    assert outcome.status == 0, outcome.err
    found = (tmp_path / "run/metrics.csv").read_text()
    assert all(f"train/loss_{one}," in found for one in logged)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sparnet", "fsrnet", "dic"])
def test_exports_with_free_sizes(composed: Compose, name: str) -> None:
    network = small(composed, name).eval()
    unit = network.multiple_of
    height, width = (unit * torch.export.Dim(side, min=2, max=64) for side in ("height", "width"))
    program = torch.export.export(
        network, (torch.rand(1, 3, 3 * unit, 4 * unit),), dynamic_shapes={"lr": {2: height, 3: width}}
    )
    lr = torch.rand(1, 3, 2 * unit, 5 * unit)
    with torch.no_grad():
        torch.testing.assert_close(program.module()(lr).sr, network(lr).sr)


def reaches(output: Tensor, source: Tensor) -> bool:
    """Whether an output depends on a source, as far as gradients go."""
    (gradient,) = torch.autograd.grad(output.square().sum(), source, retain_graph=True, allow_unused=True)
    return gradient is not None and bool(gradient.any())


def test_fusion_takes_the_part_that_is_there() -> None:
    torch.manual_seed(0)
    fusion = AttentiveFusion(4, 5, 1)
    features, nowhere = torch.rand(1, 4, 6, 6), torch.zeros(1, 5, 6, 6)
    with torch.no_grad():
        expanded = fusion.expand(features)
        parts = (expanded + fusion.blocks[0](expanded)).view(5, 4, 6, 6)
        torch.testing.assert_close(fusion(features, nowhere)[0], parts.mean(0))
        mouth = nowhere.clone()
        mouth[:, 3, 2:4] = 50
        fused = fusion(features, mouth)[0]
    torch.testing.assert_close(fused[:, 2:4], parts[3, :, 2:4])
    torch.testing.assert_close(fused[:, 4:], parts.mean(0)[:, 4:])


@pytest.mark.parametrize("direction", [-1, 0, 1])
def test_a_units_attention_gates_what_it_adds(direction: int) -> None:
    torch.manual_seed(0)
    unit = FaceAttentionUnit(4, 6, direction, 2, 4, "spatial", "batch").eval()
    gate = unit.attention[1]
    assert isinstance(gate, nn.Conv2d)
    x = torch.rand(1, 4, 16, 16)
    with torch.no_grad():
        nn.init.zeros_(gate.weight)
        for bias, share in ((-100.0, 0.0), (0.0, 0.5), (100.0, 1.0)):
            assert gate.bias is not None
            gate.bias.fill_(bias)
            torch.testing.assert_close(unit(x), unit.skip(x) + share * unit.features(x))


def test_attention_is_one_for_all_channels_or_one_for_each() -> None:
    for attention, gates in (("spatial", 1), ("full", 6)):
        made = FaceAttentionUnit(6, 6, 0, 1, 4, attention, "batch").attention(torch.rand(2, 6, 8, 8))
        assert made.shape == (2, gates, 8, 8)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SPARNet(3, 8, widths=[32]), "two widths"),
        (lambda: SPARNet(3, 8, attention="none"), "choose spatial or full"),
        (lambda: FSRNet(3, 8, hourglass_width=5), "an even number"),
        (lambda: DIC(3, 8, nn.Identity, hourglass_width=6), "a multiple of 4"),
    ],
)
def test_impossible_numbers_are_refused(make: Callable[[], Network], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
