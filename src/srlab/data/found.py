"""What the choices of `data=` have in common: their sets of images follow from other settings."""

from dataclasses import dataclass, field

from srlab.data.module import Sources, SuperResolutionData
from srlab.data.source import Source


@dataclass(kw_only=True, eq=False, repr=False)
class FoundData(SuperResolutionData):
    """A data module that finds `train`, `val` and `test` by itself, once its settings are known: they cannot be given."""

    train: Source | None = field(default=None, init=False)
    val: Sources = field(default=None, init=False)
    test: Sources = field(default=None, init=False)
