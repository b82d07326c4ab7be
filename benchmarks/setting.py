"""What a benchmark's figures were measured on: the part of its JSON that is the same for all."""

from __future__ import annotations

import platform
from typing import Any

import torch


def setting(device: torch.device, dtype: torch.dtype) -> dict[str, Any]:
    """Hardware, threads, versions and number format."""
    return {
        "hardware": hardware(device),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "dtype": str(dtype).removeprefix("torch."),
    }


def hardware(device: torch.device) -> str:
    """The GPU's name, or what kind of CPU it is."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"{platform.machine()} CPU"
