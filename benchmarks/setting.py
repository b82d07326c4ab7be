"""What a benchmark's figures were measured on: the part of its JSON that is the same for all."""

from __future__ import annotations

import platform
from pathlib import Path
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
    """The GPU's name, or the CPU's with the widest instructions torch uses on it."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    known = Path("/proc/cpuinfo")
    names = [line for line in known.read_text().splitlines() if line.startswith("model name")] if known.exists() else []
    name = names[0].split(":")[1].strip() if names else platform.machine()
    return f"{name}, {torch.backends.cpu.get_cpu_capability()}"
