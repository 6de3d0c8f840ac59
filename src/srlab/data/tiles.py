"""Small images cut from a set of larger ones, for networks whose cost forbids whole photographs."""

from dataclasses import replace

from srlab.data.images import Header
from srlab.data.source import Source
from srlab.types import Pixels


class Tiles(Source):
    """Squares from each image of a source, evenly spaced on its diagonal.

    Args:
        source: HR images; LR images of its own are not used.
        size: height and width of a square, in pixels.
        count: squares of an image.

    Raises:
        ValueError: a size or a count below 1.
    """

    def __init__(self, source: Source, size: int = 32, count: int = 1) -> None:
        if size < 1 or count < 1:
            raise ValueError(f"size={size}, count={count}: expected at least 1 of at least 1 pixel.")
        self.source, self.size, self.count = source, size, count
        self.name = f"{source.name}_{size}"
        self.complaints = source.complaints

    def __len__(self) -> int:
        return len(self.source) * self.count

    def label(self, index: int) -> str:
        return f"{self.source.label(index // self.count)}_{index % self.count}"

    def header(self, index: int) -> Header:
        header = self.source.header(index // self.count)
        return replace(header, height=min(self.size, header.height), width=min(self.size, header.width))

    def image(self, index: int) -> Pixels:
        whole = self.source.image(index // self.count)
        place = (index % self.count + 1) / (self.count + 1)  # the whole image's middle, where there is one square
        top, left = (int(place * max(0, side - self.size)) for side in whole.shape[:2])
        return whole[top : top + self.size, left : left + self.size]

    def identity(self, index: int) -> str:
        return f"{self.source.identity(index // self.count)} square {index % self.count}/{self.count} of {self.size}"

    def where(self, index: int) -> str:
        return self.source.where(index // self.count)
