"""ENVI files: a header of text, and samples beside it (bands interleaved by line, by pixel or one after the other)."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srlab.errors import InputError


def envi_header(data: Path) -> Path | None:
    """The header of a file of samples: `scene.hdr` or `scene.dat.hdr` beside `scene.dat`; None: there is none."""
    beside = (data.with_name(f"{name}{suffix}") for name in (data.stem, data.name) for suffix in (".hdr", ".HDR"))
    return next((header for header in beside if header.is_file()), None)


def read_envi(header: Path, data: Path | None = None) -> NDArray[Any]:
    """The cube of a header, (H, W, C) float32, by the scale, gains and offsets that this states.

    Samples of its `data ignore value`, where nothing was measured, become 0.

    Args:
        header: .hdr.
        data: the samples; None: the file that the header's name leads to.

    Raises:
        InputError: there is no such file, it cannot be read, or it is not as long as the header says.
    """
    try:
        from spectral.io import envi
        from spectral.io.spyfile import SpyFile
    except ImportError:
        raise InputError(f"{header} is an ENVI file: pip install 'srlab[hyperspectral]' to read it.") from None
    try:
        file = envi.open(str(header), None if data is None else str(data))
        stored = np.asarray(file.load(scale=False)) if isinstance(file, SpyFile) else None
        facts = {
            name: np.asarray(file.metadata[name], dtype=np.float32)
            for name in ("data gain values", "data offset values", "data ignore value")
            if name in file.metadata
        }
    except EOFError:
        raise InputError(
            f"{header}: its data file is shorter than the header says ({file.nrows} rows, {file.ncols} samples, "
            f"{file.nbands} bands): copy it again, or correct the header."
        ) from None
    except envi.EnviDataFileNotFoundError:
        raise InputError(
            f"{header}: no data file of its name is beside it: set data.scene.path to the data file."
        ) from None
    except (envi.EnviException, ValueError, TypeError, OSError) as error:
        raise InputError(f"{header} is no ENVI file that can be read ({error}).") from None
    if stored is None:
        raise InputError(f"{header} holds spectra without an image: give a cube's header.")
    scaled: NDArray[Any] = stored / file.scale_factor
    scaled = scaled * facts.get("data gain values", np.float32(1)) + facts.get("data offset values", np.float32(0))
    return np.where(stored == facts["data ignore value"], 0, scaled) if "data ignore value" in facts else scaled
