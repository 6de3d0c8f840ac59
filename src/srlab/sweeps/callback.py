"""How a command knows, at its end, which sweep it ran."""

from pathlib import Path
from typing import Any, ClassVar

from hydra.experimental.callback import Callback
from omegaconf import DictConfig


class SweepTable(Callback):
    """Note the folder of a sweep as it begins: its table is due however it ends."""

    begun: ClassVar[list[Path]] = []

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        self.begun.append(Path(config.hydra.sweep.dir))
