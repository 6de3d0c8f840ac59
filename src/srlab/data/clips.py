"""Clips: folders of frames (Vid4, REDS, Vimeo) or video files, found below one folder, and read frame by frame."""

import logging
import re
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate, pairwise
from pathlib import Path
from typing import NamedTuple

from srlab.data.images import SUFFIXES, Header, read_header, read_image
from srlab.data.source import Source
from srlab.data.sources import Files
from srlab.errors import InputError
from srlab.types import Pixels

log = logging.getLogger(__name__)

VIDEO_SUFFIXES = frozenset({".mp4", ".mkv", ".mov", ".avi", ".webm", ".m4v", ".mpg", ".mpeg", ".ts", ".y4m"})


class Clip(Source):
    """A source of frames of one size that follow each other, by number.

    Attributes:
        path: the folder or the file.
    """

    path: Path

    def where(self, index: int) -> str:
        return f"{self.path}: frame {index + 1}"

    def alpha(self, index: int) -> Pixels | None:
        """The alpha (H, W, 1) of a frame, which `image` is without; None: it is opaque."""
        return None


class FrameFolder(Files, Clip):
    """A folder of images: "Frame 001.png" or "hr0.png", "hr1.png", ..., "hr10.png", in the order of their numbers.

    Args:
        name: of the clip.
        path: the folder.
    """

    def __init__(self, name: str, path: Path) -> None:
        super().__init__(name, sorted(images_in(path), key=lambda file: by_numbers(file.name)))
        self.path = path
        if gap := first_gap([file.stem for file in self.paths]):
            log.warning(
                "%s: between %s and %s frames are missing by their numbers, and they count as following each other: "
                "where they do not, give each part a folder of its own.",
                path,
                *gap,
            )

    def header(self, index: int) -> Header:
        own = super().header(index)
        if own != self.first_header:
            raise InputError(
                f"{self.paths[index]} is {_told(own)}, but the clip's first frame, {self.paths[0].name}, "
                f"{_told(self.first_header)}: put frames of one size and depth into a folder."
            )
        return own

    @cached_property
    def first_header(self) -> Header:
        return super().header(0)

    def alpha(self, index: int) -> Pixels | None:
        return read_image(self.paths[index])[..., -1:] if read_header(self.paths[index]).alpha else None


class Span(NamedTuple):
    """Frames `start` to `stop` of a source are one clip."""

    name: str
    start: int
    stop: int

    @property
    def length(self) -> int:
        return self.stop - self.start


class Clips(Source):
    """The frames of clips, one clip after the other: each frame is an image of this source, "city/Frame 001".

    Args:
        name: of the set.
        clips: in their order.
        lr_clips: their LR clips, in the same order; None: there are none.
        complaints: what was found wrong while they were looked for.
    """

    def __init__(
        self,
        name: str,
        clips: Sequence[Clip],
        lr_clips: Sequence[Clip] | None = None,
        complaints: Sequence[str] = (),
    ) -> None:
        self.name, self.clips = name, list(clips)
        self.complaints = list(complaints)
        ends = list(accumulate(map(len, self.clips), initial=0))
        self.spans = [Span(clip.name, *ends[place : place + 2]) for place, clip in enumerate(self.clips)]
        self.places = [(clip, index) for clip in self.clips for index in range(len(clip))]
        self.lr = None if lr_clips is None else Clips(name, lr_clips)

    def require(self, frames: int) -> None:
        """Complain of clips that have fewer frames than a training sample."""
        self.complaints = list(self.complaints) + [
            f"{clip.path}: has {len(clip)} frames, fewer than a sample's data.frames={frames}: leave it out, or set "
            f"data.frames={len(clip)} or lower"
            for clip in self.clips
            if len(clip) < frames
        ]

    def runs(self, prepared: Source) -> list[Span]:
        """What clips a source made of some frames of this one has: where frames are left out, a clip is several."""
        numbers = {self.label(index): index for index in range(len(self))}
        runs: list[Span] = []
        own = {index: span for span in self.spans for index in range(span.start, span.stop)}
        last = None
        for place in range(len(prepared)):
            index = numbers[prepared.label(place)]
            if last is not None and index == last + 1 and own[index] is own[last]:
                runs[-1] = runs[-1]._replace(stop=place + 1)
            else:
                runs.append(Span(own[index].name, place, place + 1))
            last = index
        return runs

    def __len__(self) -> int:
        return len(self.places)

    def label(self, index: int) -> str:
        clip, number = self.places[index]
        return f"{clip.name}/{clip.label(number)}"

    def header(self, index: int) -> Header:
        clip, number = self.places[index]
        return clip.header(number)

    def image(self, index: int) -> Pixels:
        clip, number = self.places[index]
        return clip.image(number)

    def identity(self, index: int) -> str:
        clip, number = self.places[index]
        return clip.identity(number)

    def where(self, index: int) -> str:
        clip, number = self.places[index]
        return clip.where(number)


