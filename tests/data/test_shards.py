"""Shards: the folder's samples, position by position; written in parts, again where ended, and never half."""

import json
import os
import pickle
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from srlab.borders import Borders
from srlab.data.audit import Needs
from srlab.data.cache import CacheLimits, prepare
from srlab.data.crops import Crops
from srlab.data.faces import Faces
from srlab.data.images import write_image
from srlab.data.shard_files import Form
from srlab.data.sharding import write_shards
from srlab.data.shards import Shards, packed, unpacked
from srlab.data.source import Source
from srlab.data.sources import Folder, Paired
from srlab.data.stream import Positions
from srlab.errors import InputError
from tests.conftest import Command

Draw = Callable[..., Path]

FORM = Form(tile=16, images=2)
NEEDS = Needs(2, 3, 8, "for the test")


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here may reach out; a loader's workers talk to it through files' sockets."""
    connect = socket.socket.connect

    def refuse(each: socket.socket, *address: Any) -> None:
        assert each.family == socket.AF_UNIX, "a connection was tried"
        connect(each, *address)

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def folder(tmp_path: Path, draw: Draw) -> Source:
    """Five images of noise, of different sizes and depths, none a multiple of the tiles."""
    for number, size in enumerate([(40, 51), (33, 64), (23, 17), (70, 35), (48, 48)]):
        draw(tmp_path / f"images/{number}.png", *size, 1 if number == 2 else 3)
    rng = np.random.default_rng(0)
    write_image(tmp_path / "images/deep.png", rng.integers(0, 2**16, (37, 41, 3), dtype=np.uint16))
    np.save(tmp_path / "images/float.npy", rng.random((29, 37, 3), dtype=np.float32))
    return Folder(str(tmp_path / "images"))


def same_samples(one: Source, other: Source, margin: int = 5, borders: Borders = "symmetric") -> None:
    """At each of many positions, all that a sample holds is equal."""
    ours, theirs = (Crops(source, 3, 2, 3, 8, margin, borders) for source in (one, other))
    for position in range(150):
        a, b = ours[position], theirs[position]
        assert a.keys() == b.keys()
        assert all(torch.equal(a[name], b[name]) for name in a), position


@pytest.mark.parametrize("codec", ["none", "zstd"])
@pytest.mark.parametrize("borders", ["symmetric", "replicate"])
def test_samples_are_those_of_the_folder(folder: Source, tmp_path: Path, codec: str, borders: Borders) -> None:
    assert write_shards(folder, tmp_path / "shards", Form(16, images=2, codec=codec)) == 7
    shards = Shards(str(tmp_path / "shards"))
    assert len(shards) == len(folder)
    for index in range(len(folder)):
        assert (shards.label(index), shards.header(index)) == (folder.label(index), folder.header(index))
        np.testing.assert_array_equal(shards.image(index), folder.image(index))
    same_samples(shards, folder, margin=20, borders=borders)  # a margin larger than some images' rest


def test_workers_read_what_the_process_itself_reads(folder: Source, tmp_path: Path) -> None:
    write_shards(folder, tmp_path / "shards", FORM)
    crops = Crops(Shards(str(tmp_path / "shards")), 0, 2, 3, 8)  # its file is open before the workers are forked
    here, there = (list(DataLoader(crops, batch_sampler=Positions(12, 4), num_workers=n)) for n in (0, 2))
    assert all(torch.equal(one["hr"], other["hr"]) for one, other in zip(here, there, strict=True))


def test_pairs_go_along(tmp_path: Path, draw: Draw) -> None:
    for name in ("a", "b", "c"):
        draw(tmp_path / f"HR/{name}.png", 40, 36)
        draw(tmp_path / f"LR/{name}x2.png", 20, 18)
    pairs = Paired(str(tmp_path / "HR"), str(tmp_path / "LR"))
    write_shards(pairs, tmp_path / "shards", FORM)
    shards = Shards(str(tmp_path / "shards"))
    assert shards.lr is not None
    assert shards.lr.label(1) == "bx2"
    same_samples(shards, pairs)


def test_landmarks_go_along_and_stay_with_their_faces(tmp_path: Path, draw: Draw) -> None:
    for name in ("a", "b", "c", "d"):
        draw(tmp_path / f"faces/{name}.png", 32, 32)
    (tmp_path / "faces/b.png").write_text("no picture")
    points = np.random.default_rng(0).uniform(0, 32, (3, 68, 2)).astype(np.float32)  # d's are not known
    np.savez(tmp_path / "landmarks.npz", names=["c.png", "b.png", "a.png"], landmarks=points)
    faces = Faces(str(tmp_path / "faces"), str(tmp_path / "landmarks.npz"))
    assert write_shards(faces, tmp_path / "shards", FORM, on_bad_file="skip") == 3
    shards = Shards(str(tmp_path / "shards"))
    assert [shards.label(index) for index in range(3)] == ["a", "c", "d"]
    np.testing.assert_array_equal(shards.landmarks, [points[2], points[0], np.full((68, 2), np.nan)])
    assert "landmarks" in Crops(shards, 0, 2, 3, 16, augment="mirror")[0]
    faces.landmarks[0, 0, 0] += 1  # type: ignore[index]
    with pytest.raises(InputError, match="holds the shards of other images"):
        write_shards(faces, tmp_path / "shards", FORM, on_bad_file="skip")


def test_what_is_packed_comes_back() -> None:
    rng = np.random.default_rng(0)
    for pixels in (
        rng.integers(0, 256, (5, 7, 3), dtype=np.uint8),
        rng.integers(0, 2**16, (5, 7, 1), dtype=np.uint16),
        rng.standard_normal((5, 7, 4)).astype(np.float32),
    ):
        for codec in ("none", "zstd"):
            item = packed(pixels, codec)
            again = unpacked(item, codec, pixels.dtype.name, pixels.shape[2])
            np.testing.assert_array_equal(again.reshape(pixels.shape), pixels)
            with pytest.raises(ValueError, match="damaged"):
                unpacked(item[:-1] + bytes([item[-1] ^ 1]), codec, pixels.dtype.name, pixels.shape[2])
    smooth = np.arange(64 * 64 * 3, dtype=np.uint8).reshape(64, 64, 3)
    assert len(packed(smooth, "zstd")) < len(packed(smooth, "none")) / 20


def test_an_ended_command_writes_only_what_is_missing(
    folder: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Folder.image
    asked: list[int] = []

    def image(source: Folder, index: int) -> Any:
        if index == 5 and len(asked) < 6:
            raise KeyboardInterrupt
        asked.append(index)
        return read(source, index)

    monkeypatch.setattr(Folder, "image", image)
    with pytest.raises(KeyboardInterrupt):
        write_shards(folder, tmp_path / "shards", FORM)
    with pytest.raises(InputError, match="not all of them"):
        Shards(str(tmp_path / "shards"))
    asked += [-1]
    write_shards(folder, tmp_path / "shards", FORM)
    assert asked == [0, 1, 2, 3, 4, -1, 4, 5, 6]  # parts of two
    asked.clear()
    write_shards(folder, tmp_path / "shards", FORM)
    assert asked == []
    monkeypatch.undo()
    same_samples(Shards(str(tmp_path / "shards")), folder)


def test_several_processes_write_the_same_files(folder: Source, tmp_path: Path) -> None:
    for workers in (1, 2):
        write_shards(folder, tmp_path / str(workers), FORM, workers)
    one, two = ({path.name: path.read_bytes() for path in (tmp_path / w / "hr").iterdir()} for w in "12")
    assert one == two
    assert len(one) == 4 + 1 + 1  # parts, list of images, index


def test_a_damaged_shard_is_found(folder: Source, tmp_path: Path) -> None:
    write_shards(folder, tmp_path / "shards", FORM)
    path = tmp_path / "shards/hr/part-00001-0.bin"
    content = bytearray(path.read_bytes())
    content[-20] ^= 8
    path.write_bytes(content)
    with pytest.raises(InputError, match="3: a tile is damaged"):
        same_samples(Shards(str(tmp_path / "shards")), folder)
    with pytest.raises(InputError, match=r"these differ: .*: 3\."):
        write_shards(folder, tmp_path / "shards", FORM)
    assert write_shards(folder, tmp_path / "shards", FORM) == 7
    same_samples(Shards(str(tmp_path / "shards")), folder)


def test_bad_files_are_named_or_skipped(folder: Source, tmp_path: Path) -> None:
    (tmp_path / "images/1.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"1\.png: cannot be read"):
        write_shards(folder, tmp_path / "shards", FORM)
    assert write_shards(folder, tmp_path / "shards", FORM, on_bad_file="skip") == 6
    room = CacheLimits(1.0, 0.0, tmp_path)
    same_samples(
        prepare(Shards(str(tmp_path / "shards")), NEEDS, room, "stop", "train"),
        prepare(folder, NEEDS, room, "skip", "train"),
    )


def test_other_images_need_another_folder(folder: Source, tmp_path: Path, draw: Draw) -> None:
    write_shards(folder, tmp_path / "shards", FORM)
    with pytest.raises(InputError, match="another output"):
        write_shards(folder, tmp_path / "shards", Form(tile=32, images=2))
    os.utime(tmp_path / "images/0.png", ns=(1, 1))
    with pytest.raises(InputError, match="another output"):
        write_shards(folder, tmp_path / "shards", FORM)


def test_an_address_is_read_through_litdata(folder: Source, tmp_path: Path) -> None:
    """`local:` stands for a store far away: only what is asked for is fetched."""
    write_shards(folder, tmp_path / "shards", FORM)
    same_samples(pickle.loads(pickle.dumps(Shards(f"local:{tmp_path}/shards"))), folder)


def test_prepared_shards_are_neither_decoded_nor_cached(folder: Source, tmp_path: Path) -> None:
    write_shards(folder, tmp_path / "shards", FORM)
    path = tmp_path / "shards/hr/part-00000-0.bin"
    path.write_bytes(bytes(path.stat().st_size))
    room = CacheLimits(1.0, 1.0, tmp_path / "cache")
    assert len(prepare(Shards(str(tmp_path / "shards")), NEEDS, room, "stop", "train")) == 7
    with pytest.raises(InputError, match="expected at least 40 x 40"):
        prepare(Shards(str(tmp_path / "shards")), Needs(2, 3, 20, "for the test"), room, "stop", "train")
    assert not (tmp_path / "cache").exists()


def test_the_command_writes_and_the_training_reads(command: Command, photos: Path, tmp_path: Path) -> None:
    outcome = command("shards", f"data.root={photos}", "output=shards", "workers=1", "tile=16")
    assert outcome.status == 0, outcome.err
    assert "3 images" in outcome.out
    assert json.loads((tmp_path / "shards/hr/index.json").read_text())["config"]["compression"] is None
    assert command("shards", f"data.root={photos}", "output=shards", "codec=png").status == 2
    short = command("train", "data=shards", "data.root=absent", "logger=[csv]")
    assert short.status == 2
    assert "srlab-shards" in short.err
