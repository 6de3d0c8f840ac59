"""The protocol of cubes on a real scene: the WorldView-2 row of an independent implementation, and Jasper Ridge's."""

from pathlib import Path

import pytest

from srlab.evaluation.results import MEAN, read_results
from tests.conftest import Command

WV2 = {
    "expansion": (25.09, 7.70, 7.66, 0.659),
    "brovey": (26.93, 7.70, 6.24, 0.790),
    "pca": (26.91, 7.89, 6.25, 0.784),
    "gram_schmidt": (27.04, 7.82, 6.16, 0.790),
    "gsa": (28.57, 7.83, 5.32, 0.851),
    "sfim": (28.72, 7.70, 5.08, 0.866),
    "mtf_glp_cbd": (28.60, 7.85, 5.30, 0.852),
    "mtf_glp_hpm": (29.26, 7.35, 4.77, 0.876),
}
"""Band PSNR in dB, SAM in degrees, ERGAS in %, Q2n, of MS and PAN reduced by 4."""


@pytest.mark.parametrize("network", WV2)
def test_a_real_scene_has_the_known_figures(command: Command, data_root: Path, tmp_path: Path, network: str) -> None:
    scene = [
        f"data.scene.path={data_root}/domain/hyperspectral/imgWV2.mat",
        *("data.scene.key=I_MS", "data.scene.white=2047", "data.scene.guide=I_PAN"),
    ]
    done = command(
        *("test", f"network={network}", "scale=4", "channels=8", "protocol=wald", "data=cube", *scene),
        "hydra.run.dir=out",
    )
    assert done.status == 0, done.err
    found = {row.metric: row.value for row in read_results(tmp_path / "out/results.csv") if row.image == MEAN}
    wanted = dict(zip(("psnr_band", "sam", "ergas", "q2n"), WV2[network], strict=True))
    for metric, value in wanted.items():
        last_digit = 0.0006 if metric == "q2n" else 0.006  # the row is cut off in places, not rounded
        assert found[metric] == pytest.approx(value, abs=last_digit), metric
