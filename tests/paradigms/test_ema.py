import torch
from torch import nn

from srlab.paradigms.ema import MovingAverage


def test_average_follows_the_recurrence_written_by_hand() -> None:
    network = nn.Linear(1, 1, bias=False)
    network.weight.data.fill_(0.0)
    average = MovingAverage(network, decay=0.5)
    expected = 0.0
    for iteration, weight in enumerate([1.0, 2.0, 4.0], start=1):
        network.weight.data.fill_(weight)
        average.update(network, iteration)
        decay = min(0.5, (1 + iteration) / (10 + iteration))
        expected = decay * expected + (1 - decay) * weight
    torch.testing.assert_close(average.network.weight.item(), expected)


def test_statistics_are_averaged_and_counters_copied() -> None:
    network = nn.BatchNorm2d(2)
    average = MovingAverage(network, decay=0.999)
    network.train()
    network(torch.randn(4, 2, 3, 3) + 5)
    average.update(network, 10_000)
    assert average.network.num_batches_tracked == 1
    assert network.running_mean is not None
    torch.testing.assert_close(average.network.running_mean, 0.001 * network.running_mean)


def test_an_average_is_never_trained() -> None:
    average = MovingAverage(nn.Conv2d(1, 1, 1), decay=0.9)
    average.train()
    assert not average.network.training
    assert not any(parameter.requires_grad for parameter in average.parameters())
