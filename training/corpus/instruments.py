"""Our own pitched instruments: sums of decaying harmonics, as many as the 128 numbers of a latent can carry."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from training.corpus.grid import SAMPLE_RATE_HZ, frequency_hz
from training.corpus.waves import Samples, falling, harmonic

HIGHEST_PARTIAL_HZ = 14_000.0
_REFERENCE_HZ = 300.0
_TILT, _MOST_BOOST = 0.6, 2.0
"""Notes grow softer with pitch, by this power of it: low ones need more to be heard."""


@dataclass(frozen=True, kw_only=True)
class Instrument:
    """A timbre: ``partials`` are the harmonics' amplitudes; decays are per second; pans are factors of the channels."""

    name: str
    partials: tuple[float, ...]
    decay: float
    partial_decay: float
    attack_seconds: float
    left: float
    right: float
    gain: float


def _falling(count: int, exponent: float, even: float = 1.0) -> tuple[float, ...]:
    """Amplitudes n^−exponent, those of even harmonics times ``even``."""
    return tuple(n**-exponent * (1.0 if n % 2 else even) for n in range(1, count + 1))


def _pulse(count: int, width: float) -> tuple[float, ...]:
    """Harmonics of a rectangle that is high for ``width`` of its period."""
    return tuple(abs(math.sin(math.pi * n * width)) / n for n in range(1, count + 1))


def _catalogue() -> dict[str, Instrument]:
    found: dict[str, Instrument] = {}

    def add(
        name: str,
        partials: tuple[float, ...],
        *,
        gain: float,
        decay: float,
        partial_decay: float = 0.0,
        attack: float,
        pan: float = 0.0,
    ) -> None:
        found[name] = Instrument(
            name=name,
            partials=partials,
            decay=decay,
            partial_decay=partial_decay,
            attack_seconds=attack,
            left=1 - pan,
            right=1 + pan,
            gain=gain,
        )

    add("finger_bass", _falling(10, 1.4), gain=0.22, decay=1.0, partial_decay=0.6, attack=0.004)
    add("pick_bass", _falling(14, 1.1), gain=0.18, decay=1.5, partial_decay=0.8, attack=0.003)
    add("sub_bass", _falling(5, 2.5), gain=0.22, decay=0.6, partial_decay=0.2, attack=0.006)
    add("synth_bass", _falling(16, 1.2), gain=0.17, decay=0.9, partial_decay=0.3, attack=0.004)
    add("cello", _falling(10, 1.2), gain=0.16, decay=0.05, attack=0.03)
    add("piano", _falling(12, 1.6), gain=0.13, decay=1.3, partial_decay=0.5, attack=0.003, pan=0.1)
    add("electric_piano", (1.0, 0.15, 0.25, 0.05, 0.12, 0.02), gain=0.14, decay=1.2, partial_decay=0.6, attack=0.004)
    add("organ", (1.0, 0.7, 0.4, 0.5, 0.0, 0.3, 0.0, 0.25), gain=0.08, decay=0.05, attack=0.005, pan=0.1)
    add("acoustic_guitar", _falling(14, 1.2), gain=0.11, decay=1.8, partial_decay=0.4, attack=0.002, pan=-0.1)
    add("distorted_guitar", _falling(22, 0.85, 0.6), gain=0.075, decay=0.5, partial_decay=0.03, attack=0.003, pan=-0.1)
    add("saw_stack", _falling(20, 1.0), gain=0.08, decay=0.8, partial_decay=0.05, attack=0.004, pan=0.1)
    add("synth_pad", _falling(8, 1.8), gain=0.10, decay=0.05, attack=0.03, pan=-0.1)
    add("strings", _falling(10, 1.3), gain=0.09, decay=0.05, attack=0.04, pan=0.1)
    add("chip_pulse", _pulse(16, 0.25), gain=0.12, decay=0.6, attack=0.002)
    add("square_lead", _falling(15, 1.0, 0.0), gain=0.09, decay=0.8, partial_decay=0.05, attack=0.004, pan=0.15)
    add("flute", (1.0, 0.25, 0.1, 0.03), gain=0.115, decay=0.3, attack=0.02, pan=-0.1)
    add("bell", (1.0, 0.0, 0.1, 0.35, 0.0, 0.0, 0.12), gain=0.115, decay=2.5, partial_decay=0.8, attack=0.002, pan=0.1)
    add("electric_guitar", _falling(16, 0.95), gain=0.07, decay=0.8, partial_decay=0.05, attack=0.004, pan=-0.15)
    add("saxophone", (1.0, 0.8, 0.6, 0.35, 0.25, 0.15, 0.1, 0.05), gain=0.08, decay=0.4, attack=0.015, pan=0.1)
    add("trumpet", (0.7, 1.0, 0.9, 0.6, 0.45, 0.3, 0.2, 0.12), gain=0.065, decay=0.3, attack=0.01, pan=-0.1)
    add("violin", (1.0, 0.6, 0.5, 0.35, 0.3, 0.2, 0.22, 0.12, 0.1), gain=0.075, decay=0.1, attack=0.03, pan=0.15)
    return found


INSTRUMENTS = _catalogue()


def tone(instrument: Instrument, pitch: int, samples: int) -> Samples:
    """A note that is never released, [2, samples]; its phase is the same each time it is played."""
    fundamental = frequency_hz(pitch)
    mono = np.zeros(samples)
    for n, amplitude in enumerate(instrument.partials, start=1):
        if amplitude and n * fundamental <= HIGHEST_PARTIAL_HZ:
            rate = instrument.decay + instrument.partial_decay * (n - 1)
            mono += amplitude * harmonic(pitch, n, samples) * falling(rate, samples)
    mono *= np.minimum(1, np.arange(samples) / (SAMPLE_RATE_HZ * instrument.attack_seconds))
    mono *= instrument.gain * min(_MOST_BOOST, (_REFERENCE_HZ / fundamental) ** _TILT)
    return np.stack([mono * instrument.left, mono * instrument.right])
