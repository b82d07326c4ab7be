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
        raise UnknownDevice(f"--gpus {text} names a device twice; no two workers share one, so name each once.")
    return found


def refuse_one_gpu_for_all(device: str | None) -> None:
    """UnknownDevice where the setting numbers a GPU: each worker sees its own alone, as number 0."""
    if device and ":" in device:
        number = device.partition(":")[2]
        raise UnknownDevice(
            f"KHALA_DEVICE={device} names one GPU, but every worker has its own: choose with --gpus {number} instead, "
            "and leave KHALA_DEVICE unset."
        )


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


def visible_gpus(devices: Sequence[GpuId], listed: str | None) -> list[str]:
    """The GPUs among the devices by the names that ``_visible_gpu`` finds; UnknownDevice if two of them are one."""
    names = [_visible_gpu(device, listed) for device in devices if isinstance(device, int)]
    if len(set(names)) != len(names):
        raise UnknownDevice(f"--gpus names a GPU of CUDA_VISIBLE_DEVICES={listed} twice. Number them from 0.")
    return names


def _visible_gpu(gpu: int, listed: str | None) -> str:
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


def shared_out(devices: Sequence[GpuId], ranks: int) -> list[tuple[GpuId, ...]]:
    """What each worker computes on: one device, or ``ranks`` GPUs that share a model; UnknownDevice if any is left."""
    gpus = [device for device in devices if isinstance(device, int)]
    if len(gpus) % ranks:
        raise UnknownDevice(
            f"--gpus names {len(gpus)} GPUs, which cannot be shared out among workers of {ranks} "
            f"(KHALA_TENSOR_PARALLEL): name a multiple of {ranks}, or use --gpus cpu."
        )
    shares: list[tuple[GpuId, ...]] = [tuple(gpus[first : first + ranks]) for first in range(0, len(gpus), ranks)]
    return shares + [(device,) for device in devices if not isinstance(device, int)]


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
    """torch's name for the device, in a process that sees only its own GPUs."""
    return "cuda" if isinstance(gpu, int) else gpu


def gpu_of(device: str) -> GpuId:
    """The device id that belongs to torch's name for a device."""
    kind, _, number = device.partition(":")
    if kind == "cuda":
        return int(number or 0)
    return "mps" if kind == "mps" else "cpu"
