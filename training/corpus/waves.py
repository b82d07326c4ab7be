"""What all sounds are made of: harmonics that repeat on the grid, exponential decays, and noise of a fixed key."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from training.corpus.grid import HOP_SAMPLES, PHASE_PERIOD_FRAMES, SAMPLE_RATE_HZ, SETTLED_FRAMES, grid_steps

Samples: TypeAlias = npt.NDArray[np.float64]

_PERIOD_SAMPLES = PHASE_PERIOD_FRAMES * HOP_SAMPLES


def harmonic(pitch: int, number: int, samples: int) -> Samples:
    """Sine of the ``number``-th harmonic, [samples], equal every eight frames to the last bit.

    Its phase grows with the square of the number, which keeps the crest factor of a sum of harmonics low.
    """
    turns = np.arange(_PERIOD_SAMPLES) * (grid_steps(pitch) * number) % _PERIOD_SAMPLES
    return np.resize(np.sin(2 * np.pi / _PERIOD_SAMPLES * turns + 0.7 * number * number), samples)


def falling(rate: float, samples: int) -> Samples:
    """exp(−rate·t) with t in seconds, [samples], until it settles after ``SETTLED_FRAMES`` frames."""
    seconds = np.minimum(np.arange(samples), SETTLED_FRAMES * HOP_SAMPLES) / SAMPLE_RATE_HZ
    return np.exp(-rate * seconds)


def band_noise(key: int, samples: int, low_hz: float, high_hz: float) -> Samples:
    """Noise between two frequencies with a root mean square of 1, [samples], the same on every machine."""
    # Raw bits of a keyed generator: unlike NumPy's distributions, their stream never changes between versions.
    bits = np.random.Philox(key=key).random_raw(samples)
    spectrum = np.fft.rfft((bits >> np.uint64(11)) * 2.0**-53 - 0.5)
    frequencies = np.fft.rfftfreq(samples, 1 / SAMPLE_RATE_HZ)
    spectrum[(frequencies < low_hz) | (frequencies > high_hz)] = 0
    noise: Samples = np.fft.irfft(spectrum, samples)
    scaled: Samples = noise / noise.std()
    return scaled