def find_clips(root: str | Path) -> list[Clip]:
    """The clips in a folder, by name: itself, if it holds images, else each folder below that does, and each video file.

    Raises:
        InputError: there is no such folder, or no clip in it.
    """
    root = Path(root).expanduser()
    if not root.exists():
        raise InputError(
            f"{root}: there is no such folder. Give a folder of frames, of such folders, or of video files."
        )
    if root.is_file() and root.suffix.lower() not in VIDEO_SUFFIXES:
        raise InputError(
            f"{root} is no video file ({', '.join(sorted(VIDEO_SUFFIXES))}): give one, or a folder of frames."
        )
    if root.is_file() or images_in(root):
        return [clip_at(root, root.stem if root.is_file() else root.resolve().name)]
    hidden = set(root.rglob(".*"))
    inside = sorted(
        (path for path in root.rglob("*") if not hidden & {path, *path.parents}), key=lambda path: by_numbers(str(path))
    )
    found = [path for path in inside if (path.is_dir() and images_in(path)) or path.suffix.lower() in VIDEO_SUFFIXES]
    if not found:
        raise InputError(
            f"{root}: holds no clip, that is, no folder of images and no video file ({', '.join(sorted(VIDEO_SUFFIXES))})."
        )
    return [clip_at(path, "_".join(path.relative_to(root).with_suffix("").parts)) for path in found]


def clip_at(path: Path, name: str) -> Clip:
    """The clip that a folder of frames or a video file is."""
    if path.is_dir():
        return FrameFolder(name, path)
    from srlab.data.videos import VideoFile

    return VideoFile(name, path)


def clips_below(root: str | Path, names: Sequence[str] | None = None, lr_root: str | Path | None = None) -> Clips:
    """A folder's clips as a set, which is called after it.

    Args:
        root: see `find_clips`.
        names: which of them; None: all.
        lr_root: a folder of LR clips of the same names, with as many frames; None: LR is made.

    Raises:
        InputError: a folder holds no clips, or none of a name.
    """
    clips = {clip.name: clip for clip in find_clips(root)}
    if names is not None:
        missing = [name for name in map(str, names) if name not in clips]
        if missing:
            raise InputError(f"{root} holds no {', '.join(missing)}, but {', '.join(clips)}: change the names.")
        clips = {name: clips[name] for name in map(str, names)}
    title = Path(root).expanduser().resolve().stem.lower()
    if lr_root is None:
        return Clips(title, list(clips.values()))
    small = {clip.name: clip for clip in find_clips(lr_root)}
    complaints = [f"{clip.path}: has no LR partner in {lr_root}" for name, clip in clips.items() if name not in small]
    for name in [name for name in clips if name in small]:
        if len(clips[name]) != len(small[name]):
            complaints.append(f"{clips[name].path}: has {len(clips[name])} frames, and its LR clip {len(small[name])}")
            del small[name]
    both = [name for name in clips if name in small]
    return Clips(title, [clips[name] for name in both], [small[name] for name in both], complaints)


def images_in(folder: Path) -> list[Path]:
    """The image files that lie in a folder itself."""
    return [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")]


def by_numbers(name: str) -> list[tuple[int, str]]:
    """A key that sorts the numbers in names as numbers: hr2 before hr10."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]


def first_gap(stems: Sequence[str]) -> tuple[str, str] | None:
    """The first two names between which numbers are left out that all others have; None: there are none.

    Numbers are the last in each name; steps that are all alike (0, 5, 10) leave none out.
    """
    numbers = [re.findall(r"\d+", stem)[-1:] for stem in stems]
    if not all(numbers):
        return None
    steps = [int(after[0]) - int(before[0]) for before, after in pairwise(numbers)]
    usual = min((step for step in steps if step > 0), default=1)
    return next(((stems[at], stems[at + 1]) for at, step in enumerate(steps) if step > usual), None)


def _told(header: Header) -> str:
    return f"{header.height} x {header.width} x {header.channels} {header.dtype}"
