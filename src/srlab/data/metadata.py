"""What an image file says beside its pixels, and goes with them into the enlarged one: colour profile, EXIF, resolution."""

from dataclasses import dataclass, field
from pathlib import Path

import tifffile
from PIL import Image

from srlab.data.images import exif_of, read_header

ORIENTATION, WIDTH, HEIGHT, EXIF = 0x0112, 0xA002, 0xA003, 0x8769
"""EXIF 2.32: tags of what changes as an image is turned upright and enlarged, and of the part that holds two of them."""

DESCRIPTIVE = (270, 271, 272, 305, 306, 315, 33432)
"""TIFF 6.0: description, make, model, software, date, artist, copyright; all text."""

_PROFILE, _X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 34675, 282, 283, 296


@dataclass(frozen=True)
class Metadata:
    """What is kept.

    Attributes:
        profile: the ICC profile.
        exif: as JPEG, PNG and WebP hold it, with the orientation of an upright image and the enlarged size.
        dpi: horizontal and vertical pixels an inch.
        texts: TIFF's descriptive tags.
    """

    profile: bytes | None = None
    exif: bytes | None = None
    dpi: tuple[float, float] | None = None
    texts: dict[int, str] = field(default_factory=dict)


def read_metadata(path: Path, scale: float = 1) -> Metadata:
    """What a file says of itself, for an image `scale` times as large; nothing where it says nothing."""
    suffix = path.suffix.lower()
    if suffix in (".tif", ".tiff"):
        return _of_tiff(path)
    if suffix == ".npy":
        return Metadata()
    header = read_header(path)
    with Image.open(path) as image:
        exif = exif_of(image, path)
        if len(exif):
            exif[ORIENTATION] = 1  # the pixels are upright
            details = exif.get_ifd(EXIF)
            for tag, side in ((WIDTH, header.width), (HEIGHT, header.height)):
                if tag in details:
                    details[tag] = int(side * scale)
        dpi = image.info.get("dpi")
        profile = image.info.get("icc_profile") or None
        return Metadata(profile, exif.tobytes() if len(exif) else None, (float(dpi[0]), float(dpi[1])) if dpi else None)


def _of_tiff(path: Path) -> Metadata:
    with tifffile.TiffFile(path) as file:
        tags = file.series[0].keyframe.tags
        values = {tag.code: tag.value for tag in tags}
    dpi = None
    unit = {2: 1.0, 3: 2.54}.get(int(values.get(_RESOLUTION_UNIT, 2)))
    if unit and _X_RESOLUTION in values and _Y_RESOLUTION in values:
        (x, of_x), (y, of_y) = values[_X_RESOLUTION], values[_Y_RESOLUTION]
        dpi = (x / of_x * unit, y / of_y * unit) if of_x and of_y else None
    if dpi == (1.0, 1.0):  # what writers put where they know of none
        dpi = None
    texts = {code: str(values[code]) for code in DESCRIPTIVE if values.get(code) and not file.is_shaped}
    profile = values.get(_PROFILE)
    return Metadata(bytes(profile) if profile else None, None, dpi, texts)
