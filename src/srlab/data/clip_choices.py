"""The choice of `data=` for clips: samples of T frames to train on, whole clips to validate and test on."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor
from torch.utils.data import Dataset

from srlab.data.clip_crops import ClipCrops
from srlab.data.clips import Clips, Span, clips_below
from srlab.data.crops import Crops
from srlab.data.evaluation import LabelledClips
from srlab.data.found import FoundData
from srlab.data.source import Source
from srlab.degradation.base import Degradation
from srlab.errors import InputError

log = logging.getLogger(__name__)


@dataclass(kw_only=True, eq=False, repr=False)
class ClipData(FoundData):
    """Folders of clips, each a folder of frames or a video file.

    Args:
        root: the clips to train on; None where nothing is trained.
        names: which of them; None: all that do not validate.
        lr_root: LR clips of the same names as those of root; None: LR is made by the degradation.
        val_root: validate on the clips of this folder; None: on those of root that `val_names` names, or on what tests.
        val_names: which of them; None: all.
        test_root: test on the clips of this folder; None: on what validates.
        test_names: which of them; None: all.
        test_lr_root: LR clips of what tests; None: LR is made by the protocol.
        made_root: frames that another program made of what tests, in clips of the same names: they are scored in a network's
            stead; None: there are none.
        frames: of a training sample, T.

    Raises:
        ValueError: no folder is named that would be used, or frames below 1.
        InputError: a folder holds no clips, or not those of a name.
    """

    root: str | None = None
    names: Sequence[str] | None = None
    lr_root: str | None = None
    val_root: str | None = None
    val_names: Sequence[str] | None = None
    test_root: str | None = None
    test_names: Sequence[str] | None = None
    test_lr_root: str | None = None
    made_root: str | None = None
    frames: int = 7

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.frames < 1:
            raise ValueError(f"data.frames={self.frames}: give 1 or more.")
        held = list(map(str, self.val_names or [])) if self.val_root is None else []
        if self.root is None and held:
            raise ValueError("data.val_names names clips of data.root or data.val_root, and both are null: give one.")
        if self.val_root is None and self.test_root is None and not held:
            raise ValueError(
                "there is no clip to validate or test on: give data.test_root=<folder of clips>, data.val_root, or "
                "data.val_names of the clips of data.root."
            )
        if self.root is not None:
            names = self.names
            if names is None and held:
                names = [clip.name for clip in clips_below(self.root).clips if clip.name not in held]
            train = clips_below(self.root, names, self.lr_root)
            if both := sorted({clip.name for clip in train.clips} & set(held)):
                raise ValueError(f"data.names and data.val_names share {', '.join(both)}: no clip may be in both.")
            train.require(self.frames)
            self.train = train
        if held and self.root is not None:
            self.val = clips_below(self.root, held, self.lr_root)
        elif self.val_root is not None:
            self.val = clips_below(self.val_root, self.val_names)
        if self.test_root is not None:
            self.test = clips_below(self.test_root, self.test_names, self.test_lr_root)
        self.val, self.test = self.val or self.test, self.test or self.val
        if self.made_root is not None and self.root is not None:
            raise ValueError("data.made_root is for srlab-test alone, and data.root trains: leave one of them out.")
        self._made = self._frames_made()

    def make_pair(
        self, degradation: Degradation, hr: Tensor, seeds: Tensor, levels: Tensor
    ) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """LR and HR of clips (B, T, C, H, W): see `Degradation.of_clips`."""
        return degradation.make_clips(hr, seeds, levels)

    def labelled(self, sources: Sequence[Source]) -> LabelledClips:
        return LabelledClips([(source, span) for source in sources for span in self._whole(source)], self._made)

    def _frames_made(self) -> dict[str, tuple[Source, Span]]:
        if self.made_root is None:
            return {}
        assert isinstance(self.test, Clips)
        made = clips_below(self.made_root, [span.name for span in self.test.spans])
        for ours, theirs in zip(self.test.spans, made.spans, strict=True):
            if ours.length != theirs.length:
                raise InputError(
                    f"{ours.name} has {ours.length} frames, and in {self.made_root} {theirs.length}: give each."
                )
        return {span.name: (made, span) for span in made.spans}

    def _whole(self, source: Source) -> list[Span]:
        """The clips of a prepared source of which no frame was left out."""
        given = next(clips for clips in (self.val, self.test) if isinstance(clips, Clips) and clips.name == source.name)
        lengths = {span.name: span.length for span in given.spans}
        runs = given.runs(source)
        whole = [run for run in runs if run.length == lengths[run.name]]
        if cut := sorted({run.name for run in runs} - {run.name for run in whole}):
            log.warning("%s: %s lacks frames, and is left out.", source.name, ", ".join(cut))
        return whole

    def _crops(self, source: Source, scale: int) -> Dataset[dict[str, Tensor]]:
        if self.curriculum.difficulty:
            raise InputError("curriculum.difficulty chooses among crops of images, not of clips: leave it out.")
        assert isinstance(self.train, Clips)
        crops = super()._crops(source, scale)
        assert isinstance(crops, Crops)
        return ClipCrops(crops, self.train.runs(source), self.frames)
