"""`srlab-describe`: what a composition costs, sees, and is in the survey's terms; or a table of all named networks."""

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from srlab.cli import command
from srlab.signatures import check_signatures

if TYPE_CHECKING:
    from srlab.networks.cost import Cost
    from srlab.networks.network import Network

Row = dict[str, str]


def describe(cfg: DictConfig) -> None:
    """Print the facts of the composed network, or of every choice of `network`; write them into the run folder too."""
    from srlab import run

    cfg = run.prepare(cfg)
    rows = all_rows(cfg.scale) if cfg.all else [row_of(cfg.network_name, cfg)]
    text = as_markdown(rows) if cfg.all else as_lines(rows[0])
    folder = Path(cfg.run_dir)
    (folder / "networks.md").write_text(as_markdown(rows) + "\n")
    with (folder / "networks.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    print(text)  # noqa: T201


def all_rows(scale: int) -> list[Row]:
    """A row for each choice of `network` that can do the scale."""
    import hydra
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.object_type import ObjectType

    from srlab.errors import InputError

    loader = GlobalHydra.instance().config_loader()
    rows = []
    for name in loader.get_group_options("network", results_filter=ObjectType.CONFIG):
        cfg = hydra.compose("describe", [f"network={name}", f"scale={scale}", "run_dir=."])
        try:
            rows.append(row_of(name, cfg))
        except InputError as refusal:
            print(f"{name}: {refusal}", file=sys.stderr)  # noqa: T201
    return rows


def row_of(name: str, cfg: DictConfig) -> Row:
    """The facts of one composition, in words."""
    import torch

    from srlab import build
    from srlab.networks.cost import cost

    check_signatures(cfg.framework)
    with torch.device("meta"):
        network: Network = build.build(cfg.framework)
    return {"network": name, "scale": str(network.scale), "channels": str(network.channels)} | facts(
        network, cost(network)
    )


def facts(network: "Network", found: "Cost") -> Row:
    from srlab.taxonomy import place

    framework, upsampling, design = place(network)
    field = found.receptive_field
    return {
        "parameters": f"{found.parameters:,}",
        "multiply-adds (1280 x 720)": f"{found.multiply_adds / 1e9:,.1f} G",
        "receptive field (LR pixels)": "whole image" if field is None else f"{field} x {field}",
        "activations (48 x 48)": f"{found.activation_bytes / 1e6:,.1f} MB",
        "framework": framework,
        "upsampling": upsampling,
        "design": design,
    }


def as_lines(row: Row) -> str:
    width = max(map(len, row))
    return "\n".join(f"{name:{width}}  {value}" for name, value in row.items())


def as_markdown(rows: list[Row]) -> str:
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Run the console command; `--all` is short for `all=true`."""
    sys.argv = ["all=true" if argument == "--all" else argument for argument in sys.argv]
    command("describe", describe)


if __name__ == "__main__":
    main()
