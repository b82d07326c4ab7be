"""All meters, in order, on one checkpoint. Songs that several of them need are made once, and only when needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

from core.codes import CodeArray
from core.request import SamplingOptions
from training.backbone_recipes import Recipe
from training.corpus.dataset import HELD_OUT_SEED, Example, song
from training.evaluation.asked import asked_of
from training.evaluation.codec_quality import measure_codec
from training.evaluation.cross_entropy import measure_backbone, measure_superres
from training.evaluation.endings import measure_endings
from training.evaluation.following import METERS, follow_requests, measure_following
from training.evaluation.heard import Listener
from training.evaluation.lyrics_fit import asked_vowels, measure_lyrics
from training.evaluation.novelty import measure_novelty
from training.evaluation.results import Results, Section
from training.evaluation.songs import LONG_MINUTES, MINUTES, GeneratedSong, generate_songs
from training.evaluation.sound import measure_sound
from training.evaluation.speed import measure_speed
from training.evaluation.subject import Subject
from training.evaluation.superres_quality import measure_superres_gain
from training.evaluation.vowels import VowelListener
from training.superres_model import SHARPNESS

LISTENING_SEED = 7_700_007
"""Seed of the originals that meters are taught with: neither trained on nor evaluated."""


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How many songs are generated, and how many each other part looks at."""

    generated: int = 200
    """So that at least 100 requests speak of the genre, of the tempo, of the key, and of instruments."""
    long: int = 12
    """Of three minutes."""
    sung: int = 48
    """With lyrics of any length."""
    completed: int = 8
    """Through super-resolution."""
    foretold: int = 12
    coded: int = 16
    """Through the codec's networks."""
    lessons: int = 5_000
    """Originals that teach the meters."""
    singing_lessons: int = 500
    trained_on: int = 1_000
    """Training songs that windows are looked for in."""


class Evaluation:
    """One evaluation, of songs drawn with ``sampling``; ``recipe`` says which songs were trained on."""

    def __init__(
        self, subject: Subject, work: Path, *, effort: Effort, sampling: SamplingOptions, recipe: Recipe
    ) -> None:
        self._subject, self._work, self._effort = subject, work, effort
        self._sampling, self._recipe = sampling, recipe
        self._results = Results(work)

    def run(self) -> dict[str, Section]:
        """Every section by name: measured now, or read if it still holds."""
        return {name: self._results.section(name, of, compute) for name, of, compute in self._sections()}

    def _sections(self) -> Iterator[tuple[str, dict[str, object], Callable[[], Section]]]:
        """Name, everything the result depends on, and how to measure it."""
        subject, sampling = self._subject, self._sampling
        effort = self._effort
        coded, foretold, completed = effort.coded, effort.foretold, effort.completed
        top_k = sampling.top_k_superres
        formats = subject.engine.description.dtype
        superres: dict[str, object] = {"superres": subject.superres, "completed": completed, "format": formats}
        drawn: dict[str, object] = {
            "backbone": subject.backbone,
            "songs": effort.generated,
            "temperature": sampling.temperature,
            "top k": sampling.top_k_backbone,
        }
        yield "codec", {"codec": subject.codec, "songs": coded}, lambda: measure_codec(subject.tree.codec, coded)
        yield (
            "backbone",
            {"backbone": subject.backbone, "songs": foretold},
            lambda: measure_backbone(subject, foretold),
        )
        yield "superres", superres | {"sharpness": SHARPNESS}, lambda: measure_superres(subject, completed)
        yield (
            "superres_gain",
            superres | {"top k": top_k},
            lambda: measure_superres_gain(subject, completed, top_k),
        )
        yield "endings", drawn, lambda: measure_endings(self._songs)
        yield "long", drawn | {"songs": effort.long, "lessons": effort.lessons}, self._long
        yield "sung", drawn | {"songs": effort.sung, "lessons": effort.lessons}, self._sung
        yield "following", drawn | {"lessons": effort.lessons}, self._following
        yield "vowels", drawn | {"lessons": effort.singing_lessons}, self._vowels
        yield "novelty", drawn | {"training songs": effort.trained_on, "recipe": repr(self._recipe)}, self._novelty
        yield (
            "sound",
            drawn | superres | {"top k superres": top_k},
            lambda: measure_sound(subject, self._songs[:completed], top_k, self._work),
        )
        yield (
            "speed",
            {"backbone": subject.backbone, "superres": subject.superres, "format": formats},
            lambda: measure_speed(subject.tree.root) | {"format": formats},
        )

    @cached_property
    def _songs(self) -> list[GeneratedSong]:
        return generate_songs(self._subject, self._effort.generated, self._sampling, self._work)

    @cached_property
    def _originals(self) -> list[CodeArray]:
        return [example.coarse for example in self._examples(HELD_OUT_SEED, self._effort.generated)]

    @cached_property
    def _lessons(self) -> list[Example]:
        return self._examples(LISTENING_SEED, self._effort.lessons)

    def _examples(self, seed: int, count: int) -> list[Example]:
        return list(islice(self._subject.corpus.examples(seed, minutes=(MINUTES,)), count))

    @cached_property
    def _listener(self) -> Listener:
        return Listener(self._lessons, self._subject.corpus.codebook_size)

    def _long(self) -> Section:
        songs = generate_songs(self._subject, self._effort.long, self._sampling, self._work, minutes=LONG_MINUTES)
        return self._endings_and(songs, "genre", "tempo grid")

    def _sung(self) -> Section:
        songs = generate_songs(self._subject, self._effort.sung, self._sampling, self._work, pasted=True)
        return self._endings_and(songs, "vocal or not")

    def _endings_and(self, songs: list[GeneratedSong], *meters: str) -> Section:
        asked = [asked_of(made.asked) for made in songs]
        heard = [self._listener.hear(made.coarse) for made in songs]
        return measure_endings(songs) | {name: follow_requests(METERS[name], asked, heard) for name in meters}

    def _following(self) -> Section:
        listener = self._listener
        asked = [asked_of(made.asked) for made in self._songs]
        generated = [listener.hear(made.coarse) for made in self._songs]
        return dict(measure_following(asked, generated, [listener.hear(coarse) for coarse in self._originals]))

    def _vowels(self) -> Section:
        sung = [place for place, example in enumerate(self._lessons) if example.composition.sung][
            : self._effort.singing_lessons
        ]
        lessons = [(song(LISTENING_SEED, place, minutes=(MINUTES,)), self._lessons[place].coarse) for place in sung]
        listener = VowelListener(lessons, self._subject.corpus.codebooks)
        vowels = [asked_vowels(made.asked.request.cleaned_lyrics) for made in self._songs]
        with_words = [place for place, asked in enumerate(vowels) if asked]
        return measure_lyrics(
            [vowels[place] for place in with_words],
            [listener.hear(self._songs[place].coarse) for place in with_words],
            [listener.hear(self._originals[place]) for place in with_words],
        )

    def _novelty(self) -> Section:
        generated = [made.coarse for made in self._songs]
        compared = self._effort.trained_on
        return measure_novelty(self._subject.corpus, self._recipe, compared, generated, self._originals)
