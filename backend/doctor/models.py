"""What computes and what is computed with: torch, GPUs, the checkpoint, and whether one fits into the other."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from backend.doctor.finding import Finding, ok, problem, warning
from backend.settings import Settings
from core.engine import RuntimeMode
from core.errors import KhalaError
from core.pipeline import MAX_SEQUENCE_TOKENS

_WORKSPACE_GB = 1.5
"""What activations, the codec's chunks and the libraries take beside weights and cache."""
_TRACKS = 2


def check_models(settings: Settings, checkpoints: Path | None = None) -> Iterator[Finding]:
    """``checkpoints`` is a tree; by default the one a worker would choose."""
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
    from models.checkpoint.tree import find_checkpoints, has_weights, missing_parts

    root = named or settings.paths.checkpoints
    if named is None and missing_parts(root):
        if has_weights(root):
            step = "download again what is missing, or move the folder away to use the demo model"
            yield problem("checkpoint", f"{root} is not complete. {' '.join(missing_parts(root))}", step)
            return
        lesser = next((root / name for name in ("demo", "miniature") if (root / name).is_dir()), None)
        if lesser is None:
            step = f"put a checkpoint into {root}; until then an untrained miniature makes noise"
            yield warning("checkpoint", "there is none", step)
            return
        root = lesser
    try:
        tree = find_checkpoints(root)
        sizes = [
            _stage_gb(files.open()[1].source.shapes, settings.models.dtype) for files in (tree.backbone, tree.superres)
        ]
        cache = _cache_gb(tree.backbone.open()[0], settings.models.dtype)
    except KhalaError as error:
        yield problem("checkpoint", str(error), f"look closer with: python -m backend inspect {root}")
        return
    name = tree.card.name if tree.card else "published weights"
    yield ok("checkpoint", f"{name} in {root}")
    yield ok("tokenizer", str(tree.tokenizer))
    yield _memory(settings, sizes, cache)


def _memory(settings: Settings, stages_gb: list[float], cache_gb: float) -> Finding:
    import torch

    from models.devices import choose_device

    keeps = settings.models.runtime_mode is RuntimeMode.KEEP_LOADED
    weights = sum(stages_gb) if keeps else max(stages_gb)
    if settings.models.quantize == "int8":
        weights /= _bytes_a_number(settings.models.dtype)
    needed = weights + cache_gb + _WORKSPACE_GB
    device = choose_device(settings.models.device)
    if device.type == "cuda":
        where, there = "GPU memory", torch.cuda.mem_get_info(device)[1] / 1e9
    else:
        where, there = "memory", os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    text = f"{there:.1f} GB there, about {needed:.1f} GB needed for {_TRACKS} of the longest tracks at once"
    if weights > there:
        step = "use --runtime-mode one_shot, KHALA_QUANTIZE=int8, or a larger card"
        return problem(where, text, step)
    if needed > there:
        return warning(where, text, "make one track at a time or shorter songs, or set KHALA_QUANTIZE=int8")
    return ok(where, text)


def _bytes_a_number(dtype: str | None) -> int:
    import torch

    if dtype is None:
        return 2 if torch.cuda.is_available() else 4
    return 2 if dtype == "bfloat16" else 4


def _stage_gb(shapes: Mapping[str, tuple[int, ...]], dtype: str | None) -> float:
    return sum(math.prod(shape) for shape in shapes.values()) * _bytes_a_number(dtype) / 1e9


def _cache_gb(config: object, dtype: str | None) -> float:
    from models.transformer.config import TransformerConfig

    assert isinstance(config, TransformerConfig)
    numbers = 2 * config.num_layers * config.key_value_size * MAX_SEQUENCE_TOKENS * _TRACKS
    return numbers * _bytes_a_number(dtype) / 1e9
