"""Whether songs end by themselves, how long they are, and whether they stand still on the way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.codes import CodeArray
from training.assemble import LONGEST
from training.corpus.grid import FRAMES_PER_SECOND, frames_in
from training.evaluation.intervals import estimate
from training.evaluation.results import Section
from training.evaluation.songs import GeneratedSong

TOLERANCE = 0.2
STANDSTILL_SECONDS = 5
"""A note of the corpus never lasts so long, nor does its last chord."""
_PERCENTILES = (0, 5, 25, 50, 75, 95, 100)


def measure_endings(songs: Sequence[GeneratedSong]) -> Section:
    """Share that ended within a fifth of the asked length, which is the same for all, and their lengths in seconds."""
    minutes = songs[0].asked.request.duration_minutes
    asked = frames_in(minutes)
    lengths = np.array([len(song.coarse) for song in songs])
    near = np.abs(lengths / asked - 1) <= TOLERANCE
    in_time = [float(song.ended and close) for song, close in zip(songs, near, strict=True)]
    seconds = np.percentile(lengths, _PERCENTILES) / FRAMES_PER_SECOND
    return {
        "ended within 20 %": estimate(in_time),
        "stood still": estimate([float(_longest_hold(song.coarse) >= STANDSTILL_SECONDS) for song in songs]),
        "ended at all": estimate([float(song.ended) for song in songs]),
        "seconds asked": 60 * minutes,
        "cut at seconds": round(60 * minutes * LONGEST, 1),
        "seconds by percentile": {str(p): round(float(s), 1) for p, s in zip(_PERCENTILES, seconds, strict=True)},
    }


def _longest_hold(coarse: CodeArray) -> float:
    """Seconds for which the codes [frames, 2] are the same for longest."""
    moves = np.flatnonzero((coarse[1:] != coarse[:-1]).any(axis=1))
    return float(np.diff(moves, prepend=-1, append=len(coarse) - 1).max(initial=0)) / FRAMES_PER_SECOND
