"""Residual k-means: one codebook a layer, each fitted to what the layers before it left over.

Codebooks are rounded to half precision before the next layer is fitted, so a file in half precision loses nothing.
Legend: U different frames, D latent size, K codebook size.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_BLOCK = 16_384


@dataclass(frozen=True, kw_only=True)
class KMeansEffort:
    """How hard to try: how many frames each of the first two layers and of the others listens to, and how often."""

    first_frames: int
    first_rounds: int
    joint_rounds: int
    frames: int
    rounds: int


def nearest(vectors_UD: Tensor, codebook_KD: Tensor) -> Tensor:
    """Index of the nearest entry to each vector, [U]."""
    norms = codebook_KD.square().sum(1)
    blocks = (torch.addmm(norms, block, codebook_KD.T, alpha=-2).argmin(1) for block in torch.split(vectors_UD, _BLOCK))
    return torch.cat(list(blocks))


def fit_codebook(
    residual_UD: Tensor,
    counts_U: Tensor,
    size: int,
    *,
    frames: int,
    rounds: int,
    silent: bool,
    generator: torch.Generator,
) -> Tensor:
    """A codebook [K, D] for vectors that occur ``counts`` times, fitted to ``frames`` of them in so many rounds.

    Entry 0 of a ``silent`` codebook is zero: it lets a finer layer leave a frame as it is.
    """
    chosen = torch.randperm(len(residual_UD), generator=generator)[:frames]
    vectors, counts = residual_UD[chosen], counts_U[chosen]
    energies = vectors.square().sum(1) * counts
    by_energy = torch.multinomial(energies / energies.sum(), size // 2, generator=generator)
    evenly = torch.randperm(len(vectors), generator=generator)[: size - size // 2]
    codebook = vectors[torch.cat([by_energy, evenly])].clone()
    for _ in range(rounds):
        codes = nearest(vectors, codebook)
        sums = torch.zeros_like(codebook).index_add_(0, codes, vectors * counts[:, None])
        totals = torch.zeros(size).index_add_(0, codes, counts)
        errors = (vectors - codebook[codes]).square().sum(1) * counts
        codebook = sums / totals.clamp(min=1e-9)[:, None]
        unused = totals == 0
        if unused.any():
            codebook[unused] = vectors[torch.multinomial(errors + 1e-12, int(unused.sum()), generator=generator)]
    if silent:
        codebook[0] = 0
    return codebook.half().float()


def refine_together(
    vectors_UD: Tensor, counts_U: Tensor, first_KD: Tensor, second_KD: Tensor, rounds: int
) -> tuple[Tensor, Tensor]:
    """Two codebooks moved by turns to where, together, they come nearest to the vectors; about half a decibel.

    Vectors are always coded one layer after the other, as any encoder does it.
    """
    first, second = first_KD, second_KD
    for _ in range(rounds):
        first_codes = nearest(vectors_UD, first)
        second_codes = nearest(vectors_UD - first[first_codes], second)
        first = _means(vectors_UD - second[second_codes], counts_U, first_codes, first)
        second = _means(vectors_UD - first[first_codes], counts_U, second_codes, second)
        second[0] = 0
    return first.half().float(), second.half().float()


def _means(vectors_UD: Tensor, counts_U: Tensor, codes_U: Tensor, codebook_KD: Tensor) -> Tensor:
    """The mean of the vectors of each code; entries without vectors stay where they are."""
    sums = torch.zeros_like(codebook_KD).index_add_(0, codes_U, vectors_UD * counts_U[:, None])
    totals = torch.zeros(len(codebook_KD)).index_add_(0, codes_U, counts_U)[:, None]
    return torch.where(totals > 0, sums / totals.clamp(min=1e-9), codebook_KD)
