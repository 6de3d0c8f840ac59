"""Cubes enlarged without a guide: EXP, the baseline of pansharpening, and back-projection through the sensor's MTF."""

from torch import Tensor
from torch.nn import functional as F

from srlab.degradation.mtf import MTF
from srlab.networks.network import Network
from srlab.types import Prediction


def expand(image: Tensor, scale: int) -> Tensor:
    """EXP: cubic interpolation (a = -0.75): (B, C, H, W) -> (B, C, scale H, scale W)."""
    return F.interpolate(image, scale_factor=scale, mode="bicubic", align_corners=False)


class BackProjection:
    """Add what LR lacks of a cube, by the sensor's MTF, enlarged, again and again (Irani and Peleg, 1991).

    Wald's first property: a result that the sensor sees again is LR.

    Args:
        scale: HR pixels per LR pixel.
        gain: of the MTF: see `mtf_taps`.
        iterations: how often; 0: nothing is done.

    Raises:
        ValueError: `iterations` below 0.
    """

    def __init__(self, scale: int, gain: float, iterations: int) -> None:
        if iterations < 0:
            raise ValueError(f"back_projections={iterations}: give 0 or more.")
        self.mtf, self.iterations = MTF(scale, gain), iterations

    def __call__(self, cube: Tensor, lr: Tensor) -> Tensor:
        """(B, C, scale H, scale W), (B, C, H, W) -> (B, C, scale H, scale W)."""
        for _ in range(self.iterations):
            cube = cube + expand(lr - self.mtf.reduce(cube), self.mtf.scale)
        return cube

    @property
    def halo(self) -> int:
        """LR pixels around one that the result depends on, beyond those of the cube."""
        return self.iterations * (self.mtf.margin // self.mtf.scale + 2)


class Expansion(Network):
    """EXP, the baseline of pansharpening: LR enlarged, without a guide.

    Args:
        channels, scale: as in Network.
        gain, back_projections: see `BackProjection`.
    """

    def __init__(self, channels: int, scale: int, gain: float = 0.3, back_projections: int = 0) -> None:
        back_project = BackProjection(scale, gain, back_projections)
        super().__init__(channels, scale, multiple_of=1, halo=2 + back_project.halo)
        self.back_project = back_project

    def predict(self, lr: Tensor) -> Prediction:
        return Prediction(self.back_project(expand(lr, self.scale), lr), {})
