"""Which device and which number format to compute in."""

from __future__ import annotations

import torch

from core.errors import KhalaError

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def choose_device(name: str | None) -> torch.device:
    """The named device, or the best there is: CUDA, then Apple's MPS, then the CPU."""
    if name is None or name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise KhalaError(f"There is no device '{name}': use cuda, cuda:N, mps or cpu.") from error
    available = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not available.get(device.type, False):
        raise KhalaError(f"The device '{name}' is not available here. Use --device cpu, or check the driver.")
    return device


def choose_dtype(name: str | None, device: torch.device) -> torch.dtype:
    """The named format, or the device's own: bfloat16 on CUDA, float32 elsewhere."""
    if name is None or name == "auto":
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    if name not in DTYPES:
        raise KhalaError(f"The number format '{name}' is not supported: use {' or '.join(DTYPES)}.")
    return DTYPES[name]
