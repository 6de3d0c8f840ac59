"""Gather what run.py measured: results.csv, pareto.png, and the ranked table in Markdown on standard output.

python experiments/designs/table.py [folder of runs]
"""

import csv
import sys
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt

HERE = Path(__file__).parent
SETS = ("set5", "set14")
BICUBIC = 28.429  # dB on Set5
TICKS = (0.4, 0.5, 0.7, 1.0, 1.5, 2.0, 2.5)
Row = dict[str, str]


def rows_of(runs: Path) -> list[Row]:
    """A row for each design that was trained, the best on Set5 first."""
    with (runs / "rates.csv").open(newline="") as file:
        rates = {row["design"]: row for row in csv.DictReader(file)}
    rows = []
    for path in runs.glob("*/benchmark/results.csv"):
        with path.open(newline="") as file:
            means = [row for row in csv.DictReader(file) if row["image"] == "mean"]
        design = means[0]["network"]
        scores = {f"{row['dataset']}_{row['metric']}": f"{float(row['value']):.4f}" for row in means}
        facts = {key: means[0][key] for key in ("network", "scale", "protocol", "protocol_hash")}
        costs = {key: value for key, value in rates[design].items() if key != "design"}
        rows.append({"network": facts.pop("network"), "scale": facts.pop("scale")} | costs | scores | facts)
    return sorted(rows, key=lambda row: -float(row["set5_psnr_y"]))


def write(rows: list[Row]) -> None:
    """Write results.csv."""
    with (HERE / "results.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def draw(rows: list[Row], path: Path) -> None:
    """Draw PSNR on Set5 over the time of an enlargement, and join the designs that no other is better and faster than."""
    mpl.use("agg")
    figure, axes = plt.subplots(figsize=(9, 6), layout="constrained")
    points = sorted((float(row["megapixel_s"]), float(row["set5_psnr_y"]), row["network"]) for row in rows)
    best = [point for place, point in enumerate(points) if all(point[1] > other[1] for other in points[:place])]
    axes.plot([x for x, _, _ in best], [y for _, y, _ in best], color="0.7", drawstyle="steps-post", zorder=0)
    for place, (seconds, psnr, design) in enumerate(points):
        axes.plot(seconds, psnr, "o", color="C3" if points[place] in best else "C0")
        label = design.partition("(")[2].rstrip(")")
        crowded = any(1 < x / seconds < 1.08 and abs(y - psnr) < 0.09 for x, y, _ in points)
        offset, side = ((0, -13), "center") if crowded else ((5, 3), "left")
        axes.annotate(label, (seconds, psnr), xytext=offset, textcoords="offset points", fontsize=8, ha=side)
    axes.axhline(BICUBIC, color="0.8", linestyle=":", zorder=0)
    axes.set(
        xscale="log", xlabel="CPU seconds for a megapixel of SR (float32, one thread)", ylabel="PSNR-Y on Set5, dB"
    )
    axes.set_title("30 CPU seconds of training, x4; dotted: bicubic", fontsize=10)
    axes.set_xticks(TICKS, [f"{tick:g}" for tick in TICKS], minor=False)
    axes.set_xticks([], minor=True)
    axes.margins(x=0.1)
    figure.savefig(path, dpi=110)


def as_markdown(rows: list[Row]) -> str:
    """The ranked table."""
    head = "| | design | Set5 | Set14 | parameters | G multiply-adds | receptive field | ms a step | s a megapixel |"
    lines = [head, "|---" * 9 + "|"]
    for place, row in enumerate(rows, start=1):
        scores = [f"{float(row[f'{one}_psnr_y']):.2f} / {float(row[f'{one}_ssim_y']):.4f}" for one in SETS]
        cells = [str(place), row["network"], *scores, f"{int(row['parameters']):,}", row["giga_multiply_adds"]]
        cells += [row["receptive_field"], f"{1000 * float(row['step_s']):.0f}", f"{float(row['megapixel_s']):.2f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main(runs: str = "runs/designs") -> None:
    """Write the table's files and print it."""
    rows = rows_of(Path(runs))
    write(rows)
    draw(rows, HERE / "pareto.png")
    print(as_markdown(rows))


if __name__ == "__main__":
    main(*sys.argv[1:])
