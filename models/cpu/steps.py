"""The kernels behind the interface of ``models.decode_steps``."""

from __future__ import annotations

import numpy as np
import torch

from models.cpu.arithmetic import LEFT, Floats, Weights
from models.cpu.attention import CHUNK
from models.cpu.blocks import PHASES, Parts, Workspace, norm, through_blocks
from models.cpu.cache import CpuCache
from models.cpu.matrices import product
from models.cpu.team import Team
from models.cpu.weights import blocks_for_kernels, for_kernels
from models.transformer.attention import Attend
from models.transformer.config import TransformerConfig
from models.transformer.model import Transformer

_BYTES_A_THREAD = 4 * 2**20
"""Weights that one thread reads in about the time in which another one wakes up and has read its arguments."""
_MOST_THREADS = 16
"""More of them add little: memory has no more to give."""


class CpuStepModel:
    """Implements models.decode_steps.StepModel; the model's matrices become views of what the kernels read."""

    def __init__(self, model: Transformer) -> None:
        self._model = model
        self._blocks = blocks_for_kernels(model)
        self._norm_weight: Floats = model.norm.weight.detach().float().numpy()
        matrices = (self._blocks.qkv, self._blocks.out, self._blocks.gate_up, self._blocks.down)
        self._bytes = sum(kind.weight.nbytes for kind in matrices)

    def head(self, weight: torch.Tensor) -> CpuHead:
        return CpuHead(for_kernels(weight))

    def begin(self, *, batch: int, room: int, most: int) -> CpuSteps:
        threads = min(torch.get_num_threads(), _MOST_THREADS, max(1, self._bytes // _BYTES_A_THREAD))
        return CpuSteps(self, batch=batch, most=most, threads=threads)


class CpuHead:
    """Implements models.decode_steps.Head; it reads so much less than the blocks that one thread does it."""

    def __init__(self, weight: Weights) -> None:
        self._weight, self.nbytes = weight, weight.nbytes
        self._scale, self._bias = np.ones(len(weight), np.float32), np.zeros(len(weight), np.float32)
        self._board = np.zeros(8, np.int64)

    def __call__(self, hidden_B1H: torch.Tensor) -> torch.Tensor:
        rows = even_rows(hidden_B1H)
        logits = np.empty((len(rows), len(self._weight)), np.float32)
        self._board.fill(0)
        product(self._board, 0, rows, self._weight, self._scale, self._bias, logits, False)
        return torch.from_numpy(logits[: len(hidden_B1H)])


class CpuSteps:
    """Implements models.decode_steps.TrackSteps."""

    state: tuple[torch.Tensor, ...] = ()

    def __init__(self, model: CpuStepModel, *, batch: int, most: int, threads: int) -> None:
        self._blocks, self._norm_weight = model._blocks, model._norm_weight
        config = model._model.config
        self._epsilon = np.float32(config.norm_epsilon)
        self._cache = CpuCache(config, batch=batch, room=most)
        rotation = model._model.rotation(torch.arange(most))
        self._turns: Floats = torch.stack([rotation.cos, rotation.sin]).numpy()
        self._workspace = _workspace(config, self._cache, threads)
        self._team = Team(threads, phases=config.num_layers * PHASES)

    def prefill(self, rows: list[int], length: int) -> Attend:
        return self._cache.prefill(rows, length)

    def next_window(self) -> int:
        return 0

    def hidden(self, embedded_B1H: torch.Tensor, window: int) -> torch.Tensor:
        cache, x = self._cache, even_rows(embedded_B1H)
        if cache.lengths.max() >= self._turns.shape[1]:
            raise IndexError(f"there is room for {self._turns.shape[1]} positions and no more")
        arguments = (self._blocks, self._epsilon, cache.keys, cache.values, cache.lengths, self._turns, self._workspace)
        self._team.run(through_blocks, x, *arguments)
        cache.lengths += 1
        normed = np.empty_like(x)
        norm(x, self._norm_weight, self._epsilon, normed)
        return torch.from_numpy(normed[: len(embedded_B1H)]).unsqueeze(1)


def even_rows(tracks_B1H: torch.Tensor) -> Floats:
    """Float32 copies of the tracks' rows [B, 1, H], and one of zeros behind an uneven number of them."""
    tracks = len(tracks_B1H)
    rows = np.zeros((_even(tracks), tracks_B1H.shape[-1]), np.float32)
    rows[:tracks] = tracks_B1H.squeeze(1).float().numpy()
    return rows


def _workspace(config: TransformerConfig, cache: CpuCache, threads: int) -> Workspace:
    batch, groups, chunks = cache.values.shape[1:4]
    rows, heads = _even(batch), _even(config.heads_per_group)

    def room(*shape: int) -> Floats:
        return np.zeros(shape, np.float32)

    return Workspace(
        heads=room(rows, config.query_size + 2 * config.key_value_size),
        hidden=room(rows, config.ffn_size),
        parts=Parts(
            largest=room(batch * groups, chunks, heads),
            total=room(batch * groups, chunks, heads),
            mixed=room(batch * groups, chunks, heads, config.head_size),
        ),
        normed=room(threads, rows, config.hidden_size),
        attended=room(threads, rows, config.query_size),
        queries=room(threads, heads, config.head_size),
        scores=room(threads, heads, CHUNK),
    )


def _even(rows: int) -> int:
    return -(-rows // LEFT) * LEFT
