"""Files of other code bases, read into our networks, compute what they compute there: written down by their layers' names.

Each reference below is a network as its repository lays it out: keys, shapes, range of the images and order of what is
concatenated; here as plain functions of a state of random weights.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from srlab.errors import InputError
from srlab.networks.interpolation import enlarge
from srlab.networks.network import Network
from srlab.networks.weights import load_weights

Compose = Callable[..., Network]
State = dict[str, Tensor]
MEAN = torch.tensor([0.4488, 0.4371, 0.4040]).view(1, 3, 1, 1)
W = 8


class Recorder:
    """Runs a network of layers named by their keys, and makes each layer's random weights at its first use."""

    def __init__(self) -> None:
        self.state: State = {}

    def conv(
        self, key: str, x: Tensor, out: int, size: int = 3, stride: int = 1, bias: bool = True, groups: int = 1
    ) -> Tensor:
        inputs = x.shape[1]
        weight = self.weight(f"{key}.weight", (out, inputs // groups, size, size), inputs // groups * size**2)
        offset = self.weight(f"{key}.bias", (out,), 100) if bias else None
        padding = size // 2 if stride == 1 else 2
        return F.conv2d(x, weight, offset, stride, padding, groups=groups)

    def deconv(self, key: str, x: Tensor, out: int, size: int, stride: int, padding: int, extra: int = 0) -> Tensor:
        weight = self.weight(f"{key}.weight", (x.shape[1], out, size, size), x.shape[1] * size**2 // stride**2)
        return F.conv_transpose2d(x, weight, self.weight(f"{key}.bias", (out,), 100), stride, padding, extra)

    def slope(self, key: str, x: Tensor) -> Tensor:
        self.state.setdefault(key, torch.rand(1))
        return F.prelu(x, self.state[key])

    def norm(self, key: str, x: Tensor) -> Tensor:
        for kind in ("weight", "bias", "running_mean", "running_var"):
            self.state.setdefault(f"{key}.{kind}", torch.rand(x.shape[1]) + 0.5)
        self.state[f"{key}.num_batches_tracked"] = torch.tensor(3)
        own = {kind: self.state[f"{key}.{kind}"] for kind in ("running_mean", "running_var", "weight", "bias")}
        return F.batch_norm(x, own["running_mean"], own["running_var"], own["weight"], own["bias"])

    def weight(self, key: str, shape: tuple[int, ...], fan_in: int) -> Tensor:
        self.state.setdefault(key, torch.randn(shape) * (1.5 / fan_in) ** 0.5)
        return self.state[key]

    def mean_shift(self, key: str, x: Tensor, range_: float, sign: int) -> Tensor:
        self.state[f"{key}.weight"] = torch.eye(3).view(3, 3, 1, 1)
        self.state[f"{key}.bias"] = sign * range_ * MEAN.flatten()
        return x + self.state[f"{key}.bias"].view(1, 3, 1, 1)


def shuffled(net: Recorder, key: str, x: Tensor, scale: int = 2) -> Tensor:
    return F.pixel_shuffle(net.conv(key, x, scale**2 * W), scale)


def residual_block(net: Recorder, key: str, x: Tensor, size: int = 3) -> Tensor:
    return x + net.conv(f"{key}.body.2", F.relu(net.conv(f"{key}.body.0", x, W, size)), W, size)


def edsr(net: Recorder, lr: Tensor) -> Tensor:
    head = net.conv("head.0", net.mean_shift("sub_mean", 255 * lr, 255, -1), W)
    x = residual_block(net, "body.1", residual_block(net, "body.0", head))
    x = net.conv("body.2", x, W) + head
    x = net.conv("tail.1", shuffled(net, "tail.0.2", shuffled(net, "tail.0.0", x)), 3)
    return net.mean_shift("add_mean", x, 255, 1) / 255


def basicsr_edsr(net: Recorder, lr: Tensor) -> Tensor:
    head = net.conv("conv_first", 255 * (lr - MEAN), W)
    x = head + net.conv("body.0.conv2", F.relu(net.conv("body.0.conv1", head, W)), W)
    x = x + net.conv("body.1.conv2", F.relu(net.conv("body.1.conv1", x, W)), W)
    x = head + net.conv("conv_after_body", x, W)
    return net.conv("conv_last", shuffled(net, "upsample.2", shuffled(net, "upsample.0", x)), 3) / 255 + MEAN


def mdsr(net: Recorder, lr: Tensor) -> Tensor:
    results = []
    for place, steps in enumerate(((2,), (3,), (2, 2))):
        x = net.conv("head.0", net.mean_shift("sub_mean", 255 * lr, 255, -1), W)
        for block in (0, 1):
            x = residual_block(net, f"pre_process.{place}.{block}", x, 5)
        deep = residual_block(net, "body.1", residual_block(net, "body.0", x))
        x = x + net.conv("body.2", deep, W)
        for step, scale in enumerate(steps):
            x = shuffled(net, f"upsample.{place}.{2 * step}", x, scale)
        results.append(net.mean_shift("add_mean", net.conv("tail.0", x, 3), 255, 1) / 255)
    return results[2]


def attention(net: Recorder, squeeze: str, excite: str, x: Tensor) -> Tensor:
    pooled = x.mean(dim=(2, 3), keepdim=True)
    return x * torch.sigmoid(net.conv(excite, F.relu(net.conv(squeeze, pooled, W // 4, 1)), W, 1))


def rcan(net: Recorder, lr: Tensor) -> Tensor:
    head = net.conv("head.0", net.mean_shift("sub_mean", 255 * lr, 255, -1), W)
    x = head
    for group in (0, 1):
        start = x
        for block in (0, 1):
            key = f"body.{group}.body.{block}.body"
            y = net.conv(f"{key}.2", F.relu(net.conv(f"{key}.0", x, W)), W)
            x = x + attention(net, f"{key}.3.conv_du.0", f"{key}.3.conv_du.2", y)
        x = start + net.conv(f"body.{group}.body.2", x, W)
    x = head + net.conv("body.2", x, W)
    x = net.conv("tail.1", shuffled(net, "tail.0.2", shuffled(net, "tail.0.0", x)), 3)
    return net.mean_shift("add_mean", x, 255, 1) / 255


def basicsr_rcan(net: Recorder, lr: Tensor) -> Tensor:
    head = net.conv("conv_first", 255 * (lr - MEAN), W)
    x = head
    for group in (0, 1):
        start = x
        for block in (0, 1):
            key = f"body.{group}.residual_group.{block}.rcab"
            y = net.conv(f"{key}.2", F.relu(net.conv(f"{key}.0", x, W)), W)
            x = x + attention(net, f"{key}.3.attention.1", f"{key}.3.attention.3", y)
        x = start + net.conv(f"body.{group}.conv", x, W)
    x = head + net.conv("conv_after_body", x, W)
    return net.conv("conv_last", shuffled(net, "upsample.2", shuffled(net, "upsample.0", x)), 3) / 255 + MEAN


def msrn(net: Recorder, lr: Tensor) -> Tensor:
    head = net.conv("head.0", net.mean_shift("sub_mean", 255 * lr, 255, -1), W)
    x, made = head, []
    for block in (0, 1):
        key = f"body.{block}"
        both = torch.cat([F.relu(net.conv(f"{key}.conv_{k}_1", x, W, k)) for k in (3, 5)], 1)
        both = torch.cat([F.relu(net.conv(f"{key}.conv_{k}_2", both, 2 * W, k)) for k in (3, 5)], 1)
        x = x + net.conv(f"{key}.confusion", both, W, 1)
        made.append(x)
    x = net.conv("tail.1", net.conv("tail.0", torch.cat([*made, head], 1), W, 1), W)
    x = net.conv("tail.3", shuffled(net, "tail.2.2", shuffled(net, "tail.2.0", x)), 3)
    return net.mean_shift("add_mean", x, 255, 1) / 255


def carn(net: Recorder, lr: Tensor) -> Tensor:
    def block(key: str, x: Tensor) -> Tensor:
        y = F.relu(net.conv(f"{key}.body.0", x, W))
        return F.relu(x + net.conv(f"{key}.body.2", y, W))

    def cascade(key: str, x: Tensor, part: Callable[[str, Tensor], Tensor]) -> Tensor:
        gathered = x
        for step in (1, 2, 3):
            gathered = torch.cat([gathered, part(f"{key}b{step}", x)], 1)
            x = F.relu(net.conv(f"{key}c{step}.body.0", gathered, W, 1))
        return x

    x = net.conv("entry", net.mean_shift("sub_mean.shifter", lr, 1, -1), W)
    x = cascade("", x, lambda key, y: cascade(f"{key}.", y, block))
    for scale in (2, 3):
        net.conv(f"upsample.up{scale}.body.0", x, scale**2 * W)
    for layer in (0, 3):
        x = F.pixel_shuffle(F.relu(net.conv(f"upsample.up4.body.{layer}", x, 4 * W)), 2)
    return net.mean_shift("add_mean.shifter", net.conv("exit", x, 3), 1, 1)


def srresnet(net: Recorder, lr: Tensor) -> Tensor:
    def norm(key: str, x: Tensor) -> Tensor:
        for kind in ("weight", "bias"):
            net.state.setdefault(f"{key}.{kind}", torch.rand(W))
        return F.instance_norm(x, weight=net.state[f"{key}.weight"], bias=net.state[f"{key}.bias"])

    head = F.leaky_relu(net.conv("conv_input", lr, W, 9, bias=False), 0.2)
    x = head
    for block in (0, 1):
        y = norm(f"residual.{block}.in1", net.conv(f"residual.{block}.conv1", x, W, bias=False))
        y = net.conv(f"residual.{block}.conv2", F.leaky_relu(y, 0.2), W, bias=False)
        x = x + norm(f"residual.{block}.in2", y)
    x = head + norm("bn_mid", net.conv("conv_mid", x, W, bias=False))
    for layer in (0, 3):
        x = F.leaky_relu(F.pixel_shuffle(net.conv(f"upscale4x.{layer}", x, 4 * W, bias=False), 2), 0.2)
    return net.conv("conv_output", x, 3, 9, bias=False)


def msrresnet(net: Recorder, lr: Tensor) -> Tensor:
    x = F.leaky_relu(net.conv("conv_first", lr, W), 0.1)
    for block in (0, 1):
        x = x + net.conv(f"body.{block}.conv2", F.relu(net.conv(f"body.{block}.conv1", x, W)), W)
    for layer in (1, 2):
        x = F.leaky_relu(shuffled(net, f"upconv{layer}", x), 0.1)
    x = net.conv("conv_last", F.leaky_relu(net.conv("conv_hr", x, W), 0.1), 3)
    return x + F.interpolate(lr, scale_factor=4.0, mode="bilinear", align_corners=False)


def wdsr(net: Recorder, lr: Tensor) -> Tensor:
    def conv(key: str, x: Tensor, out: int, size: int = 3) -> Tensor:
        direction = net.weight(f"{key}.weight_v", (out, x.shape[1], size, size), 30)
        length = net.weight(f"{key}.weight_g", (out, 1, 1, 1), 2)
        weight = direction * length / direction.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
        return F.conv2d(x, weight, net.weight(f"{key}.bias", (out,), 100), padding=size // 2)

    x = (255 * lr - 255 * MEAN) / 127.5
    skip = F.pixel_shuffle(conv("skip.0", x, 48, 5), 4)
    x = conv("head.0", x, W)
    for block in (0, 1):
        x = x + conv(f"body.{block}.body.2", F.relu(conv(f"body.{block}.body.0", x, 4 * W)), W)
    x = F.pixel_shuffle(conv("tail.0", x, 48), 4) + skip
    return (127.5 * x + 255 * MEAN) / 255


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


def prosr(net: Recorder, lr: Tensor) -> Tensor:
    def mirrored(key: str, x: Tensor, out: int) -> Tensor:
        weight = net.weight(f"{key}.conv.1.weight", (out, x.shape[1], 3, 3), 9 * x.shape[1])
        return F.conv2d(F.pad(x, (1, 1, 1, 1), "reflect"), weight, net.weight(f"{key}.conv.1.bias", (out,), 100))

    stretched = (lr - MEAN) / 0.0039215
    mirrored("init_conv_1", stretched, W)
    x = mirrored("init_conv_2", stretched, W)
    for level, units in ((1, 2), (2, 1)):
        start, key = x, f"pyramid_residual_{level}"
        if level > 1:
            x = net.conv(f"{key}.compression_{level - 1}.conv1", x, W, 1, bias=False)
        for unit in range(1, units + 1):
            y, inner = x, f"{key}.residual_denseblock_{unit}"
            for layer in (1, 2):
                dense = f"{inner}.dense_block.denselayer{layer}"
                y = torch.cat([y, mirrored(f"{dense}.conv_2", F.relu(net.conv(f"{dense}.conv_1", y, 16, 1)), 4)], 1)
            x = x + 0.2 * net.conv(f"{inner}.comp.conv1", y, W, 1, bias=False)
        x = mirrored(f"{key}.final_conv.final_conv", x, W) + start
        x = F.relu(F.pixel_shuffle(mirrored(f"{key}_residual_upsampler.m.0", x, 4 * W), 2))
        image = mirrored(f"reconst_{level}.final_conv", x, 3)
    return image * 0.0039215 + enlarge(lr, 4)


SMALL = ["backbone.width=8"]
REFERENCES: dict[str, tuple[Callable[[Recorder, Tensor], Tensor], list[str]]] = {
    "EDSR": (edsr, ["network=edsr_baseline", "backbone.blocks=2"]),
    "EDSR of BasicSR": (basicsr_edsr, ["network=edsr_baseline", "backbone.blocks=2"]),
    "MDSR": (mdsr, ["network=mdsr", "backbone.blocks=2"]),
    "RCAN": (rcan, ["network=rcan", "backbone.groups=2", "backbone.blocks=2", "backbone.reduction=4"]),
    "RCAN of BasicSR": (
        basicsr_rcan,
        ["network=rcan", "backbone.groups=2", "backbone.blocks=2", "backbone.reduction=4"],
    ),
    "MSRN": (msrn, ["network=msrn", "backbone.blocks=2"]),
    "CARN": (carn, ["network=carn"]),
    "SRResNet": (
        srresnet,
        [
            "network=srresnet",
            "backbone.blocks=2",
            "backbone.norm=instance",
            "backbone.activation=leaky_relu",
            "upsampler.activation=leaky_relu",
        ],
    ),
    "MSRResNet": (msrresnet, ["network=msrresnet", "backbone.blocks=2"]),
    "WDSR-A": (wdsr, ["network=wdsr_a", "backbone.blocks=2"]),
    "RDN": (rdn, ["network=rdn", "backbone.blocks=2", "backbone.layers=2", "backbone.growth=4"]),
    "ESRGAN, old": (lambda net, lr: esrgan(net, lr, OLD), ["network=rrdb", "backbone.blocks=2", "backbone.growth=4"]),
    "ESRGAN, new": (lambda net, lr: esrgan(net, lr, NEW), ["network=rrdb", "backbone.blocks=2", "backbone.growth=4"]),
    "ESRGAN of BasicSR": (
        lambda net, lr: esrgan(net, lr, BASICSR),
        ["network=rrdb", "backbone.blocks=2", "backbone.growth=4"],
    ),
    "SRDenseNet": (
        srdensenet,
        ["network=srdensenet", "backbone.blocks=2", "backbone.layers=2", "backbone.growth=4"],
    ),
    "DRRN": (drrn, ["network=drrn", "backbone.units=3"]),
    "MemNet": (memnet, ["network=memnet", "backbone.shared=false", "backbone.memories=2", "backbone.recursions=2"]),
    "DBPN": (dbpn, ["network=dbpn", "backbone.stem_width=16", "backbone.stages=3"]),
    "SRFBN": (srfbn, ["network=srfbn", "backbone.groups=3", "backbone.steps=3"]),
    "ProSR": (
        prosr,
        [
            "network=prosr",
            "backbone.growth=4",
            "backbone.units=[2,2]",
            "framework.deeper.0.growth=4",
            "framework.deeper.0.units=[2]",
        ],
    ),
}


@pytest.mark.parametrize("name", REFERENCES)
def test_a_file_computes_what_it_computed_at_home(composed: Compose, tmp_path: Path, name: str) -> None:
    torch.manual_seed(0)
    reference, overrides = REFERENCES[name]
    network = composed(*overrides, *SMALL, "scale=4").double().eval()
    # Neither dark nor bright: bicubic enlargement leaves it positive, as it does luma, which a ReLU then does not change.
    net, lr = Recorder(), 0.4 + 0.2 * torch.rand(1, network.channels, 7, 6)
    reference(net, lr)  # makes the weights
    torch.save({"state_dict": {f"module.{key}": tensor for key, tensor in net.state.items()}}, tmp_path / "file.pth")
    load_weights(network, tmp_path / "file.pth")
    net.state = {key: t.double() if t.is_floating_point() else t for key, t in net.state.items()}
    with torch.no_grad():
        torch.testing.assert_close(network(lr.double()).sr, reference(net, lr.double()), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", REFERENCES)
def test_a_file_for_another_network_is_named(composed: Compose, tmp_path: Path, name: str) -> None:
    torch.manual_seed(0)
    reference, overrides = REFERENCES[name]
    net = Recorder()
    reference(net, torch.rand(1, composed(*overrides, "scale=4").channels, 7, 6))
    torch.save(net.state, tmp_path / "file.pth")
    right = overrides[0]
    with pytest.raises(InputError, match=rf"looks like .*: try .*{right}"):
        load_weights(composed("network=srcnn_915"), tmp_path / "file.pth")


def test_another_mean_than_the_networks_is_refused(composed: Compose, tmp_path: Path) -> None:
    net = Recorder()
    edsr(net, torch.rand(1, 3, 7, 6))
    net.state["sub_mean.bias"] = -255 * torch.tensor([0.5, 0.5, 0.5])
    torch.save(net.state, tmp_path / "file.pth")
    with pytest.raises(InputError, match=r"unexpected \(add_mean.bias.*sub_mean.bias"):
        load_weights(composed("network=edsr_baseline", "backbone.blocks=2", *SMALL, "scale=4"), tmp_path / "file.pth")
