"""Train one representative of every network design for equal CPU time; test each on Set5 and Set14.

    python experiments/designs/run.py measure [design ...]     # seconds of a step and of an enlargement, cost
    python experiments/designs/run.py train [design ...]       # 30 CPU-seconds each

The seconds of a step are measured for all designs in one process, round by round, so that whatever else the machine does
slows all of them alike; each design then trains for as many iterations as 30 such seconds hold. What is trained is
not trained again, so that the second command can be stopped. SRLAB_DATA names the folder with photos/T91, BSDS200, Set5
and Set14.
"""

import csv
import os
import re
import statistics
import sys
import time
from pathlib import Path

import hydra
import torch
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig

from srlab import build
from srlab.config import register
from srlab.losses.weighted import Step
from srlab.networks.cost import cost
from srlab.paradigms.supervised import Supervised
from srlab.test import test
from srlab.train import train
from srlab.types import Batch

HERE = Path(__file__).parent
SECONDS, ROUNDS, STEPS = 30.0, 4, 4
BICUBIC = "framework.global_residual=true"  # what a post-upsampling network learns is added to the bicubic image
DESIGNS: dict[str, list[str]] = {
    "plain, pre-upsampling (SRCNN)": ["network=srcnn_955", "backbone.widths=[32,16]"],
    "plain, post-upsampling (ESPCN)": ["network=espcn", "backbone.width=232"],
    "global residual (VDSR)": ["network=vdsr", "backbone.width=16", "backbone.layers=8"],
    "local residual (EDSR)": ["network=edsr_baseline", BICUBIC, "backbone.width=32", "backbone.blocks=4"],
    "recursive (DRRN)": ["network=drrn", "backbone.width=18", "backbone.units=3"],
    "progressive (LapSRN)": ["network=lapsrn", "backbone.width=28", "backbone.layers=6"],
    "iterative back-projection (DBPN)": [
        "network=dbpn",
        BICUBIC,
        "backbone.width=22",
        "backbone.stem_width=32",
        "backbone.stages=2",
    ],
    "iterative feedback (SRFBN)": ["network=srfbn_s", "backbone.width=20", "backbone.groups=2", "backbone.steps=2"],
    "channel attention (RCAN)": [
        "network=rcan",
        BICUBIC,
        "backbone.width=32",
        "backbone.groups=2",
        "backbone.blocks=2",
        "backbone.reduction=8",
    ],
    "dense (RDN)": [
        "network=rdn",
        BICUBIC,
        "backbone.width=32",
        "backbone.blocks=3",
        "backbone.layers=3",
        "backbone.growth=16",
    ],
    "multi-path, global (DSRN)": ["network=dsrn", "backbone.width=28", "backbone.steps=3"],
    "multi-path, local (MSRN)": ["network=msrn", BICUBIC, "backbone.width=20", "backbone.blocks=3"],
    "multi-path, scale-specific (MDSR)": [
        "network=mdsr",
        BICUBIC,
        "framework.scales=[2,4]",
        "framework.preprocess.blocks=1",
        "backbone.width=32",
        "backbone.blocks=2",
    ],
    "grouped (CARN-M)": ["network=carn_m", BICUBIC, "framework.scales=[4]", "backbone.width=44"],
    "dilated (IRCNN)": ["network=ircnn", "backbone.width=16", "backbone.dilations=[1,2,3,4,4,3,2,1]"],
    "pyramid pooling (EDSR-PP)": [
        "network=edsr_ppm",
        BICUBIC,
        "backbone.features.width=32",
        "backbone.features.blocks=3",
    ],
    "wavelet (DWSR)": ["network=dwsr", "backbone.width=36", "backbone.layers=6"],
    "window attention (SwinIR)": ["network=swinir_light", BICUBIC, "backbone.width=48", "backbone.depths=[4,4]"],
    "local residual, batch norm (SRResNet)": [
        "network=srresnet",
        BICUBIC,
        "backbone.width=32",
        "backbone.blocks=4",
        "backbone.head_kernel_size=3",
        "framework.tail.kernel_size=3",
    ],
    "wide activation (WDSR-A)": ["network=wdsr_a", BICUBIC, "backbone.width=24", "backbone.blocks=6"],
    "progressive, recursive (MS-LapSRN)": ["network=ms_lapsrn", "backbone.width=24", "backbone.recursions=2"],
    "residual in residual, dense (RRDB)": [
        "network=rrdb",
        BICUBIC,
        "backbone.width=24",
        "backbone.growth=12",
        "backbone.blocks=1",
    ],
    "distillation (IMDN)": ["network=imdn", BICUBIC, "backbone.width=48", "backbone.blocks=4"],
    "multi-level wavelet (MWCNN)": ["network=mwcnn", "backbone.widths=[32,48,48]", "backbone.layers=2"],
}
"""A representative of each design, scaled to some 16 G multiply-adds for an image of 1280 x 720."""


