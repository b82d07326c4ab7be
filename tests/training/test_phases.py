from __future__ import annotations

import numpy as np

from training.corpus.dataset import Corpus
from training.corpus.form import SectionKind
from training.corpus.grid import BEATS_PER_BAR
from training.phases import PHASE_SIZES, phases_of


def test_every_frame_knows_its_place_in_metre_and_form(corpus: Corpus) -> None:
    example = next(corpus.examples(11, minutes=(1,)))
    beat_frames = example.frames_per_beat
    bar_frames, sections = BEATS_PER_BAR * beat_frames, example.composition.sections
    total_bars = sections[-1].first_bar + sections[-1].bars
    phases = phases_of(example, example.num_frames)

    assert (phases >= 0).all() and (phases.max(1) < PHASE_SIZES).all()
    for section in sections:
        first, last = section.first_bar * bar_frames, (section.first_bar + section.bars) * bar_frames - 1
        beat, bar, phrase, to_next, since, kind, _, _, root = phases[:, first]
        assert (beat, bar, phrase, to_next, since) == (0, 0, section.first_bar % 4, 0, 0)
        assert list(SectionKind)[kind] is section.kind
        assert root in example.plan.key.pitch_classes
        assert root == example.plan.key.tonic, "sections start from the tonic"
        assert phases[6, last] == 0, "no whole bar of the section follows"
    assert phases[7, (total_bars - 1) * bar_frames] == 0
    to_end = phases[7, : total_bars * bar_frames]
    assert (np.diff(to_end) <= 0).all(), "the end only comes nearer"
    assert to_end[(total_bars - 4) * bar_frames] == 3


def test_half_beats_are_counted_down_to(corpus: Corpus) -> None:
    example = next(corpus.examples(11, minutes=(1,)))
    to_next = phases_of(example, example.num_frames)[3]
    on_grid = np.isin(np.arange(example.num_frames) % example.frames_per_beat, (0, example.plan.offbeat))
    assert np.array_equal(to_next == 0, on_grid)
    assert (np.diff(to_next)[~on_grid[:-1]] == -1).all()


def test_a_song_read_from_its_middle_on_has_the_phases_it_has_there(corpus: Corpus) -> None:
    example = next(corpus.examples(11, minutes=(1,)))
    first = int(np.flatnonzero(example.onsets)[20]) + 1  # in the middle of a note
    rest = example.num_frames - first
    there = phases_of(example.from_frame(first), rest)
    assert np.array_equal(there, phases_of(example, example.num_frames)[:, first:])


def test_frames_behind_the_end_have_classes_too(corpus: Corpus) -> None:
    example = next(corpus.examples(11, minutes=(1,)))
    phases = phases_of(example, 2 * example.num_frames)
    assert (phases >= 0).all() and (phases.max(1) < PHASE_SIZES).all()
