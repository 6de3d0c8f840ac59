"""A sweep over images ends in the table of their benchmark."""

from pathlib import Path

from srlab.evaluation.results import Result, read_results, write_results
from srlab.sweeps.jobs import DONE, FAILED, Job, write_job
from srlab.sweeps.scores import join_scores


def job(sweep: Path, number: int, overrides: list[str], value: float, image: str, protocol: str = "a") -> None:
    """A job that scored one image, and bicubic on it 1 dB below."""
    folder = sweep / str(number)
    folder.mkdir(parents=True)
    rows = [
        Result("set5", name, "psnr_y", value - below, "dB", protocol, protocol, network, 2, "", 1.0)
        for network, below in (("zssr", 0), ("bicubic", 1))
        for name in (image, "mean")
    ]
    write_results(folder / "results.csv", rows)
    write_job(folder, Job(("experiment=zssr_x2", *overrides), DONE))


def means(sweep: Path) -> dict[str, float]:
    return {row.network: row.value for row in read_results(sweep / "results.csv") if row.image == "mean"}


def test_the_mean_is_over_the_images_of_all_jobs(tmp_path: Path) -> None:
    for number, value in enumerate([30.0, 34.0, 38.0]):
        job(tmp_path, number, [f"data.index={number}"], value, f"image{number}")
    (tmp_path / "3").mkdir()
    write_job(tmp_path / "3", Job(("experiment=zssr_x2", "data.index=3"), FAILED))
    join_scores(tmp_path)
    assert means(tmp_path) == {"zssr": 34.0, "bicubic": 33.0}
    images = [row.image for row in read_results(tmp_path / "results.csv") if row.network == "zssr"]
    assert images == ["image0", "image1", "image2", "mean"]


def test_what_else_differs_names_the_rows(tmp_path: Path) -> None:
    for number, (index, seed) in enumerate([(0, 1), (1, 1), (0, 2), (1, 2)]):
        job(tmp_path, number, [f"data.index={index}", f"seed={seed}"], 30.0 + index + seed, f"image{index}")
    join_scores(tmp_path)
    assert means(tmp_path) == {"zssr seed=1": 31.5, "bicubic seed=1": 30.5, "zssr seed=2": 32.5, "bicubic seed=2": 31.5}


def test_other_sweeps_and_mixed_protocols_have_no_such_table(tmp_path: Path) -> None:
    for number in range(2):
        job(tmp_path / "seeds", number, [f"seed={number}"], 30.0, "image")
        job(tmp_path / "mixed", number, [f"data.index={number}"], 30.0, f"image{number}", protocol=str(number))
    for other in ("seeds", "mixed"):
        assert join_scores(tmp_path / other) == []
        assert not (tmp_path / other / "results.csv").exists()