def composed(command: str, *overrides: str) -> DictConfig:
    register()
    GlobalHydra.instance().clear()
    with hydra.initialize_config_module("srlab.conf", version_base="1.3"):
        return hydra.compose(command, list(overrides))


def training(design: str, photos: Path, folder: Path, iterations: int) -> DictConfig:
    """The configuration of a design's training."""
    return composed(
        "train",
        "experiment=designs",
        *DESIGNS[design],
        f"iterations={iterations}",
        f"data.root=[{photos}/T91,{photos}/BSDS200]",
        f"data.val_root={photos}/Set5/HR",
        "callbacks=[checkpoints]",
        "logger=[csv]",
        "trainer.enable_progress_bar=false",
        f"run_dir={folder}",
        f"network_name='{design}'",
    )


class Probe:
    """A design whose steps, and whose enlargements of 96 x 96 pixels to 384 x 384, are timed on random images."""

    def __init__(self, cfg: DictConfig) -> None:
        paradigm = build.build(cfg.paradigm)
        assert isinstance(paradigm, Supervised)
        self.paradigm, self.patch, self.precision = paradigm, cfg.data.patch, cfg.trainer.precision
        self.optimizer = paradigm.make_optimizer(paradigm.network.parameters())
        lr = torch.rand(cfg.data.batch_size, 1, self.patch, self.patch).to(memory_format=torch.channels_last)
        self.batch = Batch(lr, torch.rand(len(lr), 1, 4 * self.patch, 4 * self.patch), torch.arange(len(lr)))

    def step(self) -> None:
        network = self.paradigm.network
        with torch.autocast("cpu", torch.bfloat16, enabled=self.precision.startswith("bf16")):
            total = self.paradigm.loss(Step(network.of(self.batch), self.batch)).total
        self.optimizer.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        self.optimizer.step()
        assert self.paradigm.ema is not None
        self.paradigm.ema.update(network, 1000)

    def seconds_of_steps(self) -> float:
        self.step()
        start = time.process_time()
        for _ in range(STEPS):
            self.step()
        return (time.process_time() - start) / STEPS

    def seconds_of_a_megapixel(self) -> float:
        assert self.paradigm.ema is not None
        network = self.paradigm.ema.network
        lr = torch.rand(1, 1, 96, 96).to(memory_format=torch.channels_last)
        with torch.no_grad():
            network(lr)
            start = time.process_time()
            network(lr)
        return (time.process_time() - start) / 0.384**2


def measure(names: list[str], photos: Path, runs: Path) -> None:
    """Write rates.csv: what each design costs, computed and measured."""
    configurations = {name: training(name, photos, runs, 1000) for name in names}
    probes = {name: Probe(cfg) for name, cfg in configurations.items()}
    timed = [
        {name: (p.seconds_of_steps(), p.seconds_of_a_megapixel()) for name, p in probes.items()} for _ in range(ROUNDS)
    ]
    with (runs / "rates.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["design", "parameters", "giga_multiply_adds", "receptive_field", "step_s", "megapixel_s"])
        for name, cfg in configurations.items():
            with torch.device("meta"):
                facts = cost(build.build(cfg.framework))
            step, megapixel = (statistics.median(one[name][place] for one in timed) for place in (0, 1))
            field = facts.receptive_field or "whole image"
            writer.writerow(
                [name, facts.parameters, f"{facts.multiply_adds / 1e9:.1f}", field, f"{step:.4f}", f"{megapixel:.3f}"]
            )


def train_all(names: list[str], photos: Path, runs: Path) -> None:
    """Train each design for its iterations, and test it."""
    with (runs / "rates.csv").open(newline="") as file:
        iterations = {row["design"]: round(SECONDS / float(row["step_s"])) for row in csv.DictReader(file)}
    for name in names:
        run = runs / re.sub(r"\W+", "_", name).strip("_")
        if (run / "benchmark" / "results.csv").exists():
            continue
        start = time.process_time()
        train(training(name, photos, run, iterations[name]))
        print(f"{name}: {iterations[name]} iterations, {time.process_time() - start:.0f} CPU-s in all", flush=True)
        sets = ["data=benchmark", f"data.root={photos}", "data.names=[Set5,Set14]", f"network_name='{name}'"]
        test(composed("test", f"weights='{run}'", *sets, f"run_dir={run / 'benchmark'}"))


def main() -> None:
    """Measure or train the named designs, or all."""
    torch.set_num_threads(1)
    photos, runs = Path(os.environ["SRLAB_DATA"]) / "photos", Path("runs/designs")
    runs.mkdir(parents=True, exist_ok=True)
    names = sys.argv[2:] or list(DESIGNS)
    {"measure": measure, "train": train_all}[sys.argv[1]](names, photos, runs)


if __name__ == "__main__":
    main()
