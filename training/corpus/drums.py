"""Our own drums: short sounds without pitch, each the same whenever it is struck.

Cymbals loop one noise of two frames, so that all of them together take few of a latent's 128 numbers.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from training.corpus.grid import HOP_SAMPLES, SAMPLE_RATE_HZ
from training.corpus.waves import Samples, band_noise

_CYMBAL_KEY, _SNARE_KEY, _CLAP_KEY, _CLICK_KEY = 1, 2, 3, 4


def _falling(seconds: Samples, rate: float) -> Samples:
    return np.exp(-rate * seconds)


def _sine(seconds: Samples, frequency_hz: float) -> Samples:
    return np.sin(2 * np.pi * frequency_hz * seconds)


def _cymbal(seconds: Samples, rate: float) -> Samples:
    loop = band_noise(_CYMBAL_KEY, 2 * HOP_SAMPLES, 4_500, 13_000)
    return np.resize(loop, len(seconds)) * _falling(seconds, rate)


def _kick(seconds: Samples) -> Samples:
    sweep = 48 * seconds + (140 - 48) / 28 * (1 - _falling(seconds, 28))
    return 0.6 * np.sin(2 * np.pi * sweep) * _falling(seconds, 11)


def _snare(seconds: Samples) -> Samples:
    noise = band_noise(_SNARE_KEY, len(seconds), 300, 8_000)
    return 0.08 * noise * _falling(seconds, 18) + 0.27 * _sine(seconds, 190) * _falling(seconds, 22)


def _clap(seconds: Samples) -> Samples:
    noise = band_noise(_CLAP_KEY, len(seconds), 900, 4_500)
    return 0.075 * noise * _falling(seconds, 20) * (1 + 0.8 * _sine(seconds, 80))


def _tom(seconds: Samples) -> Samples:
    sweep = 80 * seconds + (150 - 80) / 20 * (1 - _falling(seconds, 20))
    return 0.42 * np.sin(2 * np.pi * sweep) * _falling(seconds, 9)


def _rim(seconds: Samples) -> Samples:
    noise = band_noise(_CLICK_KEY, len(seconds), 2_000, 7_000)
    return 0.19 * _sine(seconds, 1_100) * _falling(seconds, 70) + 0.035 * noise * _falling(seconds, 90)


_SOUNDS: dict[str, tuple[int, Callable[[Samples], Samples]]] = {
    # name: length in frames, sound
    "kick": (4, _kick),
    "snare": (4, _snare),
    "clap": (4, _clap),
    "tom": (5, _tom),
    "rim": (1, _rim),
    "hat": (2, lambda seconds: 0.04 * _cymbal(seconds, 55)),
    "shaker": (2, lambda seconds: 0.03 * _cymbal(seconds, 35) * np.minimum(1, seconds / 0.012)),
    "open_hat": (4, lambda seconds: 0.035 * _cymbal(seconds, 12)),
    "ride": (4, lambda seconds: 0.022 * _cymbal(seconds, 14) + 0.015 * _sine(seconds, 3_445.3) * _falling(seconds, 12)),
    "crash": (9, lambda seconds: 0.035 * _cymbal(seconds, 5.5)),
}

DRUMS: dict[str, int] = {name: frames for name, (frames, _) in _SOUNDS.items()}
"""Every drum with its length in frames."""


def strike(drum: str) -> Samples:
    """A drum, [2, frames·hop]; the longer ones still ring at the end."""
    frames, sound = _SOUNDS[drum]
    mono = sound(np.arange(frames * HOP_SAMPLES) / SAMPLE_RATE_HZ)
    return np.stack([mono, mono])
