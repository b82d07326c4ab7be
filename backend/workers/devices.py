"""On what a worker computes: a GPU by its number, the CPU, or Apple's GPU. Looks without importing torch."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from typing import Literal, TypeAlias

from core.errors import KhalaError

GpuId: TypeAlias = int | Literal["cpu", "mps"]

_NVIDIA_SMI_SECONDS = 30


class UnknownDevice(KhalaError):
    """``--gpus`` names something that cannot be a device."""


def parse_gpus(text: str) -> list[GpuId]:
    """``0``, ``0,1``, ``6,7``, ``cpu`` or ``mps`` as device ids."""
    found = [parse_gpu(part.strip()) for part in text.split(",")]
    if len(set(found)) != len(found):
        raise UnknownDevice(f"--gpus {text} names a device twice; one worker runs on each, so name each once.")
    return found


def parse_gpu(text: str) -> GpuId:
    """One device id."""
    if text == "cpu":
        return "cpu"
    if text == "mps":
        return "mps"
    if text.isdecimal():
        return int(text)
    raise UnknownDevice(
        f"--gpus: '{text}' is neither a GPU number nor cpu. Examples: --gpus 0, --gpus 0,1, --gpus cpu."
    )


def visible_gpu(gpu: int, listed: str | None) -> str:
    """What ``CUDA_VISIBLE_DEVICES`` of a worker is to hold; ``listed`` is what it holds here already.

    Where somebody has chosen GPUs for this process, such as a cluster's scheduler, numbers count among those. A number
    that is itself in the list means that GPU. UnknownDevice for any other: it is somebody else's.
    """
    if listed is None:
        return str(gpu)
    names = [name.strip() for name in listed.split(",")]
    if gpu < len(names):
        return names[gpu]
    if str(gpu) in names:
        return str(gpu)
    raise UnknownDevice(
        f"--gpus {gpu}: CUDA_VISIBLE_DEVICES={listed} leaves {len(names)} for this program, numbered from 0. "
        "Choose among those, or unset it."
    )


def usable_devices(wanted: Sequence[GpuId]) -> list[GpuId]:
    """The wanted devices where there is an NVIDIA GPU; else one worker on what there is."""
    if any(isinstance(gpu, int) for gpu in wanted) and not has_nvidia_gpu():
        return ["mps"] if (platform.system(), platform.machine()) == ("Darwin", "arm64") else ["cpu"]
    return list(wanted)


def has_nvidia_gpu() -> bool:
    """Whether the driver's own tool sees a GPU, and nobody has hidden all of them from this process."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return False
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return False
    try:
        return subprocess.run([tool, "-L"], capture_output=True, timeout=_NVIDIA_SMI_SECONDS).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def torch_device(gpu: GpuId) -> str:
    """torch's name for the device, in a process that sees only its own GPU."""
    return "cuda" if isinstance(gpu, int) else gpu


def gpu_of(device: str) -> GpuId:
    """The device id that belongs to torch's name for a device."""
    kind, _, number = device.partition(":")
    if kind == "cuda":
        return int(number or 0)
    return "mps" if kind == "mps" else "cpu"
