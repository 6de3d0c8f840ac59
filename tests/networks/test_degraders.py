"""Learned degradations and their discriminators: the published sizes, and what decides all chance."""

import pytest
import torch
from torch import nn

from srlab.degradation.jpeg import Jpeg
from srlab.networks.degradation_discriminators import SpectralResNet, TexturePatches
from srlab.networks.degraders import AfterBicubic, Compressed, Degrader, HighToLow
from srlab.networks.frequencies import high_pass, low_pass


def size(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_published_numbers_of_parameters() -> None:
    assert size(HighToLow(3, 4, noise="none")) == 1_336_515
    assert size(HighToLow(3, 4, noise="pixel")) == 1_336_515 + 3
    assert size(HighToLow(3, 4)) == 1_336_515 + 65 * 64 * 64 + 9 * 64  # the dense layer, and its channel's weights
    assert size(AfterBicubic(3, 4)) == 594_380
    assert size(TexturePatches(3)) == 1_030_273
    for halvings, count in ((2, 1_361_184), (4, 1_394_720)):  # the authors count the vectors of the spectral norms
        judge = SpectralResNet(3, halvings=halvings)
        assert size(judge) + sum(buffer.numel() for buffer in judge.buffers()) == count


@pytest.mark.parametrize(
    "degrader",
    [
        HighToLow(3, 2, width=4, vector=3, tile=16),
        HighToLow(3, 4, width=4, noise="pixel"),
        AfterBicubic(3, 2, width=4, blocks=1, noise_channels=2, residual=True),
        AfterBicubic(3, 2, width=4, blocks=1, noise_channels=0, residual=True, white=True),
        AfterBicubic(3, 3, width=4, blocks=1, noise_channels=1),
        Compressed(AfterBicubic(3, 2, width=4, blocks=1, noise_channels=2, residual=True, white=True), 60),
    ],
)
def test_all_chance_is_in_the_noise(degrader: Degrader) -> None:
    side = 48
    hr = torch.rand(2, 3, side, 2 * side)
    for name, parameter in degrader.named_parameters():
        if "tail" in name or "strength" in name or name == "weight":  # what begins at zero
            nn.init.normal_(parameter, std=0.3)
    generators = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
    noise = degrader.draw(hr, generators)
    lr = degrader(hr, noise)
    assert lr.shape == (2, 3, side // degrader.scale, 2 * side // degrader.scale)
    assert torch.equal(lr, degrader(hr, noise))
    alone = degrader.draw(hr[1:], [torch.Generator().manual_seed(2)])
    assert torch.equal(noise[1:], alone)
    degrader.eval()
    draws = torch.stack([degrader(hr, degrader.draw(hr)) for _ in range(4)])
    assert (draws.std(0) > 0).float().mean() > 0.9


def test_a_residual_degrader_begins_as_bicubic() -> None:
    hr = torch.rand(1, 3, 16, 16)
    degrader = AfterBicubic(3, 2, noise_channels=3, residual=True, white=True)
    plain = nn.functional.interpolate(hr, scale_factor=0.5, mode="bicubic", antialias=True)
    lr = degrader(hr, degrader.draw(hr))
    torch.testing.assert_close(lr[..., 2:-2, 2:-2], plain[..., 2:-2, 2:-2], atol=1e-5, rtol=0)


def test_white_noise_is_white_and_as_strong_as_the_network_says() -> None:
    degrader = AfterBicubic(3, 2, 8, 1, residual=True, white=True)
    assert degrader.strength is not None
    assert degrader.strength.bias is not None
    hr = torch.rand(1, 3, 256, 256)
    clean = degrader(hr, degrader.draw(hr))
    with torch.no_grad():
        degrader.strength.bias.copy_(torch.tensor([0.02, 0.04, 0.08]))
    noise = degrader(hr, degrader.draw(hr)) - clean
    sigma = noise.std((0, 2, 3))
    torch.testing.assert_close(sigma, torch.tensor([0.02, 0.04, 0.08]), rtol=0.05, atol=0)
    torch.testing.assert_close(5 * nn.functional.avg_pool2d(noise, 5).std((0, 2, 3)), sigma, rtol=0.1, atol=0)
    channels = noise[0].flatten(1)
    torch.testing.assert_close(torch.corrcoef(channels), torch.eye(3), rtol=0, atol=0.05)


def test_the_two_passes_share_the_frequencies() -> None:
    image = torch.rand(1, 3, 12, 12)
    torch.testing.assert_close(low_pass(image, 5) + high_pass(image, 5), image)
    torch.testing.assert_close(high_pass(torch.full((1, 3, 12, 12), 0.3), 5), torch.zeros(1, 3, 12, 12))
    whole, part = (TexturePatches(3, [4], 3, "none", high_pass=size, contrast=4.0) for size in (1, 5))
    part.load_state_dict(whole.state_dict())
    assert whole.seen(image) is image
    torch.testing.assert_close(part(image), whole.layers(4 * high_pass(image, 5)))
    for wrong in ({"high_pass": 4}, {"contrast": 0.0}):
        with pytest.raises(ValueError, match="give"):
            TexturePatches(3, **wrong)
    assert low_pass(image, 5)[0, 1, 6, 6].item() == pytest.approx(image[0, 1, 4:9, 4:9].mean().item(), rel=1e-5)


def test_numbers_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="scale 2, 4, 8 or 16"):
        HighToLow(3, 3)
    with pytest.raises(ValueError, match="noise=loud"):
        HighToLow(3, 2, noise="loud")
    with pytest.raises(ValueError, match="blocks=0"):
        AfterBicubic(3, 2, blocks=0)
    with pytest.raises(ValueError, match="halvings=6"):
        SpectralResNet(3, halvings=6)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("quality", [30, 80])
def test_a_compressed_degrader_writes_what_an_encoder_writes(channels: int, quality: int) -> None:
    torch.manual_seed(0)
    smooth = nn.functional.interpolate(torch.rand(1, channels, 8, 8), size=64, mode="bicubic").clamp(0, 1)
    degrader = Compressed(AfterBicubic(channels, 2, width=4, blocks=1, noise_channels=1, residual=True), quality)
    noise = torch.full((1, 1, 32, 32), -9.0)  # begins where a block does
    raw, lr = degrader.degrader(smooth, noise), degrader(smooth, noise)
    file = Jpeg(quality)(raw, torch.tensor([0]), torch.tensor([255])).lr
    assert (lr - file).abs().mean() < 0.6 * (raw - file).abs().mean()
    later = degrader(smooth, torch.zeros_like(noise))  # by half a block, both ways
    assert (later - file).abs().mean() > 0.7 * (raw - file).abs().mean()


def test_what_no_jpeg_file_holds_is_refused() -> None:
    with pytest.raises(ValueError, match="not 4 channels"):
        Compressed(AfterBicubic(4, 2), 60)
    with pytest.raises(ValueError, match="quality=0"):
        Compressed(AfterBicubic(3, 2), 0)
