"""The protocol of faces: rates and sets counted by hand, the truth kept from networks, and the figures of bicubic."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from srlab.build import build
from srlab.data.faces import Faces
from srlab.data.pixels import to_tensor
from srlab.errors import InputError
from srlab.evaluation.evaluate import score_image
from srlab.evaluation.faces import FaceProtocol, landmark_error
from srlab.evaluation.metrics import FACTS
from srlab.evaluation.results import MEAN, Score, all_scores, read_results, results_of
from srlab.types import LabelledImage
from tests.conftest import Command, composed
from tests.faces.drawn import face

NO_JUDGES = ("protocol.dlib=null", "protocol.identity=null", "protocol.mesh=null")


def shipped(*overrides: str) -> FaceProtocol:
    """`protocol=faces`, without judges unless they are asked for."""
    asked = {override.split(".")[1].split("=")[0] for override in overrides}
    left_out = [choice for choice in NO_JUDGES if choice.split(".")[1].split("=")[0] not in asked]
    protocol = build(composed("test", ["network=bicubic", "scale=8", "protocol=faces", *left_out, *overrides]).protocol)
    assert isinstance(protocol, FaceProtocol)
    return protocol


def test_the_landmark_error_is_in_percent_of_the_outer_eye_corners_distance() -> None:
    marks = face()[0]  # corners at 33.5 and 93.5
    assert landmark_error(marks + torch.tensor([3.0, 4.0]), marks, marks) == pytest.approx(100 * 5 / 60)


def test_a_set_is_recognised_among_its_own() -> None:
    """Three people on axes of their own: the first is made rightly, the others are made as each other."""
    people = torch.eye(3)
    made = [people[0], people[2], people[1]]
    found = shipped().of_set(list(zip(made, people, strict=True)))
    assert found == {
        "impostors": 0,
        "impostors_p95": 0,
        "verified": pytest.approx(100 / 3),
        "rank1": pytest.approx(100 / 3),
    }


def test_who_is_verified_depends_on_how_much_strangers_are_alike() -> None:
    angles = torch.linspace(0, math.pi / 2, 5)
    people = torch.stack((angles.cos(), angles.sin()), 1)
    between = angles + math.pi / 32  # each is nearest to its own, and 0.995 alike
    made = torch.stack((between.cos(), between.sin()), 1)
    neighbours = math.cos(math.pi / 8)  # 8 of the 20 pairs, the most alike
    for share, verified in ((0.01, 100.0), (0.5, 100.0)):
        found = shipped(f"protocol.false_accepts={share}").of_set(list(zip(made, people, strict=True)))
        assert (found["verified"], found["rank1"]) == (verified, 100.0)
        assert found["impostors_p95"] == pytest.approx(neighbours)
    strangers = [
        math.cos(math.pi / 8 * apart) for apart, pairs in ((1, 8), (2, 6), (3, 4), (4, 2)) for _ in range(pairs)
    ]
    assert found["impostors"] == pytest.approx(sum(strangers) / 20)


def test_a_face_that_is_no_number_is_nobody() -> None:
    people = torch.eye(4)
    made = [
        torch.full((4,), math.nan),
        *people[1:],
    ]  # the first of the gallery, on which a search that finds none falls
    found = shipped().of_set(list(zip(made, people, strict=True)))
    assert (found["verified"], found["rank1"]) == (75, 75)


def test_one_face_is_no_set() -> None:
    assert shipped().of_set([(torch.ones(2), torch.ones(2))]) == {}


def labelled(name: str, landmarks: Tensor | None) -> LabelledImage:
    codes = torch.randint(0, 256, (3, 32, 32), generator=torch.Generator().manual_seed(0))
    return LabelledImage("made", name, codes / 255, None, 255, landmarks=landmarks)


def test_no_network_is_given_the_landmarks_of_the_truth() -> None:
    given: list[Tensor] = []

    def enlarge(*inputs: Tensor) -> Tensor:
        given.extend(inputs)
        return torch.zeros(1, 3, 32, 32)

    scored = score_image(enlarge, labelled("one", face()[0]), shipped(), 8, 3, {})
    assert [tuple(one.shape) for one in given] == [(1, 3, 4, 4)]
    assert scored.case.landmarks is not None
    assert [score.metric for score in scored.scores] == ["psnr_y", "ssim_y"]


def test_scores_of_sets_stand_beside_the_means() -> None:
    protocol = shipped()
    people = torch.eye(2)
    judged = [
        ([Score(name, str(i), "psnr_y", 20.0 + i, "dB", 1.0 + i)], (people[i], people[i]) if name == "a" else None)
        for name in ("a", "b")
        for i in range(2)
    ]
    rows = results_of(all_scores(protocol, judged), protocol, "net", 8)
    assert len([row for row in rows if row.image != MEAN]) == 4
    means = {(row.dataset, row.metric): (row.value, row.seconds) for row in rows if row.image == MEAN}
    assert means == {
        ("a", "psnr_y"): (20.5, 1.5),
        ("b", "psnr_y"): (20.5, 1.5),
        **{("a", name): (value, 1.5) for name, value in protocol.of_set([(p, p) for p in people]).items()},
    }
    assert {row.unit for row in rows if row.metric == "rank1"} == {"%"}


def test_the_hash_knows_who_judges_and_not_where_their_weights_lie(faces_root: Path, tmp_path: Path) -> None:
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "a.ckpt").write_bytes((faces_root / "weights/MobileFaceNet_068.ckpt").read_bytes())
    identity = "{_target_: srlab.faces.priors.mobilefacenet.MobileFaceNet, weights: %s}"
    here, there = (
        shipped(f"protocol.identity={identity % (tmp_path / place / 'a.ckpt')}") for place in ("here", "there")
    )
    assert here.hash == there.hash != shipped().hash
    assert shipped().hash != shipped("protocol.failed_above=8").hash
    assert shipped("protocol.failed_above=8").hash == shipped("protocol.failed_above=8.0").hash


def published(faces_root: Path, protocol: str = "faces") -> FaceProtocol:
    """The protocol with all its judges."""
    files = {"identity": "MobileFaceNet_068.ckpt", "mesh": "blazeface_landmark.pth"}
    if protocol == "faces_blazeface":
        files["finder"] = "blazeface.pth"
    where = [f"protocol.{judge}.weights={faces_root}/weights/{file}" for judge, file in files.items()]
    made = build(composed("test", ["network=bicubic", "scale=8", f"protocol={protocol}", *where]).protocol)
    assert isinstance(made, FaceProtocol)
    return made


def test_either_may_tell_whether_a_face_is_there(faces_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a blank SR neither finds a face; dlib stays the one who finds HR's, and its figures keep their hash."""
    pytest.importorskip("dlib", reason="needs dlib: pip install 'srlab[faces]'")
    by_dlib, by_blazeface = published(faces_root), published(faces_root, "faces_blazeface")
    assert by_dlib.hash == "b35d9eee2d32" != by_blazeface.hash
    assert by_dlib.dlib is not None
    assert by_blazeface.finder is not None
    face_of_one = to_tensor(Faces(str(faces_root / "fsrnet/data/helen_val_50_HR")).image(0))
    for protocol in (by_dlib, by_blazeface):
        case = protocol.prepare(LabelledImage("made", "one", face_of_one, None, 255), 8, 3)
        assert protocol.judge(case.hr, case).values["detected"] == 100
        judged = protocol.judge(torch.zeros_like(case.hr), case).values
        assert (judged["judged"], judged["detected"]) == (100, 0)
    monkeypatch.setattr(type(by_blazeface.finder), "find", lambda *_: None)
    assert by_blazeface.judge(case.hr, case).values["detected"] == 0


