"""Write an image while it is made, band by band: no more than a band is ever held, and a reader sees all of it or none.

PNG, JPEG, TIFF and .npy are written so, at any size that they can hold. WebP and BMP are collected first.
"""

import io
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from srlab.data.metadata import Metadata
from srlab.data.writing import JPEG, refuse_unfit
from srlab.errors import InputError
from srlab.files import write_atomically
from srlab.types import Pixels

ROWS = 64
"""Rows of a strip: JPEG's eight restart markers go round once in so many, and TIFF readers like short strips."""


class Form(NamedTuple):
    """An image to come: (H, W, C) of which depth, and whether its last channel is alpha."""

    height: int
    width: int
    channels: int
    dtype: np.dtype[np.generic]
    alpha: bool = False


def write_bands(path: Path, form: Form, bands: Iterator[Pixels], metadata: Metadata | None = None) -> None:
    """Write horizontal bands (h, W, C), from top to bottom; the suffix of `path` decides the format.

    Raises:
        InputError: the format cannot hold such an image; nothing is written.
    """
    suffix = path.suffix.lower()
    refuse_unfit(path, form.dtype, form.channels)
    limit = {".jpg": 65500, ".jpeg": 65500, ".webp": 16383}.get(suffix)
    if limit and max(form.height, form.width) > limit:
        raise InputError(
            f"{path}: {suffix} holds {limit} pixels a side, not {form.width} x {form.height}: give a .png or .tif."
        )
    writers: dict[str, Callable[[IO[bytes], Form, Iterator[Pixels], Metadata], None]] = {
        ".png": _png,
        ".jpg": _jpeg,
        ".jpeg": _jpeg,
        ".tif": _tiff,
        ".tiff": _tiff,
        ".npy": _npy,
    }
    writer = writers.get(suffix, _collected(suffix))
    write_atomically(path, lambda file: writer(file, form, bands, metadata or Metadata()))


def strips(bands: Iterator[Pixels], rows: int) -> Iterator[Pixels]:
    """The same rows in strips of equal height, but for the last."""
    waiting: list[Any] = []
    held = 0
    for band in bands:
        waiting.append(band)
        held += len(band)
        if held >= rows:
            joined: Any = np.concatenate(waiting) if len(waiting) > 1 else band
            whole = held - held % rows
            yield from (joined[start : start + rows] for start in range(0, whole, rows))
            waiting, held = ([joined[whole:]], held - whole) if held > whole else ([], 0)
    if held:
        last: Any = np.concatenate(waiting)
        yield last


