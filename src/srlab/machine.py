"""What this machine is good at."""

import torch


def pick_device(device: str) -> torch.device:
    """The named device; `auto` takes a GPU where there is one.

    Raises:
        ValueError: the device is not there.
    """
    if device != "auto":
        try:
            wanted = torch.device(device)
        except RuntimeError:
            raise ValueError(f"device={device}: choose auto, cpu, cuda, cuda:1 or the like, or mps.") from None
        if wanted.type == "cuda" and not torch.cuda.is_available():
            raise ValueError(
                f"device={device}, but torch finds no GPU on this machine: take device=cpu or device=auto."
            )
        return wanted
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def gains_from_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is faster than float32: native on the GPU, AVX512-BF16 or AMX on the CPU."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return False
