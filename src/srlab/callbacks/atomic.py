"""Lightning's checkpoint files, written so that a kill leaves no torn one."""

from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from srlab.files import write_atomically


class AtomicCheckpointIO(TorchCheckpointIO):
    """Write beside the target and rename; Lightning's own way copies where $TMPDIR is another file system."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None) -> None:
        write_atomically(Path(path), lambda file: torch.save(checkpoint, file))
