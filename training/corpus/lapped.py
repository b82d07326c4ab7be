"""The lapped transform the codec's latents are made of: a low-overlap MDCT with one frame a codec frame.

A frame's 2 048 coefficients describe its own 2 048 samples and a short ramp on both sides, over which neighbours are
cross-faded; analysis followed by synthesis is exact. Legend: C channels, F frames, H hop, T samples (F·H).
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from training.corpus.grid import HOP_SAMPLES

OVERLAP_SAMPLES = 256
"""Width of the cross-fade between two frames, half of it on either side of the border."""


@lru_cache(maxsize=1)
def window() -> Tensor:
    """Window over the 2·H samples of a frame, which start half a hop before it: zeros, ramp, ones, ramp, zeros."""
    ramp = torch.sin(math.pi / 2 * (torch.arange(OVERLAP_SAMPLES, dtype=torch.float64) + 0.5) / OVERLAP_SAMPLES)
    zeros = torch.zeros(HOP_SAMPLES // 2 - OVERLAP_SAMPLES // 2, dtype=torch.float64)
    ones = torch.ones(HOP_SAMPLES - OVERLAP_SAMPLES, dtype=torch.float64)
    return torch.cat([zeros, ramp, ones, ramp.flip(0), zeros]).float()


@lru_cache(maxsize=1)
def _cosines() -> Tensor:
    """The orthonormal DCT-IV, its own inverse, [H, H]."""
    middle = torch.arange(HOP_SAMPLES, dtype=torch.float64) + 0.5
    phases = math.pi / HOP_SAMPLES * middle[:, None] * middle
    return (torch.cos(phases) * math.sqrt(2 / HOP_SAMPLES)).float()


def analyse(audio_CT: Tensor) -> Tensor:
    """Coefficients [C, F, H] of audio [C, T]; T is a whole number of frames."""
    return analyse_pieces(pieces_of(F.pad(audio_CT, (HOP_SAMPLES // 2, HOP_SAMPLES // 2))))


def pieces_of(padded_CT: Tensor) -> Tensor:
    """The overlapping stretches [C, F, 2·H] that frames are made of; the audio starts half a hop before frame 0."""
    return padded_CT.unfold(-1, 2 * HOP_SAMPLES, HOP_SAMPLES)


def analyse_pieces(pieces: Tensor) -> Tensor:
    """Coefficients [..., H] of stretches [..., 2·H]."""
    a, b, c, d = (pieces * window()).chunk(4, dim=-1)
    return torch.cat([-c.flip(-1) - d, a - b.flip(-1)], dim=-1) @ _cosines()


def atoms(coefficients: Tensor) -> Tensor:
    """What coefficients [..., H] add to the 2·H samples around their frame, [..., 2·H]."""
    a, b = (coefficients @ _cosines()).chunk(2, dim=-1)
    return torch.cat([b, -b.flip(-1), -a.flip(-1), -a], dim=-1) * window()


def synthesise(coefficients_CFH: Tensor) -> Tensor:
    """Audio [C, T] of coefficients [C, F, H]: the inverse of ``analyse``."""
    pieces = atoms(coefficients_CFH)
    channels, frames, _ = pieces.shape
    hops = torch.zeros(channels, frames + 1, HOP_SAMPLES)
    hops[:, :-1] += pieces[..., :HOP_SAMPLES]
    hops[:, 1:] += pieces[..., HOP_SAMPLES:]
    return hops.flatten(1)[:, HOP_SAMPLES // 2 : HOP_SAMPLES // 2 + frames * HOP_SAMPLES]
