"""Named networks have the published numbers of parameters, or those counted by hand from the paper's layers."""

import pytest
import torch

from tests.networks.conftest import Compose


def fsrcnn(d: int, s: int, m: int) -> int:
    """Weights, biases and PReLU slopes of FSRCNN(d, s, m), from the paper's table 1; it counts the weights alone."""
    weights = 25 * d + s * d + 9 * m * s * s + d * s + 81 * d
    biases_and_slopes = 2 * (d + s + m * s + d) + 1
    return weights + biases_and_slopes


MEAN_SHIFTS = 2 * (3 * 3 + 3)
"""The weights of two fixed 1x1 convolutions, which shift the mean of RGB; ours is a constant."""


def conv(inputs: int, outputs: int, size: int = 3) -> int:
    """Weights and biases of a convolution."""
    return inputs * outputs * size**2 + outputs


def srresnet() -> int:
    batch_norm, slope = 2 * 64, 1
    block = 2 * (conv(64, 64) + batch_norm) + slope
    head, tail = conv(3, 64, 9) + slope, conv(64, 3, 9)
    return head + 16 * block + conv(64, 64) + batch_norm + 2 * (conv(64, 256) + slope) + tail


def mdsr() -> int:
    before = 3 * 4 * conv(64, 64, 5)
    upsamplers = conv(64, 4 * 64) + conv(64, 9 * 64) + 2 * conv(64, 4 * 64)
    return conv(3, 64) + before + 80 * 2 * conv(64, 64) + conv(64, 64) + upsamplers + conv(64, 3)


def srdensenet() -> int:
    after_first = sum(conv(16 * layer, 16) for layer in range(1, 8))
    blocks = sum(conv(128 * block, 16) + after_first for block in range(1, 9))
    return conv(1, 128) + blocks + conv(9 * 128, 256, 1) + 2 * conv(256, 256) + conv(256, 1)


def msrn(scale: int) -> int:
    block = conv(64, 64) + conv(64, 64, 5) + conv(128, 128) + conv(128, 128, 5) + conv(256, 64, 1)
    return conv(3, 64) + 8 * block + conv(9 * 64, 64, 1) + conv(64, 64) + scale // 2 * conv(64, 256) + conv(64, 3)


def wdsr_a(scale: int) -> int:
    """Weight normalisation adds the length of each filter."""
    block = conv(32, 128) + 128 + conv(128, 32) + 32
    image = 3 * scale**2
    return conv(3, 32) + 32 + 16 * block + conv(32, image) + image + conv(3, image, 5) + image


def wdsr_b(scale: int) -> int:
    block = conv(64, 384, 1) + 384 + conv(384, 51, 1) + 51 + conv(51, 64) + 64
    image = 3 * scale**2
    return conv(3, 64) + 64 + 16 * block + conv(64, image) + image + conv(3, image, 5) + image


def memnet() -> int:
    gates = [6 + place for place in range(1, 7)]  # six recursions, and the memories so far
    weights = 9 * 64 + 6 * 2 * 9 * 64**2 + sum(64 * gate * 64 for gate in gates) + 9 * 64
    assert weights == 676_992, "paper: 677 K"
    biases = 64 + 6 * 2 * 64 + 6 * 64 + 1
    batch_norms = 2 * (1 + 6 * 6 * 2 * 64 + sum(64 * gate for gate in gates) + 64)
    return weights + biases + batch_norms + 6


def ms_lapsrn() -> int:
    return conv(1, 64) + 5 * conv(64, 64) + conv(64, 64) + conv(64, 1) + 16


def srfbn(scale: int, width: int, groups: int) -> int:
    """Every convolution but the last is followed by a PReLU of one slope."""
    stem = conv(3, 4 * width) + 1 + conv(4 * width, width, 1) + 1
    projections = 2 * groups * (conv(width, width, scale + 4) + 1)
    dense = 2 * sum(conv(width * inputs, width, 1) + 1 for inputs in range(2, groups + 1))
    compressions = conv(2 * width, width, 1) + 1 + conv(groups * width, width, 1) + 1
    return stem + projections + dense + compressions + conv(width, width, scale + 4) + 1 + conv(width, 3)


def sparnet(blocks: int, full: bool) -> int:
    """Units by (inputs, outputs, halvings of their hourglass); normalised convolutions have no bias."""
    whole = [
        (32, 64, 4),
        (64, 128, 3),
        (128, 128, 2),
        *blocks * [(128, 128, 2)],
        (128, 128, 3),
        (128, 64, 4),
        (64, 32, 5),
    ]
    resized = [0, 1, 2, *(blocks + 3 + place for place in range(3))]
    total = conv(3, 32) + conv(32, 3)
    for place, (inputs, outputs, halvings) in enumerate(whole):
        norms = 2 * (inputs + 2 * outputs)
        features = 9 * (inputs * outputs + outputs**2) + norms
        skip = conv(inputs, outputs) if place in resized else 0
        hourglass = 2 * 9 * outputs * 64 + (3 * halvings - 1) * 9 * 64**2 + (3 * halvings + 1) * 2 * 64
        total += features + skip + hourglass + conv(64, outputs if full else 1)
    return total


