"""The wavelet layers against PyWavelets, and the networks that are made of them."""

import numpy as np
import pytest
import pywt
import torch

from srlab.networks.wavelets import WaveletAnalysis, WaveletSynthesis
from tests.networks.conftest import Compose

WAVELETS = ["haar", "db2", "db4", "sym4", "coif1", "db8"]


@pytest.mark.parametrize("wavelet", WAVELETS)
def test_analysis_equals_pywavelets(wavelet: str) -> None:
    image = torch.rand(2, 3, 16, 24)
    average, details = pywt.dwt2(image.numpy(), wavelet, mode="periodization", axes=(2, 3))
    expected = np.stack([average, *details], axis=2).reshape(2, 12, 8, 12)
    torch.testing.assert_close(WaveletAnalysis(3, wavelet)(image), torch.from_numpy(expected), rtol=0, atol=5e-6)


@pytest.mark.parametrize("wavelet", WAVELETS)
def test_synthesis_undoes_analysis_and_both_keep_the_energy(wavelet: str) -> None:
    image = torch.rand(2, 3, 16, 24)
    bands = WaveletAnalysis(3, wavelet)(image)
    torch.testing.assert_close(WaveletSynthesis(3, wavelet)(bands), image, rtol=0, atol=5e-6)
    torch.testing.assert_close(bands.square().sum(), image.square().sum())


def test_a_constant_image_has_an_average_alone() -> None:
    bands = WaveletAnalysis(1)(torch.ones(1, 1, 4, 4))
    torch.testing.assert_close(bands[0, :, 0, 0], torch.tensor([2.0, 0.0, 0.0, 0.0]))


@pytest.mark.parametrize("wavelet", ["gaus1", "bior2.2", "haarr"])
def test_what_is_not_orthonormal_is_refused(wavelet: str) -> None:
    with pytest.raises(ValueError, match=r"wavelet='.*' is .*: choose one as haar"):
        WaveletAnalysis(1, wavelet)


@pytest.mark.parametrize("wavelet", ["haar", "db2"])
def test_the_global_residual_is_the_papers_sum_of_sub_bands(composed: Compose, wavelet: str) -> None:
    network = composed("network=dwsr", "backbone.width=8", "backbone.layers=1", f"backbone.wavelet={wavelet}")
    lr = torch.rand(1, 1, 8, 10)
    enlarged = composed("network=bicubic", "channels=1")(lr).sr
    bands = WaveletAnalysis(1, wavelet)(enlarged)
    predicted = bands + network.get_submodule("backbone.layers")(bands)
    torch.testing.assert_close(network(lr).sr, WaveletSynthesis(1, wavelet)(predicted), rtol=0, atol=1e-5)


def test_only_longer_filters_wrap_at_the_borders(composed: Compose) -> None:
    assert composed("network=dwsr").halo is not None
    assert composed("network=dwsr", "backbone.wavelet=db2").halo is None


@pytest.mark.parametrize("channels", [1, 3])
def test_dwsr_has_the_papers_parameters(composed: Compose, channels: int) -> None:
    bands = 4 * channels
    expected = (9 * bands * 64 + 64) + 10 * (9 * 64 * 64 + 64) + (9 * 64 * bands + bands)
    network = composed("network=dwsr", f"channels={channels}")
    assert sum(parameter.numel() for parameter in network.parameters()) == expected
    assert channels != 1 or round(expected / 1000) == 374  # paper: 374 K


def test_mwcnn_has_the_papers_24_layers(composed: Compose) -> None:
    """Figure 4: 160, 256 and 256 channels of features; batch normalisation instead of biases but in the last layer."""
    with torch.device("meta"):
        network = composed("network=mwcnn")
    into = [(4, 160), (4 * 160, 256), (4 * 256, 256)]
    pairs = [pair for outer, inner in into for pair in [(outer, inner), (inner, outer), *[(inner, inner)] * 6]]
    assert len(pairs) == 24
    weights = sum(9 * before * after for before, after in pairs)
    norms = sum(2 * after for _, after in pairs) - 2 * 4
    total = sum(parameter.numel() for parameter in network.parameters())
    assert total == weights + norms + 4 == 16_152_260
