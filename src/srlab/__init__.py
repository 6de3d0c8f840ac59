"""srlab: an experiment framework for deep image super-resolution.

`srlab.load(path)` gives a trained network in one line. Importing srlab alone imports nothing heavy.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["__version__", "load"]

if TYPE_CHECKING:
    from srlab.inference.exported import load


def __getattr__(name: str) -> Any:
    if name == "load":
        from srlab.inference.exported import load

        return load
    raise AttributeError(f"module 'srlab' has no attribute {name!r}")
