"""The choices of `data=` with a photograph beside each depth map."""

from collections.abc import Sequence
from dataclasses import dataclass

from srlab.data.found import FoundData
from srlab.data.guides import Guides, check_guides
from srlab.data.rgbd import Depth, Motorcycle, OtherGuide, rgbd_folder
from srlab.data.source import Part, Source


@dataclass(kw_only=True, eq=False, repr=False)
class GuidedData(FoundData):
    """Data whose guides may be exchanged, to learn what they are worth.

    Args:
        guides: `own`; `other`: another scene's; `blank`: an even grey, for a network that learns without.
    """

    guides: Guides = "own"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_guides(self.guides)

    def guided(self, source: Source) -> Source:
        """A source with the guides that were asked for."""
        if self.guides == "other" and len(source) < 2:
            raise ValueError(f"{source.name} has one scene, and no other's guide: take data.guides=own or blank.")
        if self.guides != "own":
            source.guide = OtherGuide(source, self.guides == "blank")
        return source


@dataclass(kw_only=True, eq=False, repr=False)
class RGBDData(GuidedData):
    """Folders of depth maps and photographs.

    Args:
        root: the training set's folder, which holds the two; None where nothing is trained.
        val_root: validate on this one; None: on every `hold_out`-th scene of `root`, which is then not trained on.
        test_root: test on these; None: on what validates.
        hold_out: see `val_root`.
        depth, guide: the folders below each root.
        white: what maps are divided by, so that white is 1: see `Depth`.
        hole: the code that stands for no depth; None: there are no holes.
    """

    root: str | None = None
    val_root: str | None = None
    test_root: str | Sequence[str] | None = None
    hold_out: int = 5
    depth: str = "depth"
    guide: str = "rgb"
    white: float | None = None
    hole: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.root is None and self.test_root is None:
            raise ValueError("data.root and data.test_root are null: name a folder to train on, or one to test on.")
        if self.hold_out < 2 or (self.white is not None and self.white <= 0):
            raise ValueError(f"data.hold_out={self.hold_out} must be 2 or more, data.white={self.white} above 0.")
        if self.root is not None:
            scenes = self.folder(self.root)
            held = [] if self.val_root is not None else list(range(0, len(scenes), self.hold_out))
            self.train = self.guided(Part(scenes, [index for index in range(len(scenes)) if index not in held]))
            self.val = self.guided(Part(scenes, held)) if held else None
        if self.val_root is not None:
            self.val = self.guided(self.folder(self.val_root))
        roots = [self.test_root] if isinstance(self.test_root, str) else self.test_root or []
        self.test = [self.guided(self.folder(root)) for root in roots] or self.val

    def folder(self, root: str) -> Depth:
        return rgbd_folder(root, self.depth, self.guide, self.white, self.hole)


@dataclass(kw_only=True, eq=False, repr=False)
class MotorcycleData(GuidedData):
    """Train on the left two thirds of scikit-image's motorcycle, validate and test on the right third."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.train = self.guided(Motorcycle((0, 66)))
        self.val = self.test = self.guided(Motorcycle((66, 100)))
