"""What more devices bring: measured with one and two processes here, and predicted for 8, 64 and 512 GPUs.

    python benchmarks/scaling.py [--write docs/scaling.md]           # the prediction, into the page between its marks
    python benchmarks/scaling.py --measure [--write docs/scaling.md]

Measured are the CPU seconds of an EDSR step, with equal samples for each of two processes, without and with the exchange of
gradients over gloo, in turn. CPU seconds, since on busy cores two processes wait for more than each other.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import hydra
import torch
from hydra.core.global_hydra import GlobalHydra
from hydra.core.object_type import ObjectType
from torch.multiprocessing.spawn import spawn
from torch.nn.parallel import DistributedDataParallel

from srlab import build
from srlab.config import register
from srlab.describe import as_markdown
from srlab.errors import InputError
from srlab.planning.scaling import BUCKET, Cluster, efficiency, gradient_bytes, sent_bytes, step_of

BATCH, PATCH, SCALE = 16, 48, 4
DEVICES = (8, 64, 512)
SIZES = ((4, 32), (1, 16))
"""Samples of a process, and LR pixels of a side, that are measured."""


def predicted(names: Sequence[str] = ()) -> str:
    """The table of these networks, or of all, and what it assumes, as Markdown."""
    cluster = Cluster()
    register()
    with hydra.initialize_config_module("srlab.conf", version_base="1.3"):
        every = GlobalHydra.instance().config_loader().get_group_options("network", ObjectType.CONFIG)
        rows = [row for name in names or every if (row := row_of(name, cluster))]
    assumed = (
        f"{BATCH} samples of {PATCH} x {PATCH} LR pixels a device, x{SCALE}; {cluster.flops / 1e12:.0f} TFLOP/s (bfloat16) "
        f"at {cluster.utilisation:.0%}; nodes of {cluster.node}; {cluster.inside / 1e9:.0f} GB/s within and "
        f"{cluster.between / 1e9:.0f} GB/s between nodes, a device and direction, at {cluster.reached:.0%}; "
        f"{cluster.latency * 1e6:.0f} us a message; the last {BUCKET / 2**20:.0f} MiB of the gradients wait for the "
        f"backward pass."
    )
    return f"{assumed}\n\n{as_markdown(rows)}"


def row_of(name: str, cluster: Cluster) -> dict[str, str] | None:
    """A network's line; None where it has no such scale, learns nothing, or takes a guide."""
    try:
        cfg = hydra.compose("describe", [f"network={name}", f"scale={SCALE}", "run_dir=."])
        with torch.device("meta"):
            network = build.build(cfg.framework)
        if not gradient_bytes(network) or network.guide_channels:
            return None
        step = step_of(network, BATCH, PATCH)
    except InputError:
        return None
    return {
        "network": name,
        "step (TFLOP)": f"{step.flops / 1e12:.2f}",
        "gradients (MB)": f"{step.gradient_bytes / 1e6:.2f}",
        **{f"sent, N={n} (MB)": f"{sent_bytes(step.gradient_bytes, n) / 1e6:.2f}" for n in (2, *DEVICES[-1:])},
        **{f"efficiency, {n} GPUs": f"{efficiency(step, n, cluster):.1%}" for n in DEVICES},
    }


def step(network: torch.nn.Module, batch: int, patch: int, scale: int) -> Callable[[], None]:
    """A training step on ready tensors."""
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)
    lr, hr = torch.rand(batch, 3, patch, patch), torch.rand(batch, 3, patch * scale, patch * scale)

    def one() -> None:
        optimizer.zero_grad()
        torch.nn.functional.l1_loss(network(lr).sr, hr).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return one


def work(rank: int, folder: str, rounds: int) -> None:
    """One of two processes: steps without and with the other, in turn; the first writes the CPU seconds of each."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    register()
    with hydra.initialize_config_module("srlab.conf", version_base="1.3"):
        cfg = hydra.compose("describe", ["network=edsr_baseline", "scale=2", "run_dir=."])
    found: list[list[tuple[float, float]]] = []
    for batch, patch in SIZES:
        alone = step(build.build(cfg.framework), batch, patch, 2)
        together = step(DistributedDataParallel(build.build(cfg.framework)), batch, patch, 2)
        pairs = []
        for _ in range(rounds + 2):
            seconds = []
            for each in (alone, together):
                torch.distributed.barrier()
                start = time.process_time()
                each()
                seconds.append(time.process_time() - start)
            pairs.append((seconds[0], seconds[1]))
        found.append(pairs[2:])
    if rank == 0:
        Path(folder, "seconds.json").write_text(json.dumps(found))
    torch.distributed.destroy_process_group()


def measured(rounds: int) -> str:
    """One process and two, as Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        spawn(work, (folder, rounds), nprocs=2)  # type: ignore[no-untyped-call]
        found = json.loads(Path(folder, "seconds.json").read_text())
    rows = []
    for (batch, patch), pairs in zip(SIZES, found, strict=True):
        shares = sorted(alone / together for alone, together in pairs)
        alone, together = (statistics.median(each) for each in zip(*pairs, strict=True))
        rows.append(
            {
                "samples a process": f"{batch} of {patch} x {patch}",
                "one process (CPU-s a step)": f"{alone:.4f}",
                "each of two": f"{together:.4f}",
                "efficiency": f"{statistics.median(shares):.3f} ({shares[0]:.3f} to {shares[-1]:.3f})",
            }
        )
    return f"{rounds} rounds:\n\n{as_markdown(rows)}"


def put(page: Path, mark: str, text: str) -> None:
    """Replace what stands in a page between `<!-- mark -->` and `<!-- end of mark -->`."""
    first, last = f"<!-- {mark} -->", f"<!-- end of {mark} -->"
    before, _, rest = page.read_text().partition(first)
    page.write_text(f"{before}{first}\n{text}\n{last}{rest.partition(last)[2]}")


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--write", type=Path, help="the page to put the table into")
    arguments = parser.parse_args()
    text = measured(arguments.rounds) if arguments.measure else predicted()
    print(text)
    if arguments.write:
        put(arguments.write, "measured" if arguments.measure else "predicted", text)


if __name__ == "__main__":
    main()
