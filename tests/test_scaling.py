"""What data parallelism sends, counted by hand and by DistributedDataParallel itself; and the page that says it."""

from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from hydra.core.global_hydra import GlobalHydra
from torch.nn.parallel import DistributedDataParallel

from benchmarks import scaling as script
from srlab import build
from srlab.networks.network import Network
from srlab.planning.scaling import Cluster, Step, efficiency, exchange_seconds, gradient_bytes, sent_bytes, step_of
from tests.conftest import ROOT, composed

CLUSTER = Cluster()


def network(name: str, scale: int) -> Network:
    built: Network = build.build(composed("describe", [f"network={name}", f"scale={scale}", "run_dir=."]).framework)
    return built


def test_gradients_are_what_ddp_exchanges(tmp_path: Path) -> None:
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/meet", rank=0, world_size=1)
    sent: list[int] = []

    def hook(state: None, bucket: dist.GradBucket) -> torch.futures.Future[torch.Tensor]:  # type: ignore[name-defined]
        sent.append(bucket.buffer().nbytes)
        future: torch.futures.Future[torch.Tensor] = torch.futures.Future()
        future.set_result(bucket.buffer())
        return future

    try:
        parallel = DistributedDataParallel(network("fsrcnn", 4))
        parallel.register_comm_hook(None, hook)
        parallel(torch.rand(1, 1, 8, 8)).sr.sum().backward()
    finally:
        dist.destroy_process_group()
    assert sum(sent) == gradient_bytes(network("fsrcnn", 4)) == 4 * 12_809  # as published


def test_a_ring_sends_twice_all_but_a_share() -> None:
    assert [sent_bytes(1000, n) for n in (1, 2, 4)] == [0, 1000, 1500]
    slow = Cluster(inside=1e9, between=1e8, reached=0.5, latency=1e-3)
    assert exchange_seconds(10**9, 2, slow) == pytest.approx(2 + 0.002)
    assert exchange_seconds(10**9, 64, slow) == pytest.approx(2 * 63 / 64 / 0.05 + 0.012)
    assert exchange_seconds(10**9, 1, slow) == 0


def test_operations_of_a_step_are_counted_by_hand() -> None:
    """SRCNN 9-1-5 at x4: 8,032 multiply-adds a pixel, of 16 samples of 192 x 192, twice, three times."""
    with torch.device("meta"):
        step = step_of(network("srcnn_915", 4), 16, 48)
    assert step.flops == 3 * 2 * (81 * 64 + 64 * 32 + 25 * 32) * 192 * 192 * 16


def test_efficiency_is_between_what_it_must_be() -> None:
    step = Step(10**12, 50 * 2**20)
    found = [efficiency(step, n, CLUSTER) for n in (1, 8, 64, 512)]
    assert found[0] == 1
    assert found == sorted(found, reverse=True)
    assert efficiency(step, 512, Cluster(inside=1e18, between=1e18, latency=0)) == pytest.approx(1)
    # half of the exchange has two thirds of the computing to hide in, the last bucket has none
    alone = exchange_seconds(25 * 2**20, 64, CLUSTER)
    compute = 10**12 / (CLUSTER.flops * CLUSTER.utilisation)
    assert efficiency(step, 64, CLUSTER) == pytest.approx(compute / (compute + alone))
    stuck = Step(10**6, 50 * 2**20)
    assert efficiency(stuck, 64, CLUSTER) < 0.001


def test_the_page_has_the_scripts_figures() -> None:
    page = (ROOT / "docs/scaling.md").read_text()
    GlobalHydra.instance().clear()
    for line in script.predicted(["edsr_baseline", "fsrcnn", "vdsr"]).splitlines():
        assert line in page


def test_the_script_replaces_what_stands_between_its_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- x -->\nold\n<!-- end of x -->\nb\n")
    script.put(page, "x", "new")
    assert page.read_text() == "a\n<!-- x -->\nnew\n<!-- end of x -->\nb\n"
