"""The field's test sets (Set5, Set14, B100, Urban100, Manga109, ...) in the layouts in which they are found.

A set is a folder of HR images, or a folder that keeps them under one of

- `HR/`, with LR in `LR_bicubic/X2/` or `LR_bicubic_X2/` (EDSR's benchmark folder and many others),
- `original/` or `GTmod12/`, with LR in `LRbicx2/` (BasicSR; that LR belongs to GTmod12),
- `image_SRF_2/img_001_SRF_2_HR.png` with `..._LR.png` beside it (SelfExSR; there Urban100's true HR is under `image_SRF_4`).
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from srlab.data.images import SUFFIXES, find_images
from srlab.data.pairs import bare_name, match
from srlab.data.sources import Files
from srlab.errors import InputError

_HR_FOLDERS = ("hr", "gt", "original", "gtmod12")
_SELFEX = re.compile(r"image_SRF_(\d)", re.IGNORECASE)
_ALIASES = {"bsd100": "b100", "bsds100": "b100"}


def find_benchmarks(
    root: str, scale: int, names: Sequence[str] | None = None, lr_root: str | None = None
) -> list[Files]:
    """The test sets in a folder, each as a source.

    Args:
        root: one set, or a folder of sets.
        scale: decides which LR files, and in SelfExSR's layout which HR files, are taken.
        names: the sets to take, e.g. ["Set5", "B100"]; None: all that are found.
        lr_root: where LR files are: a folder of them, a set's folder, or a folder of sets (also `root` itself); None: LR
            is made by the protocol.

    Raises:
        InputError: no set, or not one of `names`, is found, or no LR files are.
    """
    base = Path(root).expanduser()
    if not base.is_dir():
        raise InputError(f"{base}: there is no such folder. Set data.root to a test set, or to a folder of test sets.")
    folders = [base] if _hr_files(base, scale) else [folder for folder in _folders(base) if _hr_files(folder, scale)]
    if not folders:
        raise InputError(f"{base}: neither it nor a folder in it holds images. Set data.root to a test set.")
    found = {set_name(folder): folder for folder in folders}
    if names is not None:
        missing = [name for name in names if _canonical(name) not in found]
        if missing:
            raise InputError(f"{base} holds no {', '.join(missing)}, but {', '.join(found)}: change data.names.")
        found = {_canonical(name): found[_canonical(name)] for name in names}
    lr_base = Path(lr_root).expanduser() if lr_root is not None else None
    return [_test_set(name, folder, scale, lr_base, len(found) == 1) for name, folder in found.items()]


def set_name(folder: Path) -> str:
    """What results call the set in a folder: "set5", "b100"; the folder's own name says it, or its parent's."""
    folder = folder.resolve()
    if folder.name.lower() in _HR_FOLDERS or _SELFEX.fullmatch(folder.name):
        folder = folder.parent
    return _canonical(folder.name)


def _test_set(name: str, folder: Path, scale: int, lr_base: Path | None, alone: bool) -> Files:
    hr = _hr_files(folder, scale)
    if lr_base is None:
        return Files(name, hr, labels=[bare_name(path.stem) for path in hr])
    lr = _lr_files(lr_base, name, scale, alone)
    if lr[0].parent.name.lower().startswith("lrbic"):
        hr = _hr_files(folder, scale, prefer="gtmod12")
    pairs = match(_common(hr), hr, _common(lr), lr)
    return Files(name, pairs.hr, pairs.lr, pairs.complaints, [bare_name(path.stem) for path in pairs.hr])


def _hr_files(folder: Path, scale: int, prefer: str | None = None) -> list[Path]:
    """The HR images of a set, sorted; none if the folder is no set."""
    below = {child.name.lower(): child for child in _folders(folder)}
    for known in (prefer, *_HR_FOLDERS):
        if known in below:
            return find_images(below[known], recursive=False)
    if _SELFEX.fullmatch(folder.name):
        return [path for path in _images(folder) if path.stem.endswith("_HR")]
    selfex = {int(match[1]): child for child in below.values() if (match := _SELFEX.fullmatch(child.name))}
    if selfex:
        # Its HR images are cut to a multiple of the scale; Urban100's at 2 are half as large as the set's.
        best = max(selfex) if set_name(folder) == "urban100" or scale not in selfex else scale
        return [path for path in _images(selfex[best]) if path.stem.endswith("_HR")]
    return _images(folder)


def _lr_files(base: Path, name: str, scale: int, alone: bool) -> list[Path]:
    """The LR images of a set: in one of the usual places below `base`, or below the set's folder in it."""
    homes = [folder for folder in _folders(base) if _canonical(folder.name) == name]
    for home in (*homes, base):
        for folder in _lr_places(home, scale):
            files = [path for path in _images(folder) if not path.stem.endswith("_HR")]
            if _SELFEX.fullmatch(folder.name):
                files = [path for path in files if path.stem.endswith("_LR")]
            if files and (folder != base or alone):
                return files
    raise InputError(f"{base}: holds no LR images of {name} at scale {scale}. Set data.lr_root to a folder of them.")


def _lr_places(home: Path, scale: int) -> Iterator[Path]:
    names = (f"LR_bicubic/X{scale}", f"LR_bicubic_X{scale}", f"LRbicx{scale}", f"LR/X{scale}", f"X{scale}", "LR")
    for place in (*names, f"image_SRF_{scale}", "."):
        if (home / place).is_dir() and (place != "." or not (home / "HR").is_dir()):
            yield home / place


def _folders(folder: Path) -> list[Path]:
    return sorted(child for child in folder.iterdir() if child.is_dir() and not child.name.startswith("."))


def _images(folder: Path) -> list[Path]:
    return sorted(
        path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    )


def _common(paths: Sequence[Path]) -> Path:
    return paths[0].parent


def _canonical(name: str) -> str:
    return _ALIASES.get(name.lower(), name.lower())