def test_where_hr_has_no_face_nothing_is_said_of_one(faces_root: Path) -> None:
    pytest.importorskip("dlib", reason="needs dlib: pip install 'srlab[faces]'")
    protocol = published(faces_root)
    for channels in (1, 3):
        picture = labelled("noise", None)
        case = protocol.prepare(replace(picture, hr=picture.hr[:channels]), 8, channels)
        judged = protocol.judge(case.hr, case)
        assert judged.traits is None
        assert judged.values == {"psnr_y": math.inf, "ssim_y": pytest.approx(1), "judged": 0}
    rows = results_of(
        all_scores(protocol, [([Score("made", "noise", "judged", 0.0, "%", 0.1)], None)]), protocol, "a", 8
    )
    assert [(row.metric, row.value) for row in rows if row.image == MEAN] == [("judged", 0)]


def test_numbers_that_cannot_be_are_refused() -> None:
    for wrong in ("failed_above=0", "false_accepts=1", "network_input=y"):
        with pytest.raises(InputError, match=wrong.split("=")[0]):
            shipped(f"protocol.{wrong}")


def test_each_metric_has_its_unit_and_direction() -> None:
    named = {line.split("`")[1] for line in (FaceProtocol.__doc__ or "").splitlines() if line.strip().startswith("| `")}
    assert named <= FACTS.keys()
    assert [FACTS[name].higher_is_better for name in ("nme", "identity", "rank1", "impostors_p95")] == [
        False,
        True,
        True,
        False,
    ]


