"""Multi-supervision: which weights learn from which output, and what each output is compared with."""

import pytest
import torch
from torch import Tensor

from srlab.build import build
from srlab.degradation.resize import resize
from srlab.errors import InputError
from srlab.losses.intermediate import Supervision, target_of
from srlab.losses.pixel import L1, L2
from srlab.losses.weighted import Step, WeightedSum
from srlab.networks.network import Network
from srlab.types import Batch, Prediction
from tests.conftest import TINY, Command, composed

TINY_DRCN = ["network=drcn", "backbone.width=4", "backbone.recursions=3"]
TINY_LAPSRN = ["network=lapsrn", "scale=4", "backbone.width=4", "backbone.layers=2"]
TINY_SRFBN = ["network=srfbn_s", "scale=2", "backbone.width=4", "backbone.groups=2"]


def network_of(*overrides: str) -> Network:
    torch.manual_seed(0)
    network = build(composed("train", [*overrides, "run_dir=."]).framework)
    assert isinstance(network, Network)
    return network


def step_of(network: Network, size: int = 6) -> Step:
    lr = torch.rand(2, network.channels, size, size)
    hr = torch.rand(2, network.channels, size * network.scale, size * network.scale)
    return Step(network(lr), Batch(lr, hr, torch.arange(2)))


def reached(network: Network, loss: Tensor) -> set[str]:
    """The names of the weights that a loss has a gradient for."""
    names, parameters = zip(*network.named_parameters(), strict=True)
    gradients = torch.autograd.grad(loss, parameters, allow_unused=True, retain_graph=True)
    return {name for name, one in zip(names, gradients, strict=True) if one is not None and one.abs().sum() > 0}


def test_a_pyramids_levels_learn_from_hr_reduced_to_their_size_and_not_from_each_other() -> None:
    network = network_of(*TINY_LAPSRN)
    step = step_of(network)
    assert step.prediction.intermediate["x2"].shape == (2, 1, 12, 12)
    seen: list[Tensor] = []

    class Spy(torch.nn.Module):
        def forward(self, output: Tensor, target: Tensor) -> Tensor:
            seen.append(target)
            return (output - target).abs().mean()

    total, parts = Supervision(Spy(), ["x*", "sr"], average=False).measure_parts(step)
    assert list(parts) == ["x2", "sr"]
    torch.testing.assert_close(total, parts["x2"] + parts["sr"])
    torch.testing.assert_close(seen[0], resize(step.batch.hr, scale=0.5).clamp(0, 1))
    assert seen[1] is step.batch.hr
    lower, upper = reached(network, parts["x2"]), reached(network, parts["sr"])
    above = ("deeper", "upsamplers.1", "tails.1", "image_upsamplers.1")
    assert not any(name.startswith(above) for name in lower)
    assert upper - lower == {name for name, _ in network.named_parameters() if name.startswith(above)}
    assert any(name.startswith("tails.0") for name in lower)


def test_each_recursion_gives_its_gradient_and_leaves_with_its_supervision() -> None:
    network = network_of(*TINY_DRCN)
    weight: Tensor = network.backbone.inference.weight  # type: ignore[union-attr,assignment]
    with torch.no_grad():
        weight += 0.2 * torch.randn_like(weight)  # away from the identity, where all recursions are alike
    step = step_of(network)

    def gradient(*outputs: str, weights: list[float] | None = None) -> Tensor:
        loss = Supervision(L2(), list(outputs), weights).measure(step)
        return torch.autograd.grad(loss, weight, retain_graph=True)[0]

    each = [gradient(f"step{place}") for place in (1, 2, 3)]
    assert all(one.abs().sum() > 0 for one in each)
    torch.testing.assert_close(gradient("step*"), sum(each) / 3)
    torch.testing.assert_close(gradient("step*", weights=[1, 0, 1]), (each[0] + each[2]) / 2)
    assert not torch.allclose(gradient("step*"), gradient("step1", "step3"))
    assert "ensemble.weights" not in reached(network, Supervision(L2(), ["step*"]).measure(step))
    recursions = {
        count: sum(p.numel() for p in network_of(*TINY_DRCN[:2], f"backbone.recursions={count}").parameters())
        for count in (3, 7)
    }
    assert recursions[7] - recursions[3] == 4  # the weights of the sum alone


