"""The latent's basis: principal components of perceptually weighted lapped frames (a Karhunen-Loève transform).

Legend: H hop, D latent size, R rows, U different frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from training.corpus.grid import HOP_SAMPLES, SAMPLE_RATE_HZ

_WEIGHT_CORNER_HZ = 400.0
_WEIGHT_EXPONENT = 0.5
_EXTRA_COLUMNS, _ITERATIONS = 32, 6


def perceptual_weights() -> Tensor:
    """√(1 + f / 400 Hz) for the coefficients of both channels, [2·H]: highs are quiet in music, not unimportant."""
    frequencies = (torch.arange(HOP_SAMPLES) + 0.5) * SAMPLE_RATE_HZ / 2 / HOP_SAMPLES
    return (1 + frequencies / _WEIGHT_CORNER_HZ).pow(_WEIGHT_EXPONENT).repeat(2)


@dataclass(frozen=True)
class LatentBasis:
    """latent = (coefficients · weights) @ directions / scale; ``directions`` [2·H, D] are orthonormal."""

    directions: Tensor
    weights: Tensor
    scale: float
    kept_energy: float

    def to_latents(self, coefficients: Tensor) -> Tensor:
        """Coefficients [..., 2·H] to latents [..., D]."""
        return coefficients @ self.analysis.T

    @property
    def analysis(self) -> Tensor:
        """The coefficients each latent dimension is the scalar product with, [D, 2·H]."""
        return (self.directions * self.weights[:, None] / self.scale).T

    @property
    def synthesis(self) -> Tensor:
        """The coefficients one unit of each latent dimension stands for, [D, 2·H]."""
        return (self.directions / self.weights[:, None] * self.scale).T


class FrameStatistics:
    """Second moments of weighted frames, gathered song by song."""

    def __init__(self) -> None:
        self._weights = perceptual_weights()
        self._moments = torch.zeros(2 * HOP_SAMPLES, 2 * HOP_SAMPLES)
        self._frames = 0.0

    def add(self, coefficients_UK: Tensor, counts_U: Tensor) -> None:
        """Frames [U, 2·H], each occurring ``counts`` times."""
        weighted = coefficients_UK * self._weights * counts_U.sqrt()[:, None]
        self._moments.addmm_(weighted.T, weighted)
        self._frames += float(counts_U.sum())

    def basis(self, latent_size: int, generator: torch.Generator) -> LatentBasis:
        """The ``latent_size`` strongest directions, scaled so that latents have a root mean square of 1."""
        moments = self._moments / self._frames
        columns = torch.randn(2 * HOP_SAMPLES, latent_size + _EXTRA_COLUMNS, generator=generator)
        for _ in range(_ITERATIONS):
            columns = torch.linalg.qr(moments @ columns)[0]
        energies, rotation = torch.linalg.eigh(columns.T @ moments @ columns)
        strongest = energies.flip(0)[:latent_size]
        directions = (columns @ rotation).flip(1)[:, :latent_size].contiguous()
        return LatentBasis(
            directions=directions,
            weights=self._weights,
            scale=float((strongest.sum() / latent_size).sqrt()),
            kept_energy=float(strongest.sum() / moments.diagonal().sum()),
        )
