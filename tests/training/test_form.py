from __future__ import annotations

import random
from itertools import pairwise

import pytest

from training.corpus.form import Section, SectionKind, song_form
from training.corpus.grid import BEATS_PER_BAR, TEMPI, frames_in
from training.corpus.planning import draw_plan
from training.corpus.song_plan import MINUTES, SongPlan
from training.corpus.texture import DrumLevel, Texture, texture

EVERY_LENGTH = [(minutes, tempo) for minutes in MINUTES for tempo in TEMPI]


@pytest.mark.parametrize(("minutes", "tempo"), EVERY_LENGTH)
def test_a_song_is_as_long_as_asked_within_five_percent(minutes: int, tempo: int) -> None:
    bars = sum(section.bars for section in song_form(minutes, tempo))
    assert bars * BEATS_PER_BAR * tempo == pytest.approx(frames_in(minutes), rel=0.05)


@pytest.mark.parametrize(("minutes", "tempo"), EVERY_LENGTH)
def test_sections_follow_each_other_from_intro_to_outro(minutes: int, tempo: int) -> None:
    form = song_form(minutes, tempo)
    kinds = [section.kind for section in form]
    assert kinds[0] is SectionKind.INTRO and kinds[-1] is SectionKind.OUTRO
    assert {SectionKind.VERSE, SectionKind.CHORUS, SectionKind.BRIDGE} <= set(kinds)
    assert [section.first_bar for section in form[1:]] == [section.first_bar + section.bars for section in form[:-1]]


def test_sections_of_a_kind_are_numbered() -> None:
    choruses = [section.number for section in song_form(3, 8) if section.kind is SectionKind.CHORUS]
    assert choruses == [1, 2, 3, 4]


def test_a_song_too_short_for_two_phrases_is_refused() -> None:
    with pytest.raises(ValueError, match=r"0\.3 minutes are too short"):
        song_form(0.3, 17)


def test_neighbouring_sections_never_have_the_same_texture() -> None:
    rng = random.Random(0)
    for _ in range(40):
        plan = draw_plan(rng)
        form = song_form(plan.minutes, plan.frames_per_beat)
        for before, after in pairwise(form):
            assert _seen(plan, before) != _seen(plan, after), (plan, before, after)


def test_the_last_bar_of_a_section_leads_over_but_that_of_the_song_does_not() -> None:
    plan = draw_plan(random.Random(1))
    for section in song_form(plan.minutes, plan.frames_per_beat):
        fills = [texture(plan, section, bar).fill for bar in range(section.bars)]
        assert fills == [False] * (section.bars - 1) + [section.kind is not SectionKind.OUTRO]


def test_songs_die_away_with_hardly_any_drums() -> None:
    plan = draw_plan(random.Random(2))
    outro = song_form(plan.minutes, plan.frames_per_beat)[-1]
    quiet = texture(plan, outro, outro.bars - 1).drums
    assert quiet is DrumLevel.TIME


def _seen(plan: SongPlan, section: Section) -> list[Texture]:
    return [texture(plan, section, bar) for bar in range(min(section.bars, 4))]
