"""Where something starts in a song, read off its codes alone, and what tempo that makes.

Legend: K codebook size.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.codes import CodeArray
from core.token_layout import COARSE_LAYERS
from training.corpus.dataset import Example
from training.corpus.grid import TEMPI

OnsetMask = npt.NDArray[np.bool_]

_CERTAIN = 2.0
"""Log odds from which a frame counts as an onset: few are taken for one that are none, and two thirds are found."""
_PSEUDO_COUNT = 0.3
_COMB_BEATS = (1, 2, 4, 8)


@dataclass(frozen=True)
class OnsetDetector:
    """How much each code speaks for an onset. ``evidence`` [2, K] and ``prior`` are natural log odds."""

    evidence: npt.NDArray[np.float64]
    prior: float

    @classmethod
    def fit(cls, examples: Iterable[Example], codebook_size: int) -> OnsetDetector:
        """Count in originals how often each code of layers 0 and 1 begins something."""
        counts = np.zeros((2, COARSE_LAYERS, codebook_size))
        for example in examples:
            for layer, codes in enumerate(example.coarse.T):
                np.add.at(counts[:, layer], (example.onsets.astype(np.int64), codes), 1)
        off, on = counts.sum(axis=(1, 2)) / COARSE_LAYERS
        prior = float(np.log(on / off))
        smooth = counts + _PSEUDO_COUNT * np.array([off, on])[:, None, None] / (on + off)
        return cls(np.log(smooth[1] / smooth[0]) - prior, prior)

    def __call__(self, coarse: CodeArray) -> OnsetMask:
        """Onsets of a song of codes [frames, 2]: sure ones, on frames that differ from the one before."""
        changes = np.ones(len(coarse), np.bool_)
        changes[1:] = (coarse[1:] != coarse[:-1]).any(axis=1)
        odds = self.prior + sum(self.evidence[layer][coarse[:, layer]] for layer in range(COARSE_LAYERS))
        mask: OnsetMask = changes & (odds > _CERTAIN)
        return mask


def share_on_grid(onsets: OnsetMask, frames_per_beat: int, offbeat: int) -> float:
    """Share of a song's onsets that lie on a beat or ``offbeat`` frames after one, counted from frame 0."""
    phases = np.flatnonzero(onsets) % frames_per_beat
    return float(np.isin(phases, (0, offbeat)).mean()) if len(phases) else 0.0


def comb_tempo(onsets: OnsetMask) -> int:
    """The tempo, in frames a beat, at whose multiples the onsets resemble themselves more than beside them."""
    signal = onsets - np.count_nonzero(onsets) / max(1, len(onsets))
    longest = max(_COMB_BEATS) * max(TEMPI) + 2
    size = 2 ** (len(signal) + longest).bit_length()
    likeness = np.fft.irfft(np.abs(np.fft.rfft(signal, size)) ** 2)[:longest]

    def stands_out(frames: int) -> float:
        lags = [frames * beats for beats in _COMB_BEATS]
        return float(sum(likeness[lag] - (likeness[lag - 1] + likeness[lag + 1]) / 2 for lag in lags))

    return max(TEMPI, key=stands_out)
