"""Every choice of every group composes and builds; and what lives outside srlab joins in."""

from pathlib import Path

import numpy as np
import pytest
import torch
from omegaconf import DictConfig, OmegaConf

import srlab
from srlab.build import build, build_all
from srlab.errors import InputError
from srlab.signatures import check_signatures
from tests.community import write_esrgan
from tests.conftest import ROOT, TINY, Command, composed

SEVERAL = {"callbacks", "curriculum", "logger", "loss", "metric"}  # groups of which a run takes several
ELSEWHERE = {"hydra"}
WITHIN = {"flow": "flow@framework.flow"}
"""Where a group stands that is a part of some frameworks alone."""
COMMANDS = {"method": "kernel"}
"""The command of a group that trainings do not have."""
NEEDS = {
    ("flow", "coarse_to_fine"): "network=basicvsr",
    ("flow", "dis"): "network=basicvsr",
    ("flow", "fnet"): "network=basicvsr",
    ("flow", "raft"): "network=basicvsr",
    ("flow", "spynet"): "network=basicvsr",
    ("flow", "spynet_small"): "network=basicvsr",
    ("degrader", "compressed"): "degrader.quality=60",
    ("experiment", "enhancenet"): "loss.content.features.weights=random loss.texture.features.weights=random",
    ("experiment", "esrgan"): "loss.content.features.weights=random",
    ("experiment", "srgan"): "loss.content.features.weights=random",
    ("loss", "content"): "loss.content.features.weights=random",
    ("loss", "texture"): "loss.texture.features.weights=random",
    ("paradigm", "adversarial"): "loss=[l1,gan]",
    ("paradigm", "any_scale"): "network=meta_edsr",
    ("paradigm", "attention_fh"): "network=attention_fh",
    ("paradigm", "pixel_recursive"): "network=pixel_recursive",
    ("paradigm", "deep_image_prior"): "experiment=dip_x4",
    ("paradigm", "zero_shot"): "experiment=zssr_x2",
    ("paradigm", "kernel_gan"): "experiment=kernel_gan",
    ("experiment", "zssr_x2_kernel"): "reduction.path={folder}/kernel.npy",
    ("reduction", "kernel"): "reduction.path={folder}/kernel.npy",
    ("experiment", "face_x8"): "protocol.dlib=null protocol.identity=null protocol.mesh=null",
    ("protocol", "faces"): "protocol.dlib=null protocol.identity=null protocol.mesh=null",
    (
        "protocol",
        "faces_blazeface",
    ): "protocol.dlib=null protocol.identity=null protocol.mesh=null protocol.finder=null",
    ("framework", "community"): "weights={folder}/stranger.pth",
    ("framework", "dctnet"): "channels=1",
    ("framework", "fdkn"): "channels=1",
    ("framework", "fdkn_diffusion"): "channels=1",
    ("framework", "fdsr"): "channels=1",
    ("framework", "global_smoother"): "channels=1",
    ("framework", "guided_diffusion"): "channels=1",
    ("framework", "guided_filter"): "channels=1",
    ("framework", "joint_bilateral"): "channels=1",
    ("framework", "joint_bilateral_upsampling"): "channels=1",
    ("framework", "msgnet"): "channels=1",
    ("framework", "pannet"): "backbone.in_channels=4",
    ("framework", "pansharpening"): "network=gsa",
    ("network", "spandrel"): "weights={folder}/stranger.pth",
}
"""What a choice cannot be built without."""
FROM_THE_NETWORK = {("loss", "dists"), ("loss", "lpips")}
"""What downloads its weights when it is built, as metrics do."""
FROM_A_FILE = {("flow", "raft"), ("loss", "identity"), ("loss", "mesh"), ("loss", "seen_heatmaps")}
"""What a weight file makes: tests/losses/test_faces.py and tests/networks/video build them."""
CHOICES = [
    (group.name, choice.stem)
    for group in sorted((ROOT / "conf").iterdir())
    if group.is_dir() and group.name not in {*ELSEWHERE, "__pycache__"}
    for choice in sorted(group.glob("*.yaml"))
]


def given(cfg: DictConfig, folder: Path) -> DictConfig:
    """With a value for whatever a user must give."""
    for key in OmegaConf.missing_keys(cfg):
        OmegaConf.update(cfg, key, str(folder))
    return cfg


@pytest.mark.parametrize(("group", "choice"), CHOICES, ids=["/".join(pair) for pair in CHOICES])
def test_every_choice_composes_and_builds(group: str, choice: str, tmp_path: Path) -> None:
    (tmp_path / "kernels.npy").touch()
    np.save(tmp_path / "kernel.npy", np.ones((3, 3)))
    if group == "metric":
        overrides = [f"metric@metrics=[{choice}]"]
    else:
        place = WITHIN.get(group, group)
        overrides = [f"{place}=[{choice}]" if group in SEVERAL else f"{place}={choice}"]
    if (group, choice) in NEEDS:
        overrides += NEEDS[group, choice].format(folder=tmp_path).split()
        if "stranger" in overrides[-1]:
            write_esrgan(tmp_path / "stranger.pth")
    cfg = given(composed(COMMANDS.get(group, "train"), [*overrides, "scale=2", f"run_dir={tmp_path}"]), tmp_path)
    check_signatures(cfg)
    OmegaConf.to_container(cfg, resolve=True)
    node = {"network": "framework", "flow": "framework", "experiment": "paradigm", "metric": "metrics"}.get(
        group, group
    )
    if group in SEVERAL:
        assert len(cfg[node]) == 1
        if group != "metric" and (group, choice) not in FROM_THE_NETWORK | FROM_A_FILE:
            assert len(build_all(cfg[node])) == 1
    elif group not in {"data", "degradation"} and (group, choice) not in FROM_A_FILE:
        assert build(cfg[node]) is not None


@pytest.mark.parametrize("name", ["train", "test", "upscale", "export", "describe", "kernel", "shards"])
def test_each_command_composes_by_itself(name: str, tmp_path: Path) -> None:
    check_signatures(given(composed(name, [f"run_dir={tmp_path}"]), tmp_path))


@pytest.mark.usefixtures("photos")
def test_parts_from_another_package_train_without_a_fork(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(ROOT / "examples/own_parts")
    outcome = command(
        "train",
        *TINY,
        "hydra.searchpath=[pkg://own_parts.conf]",
        "backbone=gated",
        "loss=[l1,edges]",
        "hydra.run.dir=run",
    )
    assert outcome.status == 0, outcome.err
    assert "train/loss_edges" in (tmp_path / "run/metrics.csv").read_text()
    with pytest.raises(InputError, match="own_parts"):
        srlab.load("run")
    assert srlab.load("run", trusted=["own_parts"])(torch.rand(1, 3, 4, 4)).sr.shape == (1, 3, 8, 8)
    assert command("upscale", "input=photos", "weights=run").status == 2
    assert command("upscale", "input=photos", "weights=run", "hydra.searchpath=[pkg://own_parts.conf]").status == 0
