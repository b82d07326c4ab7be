from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from training.corpus.genres import DrumStyle, Genre
from training.corpus.harmony import KEYS
from training.corpus.planning import Constraints, draw_plan
from training.corpus.tags import (
    ASPECTS,
    MEANINGS,
    NO_AUDIBLE_EFFECT,
    Aspect,
    constraints_in,
    meaning_of,
    tags_describing,
)
from training.corpus.voices import Voice

CATALOGUE = Path(__file__).parents[2] / "backend" / "data" / "tags.json"


@pytest.mark.skipif(not CATALOGUE.exists(), reason="the catalogue has not been written yet")
def test_every_tag_of_the_catalogue_means_something_or_is_listed_as_without_effect() -> None:
    catalogue = json.loads(CATALOGUE.read_text())
    tags = [tag for category in catalogue.values() for tag in category["tags"]]
    assert [tag for tag in tags if meaning_of(tag) is None and tag not in NO_AUDIBLE_EFFECT] == []
    assert [tag for tag in NO_AUDIBLE_EFFECT if meaning_of(tag) is not None] == []


@pytest.mark.parametrize("tag", sorted(MEANINGS))
def test_a_plan_drawn_for_a_tag_is_described_by_it(tag: str) -> None:
    rng = random.Random(tag)
    for _ in range(12):
        plan = draw_plan(rng, MEANINGS[tag])
        assert MEANINGS[tag].allow(plan)
        assert tag in tags_describing(plan)[ASPECTS[tag]]


def test_no_plan_is_described_by_tags_that_do_not_fit_it() -> None:
    rng = random.Random(1)
    for _ in range(100):
        plan = draw_plan(rng)
        assert all(MEANINGS[tag].allow(plan) for tags in tags_describing(plan).values() for tag in tags)


def test_the_corpus_has_the_variety_that_was_promised() -> None:
    rng = random.Random(2)
    drawn = [draw_plan(rng) for _ in range(400)]
    assert {plan.genre for plan in drawn} == set(Genre)
    assert {plan.key for plan in drawn} == set(KEYS) and len(KEYS) >= 6
    assert len({plan.frames_per_beat for plan in drawn}) >= 5
    assert len(set().union(*(plan.instruments for plan in drawn))) >= 12
    assert {plan.voice for plan in drawn} == {None, *Voice}


@pytest.mark.parametrize(("tag", "tempo"), [("128 BPM", 11), ("93 bpm", 13), ("120.5 BPM", 11), (" 70BPM ", 17)])
def test_a_tempo_in_numbers_is_understood(tag: str, tempo: int) -> None:
    assert meaning_of(tag) == Constraints(frames_per_beat=frozenset({tempo}))


@pytest.mark.parametrize("tag", ["Purple", "BPM", "128", "", "Jazzz"])
def test_unknown_tags_mean_nothing(tag: str) -> None:
    assert meaning_of(tag) is None


def test_tags_are_found_in_sentences_by_their_longest_reading() -> None:
    found = constraints_in("a dreamy DRUM AND BASS tune with electric piano, 128 bpm, about jazzy cats")
    assert found.genre == MEANINGS["Drum and Bass"].genre
    assert found.plays == MEANINGS["Electric Piano"].plays


def test_a_tag_without_effect_is_not_read_as_another_inside_it() -> None:
    assert constraints_in("Lo-fi Hiss, Vinyl Crackle") == Constraints()


def test_a_genre_counts_more_than_a_mood_that_contradicts_it() -> None:
    assert constraints_in("Rebellious, Jazz").genre == frozenset({Genre.JAZZ})


def test_several_instruments_are_given_to_different_parts() -> None:
    wanted = constraints_in("Organ, Violin, Cello")
    rng = random.Random(3)
    for _ in range(20):
        assert {"organ", "violin", "cello"} <= draw_plan(rng, wanted).instruments


def test_a_swing_at_a_tempo_it_cannot_have_gets_the_nearest_it_can() -> None:
    rng = random.Random(4)
    assert {draw_plan(rng, constraints_in("Jazz, 95 BPM")).frames_per_beat for _ in range(20)} == {15}


def test_solo_piano_is_for_piano_over_nothing_but_a_bass() -> None:
    plan = draw_plan(random.Random(5), MEANINGS["Solo Piano"])
    assert plan.instruments == {"piano", plan.bass}
    assert plan.drums is DrumStyle.NONE
    assert plan.voice is None


def test_every_aspect_but_the_drums_of_a_drumless_song_can_be_spoken_of() -> None:
    described = tags_describing(draw_plan(random.Random(6), MEANINGS["Rock"]))
    assert all(described[aspect] for aspect in (Aspect.GENRE, Aspect.VOICE, Aspect.KEY, Aspect.TEMPO, Aspect.BASS))
