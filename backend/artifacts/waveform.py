"""The shape of a song as a few hundred peaks, for drawing it without fetching it.

Reads with the standard library what ``write_wav`` wrote, so that the dispatcher needs no audio library.
"""

from __future__ import annotations

import wave
from functools import lru_cache
from pathlib import Path

import numpy as np

from core.errors import ArtifactError

POINTS = 600
"""More than a page is wide in bars."""

_SAMPLE_BYTES = 2
_FULL_SCALE = 32767


@lru_cache(maxsize=256)
def peaks_of(wav: Path, points: int = POINTS) -> tuple[float, ...]:
    """The largest absolute sample of each of at most ``points`` equal stretches, 0 … 1, whatever the channel.

    Reads a stretch at a time, so memory does not grow with the song; remembers, since a finished song never changes.
    ArtifactError when the file is no 16-bit WAV.
    """
    try:
        with wave.open(str(wav)) as file:
            if file.getsampwidth() != _SAMPLE_BYTES:
                raise ArtifactError(f"{wav.name} is not a WAV file of 16 bits, as songs are.")
            stretch = max(1, -(-file.getnframes() // points))
            return tuple(_peak(block) for block in iter(lambda: file.readframes(stretch), b""))
    except (wave.Error, EOFError) as error:
        raise ArtifactError(f"{wav.name} could not be read as audio: {error}") from error


def _peak(block: bytes) -> float:
    samples = np.frombuffer(block, "<i2").astype(np.int32)
    return round(min(1.0, int(np.abs(samples).max()) / _FULL_SCALE), 3)
