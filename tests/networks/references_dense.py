"""References of dense, recursive and iterative networks, for the importers.

Each reference is a network as its repository lays it out: keys, shapes, range of the images and order of what is
concatenated; here as plain functions over a recorder of random weights.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from srlab.networks.interpolation import enlarge
from tests.networks.references_residual import MEAN, Recorder, W, shuffled


def rdn(net: Recorder, lr: Tensor) -> Tensor:
    head = net.conv("SFENet1", 255 * lr, W)
    x, made = net.conv("SFENet2", head, W), []
    for block in (0, 1):
        y = x
        for layer in (0, 1):
            y = torch.cat([y, F.relu(net.conv(f"RDBs.{block}.convs.{layer}.conv.0", y, 4))], 1)
        x = x + net.conv(f"RDBs.{block}.LFF", y, W, 1)
        made.append(x)
    x = head + net.conv("GFF.1", net.conv("GFF.0", torch.cat(made, 1), W, 1), W)
    return net.conv("UPNet.4", shuffled(net, "UPNet.2", shuffled(net, "UPNet.0", x)), 3) / 255


def esrgan(net: Recorder, lr: Tensor, names: dict[str, str]) -> Tensor:
    head = net.conv(names["first"], lr, W)
    x = head
    for block in (0, 1):
        start = x
        for dense in (1, 2, 3):
            y = x
            for layer in (1, 2, 3, 4):
                key = names["dense"].format(block, dense, layer)
                y = torch.cat([y, F.leaky_relu(net.conv(key, y, 4), 0.2)], 1)
            x = x + 0.2 * net.conv(names["dense"].format(block, dense, 5), y, W)
        x = start + 0.2 * x
    x = head + net.conv(names["trunk"], x, W)
    for up in ("up1", "up2"):
        x = F.leaky_relu(net.conv(names[up], F.interpolate(x, scale_factor=2.0), W), 0.2)
    return net.conv(names["last"], F.leaky_relu(net.conv(names["hidden"], x, W), 0.2), 3)


OLD = {
    "first": "model.0",
    "dense": "model.1.sub.{}.RDB{}.conv{}.0",
    "trunk": "model.1.sub.2",
    "up1": "model.3",
    "up2": "model.6",
    "hidden": "model.8",
    "last": "model.10",
}
NEW = {
    "first": "conv_first",
    "dense": "RRDB_trunk.{}.RDB{}.conv{}",
    "trunk": "trunk_conv",
    "up1": "upconv1",
    "up2": "upconv2",
    "hidden": "HRconv",
    "last": "conv_last",
}
BASICSR = NEW | {
    "dense": "body.{}.rdb{}.conv{}",
    "trunk": "conv_body",
    "up1": "conv_up1",
    "up2": "conv_up2",
    "hidden": "conv_hr",
}


def srdensenet(net: Recorder, lr: Tensor) -> Tensor:
    x = F.relu(net.conv("conv.conv", lr, 8))
    for block in (0, 1):
        y = F.relu(net.conv(f"dense_blocks.{block}.block.0.conv", x, 4))
        y = torch.cat([y, F.relu(net.conv(f"dense_blocks.{block}.block.1.conv", y, 4))], 1)
        x = torch.cat([x, y], 1)
    x = F.relu(net.conv("bottleneck.0", x, W, 1))
    for layer in (0, 2):
        x = F.relu(net.deconv(f"deconv.{layer}", x, W, 3, 2, 1, 1))
    return net.conv("reconstruction", x, 1)


def drrn(net: Recorder, lr: Tensor) -> Tensor:
    residual = lr = enlarge(lr, 4).relu()
    inputs = net.conv("input", lr, W, bias=False).relu()  # the first ReLU of the loop changes it in place
    out = inputs
    for _ in range(3):
        out = net.conv("conv2", F.relu(net.conv("conv1", F.relu(out), W, bias=False)), W, bias=False) + inputs
    return net.conv("output", F.relu(out), 1, bias=False) + residual


def memnet(net: Recorder, lr: Tensor) -> Tensor:
    def layer(key: str, x: Tensor, out: int, size: int = 3) -> Tensor:
        return net.conv(f"{key}.conv", F.relu(net.norm(f"{key}.bn", x)), out, size)

    lr = enlarge(lr, 4)
    x = layer("feature_extractor", lr, W)
    long_term, images = [x], []
    for memory in (0, 1):
        short_term = []
        for unit in (0, 1):
            key = f"dense_memory.{memory}.recursive_unit.{unit}.relu_conv"
            x = x + layer(f"{key}2", layer(f"{key}1", x, W), W)
            short_term.append(x)
        x = layer(f"dense_memory.{memory}.gate_unit", torch.cat(short_term + long_term, 1), W, 1)
        long_term.append(x)
        images.append(layer("reconstructor", x, 1) + lr)
    net.state.setdefault("weights", torch.rand(1, 2) + 0.5)
    parts = net.state["weights"][0] / net.state["weights"].sum()
    return parts[0] * images[0] + parts[1] * images[1]


def dbpn(net: Recorder, lr: Tensor) -> Tensor:
    def down(key: str, x: Tensor) -> Tensor:
        return net.slope(f"{key}.act.weight", net.conv(f"{key}.conv", x, W, 8, 4))

    def up(key: str, x: Tensor) -> Tensor:
        return net.slope(f"{key}.act.weight", net.deconv(f"{key}.deconv", x, W, 8, 4, 2))

    def fuse(key: str, x: Tensor) -> Tensor:
        return net.slope(f"{key}.act.weight", net.conv(f"{key}.conv", x, W, 1)) if x.shape[1] > W else x

    x = net.slope("feat0.act.weight", net.conv("feat0.conv", lr, 2 * W))
    low = [net.slope("feat1.act.weight", net.conv("feat1.conv", x, W, 1))]
    high: list[Tensor] = []
    for stage in (1, 2, 3):
        x = fuse(f"up{stage}.conv", torch.cat(low, 1))
        first = up(f"up{stage}.up_conv1", x)
        high = [first + up(f"up{stage}.up_conv3", down(f"up{stage}.up_conv2", first) - x), *high]
        if stage == 3:
            break
        x = fuse(f"down{stage}.conv", torch.cat(high, 1))
        first = down(f"down{stage}.down_conv1", x)
        made = first + down(f"down{stage}.down_conv3", up(f"down{stage}.down_conv2", first) - x)
        low = [made] if stage == 1 else [made, *low]
    return net.conv("output_conv.conv", torch.cat(high, 1), 3)


def srfbn(net: Recorder, lr: Tensor) -> Tensor:
    def unit(key: str, x: Tensor, size: int = 1, stride: int = 1, out: int = W) -> Tensor:
        return net.slope(f"{key}.1.weight", net.conv(f"{key}.0", x, out, size, stride))

    def up(key: str, x: Tensor) -> Tensor:
        return net.slope(f"{key}.1.weight", net.deconv(f"{key}.0", x, W, 8, 4, 2))

    x = net.mean_shift("sub_mean", 255 * lr, 255, -1)
    base = F.interpolate(x, scale_factor=4.0, mode="bilinear", align_corners=False)
    x = hidden = unit("feat_in", unit("conv_in", x, 3, out=4 * W))
    for _ in range(3):
        low, high = [unit("block.compress_in", torch.cat([x, hidden], 1))], []
        for group in (0, 1, 2):
            y = torch.cat(low, 1)
            high.append(up(f"block.upBlocks.{group}", unit(f"block.uptranBlocks.{group - 1}", y) if group else y))
            y = torch.cat(high, 1)
            y = unit(f"block.downtranBlocks.{group - 1}", y) if group else y
            low.append(unit(f"block.downBlocks.{group}", y, 8, 4))
        hidden = unit("block.compress_out", torch.cat(low[1:], 1))
    return net.mean_shift("add_mean", base + net.conv("conv_out.0", up("out", hidden), 3), 255, 1) / 255


def mirrored(net: Recorder, key: str, x: Tensor, out: int) -> Tensor:
    weight = net.weight(f"{key}.conv.1.weight", (out, x.shape[1], 3, 3), 9 * x.shape[1])
    return F.conv2d(F.pad(x, (1, 1, 1, 1), "reflect"), weight, net.weight(f"{key}.conv.1.bias", (out,), 100))


def prosr_level(net: Recorder, level: int, x: Tensor) -> Tensor:
    """Two dense layers a unit, each unit under a skip."""
    start, key = x, f"pyramid_residual_{level}"
    if level > 1:
        x = net.conv(f"{key}.compression_{level - 1}.conv1", x, W, 1, bias=False)
    for unit in range(1, 4 - level):
        y, inner = x, f"{key}.residual_denseblock_{unit}"
        for layer in (1, 2):
            dense = f"{inner}.dense_block.denselayer{layer}"
            y = torch.cat([y, mirrored(net, f"{dense}.conv_2", F.relu(net.conv(f"{dense}.conv_1", y, 16, 1)), 4)], 1)
        x = x + 0.2 * net.conv(f"{inner}.comp.conv1", y, W, 1, bias=False)
    return mirrored(net, f"{key}.final_conv.final_conv", x, W) + start


def prosrs_level(net: Recorder, level: int, x: Tensor) -> Tensor:
    """Two dense layers a unit, without skips; channels shrink to 40 % between two units, to half between two levels."""
    key = f"pyramid_residual_{level}"
    if level > 1:
        x = net.conv(f"{key}.compression_{level - 1}.conv1", x, x.shape[1] // 2, 1, bias=False)
    for unit in range(1, 4 - level):
        for layer in (1, 2):
            dense = f"{key}.denseblock_{unit}.dense.denselayer{layer}"
            x = torch.cat([x, mirrored(net, f"{dense}.conv_2", F.relu(net.conv(f"{dense}.conv_1", x, 16, 1)), 4)], 1)
        if unit < 3 - level:
            x = net.conv(f"{key}.denseblock_{unit}.comp.conv1", x, int(0.4 * x.shape[1]), 1, bias=False)
    return mirrored(net, f"{key}.final_conv.final_conv", x, x.shape[1])


def prosr(net: Recorder, lr: Tensor, level: Callable[[Recorder, int, Tensor], Tensor] = prosr_level) -> Tensor:
    stretched = (lr - MEAN) / 0.0039215
    mirrored(net, "init_conv_1", stretched, W)
    x = mirrored(net, "init_conv_2", stretched, W)
    image = x
    for place in (1, 2):
        x = level(net, place, x)
        key = f"pyramid_residual_{place}_residual_upsampler.m.0"
        x = F.relu(F.pixel_shuffle(mirrored(net, key, x, 4 * x.shape[1]), 2))
        image = mirrored(net, f"reconst_{place}.final_conv", x, 3)
    return image * 0.0039215 + enlarge(lr, 4)
