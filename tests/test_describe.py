"""`srlab-describe`, for one composition and for all named networks."""

import csv
from pathlib import Path

from tests.conftest import ROOT, Command


def test_one_composition(command: Command, tmp_path: Path) -> None:
    outcome = command("describe", "network=carn", "scale=4", "hydra.run.dir=run")
    assert outcome.status == 0, outcome.err
    for fact in ("carn", "1,591,939", "90.9 G", "45 x 45", "post-upsampling", "multi-path (scale-specific)"):
        assert fact in outcome.out
    assert (tmp_path / "run/networks.csv").is_file()


def test_the_table_of_all_networks_names_those_that_cannot_do_the_scale(command: Command, tmp_path: Path) -> None:
    outcome = command("describe", "--all", "scale=3", "hydra.run.dir=run")
    assert outcome.status == 0, outcome.err
    with (tmp_path / "run/networks.csv").open(newline="") as file:
        rows = {row["network"]: row for row in csv.DictReader(file)}
    assert rows["edsr_baseline"]["parameters"] == "1,554,499"
    assert outcome.out.count("\n") == len(rows) + 2
    left_out = {path.stem for path in (ROOT / "conf/network").glob("*.yaml")} - set(rows)
    assert "lapsrn" in left_out
    assert all(f"{name}: " in outcome.err for name in left_out)
