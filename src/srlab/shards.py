"""`srlab-shards`: write a training set as LitData's shards, for sets that are too large to be decoded into a cache."""

from pathlib import Path

from omegaconf import DictConfig

from srlab.cli import command
from srlab.errors import InputError


def shards(cfg: DictConfig) -> None:
    """Write the training images of `data`; told again, go on with what is missing, and check all."""
    from srlab import build, run
    from srlab.data.shard_files import Form
    from srlab.data.sharding import write_shards

    cfg = run.prepare(cfg)
    form = build.refusing(Form, cfg.tile, cfg.shard_mb, cfg.codec, cfg.part_images)
    source = build.build(cfg.data).train
    if source is None:
        raise InputError("there are no training images: choose data=folder, paired, div2k or builtin.")
    output = Path(cfg.output).expanduser()
    count = write_shards(source, output, form, cfg.workers, cfg.data.on_bad_file)
    size = sum(path.stat().st_size for path in output.rglob("*.bin"))
    print(f"{count} images, {size / 1e9:.3f} GB, each compared with what was read: data=shards data.root={output}")  # noqa: T201


def main() -> None:
    """Run the console command."""
    command("shards", shards)


if __name__ == "__main__":
    main()