CLOSE = {"psnr_y": 0.02, "ssim_y": 0.001, "nme": 0.1, "mesh_nme": 0.1, "identity": 0.01, "descriptor": 0.005}
"""How near is near enough, in each one's unit; rates: one face of 189, and of Helen's 49."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scale", "celeba", "helen"),
    [
        (
            8,
            {
                "psnr_y": 23.55,
                "ssim_y": 0.639,
                "nme": 5.16,
                "detected": 67.7,
                "descriptor": 0.606,
                "descriptor_same": 48.7,
                "identity": 0.177,
                "mesh_nme": 6.70,
            },
            {"psnr_y": 23.70, "ssim_y": 0.662, "nme": 4.20, "detected": 65.3, "descriptor": 0.543},
        ),
        (
            4,
            {
                "psnr_y": 27.49,
                "ssim_y": 0.805,
                "nme": 2.49,
                "detected": 95.2,
                "descriptor": 0.401,
                "descriptor_same": 100,
                "identity": 0.744,
                "rank1": 100,
                "mesh_nme": 2.60,
            },
            {"psnr_y": 27.81, "ssim_y": 0.827, "nme": 2.06, "detected": 98.0, "descriptor": 0.339},
        ),
    ],
)
def test_bicubic_has_the_figures_that_were_measured_elsewhere(
    scale: int, celeba: dict[str, float], helen: dict[str, float], faces_root: Path, command: Command, tmp_path: Path
) -> None:
    """Another implementation's, of CelebA's first 200 faces (189 found) and Helen's 50."""
    sets = faces_root / "fsrnet/data"
    outcome = command(
        "test",
        *("network=bicubic", f"scale={scale}", "data=faces", "protocol=faces", "hydra.run.dir=run"),
        *(f"data.root={sets}/celeba_val_1000_HR", f"data.test_root={sets}/helen_val_50_HR"),
        f"protocol.identity.weights={faces_root}/weights/MobileFaceNet_068.ckpt",
        f"protocol.mesh.weights={faces_root}/weights/blazeface_landmark.pth",
    )
    assert outcome.status == 0, outcome.err
    rows = read_results(tmp_path / "run/results.csv")
    found = {(row.dataset, row.metric): row.value for row in rows if row.image == MEAN}
    assert sum(row.metric == "nme" and row.dataset == "celeba_val_1000" for row in rows) == 189 + 1
    for dataset, expected in (("celeba_val_1000", celeba), ("helen_val_50", helen)):
        one = 100 / (189 if dataset.startswith("celeba") else 49)
        for metric, value in expected.items():
            assert found[dataset, metric] == pytest.approx(value, abs=CLOSE.get(metric, one)), (dataset, metric)
