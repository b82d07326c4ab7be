"""The score read back from its labels: where a frame is in bar and form, the plan, the notes that start and sound."""

from __future__ import annotations

import numpy as np
import pytest

from core.token_layout import TokenLayout
from training.corpus.dataset import Corpus, Example, asked_song, song
from training.corpus.form import SectionKind
from training.corpus.genres import Genre
from training.corpus.harmony import KEYS
from training.reading import pack_prompts
from training.score import CLASS_SIZES, NUM_SOUNDS, PLAN_SIZES, class_labels, plan_labels, sound_labels
from training.text import corpus_layout


@pytest.fixture
def example(corpus: Corpus) -> Example:
    return next(corpus.examples(1, minutes=(1,)))


def test_every_label_is_one_of_its_classes(corpus: Corpus) -> None:
    examples = corpus.examples(7)
    for _ in range(12):
        example = next(examples)
        labels = class_labels(example, example.num_frames)
        assert (labels.min(1) >= 0).all()
        assert (labels.max(1) < CLASS_SIZES).all()


def test_the_bar_and_the_form_are_counted_from_the_songs_start(example: Example) -> None:
    plan, sections = example.plan, example.composition.sections
    labels = class_labels(example, example.num_frames)
    second = sections[1]
    frame = second.first_bar * plan.bar_frames + plan.frames_per_beat + 3
    in_beat, beat, bar, kind, place, left = labels[:6, frame]
    assert (in_beat, beat, bar) == (3, 1, second.first_bar % 4)
    assert (tuple(SectionKind)[kind], place, left) == (second.kind, 1, second.bars - 1)
    assert labels[5, -1] == 0


def test_the_plan_is_the_same_at_every_frame(example: Example) -> None:
    labels = class_labels(example, 50)[-len(PLAN_SIZES) :]
    assert (labels == np.array(plan_labels(example.plan))[:, None]).all()
    assert tuple(Genre)[labels[0, 0]] is example.plan.genre
    assert KEYS[labels[2, 0]] == example.plan.key


def test_sounds_start_once_and_sound_for_as_long_as_they_are_held(example: Example) -> None:
    event = next(event for event in example.composition.events if event.frames > 1)
    labels = sound_labels([event], event.start + event.frames + 5)
    starting, sounding = labels[:, :NUM_SOUNDS], labels[:, NUM_SOUNDS:]
    assert np.flatnonzero(starting.any(1)).tolist() == [event.start]
    assert np.flatnonzero(sounding.any(1)).tolist() == list(range(event.start, event.start + event.frames))
    assert (sounding.any(0) == starting.any(0)).all()


def test_prompts_are_read_without_composing_the_songs_they_ask_for(corpus: Corpus) -> None:
    layout: TokenLayout = corpus_layout(corpus)
    asked = [asked_song(3, index, complete=True) for index in range(20)]
    batch = pack_prompts(asked, layout, length=96)
    assert batch.ids.shape == (20, 96)
    assert batch.plans.T.tolist() == [plan_labels(song.plan) for song in asked]
    ends = batch.ids[range(20), batch.last]
    assert (ends == layout.begin_of_audio).all()
    made = song(3, 4, complete=True)
    assert (made.plan, made.request) == (asked[4].plan, asked[4].request)
