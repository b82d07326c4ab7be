"""What computes and what is computed with: torch, GPUs, the checkpoint, and whether one fits into the other."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from backend.doctor.finding import Finding, ok, problem, warning
from backend.settings import Settings
from core.errors import KhalaError
from core.request import DURATION_MINUTES

if TYPE_CHECKING:
    import torch

    from models.memory import MemoryNeed

_TRACKS = 2
_MINUTES = int(DURATION_MINUTES.default), int(DURATION_MINUTES.high)


def check_models(settings: Settings, checkpoints: Path | None = None) -> Iterator[Finding]:
    """``checkpoints`` is a tree; by default the one a worker would choose."""
    # GPUs have the numbers that --gpus takes; it must be said before torch looks for them.
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    try:
        import torch
    except ImportError as error:
        yield problem("torch", f"cannot be loaded ({error})", "run: bash run_backend.sh setup")
        return
    yield ok("torch", f"{torch.__version__}, {torch.get_num_threads()} threads")
    yield from _gpus()
    yield from _checkpoint(settings, checkpoints)


def _gpus() -> Iterator[Finding]:
    import torch

    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            free, total = torch.cuda.mem_get_info(number)
            name = f"{torch.cuda.get_device_name(number)}, CUDA {torch.version.cuda}"
            yield ok(f"GPU {number}", f"{name}, {free / 1e9:.1f} of {total / 1e9:.1f} GB free")
    elif torch.backends.mps.is_available():
        yield ok("GPU", "Apple's, through MPS")
    elif torch.version.cuda is None:
        yield ok("GPU", "none is used: this torch is built for CPUs")
    else:
        step = "check the driver with nvidia-smi; without one, songs are made on the CPU"
        yield warning("GPU", f"torch is built for CUDA {torch.version.cuda} but sees none", step)


def _checkpoint(settings: Settings, named: Path | None) -> Iterator[Finding]:
    from models.checkpoint.choose import present_checkpoints
    from models.checkpoint.tree import find_checkpoints
    from models.devices import choose_device, choose_formats
    from models.memory import MemoryNeed
    from models.transformer.quantize import Quantize

    folder = settings.paths.checkpoints
    try:
        root = named or present_checkpoints(folder)
    except KhalaError as error:
        step = "download again what is missing, or move the folder away to use the demo model"
        yield problem("checkpoint", str(error), step)
        return
    if root is None:
        step = f"put a checkpoint into {folder}; until then an untrained miniature makes noise"
        yield warning("checkpoint", "there is none", step)
        return
    try:
        tree = find_checkpoints(root)
        device = choose_device(settings.models.device)
        (config, backbone), (_, superres) = tree.backbone.open(), tree.superres.open()
        need = MemoryNeed(
            config=config,
            stage_numbers=[sum(map(math.prod, names.source.shapes.values())) for names in (backbone, superres)],
            formats=choose_formats(settings.models.dtype, device),
            quantize=Quantize(settings.models.quantize),
            runtime_mode=settings.models.runtime_mode,
            caches_float32=device.type == "cpu",
        )
    except KhalaError as error:
        yield problem("checkpoint", str(error), f"look closer with: python -m backend inspect {root}")
        return
    yield ok("checkpoint", f"{tree.card.name if tree.card else 'published weights'} in {root}")
    yield ok("tokenizer", str(tree.tokenizer))
    yield _memory(need, device)


def _memory(need: MemoryNeed, device: torch.device) -> Finding:
    import torch

    needed, most = (need.total_gb(tracks=_TRACKS, minutes=minutes) for minutes in _MINUTES)
    if device.type == "cuda":
        where, there = "GPU memory", torch.cuda.mem_get_info(device)[1] / 1e9
    else:
        where, there = "memory", os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    text = (
        f"{there:.1f} GB there, about {needed:.1f} GB needed for {_TRACKS} tracks of {_MINUTES[0]} minutes at once, "
        f"{most:.1f} GB of {_MINUTES[1]}"
    )
    if need.weights_gb() > there:
        step = "use --runtime-mode one_shot, KHALA_QUANTIZE=int8, or a larger card"
        return problem(where, text, step)
    if needed > there:
        return warning(where, text, "set KHALA_TRACKS_AT_ONCE=1 or KHALA_QUANTIZE=int8, or make shorter songs")
    return ok(where, text)
