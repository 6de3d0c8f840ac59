"""What a training imports, imported once for all that are forked from here."""

import kornia
import lightning.pytorch
import torch
import wandb

import srlab.conclusion
import srlab.loggers
import srlab.train
import tests.killed

__all__ = ["kornia", "lightning", "srlab", "tests", "torch", "wandb"]
