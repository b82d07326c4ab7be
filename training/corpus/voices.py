"""Our own singers: a formant synthesiser with five vowels, a low and a high voice, and two kinds of consonant.

A vowel is a sum of harmonics under three resonances (Peterson & Barney's averages); a consonant is a short noise.
"""

from __future__ import annotations

from enum import Enum

import numpy as np

from training.corpus.grid import SAMPLE_RATE_HZ, frequency_hz
from training.corpus.waves import Samples, band_noise, falling, harmonic


class Voice(str, Enum):
    """Who sings."""

    MALE = "male"
    FEMALE = "female"


VOWELS = "aeiou"

_FORMANTS_HZ = {
    Voice.MALE: {
        "a": (730, 1_090, 2_440),
        "e": (530, 1_840, 2_480),
        "i": (270, 2_290, 3_010),
        "o": (570, 840, 2_410),
        "u": (300, 870, 2_240),
    },
    Voice.FEMALE: {
        "a": (850, 1_220, 2_810),
        "e": (610, 2_330, 2_990),
        "i": (310, 2_790, 3_310),
        "o": (590, 920, 2_710),
        "u": (370, 950, 2_670),
    },
}
_FORMANT_GAINS = (1.0, 0.5, 0.2)
_BANDWIDTHS_HZ = (90.0, 120.0, 180.0)
_HIGHEST_PARTIAL_HZ = 4_200.0
_ATTACK_SECONDS = 0.02
_DECAY = 0.15
_LOUDNESS = 0.12
"""Root mean square of a vowel at its start, the same for all vowels and pitches."""

CONSONANTS: dict[str, int] = {"plosive": 1, "fricative": 1}
"""Every consonant with its length in frames; nasals and liquids are sung as plain vowels."""


def sing(voice: Voice, vowel: str, pitch: int, samples: int) -> Samples:
    """A vowel that is never released, [2, samples]."""
    fundamental = frequency_hz(pitch)
    numbers = np.arange(1, int(_HIGHEST_PARTIAL_HZ / fundamental) + 1, dtype=np.float64)
    amplitudes = _envelope(voice, vowel, numbers * fundamental) / numbers**0.5
    amplitudes *= _LOUDNESS / np.sqrt((amplitudes**2).sum() / 2)
    mono = np.zeros(samples)
    for n, amplitude in zip(numbers, amplitudes, strict=True):
        mono += amplitude * harmonic(pitch, int(n), samples)
    mono *= np.minimum(1, np.arange(samples) / (SAMPLE_RATE_HZ * _ATTACK_SECONDS)) * falling(_DECAY, samples)
    return np.stack([mono, mono])


def articulate(consonant: str, samples: int) -> Samples:
    """A consonant, [2, samples]."""
    seconds = np.arange(samples) / SAMPLE_RATE_HZ
    if consonant == "plosive":
        mono = 0.10 * band_noise(11, samples, 1_000, 5_000) * np.exp(-120 * seconds)
    elif consonant == "fricative":
        mono = 0.05 * band_noise(12, samples, 4_500, 9_000) * np.sin(np.pi * seconds / seconds[-1]) ** 2
    else:
        raise ValueError(f"there is no consonant '{consonant}', only {', '.join(CONSONANTS)}")
    return np.stack([mono, mono])


def _envelope(voice: Voice, vowel: str, frequencies_hz: Samples) -> Samples:
    """How strongly the vowel's resonances let each frequency through."""
    total = np.full(len(frequencies_hz), 0.01)
    for centre, gain, bandwidth in zip(_FORMANTS_HZ[voice][vowel], _FORMANT_GAINS, _BANDWIDTHS_HZ, strict=True):
        total += gain / (1 + ((frequencies_hz - centre) / bandwidth) ** 2)
    return total
