"""Where images come from: folders, LR-HR pairs, DIV2K, and what needs no download at all."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from srlab.data.dead_leaves import VERSION, dead_leaves
from srlab.data.images import Header, find_images, read_header, read_image
from srlab.data.pairs import match
from srlab.data.source import Source
from srlab.errors import InputError
from srlab.types import Pixels


class Files(Source):
    """Image files. Alpha is dropped: the colours below it are taken as they are stored.

    Args:
        name: of the set.
        paths: the HR files.
        lr_paths: their LR files, in the same order.
        complaints: what was found wrong while the files were looked for.
        labels: the images' names; None: the files' names without extension.
    """

    def __init__(
        self,
        name: str,
        paths: Sequence[Path],
        lr_paths: Sequence[Path] | None = None,
        complaints: Sequence[str] = (),
        labels: Sequence[str] | None = None,
    ) -> None:
        self.name = name
        self.paths = list(paths)
        self.lr = Files(name, lr_paths, labels=labels) if lr_paths is not None else None
        self.complaints = list(complaints)
        self.labels = list(labels) if labels is not None else [path.stem for path in paths]

    def __len__(self) -> int:
        return len(self.paths)

    def label(self, index: int) -> str:
        return self.labels[index]

    def header(self, index: int) -> Header:
        return read_header(self.paths[index]).without_alpha()

    def image(self, index: int) -> Pixels:
        return read_image(self.paths[index], keep_alpha=False)

    def identity(self, index: int) -> str:
        path = self.paths[index].resolve()
        stat = path.stat()
        return f"{path} {stat.st_size} {stat.st_mtime_ns}"

    def where(self, index: int) -> str:
        return str(self.paths[index])


class Folder(Files):
    """All images in a folder, or in several.

    Args:
        root: the folder, or a list of folders.
        recursive: also those in folders below.
        name: of the set; None: the first folder's.
    """

    def __init__(self, root: str | Sequence[str], recursive: bool = True, name: str | None = None) -> None:
        roots = [Path(folder).expanduser() for folder in ([root] if isinstance(root, str | Path) else root)]
        if not roots:
            raise InputError("data.root is an empty list, expected a folder of images: set data.root=<folder>.")
        super().__init__(
            name or roots[0].resolve().name, [path for folder in roots for path in find_images(folder, recursive)]
        )


class Paired(Files):
    """LR-HR pairs, matched by name: `0001.png` with `0001.png`, `0001x2.png`, `0001_LR.png` and the like.

    Args:
        hr_root: the folder of HR images.
        lr_root: the folder of LR images; folders below it must mirror those below `hr_root`.
        name: of the set; None: the HR folder's.
    """

    def __init__(self, hr_root: str, lr_root: str, name: str | None = None) -> None:
        hr_folder, lr_folder = Path(hr_root).expanduser(), Path(lr_root).expanduser()
        hr, lr, complaints = match(hr_folder, find_images(hr_folder), lr_folder, find_images(lr_folder))
        super().__init__(name or hr_folder.resolve().name, hr, lr, complaints)


class DIV2K(Files):
    """DIV2K (Agustsson and Timofte, NTIRE 2017) and Flickr2K in the layout in which they are handed out.

    Below `root`, or below `root/DIV2K` and `root/Flickr2K`: `DIV2K_train_HR`, `DIV2K_valid_HR`, `Flickr2K_HR`, and LR
    images as `DIV2K_train_LR_bicubic/X2/0001x2.png`, `Flickr2K_LR_bicubic/X2/000001x2.png`.

    Args:
        root: the folder that holds them. A train split takes both sets where both are there.
        split: `train` or `valid`.
        track: which of the LR sets to pair with, e.g. `bicubic` or `unknown`; None: LR is made by the degradation.
        scale: which of the track's folders, X2 to X8.
    """

    def __init__(self, root: str, split: str = "train", track: str | None = None, scale: int = 2) -> None:
        if split not in ("train", "valid"):
            raise ValueError(f"split={split}, expected train or valid.")
        stems = [f"DIV2K_{split}", "Flickr2K"] if split == "train" else [f"DIV2K_{split}"]
        base = Path(root).expanduser()
        found = [(stem, folder) for stem in stems if (folder := _inside(base, f"{stem}_HR"))]
        if not found:
            wanted = " or ".join(f"{stem}_HR" for stem in stems)
            raise InputError(f"{base} holds no {wanted}: set data.root to the folder that does, or use data=folder.")
        hr, lr, complaints = list[Path](), list[Path](), list[str]()
        for stem, hr_folder in found:
            files = find_images(hr_folder)
            if track is None:
                hr += files
                continue
            track_folder = hr_folder.parent / f"{stem}_LR_{track}"
            lr_folder = track_folder / f"X{scale}" if (track_folder / f"X{scale}").is_dir() else track_folder
            pairs = match(hr_folder, files, lr_folder, find_images(lr_folder))
            hr, lr, complaints = hr + pairs.hr, lr + pairs.lr, complaints + pairs.complaints
        super().__init__("+".join(stem.lower() for stem, _ in found), hr, lr if track else None, complaints)


class SkimagePhotos(Files):
    """The photographs that scikit-image ships inside its wheel: six scenes, one of them grey; nothing is downloaded.

    Left out are drawings, scans, medical and astronomical images, single textures, and the second view of a scene.
    """

    FILES = ("astronaut.png", "camera.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg")

    def __init__(self) -> None:
        spec = importlib.util.find_spec("skimage")  # importing it would take a second
        if spec is None or spec.origin is None:
            raise InputError(
                "The built-in photographs come with scikit-image, which is missing: pip install scikit-image."
            )
        super().__init__("photos", [Path(spec.origin).parent / "data" / file for file in self.FILES])


class DeadLeaves(Source):
    """Images of dead leaves, drawn when they are asked for: see `srlab.data.dead_leaves`.

    Args:
        seed: of the set; another seed is another set.
        count: images in the set.
        size: height and width, in pixels.
    """

    name = "dead_leaves"

    def __init__(self, seed: int = 0, count: int = 400, size: int = 256) -> None:
        if count < 1 or size < 16:
            raise ValueError(f"count={count}, size={size}: expected at least 1 image of at least 16 pixels.")
        self.seed = seed
        self.count = count
        self.size = size

    def __len__(self) -> int:
        return self.count

    def label(self, index: int) -> str:
        return f"{index:05d}"

    def header(self, index: int) -> Header:
        return Header(self.size, self.size, 3, "uint8")

    def image(self, index: int) -> Pixels:
        return dead_leaves(self.seed, index, self.size)

    def identity(self, index: int) -> str:
        return f"dead leaves {VERSION}, {self.seed}, {self.size}, {index}"


def _inside(base: Path, name: str) -> Path | None:
    """A folder below `base`, or one level deeper."""
    return next((folder for folder in (base / name, *sorted(base.glob(f"*/{name}"))) if folder.is_dir()), None)
