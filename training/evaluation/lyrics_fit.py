"""Whether the vowels that are heard are those of the lyrics.

They are compared without knowing the plan: lyrics are sung round and round, so what is heard must lie somewhere in them
repeated. Vowels that follow themselves count once on both sides.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from training.corpus.syllables import sung_lines
from training.evaluation.intervals import estimate
from training.evaluation.results import Section
from training.evaluation.vowels import without_repeats

FEWEST_HEARD = 8
"""A song in which fewer vowels are heard did not sing its lyrics."""


def measure_lyrics(asked: Sequence[str], generated: Sequence[str], originals: Sequence[str]) -> Section:
    """Fits of vowels heard to vowels asked, song by song: own lyrics, all other songs', and originals' own.

    ``own fits better`` is how often a song fits its own lyrics better than those of another song.
    """
    fits = np.array([[lyrics_fit(song, lyrics) for lyrics in asked] for song in generated])
    own, others = fits.diagonal(), ~np.eye(len(asked), dtype=np.bool_)
    better = [float((fits[i, i] > fits[i, others[i]]).mean()) for i in range(len(asked))]
    return {
        "right": estimate(own.tolist()),
        "shuffled": round(float(fits[others].mean()), 4),
        "originals": estimate([lyrics_fit(song, lyrics) for song, lyrics in zip(originals, asked, strict=True)]),
        "own fits better": estimate(better),
        "vowels heard": round(float(np.mean([len(song) for song in generated])), 1),
        "vowels heard in originals": round(float(np.mean([len(song) for song in originals])), 1),
    }


def asked_vowels(lyrics: str) -> str:
    """The vowels of cleaned lyrics from beginning to end, once through."""
    return "".join(syllable.vowel for line in sung_lines(lyrics) for syllable in line)


def lyrics_fit(heard: str, asked: str) -> float:
    """How well heard vowels lie somewhere in the lyrics sung round and round: 1 − edits / vowels heard.

    0 when hardly any vowel was heard, or when the lyrics ask for none.
    """
    if len(heard) < FEWEST_HEARD or not asked:
        return 0.0
    rounds = 2 + 3 * len(heard) // len(asked)
    return max(0.0, 1 - _edits_inside(heard, without_repeats(asked * rounds)) / len(heard))


def _edits_inside(part: str, whole: str) -> int:
    """Fewest edits that turn ``part`` into any stretch of ``whole``."""
    letters = np.frombuffer(whole.encode(), np.uint8)
    places = np.arange(len(letters) + 1)
    edits = np.zeros(len(letters) + 1, np.int64)
    for letter in part.encode():
        kept_or_left_out = np.minimum(edits[:-1] + (letters != letter), edits[1:] + 1)
        edits = np.concatenate([[edits[0] + 1], kept_or_left_out])
        edits = np.minimum.accumulate(edits - places) + places  # or letters of the whole are put in
    return int(edits.min())
