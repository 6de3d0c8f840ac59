"""Score the runs of run.sh on Set5 and Set14 and draw them: measure.py <runs> <photos>, into results.csv and strips.png.

Beside the protocol's PSNR-Y and SSIM-Y, of the luma of SR and HR, borders cut and rounded as the protocol has it:
gradients: Wasserstein-1 distance of the distributions of gradient magnitudes, in grey levels of 255;
spectrum: mean absolute difference of the power spectra beyond the LR image's Nyquist frequency, ring by ring, in dB;
random_features: LPIPS's distance on random VGG-19 features without learned weights, which no training saw;
blur_effect: scikit-image's, of SR alone.
"""

import csv
import sys
from itertools import pairwise
from pathlib import Path
from statistics import fmean

import hydra
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

import srlab
from srlab.build import build
from srlab.color import rgb_to_ycbcr
from srlab.config import register
from srlab.evaluation.evaluate import Scored
from srlab.evaluation.metrics import Facts, Metric
from srlab.evaluation.perceptual import BlurEffect
from srlab.evaluation.scoring import score_images
from srlab.evaluation.strips import Panel, stack, strip
from srlab.inference.enlarge import enlarge
from srlab.inference.interpolation import interpolate
from srlab.losses.features import VGG
from srlab.networks.interpolation import Interpolation
from srlab.networks.network import Network

HERE, SCALE = Path(__file__).parent, 4
TERMS = {"l1": "L1", "content": "+ content", "texture": "+ texture", "gan": "+ adversarial", "all": "+ all three"}
CROPS = {"butterfly": (60, 60), "comic": (80, 60), "baboon": (40, 120)}
SIZE = 120  # HR pixels of a crop


def luma(image: Tensor) -> Tensor:
    """(1, C, H, W) -> (1, 1, H, W)."""
    return rgb_to_ycbcr(image.double())[:, :1] if image.shape[1] == 3 else image.double()


class Gradients(Metric):
    """Distance of the distributions of gradient magnitudes, in grey levels."""

    facts = Facts("", False)

    def __call__(self, sr: Tensor, hr: Tensor) -> float:
        ours, theirs = (self.magnitudes(luma(image)) for image in (sr, hr))
        return float(255 * (ours - theirs).abs().mean())

    @staticmethod
    def magnitudes(y: Tensor) -> Tensor:
        down, across = y[..., 1:, :-1] - y[..., :-1, :-1], y[..., :-1, 1:] - y[..., :-1, :-1]
        return torch.hypot(down, across).flatten().sort().values


class Spectrum(Metric):
    """Mean absolute difference in dB of the spectra's rings beyond LR's Nyquist frequency."""

    facts = Facts("dB", False)

    def __call__(self, sr: Tensor, hr: Tensor) -> float:
        ours, theirs = (self.rings(luma(image)) for image in (sr, hr))
        return float((ours - theirs).abs().mean())

    @staticmethod
    def rings(y: Tensor) -> Tensor:
        height, width = y.shape[-2:]
        window = torch.outer(torch.hann_window(height, dtype=y.dtype), torch.hann_window(width, dtype=y.dtype))
        power = torch.fft.fft2((y - y.mean()) * window).abs().square()[0, 0]
        radius = torch.hypot(torch.fft.fftfreq(height)[:, None], torch.fft.fftfreq(width)[None])
        edges = torch.linspace(0.5 / SCALE, 0.5, 13)
        means = [power[(radius >= low) & (radius < high)].mean() for low, high in pairwise(edges.tolist())]
        return 10 * torch.stack(means).log10()