def _png(file: IO[bytes], form: Form, bands: Iterator[Pixels], metadata: Metadata) -> None:
    """PNG (W3C recommendation, third edition): filtered by the row's best of five, deflated as one stream."""
    bits = 16 if form.dtype == np.uint16 else 8
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[form.channels]
    file.write(b"\x89PNG\r\n\x1a\n")
    _chunk(file, b"IHDR", struct.pack(">IIBBBBB", form.width, form.height, bits, colour, 0, 0, 0))
    if metadata.profile:
        _chunk(file, b"iCCP", b"icc\0\0" + zlib.compress(metadata.profile))
    if metadata.dpi:
        _chunk(file, b"pHYs", struct.pack(">IIB", *(round(dots / 0.0254) for dots in metadata.dpi), 1))
    if metadata.exif:
        _chunk(file, b"eXIf", metadata.exif.removeprefix(b"Exif\0\0"))
    deflate = zlib.compressobj(6, zlib.DEFLATED, 15, 9, zlib.Z_FILTERED)
    above = np.zeros(form.width * form.channels * bits // 8, np.uint8)
    for strip in strips(bands, ROWS):
        samples = strip.astype(">u2") if bits == 16 else strip
        raw = np.frombuffer(samples.tobytes(), np.uint8).reshape(len(strip), -1)
        _chunk(file, b"IDAT", deflate.compress(_filtered(raw, above, form.channels * bits // 8)))
        above = raw[-1]
    _chunk(file, b"IDAT", deflate.flush())
    _chunk(file, b"IEND", b"")


def _chunk(file: IO[bytes], kind: bytes, content: bytes) -> None:
    if content or kind == b"IEND":
        file.write(struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content)))


def _filtered(raw: NDArray[np.uint8], above: NDArray[np.uint8], step: int) -> bytes:
    """Section 9: of each row's differences to its left, upper, mean and Paeth neighbour the one of least absolute sum."""
    up = np.concatenate([above[None], raw[:-1]])
    left, corner = (np.pad(rows, ((0, 0), (step, 0)))[:, : raw.shape[1]] for rows in (raw, up))
    mean = ((left.astype(np.uint16) + up) >> 1).astype(np.uint8)
    to_left, to_up = (
        np.abs(one.astype(np.int16) - corner) for one in (up, left)
    )  # |p - a| = |b - c|, |p - b| = |a - c|
    to_corner = np.abs(left.astype(np.int16) + up - 2 * corner.astype(np.int16))
    paeth = np.where((to_left <= to_up) & (to_left <= to_corner), left, np.where(to_up <= to_corner, up, corner))
    filtered = np.stack([raw, raw - left, raw - up, raw - mean, raw - paeth])
    best = np.abs(filtered.view(np.int8).astype(np.int16)).sum(2, dtype=np.int64).argmin(0)
    chosen = filtered[best, np.arange(len(raw))]
    return np.concatenate([best[:, None].astype(np.uint8), chosen], axis=1).tobytes()


def _jpeg(file: IO[bytes], form: Form, bands: Iterator[Pixels], metadata: Metadata) -> None:
    """Strips, each encoded by itself between restart markers, joined to one scan (ITU-T T.81, B.2.1 and F.1.1.5.1).

    A restart marker ends each row of blocks and forgets what came before; it is numbered 0 to 7 in turn, so that the
    scans of strips of eight rows follow each other with a marker 7 in between.
    """
    options = {
        **JPEG,
        "restart_marker_rows": 1,
        "exif": metadata.exif,
        "icc_profile": metadata.profile,
        "dpi": metadata.dpi,
    }
    for place, strip in enumerate(strips(bands, ROWS)):
        buffer = io.BytesIO()
        given = {key: value for key, value in options.items() if value is not None}
        Image.fromarray(np.ascontiguousarray(strip[..., 0] if form.channels == 1 else strip)).save(
            buffer, "JPEG", **given
        )
        header, scan = _split_jpeg(buffer.getvalue())
        if place == 0:
            file.write(_with_height(header, form.height))
        else:
            file.write(b"\xff\xd7")
        file.write(scan)
    file.write(b"\xff\xd9")


def _with_height(header: bytes, height: int) -> bytes:
    """The header of a strip, as that of an image of another height (B.2.2: SOF0, length, precision, height)."""
    return re.sub(
        rb"(\xff\xc0..\x08)..", lambda frame: frame[1] + struct.pack(">H", height), header, count=1, flags=re.S
    )


def _split_jpeg(content: bytes) -> tuple[bytes, bytes]:
    """The header up to the scan, and the scan without the end marker."""
    place = 2
    while content[place + 1] != 0xDA:
        place += 2 + struct.unpack(">H", content[place + 2 : place + 4])[0]
    start = place + 2 + struct.unpack(">H", content[place + 2 : place + 4])[0]
    return content[:start], content[start:-2]


def _tiff(file: IO[bytes], form: Form, bands: Iterator[Pixels], metadata: Metadata) -> None:
    colours = 3 if form.channels >= 3 and (form.channels == 3 or form.alpha) else 1
    extra = ["unspecified"] * (form.channels - colours)
    if form.alpha:
        extra[-1] = "unassalpha"
    shape = (form.height, form.width, form.channels) if form.channels > 1 else (form.height, form.width)
    size = form.height * form.width * form.channels * form.dtype.itemsize
    with tifffile.TiffWriter(file, bigtiff=size > 2**32 - 2**25) as writer:
        writer.write(
            (strip.tobytes() for strip in strips(bands, ROWS)),
            shape=shape,
            dtype=form.dtype,
            rowsperstrip=min(ROWS, form.height),
            photometric="rgb" if colours == 3 else "minisblack",
            planarconfig="contig" if form.channels > 1 else None,
            extrasamples=extra if form.channels > 1 else None,
            iccprofile=metadata.profile,
            resolution=metadata.dpi,
            resolutionunit=2 if metadata.dpi else None,
            extratags=[
                (code, "s", 0, text, True) for code, text in metadata.texts.items() if code not in {270, 305, 306}
            ],
            description=metadata.texts.get(270),
            software=metadata.texts.get(305),
            datetime=metadata.texts.get(306),
            metadata=None,
        )


def _npy(file: IO[bytes], form: Form, bands: Iterator[Pixels], metadata: Metadata) -> None:
    header = {"descr": form.dtype.str, "fortran_order": False, "shape": (form.height, form.width, form.channels)}
    np.lib.format.write_array_header_1_0(file, header)
    for band in bands:
        file.write(band.tobytes())


def _collected(suffix: str) -> Callable[[IO[bytes], Form, Iterator[Pixels], Metadata], None]:
    def write(file: IO[bytes], form: Form, bands: Iterator[Pixels], metadata: Metadata) -> None:
        pixels = np.empty((form.height, form.width, form.channels), form.dtype)
        top = 0
        for band in bands:
            pixels[top : top + len(band)] = band
            top += len(band)
        image = Image.fromarray(pixels[..., 0] if form.channels == 1 else pixels)
        kept = {"exif": metadata.exif, "icc_profile": metadata.profile} if suffix == ".webp" else {"dpi": metadata.dpi}
        options = {key: value for key, value in kept.items() if value is not None}
        lossless = {"lossless": True} if suffix == ".webp" else {}
        image.save(file, {".webp": "WEBP", ".bmp": "BMP"}[suffix], **lossless, **options)

    return write