def test_the_steps_of_feedback_weigh_alike_the_last_included() -> None:
    network = network_of(*TINY_SRFBN)
    step = step_of(network)
    total, parts = Supervision(L1(), ["step*", "sr"]).measure_parts(step)
    assert list(parts) == ["step1", "step2", "step3", "sr"]
    expected = [*step.prediction.intermediate.values(), step.prediction.sr]
    torch.testing.assert_close(total, torch.stack([(one - step.batch.hr).abs().mean() for one in expected]).mean())


def test_targets_of_growing_difficulty_are_hr_with_ever_more_of_its_detail() -> None:
    hr = torch.rand(1, 1, 32, 32)
    impulse = torch.zeros(1, 1, 33, 33)
    impulse[..., 16, 16] = 1
    blurred = target_of(impulse, impulse, sigma=1.5)
    places = torch.arange(33.0) - 16
    assert ((blurred[0, 0] * places[:, None] ** 2).sum()).item() == pytest.approx(1.5**2, rel=0.05)  # its variance
    assert blurred.sum().item() == pytest.approx(1, abs=1e-5)
    energies = [float((target_of(hr, hr, sigma) - hr).square().mean()) for sigma in (1.6, 1.2, 0.8, 0)]
    assert energies == sorted(energies, reverse=True)
    assert energies[-1] == 0
    step = Step(Prediction(hr, {"step1": target_of(hr, hr, 1.2)}), Batch(hr, hr, torch.arange(1)))
    exact = Supervision(L1(), ["step*", "sr"], target_sigmas=[1.2, 0])
    assert exact.measure(step).item() == 0
    assert Supervision(L1(), ["step*", "sr"]).measure(step).item() > 0


def test_every_output_is_reported_by_its_name() -> None:
    hr = torch.zeros(1, 1, 4, 4)
    step = Step(Prediction(hr + 0.4, {"step1": hr + 0.2}), Batch(hr, hr, torch.arange(1)))
    terms = WeightedSum({"steps": Supervision(L1(), ["*"], [1, 3], weight=2.0)})(step)
    values = {name: round(value.item(), 6) for name, value in terms.values.items()}
    assert values == {"steps": 0.35, "steps_step1": 0.2, "steps_sr": 0.4}
    assert terms.total.item() == pytest.approx(0.7)


def test_what_cannot_be_supervised_is_refused() -> None:
    hr = torch.zeros(1, 1, 4, 4)
    step = Step(Prediction(hr, {"x2": hr}), Batch(hr, hr, torch.arange(1)))
    with pytest.raises(InputError, match="none of the network's outputs, x2, sr"):
        Supervision(L1(), ["step*"]).measure(step)
    with pytest.raises(InputError, match="3 numbers for the 2 outputs x2, sr"):
        Supervision(L1(), ["*"], [1, 1, 1]).measure(step)
    for outputs, weights in (([], None), (["*"], [0.0]), (["*"], [-1.0, 2.0])):
        with pytest.raises(ValueError, match=r"outputs|weights"):
            Supervision(L1(), outputs, weights)


NARROW = {
    "lapsrn_x4": ["backbone.layers=1", "backbone.width=4"],
    "drcn": ["backbone.width=4", "backbone.recursions=3"],
    "memnet": ["backbone.width=4", "backbone.memories=2", "backbone.recursions=1"],
    "srfbn": ["backbone.width=4", "backbone.groups=2", "backbone.steps=2"],
}


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize("experiment", NARROW)
def test_the_published_trainings_run(command: Command, experiment: str) -> None:
    tiny = [one for one in TINY if not one.startswith("backbone")]
    outcome = command(
        "train", *tiny, f"experiment={experiment}", *NARROW[experiment], "iterations=4", "hydra.run.dir=run"
    )
    assert outcome.status == 0, outcome.err
    rows = (command.folder / "run/metrics.csv").read_text()
    supervised = (
        "levels_x2" if experiment == "lapsrn_x4" else "steps_step1" if experiment == "srfbn" else "recursions_step1"
    )
    assert f"train/loss_{supervised}," in rows
    if experiment == "drcn":  # the sum begins without a weight, the recursions end with a quarter of theirs
        l2 = [line.split(",")[0] for line in rows.splitlines() if ",train/loss_l2," in line]
        assert l2 == ["2", "3", "4"]
