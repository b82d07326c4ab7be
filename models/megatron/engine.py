"""The engine on megatron-core: the same checkpoints, the same codes; slower, and the way to models of several ranks."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from core.codes import CoarseCodes, FullCodes
from core.engine import BackboneGenerator, BackboneTask, RuntimeMode, SuperResolver, SuperresTask, Unwatched, Watch
from core.errors import GenerationError, KhalaError
from core.pipeline import MAX_SEQUENCE_TOKENS
from models.devices import choose_device
from models.engine_native import NativeEngine
from models.megatron.gpt import MegatronGpt
from models.megatron.process_group import device_of, process_group
from models.megatron.ranks import Ranks, agree, end_with_rank_0, obey
from models.megatron.stages import MegatronBackbone, MegatronSuperResolver
from models.transformer.model import Transformer

_HOST = torch.device("cpu")
"""Where whole models are read: a rank's device holds no more than its share."""

GENERATE, RESOLVE = "generate", "resolve"


@dataclass(frozen=True, kw_only=True)
class Opening:
    """How every rank opens its engine."""

    checkpoints: Path
    device: str | None = None
    dtype: str | None = None
    fc1_bias: str = "auto"
    runtime_mode: RuntimeMode = RuntimeMode.ONE_SHOT


class MegatronEngine(NativeEngine):
    """Implements core.engine.SongEngine; codec and tokenizer are the native engine's."""

    KIND = "megatron-core"

    _ranks: Ranks | None = None

    def join(self, opening: Opening, ranks: int) -> None:
        """Become rank 0 of so many tensor-parallel ones; KhalaError where heads or GPUs cannot be shared so."""
        _check_devices(self._device, ranks)
        for files in (self._tree.backbone, self._tree.superres):
            groups = files.open()[0].num_groups
            if groups % ranks:
                raise KhalaError(f"{groups} key/value groups cannot be shared by {ranks} ranks; use a divisor of them.")
        self._ranks = Ranks(ranks, self._device, functools.partial(_follow, opening))

    def close(self) -> None:
        """Let the other ranks go; the engine can do nothing more."""
        if self._ranks is not None:
            self._ranks.close()

    def _load_backbone(self) -> BackboneGenerator:
        model = self._load_backbone_model(_HOST)
        agree_on = agree if self._ranks is None else self._ranks.agree
        backbone = MegatronBackbone(self._gpt(model), self.layout, agree_on)
        return backbone if self._ranks is None else _AnnouncedBackbone(backbone, self._ranks)

    def _load_superres(self) -> SuperResolver:
        model = self._load_superres_model(_HOST)
        agree_on = agree if self._ranks is None else self._ranks.agree
        gpt = self._gpt(model)
        model.blocks = nn.ModuleList()  # only its tables are needed further
        resolver = MegatronSuperResolver(gpt, model.to(self._device), self.layout, agree_on)
        return resolver if self._ranks is None else _AnnouncedResolver(resolver, self._ranks)

    def _gpt(self, model: Transformer) -> MegatronGpt:
        return MegatronGpt(model, room=MAX_SEQUENCE_TOKENS, device=self._device)


def open_megatron(opening: Opening, *, ranks: int = 1) -> MegatronEngine:
    """The engine of a checkpoint over ``ranks`` processes; errors as NativeEngine.open. Close it when done."""
    engine = _opened(opening)
    engine.join(opening, ranks)
    return engine


def _opened(opening: Opening) -> MegatronEngine:
    engine = MegatronEngine.open(
        opening.checkpoints,
        device=opening.device,
        # It is the reference: what is fastest is not asked.
        dtype="float32" if opening.dtype in (None, "auto") else opening.dtype,
        fc1_bias=opening.fc1_bias,
        runtime_mode=opening.runtime_mode,
    )
    assert isinstance(engine, MegatronEngine)
    return engine


def _check_devices(first: torch.device, ranks: int) -> None:
    if first.type not in ("cpu", "cuda"):
        raise KhalaError(f"The megatron engine computes on CPUs and on CUDA, not on {first}. Use --device cpu.")
    if first.type == "cuda" and device_of(ranks - 1, first).index >= torch.cuda.device_count():
        raise KhalaError(
            f"{ranks} ranks from {device_of(0, first)} on need a GPU each, and this program sees "
            f"{torch.cuda.device_count()} of them. Take fewer ranks, show it more GPUs, or use --device cpu."
        )


def _follow(opening: Opening, rank: int, ranks: int, store: Path) -> None:
    """What every rank but the first does, in a process of its own."""
    end_with_rank_0()
    first = choose_device(opening.device)
    engine = _opened(replace(opening, device=str(device_of(rank, first))))
    with process_group(store, first, rank=rank, ranks=ranks):
        obey({GENERATE: functools.partial(_generate, engine), RESOLVE: functools.partial(_resolve, engine)})


def _generate(engine: MegatronEngine, tasks: list[BackboneTask]) -> None:
    with engine.backbone() as backbone:
        backbone.generate(tasks, Unwatched())


def _resolve(engine: MegatronEngine, task: SuperresTask) -> None:
    with engine.superres() as resolver:
        resolver.resolve(task, lambda fraction: None)


class _AnnouncedBackbone:
    def __init__(self, backbone: MegatronBackbone, ranks: Ranks) -> None:
        self._backbone, self._ranks = backbone, ranks

    def generate(self, tasks: Sequence[BackboneTask], watch: Watch) -> list[CoarseCodes | GenerationError]:
        return self._ranks.run(GENERATE, list(tasks), lambda: self._backbone.generate(tasks, watch))


class _AnnouncedResolver:
    def __init__(self, resolver: MegatronSuperResolver, ranks: Ranks) -> None:
        self._resolver, self._ranks = resolver, ranks

    def resolve(self, task: SuperresTask, on_layer: Callable[[float], None]) -> FullCodes:
        return self._ranks.run(RESOLVE, task, lambda: self._resolver.resolve(task, on_layer))
