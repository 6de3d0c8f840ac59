"""KernelGAN as a training: the blur kernel of one image (Bell-Kligler, Shocher, Irani; NeurIPS 2019, arXiv 1909.06581).

There is no SR network to train, so none is exported. The image that the run leaves is the kernel put to use: bicubic
enlargement, made to agree with LR by back-projection; with an HR image for evaluation, its PSNR tells what the kernel is
worth.
"""

import torch
from lightning.pytorch.loggers import WandbLogger
from torch import Tensor
from torch.optim import Optimizer

from srlab.degradation.reduction import Reduction, stretched
from srlab.estimation.kernel_gan import SCALES, InternalGAN
from srlab.estimation.writing import picture
from srlab.networks.back_projected import BackProjected
from srlab.networks.discriminators import Discriminator
from srlab.networks.kernel_gan import LinearGenerator
from srlab.paradigms.base import Training
from srlab.paradigms.players import MakeOptimizer, Player, Players
from srlab.paradigms.single_image import SingleImage


class KernelGAN(SingleImage, Players):
    """Play the game of an image: the generator's turn, then the discriminator's, in each iteration.

    Args:
        channels: of the image.
        scale: HR pixels per LR pixel: 2, or 4 by the kernel for 2.
        training: what every paradigm has.
        generator, discriminator: see `InternalGAN`, as are crop, shave and keep.
        optimizer, optimizer_d: parameters -> optimizer, of the generator and of the discriminator.
        back_projections: of the image that the run leaves.

    Raises:
        ValueError: a scale for which there is no kernel, or numbers that cannot go together.
    """

    unexportable = "KernelGAN learns a kernel: kernel.npy, for reduction=kernel, degradation=kernels and other programs"

    def __init__(
        self,
        channels: int,
        scale: int,
        training: Training,
        generator: LinearGenerator,
        discriminator: Discriminator,
        optimizer: MakeOptimizer,
        optimizer_d: MakeOptimizer,
        crop: int = 64,
        shave: int = 10,
        keep: int = 40,
        back_projections: int = 10,
    ) -> None:
        if scale not in SCALES:
            raise ValueError(f"scale={scale}: KernelGAN finds kernels for x2, and by them for x4: choose 2 or 4.")
        reduction = Reduction(scale, stretched("bicubic", scale))
        super().__init__(BackProjected(channels, reduction, back_projections), training, reduction)
        self.game = InternalGAN(generator, discriminator, crop, shave, keep)
        self.players = {
            "generator": Player((self.game.generator,), optimizer),
            "discriminator": Player((self.game.discriminator,), optimizer_d, "optimizer_d"),
        }

    def configure_optimizers(self) -> list[Optimizer]:
        return Players.configure_optimizers(self)

    def setup(self, stage: str) -> None:
        super().setup(stage)
        self.game.see(self.lr)

    def training_step(self, lr: Tensor, batch_idx: int) -> None:
        with torch.autocast(self.device.type, enabled=False):
            large, small = self.game.draw()
            with self.turn("generator") as descend:
                terms = self.game.generator_terms(large)
                descend(terms.total)
            self.game.relax(self.iteration, terms.values["bicubic"])
            with self.turn("discriminator") as descend:
                loss = self.game.discriminator_loss(large, small)
                descend(loss)
        self.log_terms(terms, loss_discriminator=loss.detach(), bicubic_weight=float(self.game.bicubic_weight))

    def result(self) -> Tensor:
        self.reduction.kernel = torch.from_numpy(self.game.estimate(self.network.scale)).to(self.lr)
        sr: Tensor = self.network(self.lr).sr
        return sr

    def on_validation_epoch_end(self) -> None:
        super().on_validation_epoch_end()
        shown = picture(self.game.estimate(self.network.scale))
        for logger in self.loggers:
            if isinstance(logger, WandbLogger):
                logger.log_image("val/kernel", [shown], step=self.iteration)
