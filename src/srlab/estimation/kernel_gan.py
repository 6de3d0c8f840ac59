"""A kernel by a GAN inside one image (KernelGAN; Bell-Kligler, Shocher, Irani; NeurIPS 2019, arXiv 1909.06581).

The generator reduces crops of the image, and the discriminator tells these from crops of the image itself: the reduction
that keeps the distribution of patches is the one that once made the image. What the paper leaves open is as in the
authors' code, but for one thing: there the likeness to bicubic compares each channel with the sum of all three.
"""

from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.parameter import Parameter

from srlab.data.busy_crops import BusyCrops
from srlab.data.stream import key
from srlab.degradation.base import trim
from srlab.degradation.resize import resize
from srlab.estimation.estimator import Floats, KernelEstimator, centred, composed
from srlab.losses.kernel import boundaries, off_centre, sparsity, sum_to_one
from srlab.losses.weighted import Terms
from srlab.networks.discriminators import Discriminator
from srlab.networks.kernel_gan import LinearGenerator, PatchCritic, reduce
from srlab.schedules import MultiStep, Schedule

SCALES = (2, 4)
NOISE = 1 / 255


class InternalGAN(nn.Module):
    """The game of one image: what either player minimises, and what changes in the course of it.

    The weight of the likeness to bicubic is `bicubic_start` until that likeness is reached (its loss below 0.4 three times
    in a row); from then on it falls a hundredfold at every 200th iteration, down to 5e-6. Sparsity and centre have a
    weight once it has fallen below 5e-3: by then there is a kernel, which they sharpen. As long as there is none, since the
    values begin near zero and do not sum up to a half, the discriminator has no say: what it asks of nothing has no sign,
    and a low-contrast image's game could go on with the negative of a kernel for good. (The authors' code lets it.)

    Args:
        generator: reduces by 2.
        discriminator: of patches, as small as the generator's output.
        crop: pixels of the generator's crops, which the discriminator's are half of, but for the kernel.
        shave: pixels to leave out along the image's borders, where a synthetic reduction has mirrored it; 0 for photographs.
        keep: so many of the kernel's values are certain to count, and all below 3/4 of the least of them are taken for 0.
    """

    bicubic_weight: Tensor
    near_bicubic: Tensor

    def __init__(
        self,
        generator: LinearGenerator,
        discriminator: Discriminator,
        crop: int = 64,
        shave: int = 10,
        keep: int = 40,
        bicubic_start: float = 5.0,
    ) -> None:
        super().__init__()
        if generator.stride != 2 or crop % 2 or crop < 2 * generator.kernel_size or shave < 0 or keep < 1:
            raise ValueError(
                f"stride={generator.stride}, crop={crop}, shave={shave}, keep={keep}: expected a generator of stride 2, "
                f"an even crop of {2 * generator.kernel_size} or more, a shave of 0 or more, and 1 value or more to keep."
            )
        self.generator, self.discriminator = generator, discriminator
        self.crop, self.shave, self.keep = crop, shave, keep
        self.register_buffer("bicubic_weight", torch.tensor(bicubic_start, dtype=torch.float64))
        self.register_buffer("near_bicubic", torch.tensor(0))
        self.large: BusyCrops | None = None
        self.small: BusyCrops | None = None

    @property
    def reduced(self) -> int:
        """Pixels of the generator's output for one of its crops."""
        return (self.crop - self.generator.kernel_size) // 2 + 1

    @property
    def least(self) -> int:
        """Pixels that an image needs on each side."""
        return self.crop + 2 * self.shave

    def see(self, lr: Tensor) -> None:
        """Take the image (1, C, H, W) in [0, 1], whose kernel is sought."""
        height, width = (side - 2 * self.shave for side in lr.shape[-2:])
        image = trim(lr, self.shave)[..., : height - height % 2, : width - width % 2]
        image = image.contiguous()  # noise is drawn in the order of memory
        self.large, self.small = BusyCrops(image, self.crop, halved=True), BusyCrops(image, self.reduced)

    def draw(self) -> tuple[Tensor, Tensor]:
        """A crop for either player, in [-1, 1]: (1, C, crop, crop), (1, C, reduced, reduced)."""
        assert self.large is not None
        assert self.small is not None
        return 2 * self.large.draw() - 1, 2 * self.small.draw() - 1

    # What the players minimise

    def weights(self, kernel: Tensor) -> dict[str, float]:
        """Of the generator's terms, as they stand with a kernel (K, K)."""
        bicubic = float(self.bicubic_weight)
        late = bicubic < 5e-3
        return {
            "gan": float(kernel.detach().sum() > 0.5),
            "bicubic": bicubic,
            "sum_to_one": 0.5,
            "boundaries": 0.5,
            "sparsity": 5.0 * late,
            "centre": 1.0 * late,
        }

    def generator_terms(self, large: Tensor) -> Terms:
        """The generator's loss for a crop (1, C, crop, crop), and its terms, those of no weight left out."""
        kernel = self.generator.kernel()
        reduced = reduce(large, kernel, 2)
        bicubic = trim(resize(large, scale=0.5), (self.crop // 2 - self.reduced) // 2)[
            ..., : self.reduced, : self.reduced
        ]
        measures: dict[str, Callable[[], Tensor]] = {
            "gan": lambda: 1 - self.discriminator(reduced).sigmoid().mean(),  # L1 to a map of ones
            "bicubic": lambda: F.mse_loss(reduced, bicubic),
            "sum_to_one": lambda: sum_to_one(kernel),
            "boundaries": lambda: boundaries(kernel),
            "sparsity": lambda: sparsity(kernel),
            "centre": lambda: off_centre(kernel, 2),
        }
        weights = self.weights(kernel)
        values = {name: measure() for name, measure in measures.items() if weights[name]}
        total = torch.stack([weights[name] * value for name, value in values.items()]).sum()
        return Terms(total, {name: value.detach() for name, value in values.items()})

    def discriminator_loss(self, large: Tensor, small: Tensor) -> Tensor:
        """L1 to a map of ones for a real crop, and of zeros for a reduced one, each with a little noise."""
        with torch.no_grad():
            reduced = reduce(large, self.generator.kernel(), 2)
        real = self.discriminator(small + 2 * NOISE * torch.randn_like(small)).sigmoid()
        fake = self.discriminator(reduced + NOISE * torch.randn_like(reduced)).sigmoid()
        loss: Tensor = 0.5 * (1 - real.mean() + fake.mean())
        return loss

    @torch.no_grad()
    def relax(self, iteration: int, bicubic_loss: Tensor) -> None:
        """Move the weight of the likeness to bicubic, after the training's `iteration`, from 1."""
        if iteration == 1:
            return
        if self.near_bicubic < 3:
            self.near_bicubic.copy_(
                self.near_bicubic + 1 if bicubic_loss < 0.4 else torch.zeros_like(self.near_bicubic)
            )
        elif iteration % 200 == 1:
            self.bicubic_weight.copy_((self.bicubic_weight / 100).clamp(min=5e-6))

    # What comes of it

    @torch.no_grad()
    def estimate(self, scale: int = 2) -> Floats:
        """The kernel as it stands, cleared of small values, centred, sum 1; for x4 that of two such reductions."""
        kernel = self.generator.kernel().double().cpu().numpy()
        in_order = np.sort(kernel, axis=None)[::-1]
        least = 0.75 * in_order[min(self.keep, kernel.size - 1)]
        kernel = centred(kernel - least, 2)
        if scale == 2:
            return kernel
        margin = len(kernel) // 2
        return centred(composed(kernel)[margin:-margin, margin:-margin], scale)


class KernelGAN(KernelEstimator):
    """The game of an image, played to its end; `paradigm=kernel_gan` is the same, with logs and checkpoints.

    Args:
        iterations: of both players (published: 3000; after 1000 hardly anything moves).
        rate: learning rate of both, a tenth of it after every 750 iterations.
        kernel_sizes, width: of the generator's convolutions, see `LinearGenerator`.
        crop, shave, keep: see `InternalGAN`.
    """

    scales = SCALES

    def __init__(
        self,
        iterations: int = 1000,
        rate: float = 2e-4,
        kernel_sizes: Iterable[int] = (7, 5, 3, 1, 1, 1),
        width: int = 64,
        crop: int = 64,
        shave: int = 10,
        keep: int = 40,
    ) -> None:
        if iterations < 1 or rate <= 0:
            raise ValueError(f"iterations={iterations} and rate={rate}: give 1 or more, and a positive number.")
        self.iterations, self.rate, self.kernel_sizes, self.width = iterations, rate, list(kernel_sizes), width
        self.crop, self.shave, self.keep = crop, shave, keep
        with torch.random.fork_rng(devices=[]):
            self.least = self.game(1).least  # refuses impossible numbers now

    def game(self, channels: int) -> InternalGAN:
        """A new game for an image of so many channels."""
        generator, critic = LinearGenerator(self.kernel_sizes, self.width), PatchCritic(channels)
        return InternalGAN(generator, critic, self.crop, self.shave, self.keep)

    def estimate(self, lr: Tensor, scale: int, seed: int) -> Floats:
        return self.played(lr, seed).estimate(scale)

    def played(self, lr: Tensor, seed: int) -> InternalGAN:
        """The game of an image (C, H, W), at its end."""
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            torch.manual_seed(seed)
            game = self.game(len(lr))
            game.see(lr[None])
            optimizers = [self.optimizer(player.parameters()) for player in (game.generator, game.discriminator)]
            schedule = falling(self.iterations)
            for iteration in range(1, self.iterations + 1):
                torch.manual_seed(key(seed, "step", iteration, 0))
                self._play(game, optimizers, iteration, schedule(iteration - 1))
        return game

    def optimizer(self, parameters: Iterable[Parameter]) -> torch.optim.Optimizer:
        return torch.optim.Adam(parameters, lr=self.rate, betas=(0.5, 0.999))

    def _play(self, game: InternalGAN, optimizers: list[torch.optim.Optimizer], iteration: int, factor: float) -> None:
        for optimizer in optimizers:
            optimizer.param_groups[0]["lr"] = self.rate * factor
        large, small = game.draw()
        terms = game.generator_terms(large)
        torch.autograd.backward(terms.total)
        optimizers[0].step()
        game.relax(iteration, terms.values["bicubic"])
        game.zero_grad()
        torch.autograd.backward(game.discriminator_loss(large, small))
        optimizers[1].step()
        game.zero_grad()


def falling(iterations: int, every: int = 750) -> Schedule:
    """A tenth of the rate after every 750 iterations."""
    return MultiStep(list(range(every, max(iterations, every + 1), every)), iterations, factor=0.1)