def bottleneck(inputs: int, outputs: int, norm: bool = False) -> int:
    half = outputs // 2
    skip = conv(inputs, outputs, 1) + norm * 2 * outputs if inputs != outputs else 0
    return conv(inputs, half, 1) + conv(half, half) + conv(half, outputs, 1) + norm * 2 * (2 * half + outputs) + skip


def dic() -> int:
    """The authors' code: two feedback blocks with kernels of 12, one of which has a feedback; slopes as in SRFBN."""
    projections = 12 * (conv(48, 48, 12) + 1) + 2 * sum(conv(48 * inputs, 48, 1) + 1 for inputs in range(2, 7))
    blocks = 2 * (projections + conv(6 * 48, 48, 1) + 1) + conv(48, 48, 1) + 1 + conv(2 * 48, 48, 1) + 1
    fusion = conv(48, 240, 1) + 7 * 2 * (9 * 48 * 240 + 240)
    image = conv(3, 192) + 1 + conv(48, 48, 8) + 1 + conv(48, 3)
    look = conv(3, 64, 7) + bottleneck(64, 128) + bottleneck(128, 128) + bottleneck(128, 256) + conv(512, 512, 1)
    landmarks = look + 13 * bottleneck(512, 512) + bottleneck(256, 256) + conv(256, 256, 1) + conv(256, 68, 1)
    return blocks + fusion + image + landmarks


def fsrnet() -> int:
    """The paper's layers, each 3x3 convolution of a block and each first one with batch normalisation."""
    norm, block = 2 * 64, 2 * (conv(64, 64) + 2 * 64)
    first = conv(3, 64) + norm
    coarse, encoder = first + 3 * block + conv(64, 3), first + 12 * block + conv(64, 64)
    hourglasses = 2 * (13 * bottleneck(128, 128, True) + conv(128, 128, 1) + 2 * 128)
    prior = (
        conv(3, 128, 7) + 2 * 128 + 3 * bottleneck(128, 128, True) + hourglasses + conv(128, 68, 1) + conv(128, 10, 1)
    )
    return coarse + encoder + prior + conv(64 + 68 + 10, 64) + norm + conv(64, 64, 4) + 3 * block + conv(64, 3)


def fdsr() -> int:
    """Octave convolutions have no biases; the last one makes no low frequencies, which the authors' code does in vain."""
    heads = 2 * conv(16, 32)
    octaves = 9 * 32 * 32 + 9 * 32 * 32 + 9 * 32 * 24
    blocks = sum(2 * conv(width, width) + conv(width, width, 1) for width in (32, 56, 80, 104))
    return heads + octaves + blocks + conv(104, 128) + conv(32, 128) + conv(32, 1)


