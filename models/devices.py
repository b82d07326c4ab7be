"""Which device and which number format to compute in."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True, kw_only=True)
class Formats:
    """The number formats in which backbone and super-resolution compute."""

    backbone: torch.dtype
    superres: torch.dtype

    @classmethod
    def both(cls, dtype: torch.dtype) -> Formats:
        return cls(backbone=dtype, superres=dtype)

    def __str__(self) -> str:
        backbone, superres = (str(dtype).removeprefix("torch.") for dtype in (self.backbone, self.superres))
        return backbone if backbone == superres else f"{backbone}, super-resolution {superres}"


def choose_formats(name: str | None, device: torch.device) -> Formats:
    """The named format for both, or what suits the device: bfloat16 on CUDA, float32 elsewhere.

    Processors that multiply bfloat16 use it for super-resolution, which reads whole songs at once: that takes less
    time, and what it adds to a song is the same (docs/numerics.md). The backbone gains nothing from it there: its steps
    read weights in 16 bits as it is (``models.cpu``).
    """
    if name is None or name == "auto":
        if device.type == "cuda":
            return Formats.both(torch.bfloat16)
        fast = torch.bfloat16 if device.type == "cpu" and multiplies_bfloat16() else torch.float32
        return Formats(backbone=torch.float32, superres=fast)
    if name not in DTYPES:
        raise KhalaError(f"The number format '{name}' is not supported: use {' or '.join(DTYPES)}.")
    return Formats.both(DTYPES[name])


def multiplies_bfloat16() -> bool:
    """Whether this processor has instructions for products of bfloat16."""
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("amx_bf16", "avx512_bf16"))
