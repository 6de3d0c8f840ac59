"""Match LR files with HR files by name."""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

# What the sets of the field append to a name: 0001x2, baby_HR, baby_LRBI_x2, img_001_SRF_2_LR, 0001x4m, 000001_x4.
_SUFFIX = re.compile(r"([ _-]?x\d[a-z]?|[ _-](LR|HR|GT|LQ|GTmod12|LRBI|BI|bicubic|SRF[_-]?\d))+$", re.IGNORECASE)


class Pairs(NamedTuple):
    """Matched files, in the order of the HR files, and a sentence for every file that has no partner."""

    hr: list[Path]
    lr: list[Path]
    complaints: list[str]


def bare_name(stem: str) -> str:
    """A file's stem without the suffixes that say LR, HR or a scale; the stem itself where nothing else is left."""
    return _SUFFIX.sub("", stem) or stem


def match(
    hr_root: Path,
    hr: Sequence[Path],
    lr_root: Path,
    lr: Sequence[Path],
    sides: tuple[str, str] = ("HR", "LR"),
    bare: Callable[[str], str] = bare_name,
) -> Pairs:
    """Pair the files whose paths below their roots are equal, but for extensions, and suffixes where need be.

    Args:
        hr_root: the folder of the files that give the order.
        hr: these.
        lr_root: the folder of their partners.
        lr: these.
        sides: what messages call the two.
        bare: a stem without the suffixes that tell the two.
    """
    for name in (_exact, bare):
        hr_named, lr_named = _by_name(hr_root, hr, name), _by_name(lr_root, lr, name)
        if hr_named.keys() & lr_named.keys():
            break
    complaints = []
    ours, theirs = sides
    for side, named, other, folder in ((theirs, hr_named, lr_named, lr_root), (ours, lr_named, hr_named, hr_root)):
        for key, paths in named.items():
            if key not in other:
                complaints += [f"{path}: has no {side} partner in {folder}" for path in paths]
            elif len(paths) > 1:
                complaints.append(f"{', '.join(map(str, paths))}: have one name, so that their partner is uncertain")
    kept = [key for key in hr_named if len(hr_named[key]) == 1 == len(lr_named.get(key, ()))]
    return Pairs([hr_named[key][0] for key in kept], [lr_named[key][0] for key in kept], complaints)


def _exact(stem: str) -> str:
    return stem


def _by_name(root: Path, paths: Sequence[Path], name: Callable[[str], str]) -> dict[str, list[Path]]:
    named = defaultdict[str, list[Path]](list)
    for path in paths:
        named[(path.relative_to(root).parent / name(path.stem)).as_posix()].append(path)
    return named
