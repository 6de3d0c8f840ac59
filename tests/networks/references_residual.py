"""References of residual networks, for the importers.

Each reference is a network as its repository lays it out: keys, shapes, range of the images and order of what is
concatenated; here as plain functions over a recorder of random weights.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

State = dict[str, Tensor]
MEAN = torch.tensor([0.4488, 0.4371, 0.4040]).view(1, 3, 1, 1)
W = 8
"""Channels of the features."""


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
