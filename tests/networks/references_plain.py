"""References of small, first and ported networks, for the importers: see references_residual."""

import torch
from torch import Tensor
from torch.nn import functional as F

from srlab.networks.interpolation import enlarge
from tests.networks.references_residual import MEAN, Recorder, W, attention, shuffled


def prelu(net: Recorder, key: str, x: Tensor) -> Tensor:
    slopes: Tensor = net.state.setdefault(f"{key}.weight", torch.rand(x.shape[1]))
    return F.prelu(x, slopes)


def fsrcnn(net: Recorder, lr: Tensor) -> Tensor:
    x = prelu(net, "first_part.1", net.conv("first_part.0", lr, W, 5))
    for place, (channels, size) in enumerate([(12, 1), *[(12, 3)] * 4, (W, 1)]):
        x = prelu(net, f"mid_part.{2 * place + 1}", net.conv(f"mid_part.{2 * place}", x, channels, size))
    return net.deconv("last_part", x, 1, 9, 4, 4, 3)


def named_fsrcnn(net: Recorder, lr: Tensor) -> Tensor:
    x = prelu(net, "feature_extraction.1", net.conv("feature_extraction.0", lr, W, 5))
    x = prelu(net, "shrink.1", net.conv("shrink.0", x, 12, 1))
    for place in range(4):
        x = prelu(net, f"map.{2 * place + 1}", net.conv(f"map.{2 * place}", x, 12))
    x = prelu(net, "expand.1", net.conv("expand.0", x, W, 1))
    return net.deconv("deconv", x, 1, 9, 4, 4, 3)


def espcn(net: Recorder, lr: Tensor, first: str = "first_part", last: str = "last_part") -> Tensor:
    x = torch.tanh(net.conv(f"{first}.0", lr, W, 5))
    x = torch.tanh(net.conv(f"{first}.2", x, W // 2))
    return F.pixel_shuffle(net.conv(f"{last}.0", x, 16), 4)


def ms_lapsrn(net: Recorder, lr: Tensor) -> Tensor:
    features, image = net.conv("conv_input", lr, W), lr
    for _ in range(2):
        source, x = features, features
        for _ in range(3):
            for layer in (0, 1):
                x = net.conv(f"features.recursive_block.block.conv_{layer}", F.leaky_relu(x, 0.2), W)
            x = x + source
        features = net.deconv("transpose", F.leaky_relu(x, 0.2), W, 3, 2, 0)[..., :-1, :-1]
        kernel = net.weight("scale_img.weight", (1, 1, 4, 4), 4)
        image = F.conv_transpose2d(image, kernel, stride=2)[..., 1:-1, 1:-1] + net.conv("predict", features, 1)
    return image


def first_msrn(net: Recorder, lr: Tensor) -> Tensor:
    x = net.conv("conv_input", lr, W, bias=False)
    made = [x]
    for block in (1, 2):
        key = f"residual{block}.0"
        both = torch.cat([F.relu(net.conv(f"{key}.conv_{k}_1", x, W, k)) for k in (3, 5)], 1)
        both = torch.cat([F.relu(net.conv(f"{key}.conv_{k}_2", both, 2 * W, k)) for k in (3, 5)], 1)
        x = x + net.conv(f"{key}.confusion", both, W, 1, bias=False)
        made.append(x)
    x = net.conv("bottle", torch.cat(made, 1), W, 1, bias=False)
    x = F.pixel_shuffle(net.conv("conv_4x", x, 16 * W, bias=False), 4)
    return net.conv("conv_output", x, 1, bias=False)


def rcan_of_unit_range(net: Recorder, lr: Tensor) -> Tensor:
    head = net.conv("sf", lr, W)
    x = head
    for group in (0, 1):
        start = x
        for block in (0, 1):
            key = f"rgs.{group}.module.{block}.module"
            y = net.conv(f"{key}.2", F.relu(net.conv(f"{key}.0", x, W)), W)
            x = x + attention(net, f"{key}.3.module.1", f"{key}.3.module.3", y)
        x = start + net.conv(f"rgs.{group}.module.2", x, W)
    x = head + net.conv("conv1", x, W)
    return net.conv("conv2", shuffled(net, "upscale.0", x, 4), 3)


def mmediting_edsr(net: Recorder, lr: Tensor) -> Tensor:
    head = net.conv("conv_first", lr - MEAN, W)
    x = head
    for block in (0, 1):
        x = x + net.conv(f"body.{block}.conv2", F.relu(net.conv(f"body.{block}.conv1", x, W)), W)
    x = head + net.conv("conv_after_body", x, W)
    for step in (0, 1):
        x = shuffled(net, f"upsample.{step}.upsample_conv", x)
    return net.conv("conv_last", x, 3) + MEAN


def srcnn(net: Recorder, lr: Tensor) -> Tensor:
    """At the full size; images that are flat at the border tell nothing of how ports pad."""
    x = F.pad(enlarge(lr, 4, "bicubic"), (4,) * 4, mode="replicate")
    x = F.relu(net.conv("conv1", x, W, 9)[..., 4:-4, 4:-4])
    x = F.pad(F.relu(net.conv("conv2", x, W, 1)), (2,) * 4, mode="replicate")
    return net.conv("conv3", x, 1, 5)[..., 2:-2, 2:-2]


def vdsr(net: Recorder, lr: Tensor) -> Tensor:
    enlarged = enlarge(lr, 4, "bicubic")
    x = F.relu(net.conv("input", enlarged, W, bias=False))
    for layer in range(2):
        x = F.relu(net.conv(f"residual_layer.{layer}.conv", x, W, bias=False))
    return enlarged + net.conv("output", x, 1, bias=False)


def mwcnn(net: Recorder, lr: Tensor) -> Tensor:
    """Three levels of two convolutions down and two up, the authors' n being 1."""

    def down(x: Tensor) -> Tensor:
        a, b, c, d = x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2]
        return torch.cat([a + b + c + d, c + d - a - b, b + d - a - c, a + d - b - c], 1) / 2

    def up(bands: Tensor) -> Tensor:
        average, width, height, both = (band / 2 for band in bands.chunk(4, 1))
        rows = [[average - width - height + both, average + width - height - both]]
        rows += [[average - width + height - both, average + width + height + both]]
        return torch.stack([torch.stack(row, -1) for row in rows], -3).flatten(-2).flatten(-3, -2)

    def layers(part: str, x: Tensor, *widths: int) -> Tensor:
        for place, width in enumerate(widths):
            x = F.relu(net.conv(f"{part}.{place}.body.0", x, width))
        return x

    image = enlarge(lr, 4, "bicubic")
    first = layers("d_l1", layers("head", down(image), W), W)
    second = layers("d_l2", down(first), W, W)
    second = second + up(layers("pro_l3", down(second), W, W, W, 4 * W))
    first = first + up(layers("i_l2", second, W, 4 * W))
    return image + up(net.conv("tail.0", layers("i_l1", first, W), 4))