@pytest.mark.parametrize(
    ("name", "scale", "expected"),
    [
        ("srcnn_915", 3, 8_032 + 64 + 32 + 1),  # paper: 8,032 weights
        ("srcnn_955", 3, 57_184 + 64 + 32 + 1),  # paper: 57,184 weights
        ("vdsr", 2, 664_704),  # paper: 665 K, without bias
        ("vdsr", 4, 664_704),
        ("zssr", 2, 2 * 9 * 3 * 64 + 6 * 9 * 64**2),  # without biases
        ("deep_image_prior", 4, 2_217_831),  # the authors' code
        ("fsrcnn", 3, fsrcnn(56, 12, 4)),
        ("fsrcnn", 2, fsrcnn(56, 12, 4)),
        ("espcn", 3, (25 * 64 + 64) + (9 * 64 * 32 + 32) + (9 * 32 * 9 + 9)),
        ("espcn", 4, (25 * 64 + 64) + (9 * 64 * 32 + 32) + (9 * 32 * 16 + 16)),
        ("edsr_baseline", 2, 1_369_859),  # the authors' code
        ("edsr_baseline", 3, 1_554_499),
        ("edsr_baseline", 4, 1_517_571),
        ("edsr", 2, 40_729_603),
        ("edsr", 3, 43_680_003),
        ("edsr", 4, 43_089_923),
        ("srresnet", 4, srresnet()),  # paper: 1.5 M
        ("rcan", 2, 15_444_667 - MEAN_SHIFTS),  # the authors' code, which counts its two fixed 1x1 layers
        ("rcan", 3, 15_629_307 - MEAN_SHIFTS),
        ("rcan", 4, 15_592_379 - MEAN_SHIFTS),
        ("carn", 2, 1_591_939),  # paper: 1,592 K
        ("carn", 4, 1_591_939),
        ("carn_m", 2, 414_811 - MEAN_SHIFTS),  # the authors' file
        ("carn_m", 4, 414_811 - MEAN_SHIFTS),
        ("mdsr", 2, mdsr()),  # paper: 8.0 M
        ("mdsr", 4, mdsr()),
        ("srdensenet", 4, srdensenet()),
        ("rdn", 2, 22_123_395),  # the authors' code
        ("rdn", 3, 22_308_035),
        ("rdn", 4, 22_271_107),
        ("msrn", 2, msrn(2)),  # paper: 5.9 M
        ("msrn", 4, msrn(4)),
        ("enhancenet", 4, conv(3, 64) + 10 * 2 * conv(64, 64) + 3 * conv(64, 64) + conv(64, 3)),
        ("rrdb", 4, 16_697_987),  # the authors' code
        ("wdsr_a", 2, wdsr_a(2)),  # paper: 1.19 M
        ("wdsr_a", 4, wdsr_a(4)),
        ("wdsr_b", 2, wdsr_b(2)),  # paper: 1.19 M
        ("imdn", 2, 694_404),  # the authors' files
        ("imdn", 3, 703_059),
        ("imdn", 4, 715_176),
        ("msrresnet", 4, 1_517_571),  # its authors' code
        ("drcn", 2, 3 * conv(256, 256) + conv(1, 256) + conv(256, 1) + 16),  # paper: 1,775 K
        ("drrn", 3, 9 * 128 + 2 * 9 * 128**2 + 9 * 128),  # paper: 297 K
        ("memnet", 3, memnet()),  # paper: 677 K, of which see below
        ("lapsrn", 2, 435_344),
        ("lapsrn", 4, 812_768 + 2 * (4**2 - 3**2) * 64**2),  # paper: 812 K with 3x3 deconvolutions; a port's file: 4x4
        ("ms_lapsrn", 4, ms_lapsrn()),  # paper: 222 K, at any scale
        ("ms_lapsrn", 8, ms_lapsrn()),
        ("prosr", 8, 15_537_609),  # the authors' code
        ("prosrs", 8, 2_550_191),
        ("dbpn", 2, 5_953_526),  # the authors' code; paper: 5.95 M
        ("dbpn", 4, 10_426_358),  # paper: 10.4 M
        ("srfbn", 2, srfbn(2, 64, 6)),  # paper: 3.63 M at x4
        ("srfbn", 3, srfbn(3, 64, 6)),
        ("srfbn", 4, srfbn(4, 64, 6)),
        ("srfbn_s", 4, srfbn(4, 32, 3)),  # paper: 483 K
        ("dsrn", 2, 732_035),  # the authors' code; the paper's text gives 1.2 M
        ("dctnet", 4, 482_865 - conv(16, 16)),  # the authors' file, which holds a convolution that is never called
        ("dctnet", 16, 482_865 - conv(16, 16)),
        ("fdkn", 4, 703_072),  # by hand; the paper gives 0.69 M
        ("fdkn_diffusion", 4, 703_072 + 16 * 32 * 9 + 2 * 144 * 129),  # FDKN's, a map more to see, nine samples more
        ("fdsr", 4, fdsr()),  # paper: 0.60 M
        ("fdsr", 16, fdsr()),
        ("msgnet", 4, 326_003 + 401),  # by hand from the authors' definition, which fills 1.31 MB; 401 slopes
        ("sparnet", 8, sparnet(10, False)),  # the authors' code: 10.52 M, see below
        ("sparnet_light", 8, sparnet(1, True)),  # the authors' code: 5.24 M
        ("dic", 8, dic()),  # the authors' code; their table gives 22.8 M
        ("fsrnet", 8, fsrnet()),
        ("guided_filter", 4, 0),
        ("nearest", 2, 0),
        ("bilinear", 2, 0),
        ("bicubic", 2, 0),
        ("lanczos", 2, 0),
    ],
)
def test_parameters(composed: Compose, name: str, scale: int, expected: int) -> None:
    with torch.device("meta"):
        network = composed(f"network={name}", f"scale={scale}")
    assert sum(parameter.numel() for parameter in network.parameters()) == expected


def test_sparnets_have_the_size_that_their_authors_give() -> None:
    assert round(sparnet(10, False) / 1e6, 2) == 10.52
    assert round(sparnet(1, True) / 1e6, 2) == 5.24


def test_fsrcnn_has_the_papers_weights() -> None:
    assert fsrcnn(56, 12, 4) - 2 * (56 + 12 + 4 * 12 + 56) - 1 == 12_464


def test_starts_are_the_published_ones(composed: Compose) -> None:
    torch.manual_seed(0)
    for name in ("srcnn_915", "srcnn_955"):
        for key, tensor in composed(f"network={name}").named_parameters():
            if key.endswith("weight"):
                assert tensor.std().item() == pytest.approx(0.001, rel=0.1)
            else:
                assert tensor.abs().max() == 0
    for key, tensor in composed("network=vdsr").named_parameters():
        fan_in = 9 * tensor.shape[1]
        assert tensor.std().item() == pytest.approx((2 / fan_in) ** 0.5, rel=0.15), key
    deconvolution = composed("network=fsrcnn").get_parameter("upsampler.stages.0.weight")
    assert deconvolution.std().item() == pytest.approx(0.001, rel=0.1)


def test_a_signal_survives_vdsr_at_the_start(composed: Compose) -> None:
    torch.manual_seed(0)
    network = composed("network=vdsr")
    deep = network.get_submodule("backbone")(torch.randn(1, 1, 48, 48))
    assert 0.1 < deep.square().mean() < 10
