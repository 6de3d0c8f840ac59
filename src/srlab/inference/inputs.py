"""What an enlargement's input names: clips or images, what the latter say of themselves, and where each result goes."""

import glob
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from srlab.data.clips import Clip, find_clips
from srlab.data.images import SUFFIXES, Header, find_images, read_header
from srlab.data.pairs import match
from srlab.data.rgbd import scene
from srlab.data.videos import VideoFile
from srlab.errors import InputError
from srlab.networks.network import Network
from srlab.networks.video.network import VideoNetwork

log = logging.getLogger(__name__)

T = TypeVar("T")


def clips_of(wanted: str, output: Path, network: Network) -> list[Clip]:
    """The clips of the input: all, for a network of clips; for one of images, video files where there are no images."""
    source = Path(wanted).expanduser()
    if isinstance(network, VideoNetwork):
        found = find_clips(source)
    else:
        try:
            found = find_clips(source)
        except InputError:  # a pattern, or nothing: the images' business
            return []
        images = [clip for clip in found if not isinstance(clip, VideoFile)]
        if images and len(images) < len(found):
            log.warning("%s holds images and video files; the latter are passed over: give them alone.", wanted)
        found = [] if images else found
    inside = output.resolve()
    return [clip for clip in found if inside not in clip.path.resolve().parents]


def images_of(wanted: str, output: Path) -> tuple[list[Path], Path]:
    """The image files of a file, a folder or a pattern, and the folder that their targets' paths are relative to.

    What lies in the output folder is no input.
    """
    source = Path(wanted).expanduser()
    if not source.exists() and glob.has_magic(wanted):
        found = sorted(
            path for path in map(Path, glob.glob(str(source), recursive=True)) if path.suffix.lower() in SUFFIXES
        )
        parts = [part for part in source.parts if glob.has_magic(part)]
        root = Path(*source.parts[: source.parts.index(parts[0])])
        if not found:
            raise InputError(f"input={wanted}: no image fits the pattern. Quote it, and see that it starts at {root}.")
    else:
        found, root = find_images(source), source if source.is_dir() else source.parent
    inside = output.resolve()
    return [path for path in found if root.resolve() == inside or inside not in path.resolve().parents], root


def headers(sources: list[Path]) -> tuple[dict[Path, Header], dict[Path, str]]:
    """What each file says of itself; and what is wrong with those that cannot be read."""
    found: dict[Path, Header] = {}
    faults: dict[Path, str] = {}
    for source in sources:
        try:
            found[source] = read_header(source)
        except InputError as fault:
            faults[source] = str(fault)
    return found, faults


def guides_of(sources: Sequence[Path], root: Path, wanted: str) -> dict[Path, Path]:
    """The guide of each image: a file for the one image, or one of a folder for each, of its name.

    Names may differ by what says that one is a map and one a photograph, as those of `data=rgbd`.

    Raises:
        InputError: an image has no guide.
    """
    path = Path(wanted).expanduser()
    if path.is_file() and len(sources) == 1:
        return {sources[0]: path}
    if not path.is_dir():
        raise InputError(f"guide={wanted}: expected a folder with a guide for each of the {len(sources)} images.")
    pairs = match(root, sources, path, find_images(path), sides=("image", "guide"), bare=scene)
    found = dict(zip(pairs.hr, pairs.lr, strict=True))
    if lacking := [source for source in sources if source not in found]:
        listing = ", ".join(map(str, lacking[:5]))
        raise InputError(f"{listing}: {len(lacking)} of {len(sources)} images have no guide of their name in {path}.")
    return found


def image_target(image: Path, root: Path, output: Path, scale: float) -> Path:
    """Where an image's enlargement goes: `<output>/<path below the input>_x<scale><extension>`."""
    return output / image.relative_to(root).with_name(f"{image.stem}_x{scale:g}{image.suffix}")


def to_do(targets: Mapping[T, Path], resume: bool) -> dict[T, Path]:
    """What is not enlarged yet, with the place of its enlargement.

    Raises:
        InputError: a file stands there already; with `resume` what has one is left out instead.
    """
    taken = [target for target in targets.values() if target.exists()]
    if taken and not resume:
        listing = ", ".join(map(str, taken[:5]))
        raise InputError(f"{listing} exist already, and nothing is overwritten: give another output=, or resume=true.")
    return {source: target for source, target in targets.items() if target not in taken}
