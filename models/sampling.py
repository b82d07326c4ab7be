"""Top-k sampling from given uniform numbers, the same on every device.

A draw is a pure function of logits and one uniform number, so who draws together never matters. The numbers come from
one explicit generator a track and stage, on the host: a seed means the same on a CPU and on a GPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

import torch

from core.errors import GenerationError


class Stage(Enum):
    """Which of a track's two independent streams of random numbers."""

    BACKBONE = 0
    SUPERRES = 1


def generator_for(seed: int, stage: Stage) -> torch.Generator:
    """The generator of one stage of one track."""
    return torch.Generator().manual_seed(2 * seed + stage.value)


def uniform_numbers(seeds: Sequence[int], stage: Stage, count: int) -> torch.Tensor:
    """The first ``count`` numbers of each track's stream, [count, tracks]; more of them begin with the same ones."""
    return torch.stack([torch.rand(count, generator=generator_for(seed, stage)) for seed in seeds], dim=1)


def draw(
    logits: torch.Tensor,
    uniform: torch.Tensor,
    *,
    top_k: int,
    row_top_k: torch.Tensor | None = None,
    temperature: torch.Tensor | float = 1.0,
) -> torch.Tensor:
    """One index a row: softmax over the ``top_k`` largest logits, inverted at ``uniform``.

    logits [..., W] in any dtype (decided in float32); uniform [...] in [0, 1); temperature and ``row_top_k``, a lower
    limit for some rows, broadcast over [..., W]. Returns int64 [...].
    """
    values, indices = (logits.float() / temperature).topk(min(top_k, logits.shape[-1]), dim=-1)
    if row_top_k is not None:
        ranks = torch.arange(values.shape[-1], device=values.device)
        values = values.masked_fill(ranks >= row_top_k, float("-inf"))
    cumulative = values.softmax(-1).cumsum(-1)
    # Scaled by the sum itself, so that rounding never puts a draw behind the last candidate.
    target = (uniform * cumulative[..., -1]).unsqueeze(-1)
    rank = (cumulative <= target).sum(-1, keepdim=True).clamp_max(values.shape[-1] - 1)
    return indices.gather(-1, rank).squeeze(-1)


def check_finite(hidden: torch.Tensor, stage: str) -> None:
    """Raise GenerationError when hidden states are not numbers: whatever is drawn from them would be meaningless."""
    if not torch.isfinite(hidden).all():
        raise GenerationError(
            f"The {stage} computed values that are not numbers, so no song can be made of them. "
            "Half precision that overflows does this (try dtype float32), and so do damaged weights."
        )
