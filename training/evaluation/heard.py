"""What a listener hears in a song, knowing nothing but its coarse codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from core.codes import CodeArray
from training.corpus.dataset import Example
from training.corpus.genres import DrumStyle, Genre
from training.corpus.harmony import Key
from training.corpus.voices import Voice
from training.evaluation.onsets import OnsetDetector, OnsetMask, comb_tempo
from training.evaluation.ridge import RidgeClassifier, code_histogram


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One song as it was heard."""

    genre: Genre
    key: Key
    chord: str
    lead: str
    drums: DrumStyle
    singer: Voice | None
    frames_per_beat: int
    onsets: OnsetMask


class Listener:
    """Classifiers in closed form, taught by originals."""

    def __init__(self, originals: Sequence[Example], codebook_size: int) -> None:
        self._codebook_size = codebook_size
        features = torch.stack([code_histogram(example.coarse, codebook_size) for example in originals])
        plans = [example.plan for example in originals]
        self._genre = RidgeClassifier(features, [plan.genre for plan in plans])
        self._key = RidgeClassifier(features, [plan.key for plan in plans])
        self._chord = RidgeClassifier(features, [plan.chord for plan in plans])
        self._lead = RidgeClassifier(features, [plan.lead for plan in plans])
        self._drums = RidgeClassifier(features, [plan.drums for plan in plans])
        self._singer = RidgeClassifier(features, [plan.voice for plan in plans])
        self._onsets = OnsetDetector.fit(originals, codebook_size)

    def hear(self, coarse: CodeArray) -> Heard:
        """What a song of codes [frames, 2] holds; frames may be none."""
        features, onsets = code_histogram(coarse, self._codebook_size), self._onsets(coarse)
        return Heard(
            genre=self._genre(features),
            key=self._key(features),
            chord=self._chord(features),
            lead=self._lead(features),
            drums=self._drums(features),
            singer=self._singer(features),
            frames_per_beat=comb_tempo(onsets),
            onsets=onsets,
        )
