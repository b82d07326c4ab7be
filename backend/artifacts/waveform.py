"""The shape of a song as a few hundred peaks, for drawing it without fetching it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from core.errors import ArtifactError

POINTS = 600
"""More than a page is wide in bars."""


def peaks_of(wav: Path, points: int = POINTS) -> list[float]:
    """The largest absolute sample of each of at most ``points`` equal stretches, 0 … 1, whatever the channel.

    Reads a stretch at a time, so memory does not grow with the song. ArtifactError when the file cannot be read.
    """
    try:
        with soundfile.SoundFile(wav) as file:
            stretch = max(1, -(-len(file) // points))
            blocks = file.blocks(stretch, dtype="float32", always_2d=True)
            return [round(float(np.abs(block).max()), 3) for block in blocks]
    except soundfile.LibsndfileError as error:
        raise ArtifactError(f"{wav.name} could not be read as audio: {error}") from error
