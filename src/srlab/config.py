"""The typed top level of each command's configuration.

A mistyped key or a value of the wrong type is refused by Hydra against these classes. Inside a group, the part's
constructor is the schema: see `srlab.build`. What the YAML may compute is in `srlab.resolvers`. Nothing heavy is imported
in either: `--help` and completion must be quick.
"""

from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, OmegaConf

from srlab.resolvers import RESOLVERS


@dataclass
class ModelConfig:
    """What a network is made of: shared by every command.

    Attributes:
        scale: the enlargement, one of what the upsampler offers.
        channels: of the images that the network takes and gives: 1 (Y or grey), 3 (RGB), or any number of bands.
        weights: a weight file, or a folder with an exported network; null for none.
        network_name: the name in tables; null composes it from the choices.
        run_dir: the folder of this run: everything is written below it.
    """

    scale: int = 2
    channels: int = 3
    seed: int = 0
    weights: str | None = None
    network_name: str | None = None
    run_dir: str = MISSING
    framework: Any = None
    backbone: Any = None
    upsampler: Any = None


@dataclass
class TrainConfig(ModelConfig):
    """`srlab-train`.

    Attributes:
        iterations: length of the training; one iteration is one batch, and the only clock.
        resume: the run folder to go on with; null starts a new run; auto goes on with what the run's own folder holds, and
            starts there otherwise.
        discriminator, optimizer_d: what paradigms train against the network, and by which optimizer; null elsewhere.
        reduction: what made the LR image, for paradigms that learn from it alone; null elsewhere.
        degrader, translator, discriminator_lr, optimizer_g: what paradigms without pairs train beside the network: the
            learned degradation, the nets between domains, the discriminator of LR images, and their optimizer.
        curriculum: what changes in the course of the training; null for nothing.
    """

    iterations: int = MISSING
    resume: str | None = None
    paradigm: Any = MISSING
    discriminator: Any = None
    optimizer_d: Any = None
    reduction: Any = None
    degrader: Any = None
    translator: Any = None
    discriminator_lr: Any = None
    optimizer_g: Any = None
    curriculum: dict[str, Any] | None = None
    loss: dict[str, Any] = field(default_factory=dict)
    optimizer: Any = MISSING
    scheduler: Any = MISSING
    data: Any = MISSING
    degradation: Any = MISSING
    protocol: Any = MISSING
    metrics: dict[str, Any] = field(default_factory=dict)
    callbacks: dict[str, Any] = field(default_factory=dict)
    logger: dict[str, Any] = field(default_factory=dict)
    trainer: Any = MISSING
    training: Any = MISSING


@dataclass
class TestConfig(ModelConfig):
    """`srlab-test`."""

    data: Any = MISSING
    degradation: Any = MISSING
    protocol: Any = MISSING
    metrics: dict[str, Any] = field(default_factory=dict)
    iterations: int = 0
    device: str = "auto"
    save_images: bool = False


@dataclass
class UpscaleConfig(ModelConfig):
    """`srlab-upscale`.

    Attributes:
        input: an image file, a folder of them, or a pattern ("photos/**/*.png").
        output: the folder to write into; null is the run folder. An input is never overwritten.
        guide: for networks that take one: an image, or a folder of them with the inputs' names, `scale` times as large.
        resume: pass over images whose enlargement exists already.
        factor: another enlargement than `scale`, for networks of any (2.7, say); null: the network's own.
        device: cpu, cuda, mps, auto, or several with commas between them, which share the images out.
        precision: 32, bf16, or auto (bf16 where the machine gains from it).
        tile: the longest side of a tile in LR pixels; null: by the memory.
        halo: the margin of a tile in LR pixels; null: exact in float32, and as much as can be seen in bf16.
        batch: tiles at once.
        memory_gb: what the whole process may take; null: half of what is free.
        self_ensemble: the mean over eight turned and mirrored images.
        compile: `torch.compile` the network.
        workers: images that are read, enlarged and written at a time; null: two, or as many as devices.
        frames: of a clip at a time; null: 16, or fewer of large ones.
        crf: quality of video files, 0 is best.
    """

    input: str = MISSING
    output: str | None = None
    guide: str | None = None
    resume: bool = False
    factor: float | None = None
    device: str = "auto"
    precision: str = "auto"
    tile: int | None = None
    halo: int | None = None
    batch: int = 1
    memory_gb: float | None = None
    self_ensemble: bool = False
    compile: bool = False
    workers: int | None = None
    frames: int | None = None
    crf: int = 16


@dataclass
class ExportConfig(ModelConfig):
    """`srlab-export`.

    Attributes:
        use: the weights of a run or a checkpoint: ema, raw, or null for those that the training evaluated.
        interpolate_with: a second training of the same network, in any form that `weights` takes.
        alpha: the share of the second.
        format: srlab, onnx, or published.
        output: the folder to write into; null is `export` in the run folder.
    """

    use: str | None = None
    interpolate_with: str | None = None
    alpha: float = 0.8
    format: str = "srlab"
    output: str | None = None


@dataclass
class DescribeConfig(ModelConfig):
    """`srlab-describe`.

    Attributes:
        all: describe every choice of `network`, instead of one composition.
    """

    all: bool = False


@dataclass
class KernelConfig:
    """`srlab-kernel`.

    Attributes:
        input: an image file.
        scale: HR pixels per LR pixel.
        seeds: an estimate is made with each; several tell how repeatable it is.
        run_dir: the folder of this run: everything is written below it.
    """

    input: str = MISSING
    scale: int = 2
    seeds: list[int] = field(default_factory=lambda: [0])
    method: Any = MISSING
    run_dir: str = MISSING


@dataclass
class ShardsConfig:
    """`srlab-shards`.

    Attributes:
        output: the folder to write into; the same command goes on there.
        tile: height and width of what is read at once, in pixels.
        shard_mb: size of a file, in 10^6 bytes.
        codec: `none` or `zstd`.
        part_images: images that one process writes at a time.
        workers: processes.
        run_dir: the folder of this run.
    """

    output: str = MISSING
    tile: int = 256
    shard_mb: int = 64
    codec: str = "none"
    part_images: int = 32
    workers: int = 2
    data: Any = MISSING
    degradation: Any = MISSING
    scale: int = 2
    channels: int = 3
    seed: int = 0
    iterations: int = 0
    run_dir: str = MISSING


@dataclass
class ReportConfig:
    """`srlab-report`.

    Attributes:
        runs: a run, a sweep, or any folder above them.
        output: the page; null is `report.html` in the run folder.
        images: how many test images are shown.
        methods: how many settings are shown beside each other at most.
    """

    runs: str = MISSING
    output: str | None = None
    images: int = 3
    methods: int = 6
    run_dir: str = MISSING


SCHEMAS = {
    "train": TrainConfig,
    "test": TestConfig,
    "upscale": UpscaleConfig,
    "export": ExportConfig,
    "describe": DescribeConfig,
    "report": ReportConfig,
    "kernel": KernelConfig,
    "shards": ShardsConfig,
}
"""Each command's, by its name."""


def register() -> None:
    """Make the schemas and resolvers known to Hydra; harmless when called again."""
    store = ConfigStore.instance()
    for name, schema in SCHEMAS.items():
        store.store(name=f"{name}_schema", node=schema, provider="srlab")
    for name, resolver in RESOLVERS.items():
        OmegaConf.register_new_resolver(name, resolver, replace=True)