class RandomFeatures(Metric):
    """Mean squared distance of unit feature vectors, summed over five layers of a random VGG-19."""

    facts = Facts("", False)
    layers = ("relu1_2", "relu2_2", "relu3_4", "relu4_4", "relu5_4")

    def __init__(self) -> None:
        self.vgg = VGG(19, "random", width=16)
        self.vgg.want(self.layers)

    def __call__(self, sr: Tensor, hr: Tensor) -> float:
        with torch.no_grad():
            ours, theirs = (self.vgg.of(image.float()) for image in (sr, hr))
            pairs = [(F.normalize(ours[name], dim=1), F.normalize(theirs[name], dim=1)) for name in self.layers]
            return float(sum((a - b).square().sum(1).mean() for a, b in pairs))


def main(runs: Path, photos: Path) -> None:
    """Write results.csv and strips.png beside this file, and print the table."""
    register()
    with hydra.initialize_config_module("srlab.conf", version_base="1.3"):
        options = ["data=benchmark", f"data.root={photos}", "data.names=[Set5,Set14]", f"scale={SCALE}", "run_dir=."]
        cfg = hydra.compose("test", options)
    protocol, data = build(cfg.protocol), build(cfg.data)
    data.setup("test")
    metrics: dict[str, Metric] = {
        "random_features": RandomFeatures(),
        "gradients": Gradients(),
        "spectrum": Spectrum(),
        "blur_effect": BlurEffect(),
    }
    rows: list[dict[str, object]] = []
    shown: dict[str, list[Scored]] = {}

    def score(name: str, seed: int | str, network: Network) -> None:
        network = network.eval()
        scored = score_images(
            lambda lr, guide=None: enlarge(network, lr), data.test_dataloader(), network, protocol, metrics
        )
        shown.setdefault(name, scored)
        scores = [score for one in scored for score in one.scores]
        for dataset in ("set5", "set14"):
            for metric in dict.fromkeys(score.metric for score in scores):
                values = [s.value for s in scores if (s.dataset.lower(), s.metric) == (dataset, metric)]
                rows.append(
                    {"network": name, "scale": SCALE, "seed": seed, "dataset": dataset, "metric": metric}
                    | {"value": f"{fmean(values):.5f}", "protocol": protocol.name, "protocol_hash": protocol.hash}
                )

    score("bicubic", "", Interpolation(3, SCALE, "bicubic"))
    seeds = sorted(int(run.name.rpartition("_")[2]) for run in runs.glob("all_*") if (run / "export").is_dir())
    for seed in seeds:
        for name in TERMS:
            score(name, seed, srlab.load(runs / f"{name}_{seed}"))
        pixels, everything = (srlab.load(runs / f"{name}_{seed}") for name in ("l1", "all"))
        pixels.load_state_dict(interpolate(pixels.state_dict(), everything.state_dict(), 0.5))
        score("half-way", seed, pixels)
    with (HERE / "results.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    kinds = list(dict.fromkeys(str(row["metric"]) for row in rows))
    for dataset in ("set5", "set14"):
        print(f"\n| {dataset} | {' | '.join(kinds)} |\n|{'---|' * (len(kinds) + 1)}")
        for name in shown:
            means = [
                fmean(
                    float(str(row["value"]))
                    for row in rows
                    if (row["network"], row["dataset"], row["metric"]) == (name, dataset, kind)
                )
                for kind in kinds
            ]
            print(f"| {TERMS.get(name, name)} | {' | '.join(f'{mean:.4g}' for mean in means)} |")
    draw(shown).save(HERE / "strips.png")


def draw(shown: dict[str, list[Scored]]) -> Image.Image:
    """A strip for each crop: HR, bicubic, and the first seed of each training."""
    strips = []
    for image, (top, left) in CROPS.items():
        panels: list[Panel] = []
        for name, scored in shown.items():
            one = next(one for one in scored if one.scores[0].image == image)
            part = (0, slice(None), slice(top, top + SIZE), slice(left, left + SIZE))
            if not panels:
                panels.append(Panel("HR", one.hr[part]))
            panels.append(Panel(f"{TERMS.get(name, name)} {one.headline:.2f}", one.sr[part]))
        strips.append(strip(panels))
    return stack(strips)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
