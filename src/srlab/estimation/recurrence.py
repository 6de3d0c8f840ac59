"""A kernel from patches that recur across scales (Michaeli and Irani, Nonparametric Blind Super-Resolution, ICCV 2013).

Small patches of a natural image recur in the same image at a coarser scale. The coarse image that makes them most alike
is the one that the true kernel gives: the kernel that relates HR to LR also relates LR to the coarse image in which the
patches of LR are found again (section 3). The paper's MAP estimate (section 4, its algorithm) takes turns:

1. reduce LR by the kernel as it stands: r_j = R_j k are the patches of the coarse image, linear in k;
2. find the nearest r_j of each patch q_i of LR, with weights w_ij that fall with |q_i - R_j k|^2;
3. minimise sum_ij w_ij |q_i - R_j k|^2 + |C k|^2 over k, C being derivatives: weighted, regularised least squares.

Where this differs: a patch's mean is taken off, so that light and shade need not recur; weights fall with the error
*relative to the patch's variance*, and are not normalised over j, so that a patch without a likeness counts little; and
values under a twentieth of the largest are taken for zero. Without these three the estimate grows ever wider.
"""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from torch import Tensor

from srlab.data.stream import key
from srlab.estimation.estimator import Floats, KernelEstimator
from srlab.evaluation.strips import most_detailed_crop

Places = NDArray[np.intp]


class Pairs(NamedTuple):
    """Patches of LR, each with a likeness in the coarse image.

    Attributes:
        patches: (N, P^2), the patches of LR.
        places: (N,), the likenesses' first pixels in the coarse image.
        weights: (N,).
    """

    patches: Floats
    places: Places
    weights: Floats


