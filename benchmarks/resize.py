"""Time of MATLAB's bicubic resizing: ours against NumPy ports. `python benchmarks/resize.py`.

A port computes each output pixel's weights and source pixels, gathers those, multiplies, and sums, as the ports of
`imresize` that toolkits ship do (here without any Python loop). A second one leaves the sum to `np.einsum`. All run on one
thread; the times are CPU time, the best of several runs; the last column is the largest difference in grey levels of 255.
"""

import time
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from srlab.degradation.resize import resize

Array = NDArray[np.float64]

CASES = [  # batch, height, width, scale, levels
    (1, 1020, 768, 1 / 2, 255),
    (1, 1020, 768, 1 / 3, 255),
    (1, 1020, 768, 1 / 4, 255),
    (1, 1020, 768, 1 / 2, 0),
    (1, 510, 384, 2, 0),
    (1, 340, 256, 3, 0),
    (16, 104, 104, 1 / 2, 255),  # a training batch: LR patches of 48, with the margin
]


def cubic(x: Array) -> Array:
    a = np.abs(x)
    near, far = 1.5 * a**3 - 2.5 * a**2 + 1, -0.5 * a**3 + 2.5 * a**2 - 4 * a + 2
    return np.asarray(near * (a <= 1) + far * ((a > 1) & (a <= 2)))


def gather_and_sum(weights: Array, taps: Array) -> Array:
    return np.asarray((weights.reshape(*weights.shape, *[1] * (taps.ndim - 2)) * taps).sum(1))


def einsum(weights: Array, taps: Array) -> Array:
    return np.asarray(np.einsum("ot,ot...->o...", weights, taps))


def port_axis(image: Array, scale: float, total: Callable[[Array, Array], Array]) -> Array:
    """Resize the first axis of (n, ...)."""
    n = image.shape[0]
    out, stretch = int(np.ceil(n * scale - 1e-9)), min(scale, 1.0)
    width = 4 / stretch
    centre = (np.arange(out) + 0.5) / scale - 0.5
    source = np.floor(centre - width / 2)[:, None] + np.arange(int(np.ceil(width)) + 2)
    weights = cubic((centre[:, None] - source) * stretch)
    weights /= weights.sum(1, keepdims=True)
    source = source.astype(int) % (2 * n)
    source = np.where(source < n, source, 2 * n - 1 - source)
    kept = np.any(weights, axis=0)
    return total(weights[:, kept], image[source[:, kept]])


def port(image: Array, scale: float, levels: int, total: Callable[[Array, Array], Array]) -> Array:
    """Codes (H, W, C); rounded after each pass where there are levels."""
    for axis in (0, 1):
        image = port_axis(image.swapaxes(0, axis), scale, total).swapaxes(0, axis)
        image = np.floor(image + 0.5).clip(0, levels) if levels else image
    return image


def cpu_seconds(run: Callable[[], object], repeats: int = 5) -> float:
    run()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    torch.set_num_threads(1)
    print(
        f"{'images':>18} {'scale':>6} {'levels':>6} {'ours, ms':>9} {'port':>15} {'einsum port':>15} {'difference':>11}"
    )
    for batch, height, width, scale, levels in CASES:
        codes = torch.randint(0, 256, (batch, 3, height, width), generator=torch.Generator().manual_seed(0))
        images = codes.float() / 255
        arrays = [np.ascontiguousarray(image.permute(1, 2, 0).double().numpy()) for image in codes]
        ours = cpu_seconds(lambda: resize(images, scale=scale, levels=levels))  # noqa: B023 - run at once
        ports = [
            cpu_seconds(lambda: [port(array, scale, levels, total) for array in arrays])  # noqa: B023
            for total in (gather_and_sum, einsum)
        ]
        result = resize(images[:1], scale=scale, levels=levels)[0].permute(1, 2, 0).double().numpy() * 255
        difference = np.abs(result - port(arrays[0], scale, levels, einsum)).max()
        beside = " ".join(f"{seconds * 1e3:>8.1f} x{seconds / ours:>5.1f}" for seconds in ports)
        what = f"{batch:>4} x {height:>4} x {width:>4} {scale:>6.2f} {levels:>6}"
        print(f"{what} {ours * 1e3:>9.1f} {beside} {difference:>11.1e}")


if __name__ == "__main__":
    main()
