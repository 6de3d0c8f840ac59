"""A local network by its loss, the order of its patches by REINFORCE (Attention-FH; Cao et al., CVPR 2017, section 3.3)."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from srlab.losses.weighted import Step, Terms, WeightedSum
from srlab.networks.attention_fh import AttentionFH, Episode
from srlab.networks.network import Network
from srlab.paradigms.base import Training
from srlab.paradigms.supervised import Supervised
from srlab.types import Batch, Prediction


class AttentionFHTraining(Supervised):
    """Draw the patches, minimise the loss of the final image, and make choices likelier that led to a smaller error.

    The reward of an episode is the error that it takes away, as a part of the enlarged image's: 1 is perfect, 0 is
    nothing gained. It is logged as `train/reward`.

    Args:
        network: an `AttentionFH`.
        training: what every paradigm has.
        loss: the objective of the final image, and of `step<n>`.
        optimizer: parameters -> optimizer.
        policy_weight: of the policy's objective beside the loss.

    Raises:
        ValueError: the network chooses nothing.
    """

    shardable = False

    def __init__(
        self,
        network: Network,
        training: Training,
        loss: WeightedSum,
        optimizer: Callable[[Iterable[Parameter]], Optimizer],
        policy_weight: float = 0.01,
    ) -> None:
        super().__init__(network, training, loss, optimizer)
        if not isinstance(network, AttentionFH):
            raise ValueError(f"{type(network).__name__} chooses no patches: choose network=attention_fh.")
        self.policy_weight = policy_weight

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        assert isinstance(self.network, AttentionFH)
        self.network.check(batch.lr)
        episode = self.network.episode(batch.lr, explore=True)
        steps = {f"step{number}": image for number, image in enumerate(episode.images[1:], start=1)}
        terms: Terms = self.loss(Step(Prediction(episode.images[-1], steps), batch, self.iteration))
        reward, policy = reinforce(episode, batch.hr)
        total = terms.total + self.policy_weight * policy
        self.log_terms(Terms(total, terms.values | {"policy": policy.detach()}), reward=reward)
        return total


def reinforce(episode: Episode, hr: Tensor) -> tuple[Tensor, Tensor]:
    """The mean reward of a batch of episodes, and the loss whose gradient is REINFORCE's (Williams 1992).

    A choice is judged by what it and all later ones took away from the error, the batch's mean at that step being the
    baseline: what came before a choice, and what any choice would have earned, only add noise to the gradient.
    """
    with torch.no_grad():
        errors = torch.stack([(image - hr).square().mean((1, 2, 3)) for image in episode.images])  # (steps + 1, B)
        errors = errors / errors[0].clamp(min=1e-8)
        earned = errors[:-1] - errors[-1]
        advantage = earned - earned.mean(1, keepdim=True)
    return 1 - errors[-1].mean(), -(advantage * torch.stack(episode.log_probabilities)).sum(0).mean()