class PatchRecurrence(KernelEstimator):
    """The kernel under which an image's patches recur best at a coarser scale; the seed draws which are looked at.

    Args:
        kernel_size: K, odd (paper: 9, 11 and 13 for x2, x3 and x4).
        patch: P, the patches' sides (paper: 5).
        iterations: turns (paper: 15 are enough).
        neighbours: likenesses of each patch.
        tolerance: the relative error at which a likeness has lost 40 % of its weight.
        smoothness: the weight of C.
        patches: how many patches of LR are looked up, drawn from twice as many of most variance.
        candidates: among how many of the coarse image, drawn likewise.
        window: of an image that is larger, the most detailed part of so many pixels on each side is taken.
    """

    scales = (2, 3, 4)
    least = 48

    def __init__(
        self,
        kernel_size: int = 13,
        patch: int = 5,
        iterations: int = 12,
        neighbours: int = 2,
        tolerance: float = 0.005,
        smoothness: float = 0.1,
        patches: int = 4000,
        candidates: int = 8000,
        window: int = 256,
    ) -> None:
        if kernel_size < 3 or kernel_size % 2 == 0 or patch < 3 or window < self.least:
            raise ValueError(
                f"kernel_size={kernel_size} must be odd, patch={patch} 3 or more (the paper has 9 to 13, and 5), and "
                f"window={window} at least {self.least}."
            )
        if min(iterations, neighbours, patches, candidates, tolerance, smoothness) <= 0:
            raise ValueError(
                f"expected positive numbers, got iterations={iterations}, neighbours={neighbours}, patches={patches}, "
                f"candidates={candidates}, tolerance={tolerance}, smoothness={smoothness}."
            )
        self.kernel_size, self.patch, self.iterations, self.neighbours = kernel_size, patch, iterations, neighbours
        self.tolerance, self.smoothness, self.patches, self.candidates = tolerance, smoothness, patches, candidates
        self.window = window

    def estimate(self, lr: Tensor, scale: int, seed: int) -> Floats:
        size, generator = self.kernel_size, np.random.default_rng(key(seed, "recurrence"))
        rows_kept, columns_kept = most_detailed_crop(lr, self.window, 1)
        image = lr[:, rows_kept, columns_kept].double().mean(0).numpy()
        windows = sliding_window_view(image, (size, size))
        rows = np.ascontiguousarray(windows.reshape(-1, size**2))  # coarse pixel n, at every phase, is rows[n] @ k
        first, within = self._grid(windows.shape[0], windows.shape[1], scale)
        patches = sliding_window_view(image, (self.patch, self.patch)).reshape(-1, self.patch**2)
        patches = patches[drawn(patches, self.patches, generator)]
        patches = patches - patches.mean(1, keepdims=True)
        kernel, prior = blunt_delta(size), derivatives(size)
        for _ in range(self.iterations):
            coarse = (rows @ kernel.ravel())[first[:, None] + within]
            chosen = drawn(coarse, self.candidates, generator)
            pairs = self._likenesses(patches, coarse[chosen], first[chosen])
            normal, right = self._equations(rows, pairs, within)
            weight = self.smoothness * np.trace(normal) / size**2
            kernel = np.linalg.solve(normal + weight * prior, right)
            kernel = np.clip(kernel - kernel.max() / 20, 0, None)
            kernel /= kernel.sum()
        return kernel.reshape(size, size)

    def _grid(self, height: int, width: int, scale: int) -> tuple[Places, Places]:
        """Where coarse patches begin, among the coarse pixels of all phases, and where a patch's pixels lie from there."""
        span = (self.patch - 1) * scale
        down, right = np.mgrid[: max(0, height - span), : max(0, width - span)]
        offsets = np.arange(self.patch) * scale
        return (down * width + right).ravel(), (offsets[:, None] * width + offsets).ravel()

    def _likenesses(self, patches: Floats, found: Floats, places: Places) -> Pairs:
        found = found - found.mean(1, keepdims=True)
        nearest = range(1, self.neighbours + 1)
        errors, indices = cKDTree(found, balanced_tree=False).query(patches, nearest)
        relative = errors**2 / np.square(patches).sum(1, keepdims=True)
        weights = np.exp(-relative / (2 * self.tolerance)) / np.square(patches).mean(1, keepdims=True)
        return Pairs(np.repeat(patches, self.neighbours, axis=0), places[indices.ravel()], weights.ravel())

    def _equations(self, rows: Floats, pairs: Pairs, within: Places) -> tuple[Floats, Floats]:
        """The normal equations of step 3, a patch's mean taken off: (K^2, K^2) and (K^2,).

        Each coarse pixel stands in many patches: it enters once, with the sum of their weights and of their targets.
        """
        pixels = pairs.places[:, None] + within
        weight = np.bincount(pixels.ravel(), np.repeat(pairs.weights, len(within)), len(rows))
        target = np.bincount(pixels.ravel(), (pairs.weights[:, None] * pairs.patches).ravel(), len(rows))
        used = weight > 0
        of_places = np.bincount(pairs.places, pairs.weights, len(rows))
        places = np.flatnonzero(of_places)
        means = sum(rows[places + offset] for offset in within) / len(within)
        normal = rows[used].T @ (rows[used] * weight[used, None])
        normal -= len(within) * means.T @ (means * of_places[places, None])
        return normal, rows[used].T @ target[used]


def drawn(patches: Floats, count: int, generator: np.random.Generator) -> Places:
    """Indices of `count` patches (N, P^2), drawn from the 2 `count` of most variance: flat ones tell nothing."""
    busiest = np.argsort(-patches.var(1), kind="stable")[: 2 * count]
    return np.sort(generator.permutation(busiest)[:count])


def blunt_delta(size: int) -> Floats:
    """The start: the four pixels around where x2 has its centre (the paper's delta has no pixel there)."""
    kernel = np.zeros((size, size))
    kernel[size // 2 : size // 2 + 2, size // 2 : size // 2 + 2] = 0.25
    return kernel


def derivatives(size: int) -> Floats:
    """C'C for the horizontal and vertical differences of a kernel that is zero beyond its borders: (K^2, K^2)."""
    units = np.pad(np.eye(size**2).reshape(-1, size, size), [(0, 0), (1, 1), (1, 1)])
    across, down = (np.diff(units, axis=axis).reshape(size**2, -1) for axis in (2, 1))
    return np.asarray(across @ across.T + down @ down.T)
