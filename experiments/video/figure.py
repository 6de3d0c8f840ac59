"""Draw a window of a frame, and a row of every frame as time goes down, of HR and of what networks make of its LR.

python experiments/video/figure.py figure.png <folder of frames> <run with warping> <run of single frames>
"""

import sys

import torch
from hydra import compose, initialize_config_module

import srlab
from srlab.build import build
from srlab.config import register
from srlab.data.clips import clips_below
from srlab.data.evaluation import LabelledClips
from srlab.evaluation.strips import Panel, stack, strip
from srlab.evaluation.video import ClipProtocol
from srlab.evaluation.video_scoring import Cases, Stream, framewise, score_clip
from srlab.inference.enlarge import enlarge_clip

ROWS, COLUMNS = slice(96, 288), slice(280, 472)
ROW_PIXELS = 5


def network_of(run: str) -> Stream:
    network = srlab.load(run)
    return lambda read, length: enlarge_clip(network, read, length)


def main(path: str, folder: str, warped: str, single: str) -> None:
    """Two rows: the frame in the middle, and the profiles."""
    clips = clips_below(folder)
    clip = LabelledClips([(clips, clips.spans[0])])[0]
    register()
    with initialize_config_module("srlab.conf", version_base="1.3"):
        protocol = build(compose("test", ["protocol=vid4_bd_crop8", "run_dir=."]).protocol)
    assert isinstance(protocol, ClipProtocol)
    methods = {
        "bicubic": framewise(protocol.interpolation("bicubic", 4, 255)),
        "each frame by itself": network_of(single),
        "warped features": network_of(warped),
    }
    frames, profiles = [], []
    truth = Cases(clip, protocol, 4, 3)[len(clip.frames) // 2].hr[0]
    for name, stream in methods.items():
        scored = score_clip(stream, clip, protocol, 4, 3, {})
        frames.append(Panel(f"{name} {scored.scores[0].value:.2f} dB", scored.sr[0, :, ROWS, COLUMNS]))
        profiles.append(Panel("a row in time", tall(scored.profiles["SR"])))
        known = scored.profiles["HR"]
    frames.append(Panel("HR", truth[:, ROWS, COLUMNS]))
    profiles.append(Panel("a row in time", tall(known)))
    stack([strip(frames), strip(profiles)]).save(path)


def tall(profile: torch.Tensor) -> torch.Tensor:
    return profile[:, :, COLUMNS].repeat_interleave(ROW_PIXELS, 1)


if __name__ == "__main__":
    main(*sys.argv[1:5])
