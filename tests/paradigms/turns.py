"""The smallest paradigm of two players that a configuration can build: `paradigm._target_=tests.paradigms.turns.Turns`."""

from torch import Tensor, nn

from srlab.losses.weighted import Step, WeightedSum
from srlab.networks.network import Network
from srlab.paradigms.base import Training
from srlab.paradigms.players import MakeOptimizer, Player, Players
from srlab.types import Batch


class Turns(Players):
    """A critic learns to tell SR from HR by their mean colours; the network lowers its losses and what the critic says."""

    def __init__(self, network: Network, training: Training, loss: WeightedSum, optimizer: MakeOptimizer) -> None:
        super().__init__(network, training)
        self.loss, self.critic = loss, nn.Linear(network.channels, 1)
        self.players = {
            "critic": Player((self.critic,), optimizer),
            "generator": Player((self.network,), optimizer),
        }

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        prediction = self.network.of(batch)
        with self.turn("critic") as descend:
            descend(self._judged(prediction.sr.detach()) - self._judged(batch.hr))
        with self.turn("generator") as descend:
            terms = self.loss(Step(prediction, batch, self.iteration))
            descend(terms.total - self._judged(prediction.sr))
        self.log_terms(terms)

    def _judged(self, images: Tensor) -> Tensor:
        verdict: Tensor = self.critic(images.mean((2, 3))).tanh().mean()
        return verdict
