from __future__ import annotations

import random
from dataclasses import replace

import pytest

from training.corpus.composer import Composition, compose
from training.corpus.form import SectionKind
from training.corpus.genres import Genre
from training.corpus.lyrics_writer import write_lyrics
from training.corpus.planning import Constraints, draw_plan
from training.corpus.song_plan import SongPlan
from training.corpus.sounds import Event, all_sounds
from training.corpus.syllables import sung_lines
from training.corpus.voices import Voice

SUNG = Constraints(voice=frozenset(Voice))
INSTRUMENTAL = Constraints(voice=frozenset({None}))


def plans(count: int, constraints: Constraints | None = None) -> list[SongPlan]:
    rng = random.Random(7)
    drawn = [draw_plan(rng, constraints) for _ in range(count)]
    return [replace(plan, lyrics=write_lyrics(plan, rng)) if plan.voice else plan for plan in drawn]


@pytest.mark.parametrize("genre", list(Genre))
def test_everything_starts_on_a_beat_or_on_its_offbeat(genre: Genre) -> None:
    for plan in plans(6, Constraints(genre=frozenset({genre}))):
        places = {event.start % plan.frames_per_beat for event in compose(plan, 1).events}
        assert places <= {0, plan.offbeat}, plan


def test_songs_hold_only_sounds_of_the_corpus() -> None:
    heard = {event.sound for plan in plans(60) for event in compose(plan, 2).events}
    assert heard <= all_sounds()


def test_the_same_plan_and_seed_make_the_same_song_and_another_seed_another() -> None:
    plan = plans(1)[0]
    assert compose(plan, 5) == compose(plan, 5)
    assert compose(plan, 5).events != compose(plan, 6).events


def test_songs_end_with_a_chord_and_then_silence() -> None:
    for plan in plans(30):
        song = compose(plan, 3)
        final_bar = song.num_frames - plan.bar_frames
        last = [event for event in song.events if event.start >= final_bar]
        assert {event.start for event in last} == {final_bar}
        assert any(event.sound.name == plan.chord for event in last)
        assert max(_end(event) for event in last) <= song.num_frames - plan.frames_per_beat


def test_the_parts_of_the_plan_play_and_no_others() -> None:
    for plan in plans(40, INSTRUMENTAL):
        played = {event.sound.name for event in compose(plan, 4).events if event.sound.is_held}
        assert played == plan.instruments


def test_only_sung_songs_have_a_voice_and_it_is_the_one_asked_for() -> None:
    for voice in Voice:
        for plan in plans(8, Constraints(voice=frozenset({voice}))):
            names = {event.sound.name for event in compose(plan, 5).events}
            assert {name.split("_")[0] for name in names if name.startswith(("male_", "female_"))} == {voice.value}


def test_the_singer_sings_the_vowels_of_the_lyrics_in_their_order() -> None:
    plan = replace(plans(1, SUNG)[0], minutes=1, lyrics=("[Verse]", "Mi casa", "tu luz"))
    vowels = "".join(note.vowel for note in compose(plan, 6).sung)
    assert vowels.startswith("iaa" + "uu" + "iaa" + "uu")


def test_singing_keeps_to_verses_and_choruses() -> None:
    for plan in plans(12, SUNG):
        song = compose(plan, 7)
        sung_bars = {note.start // plan.bar_frames for note in song.sung}
        assert sung_bars <= _bars(song, SectionKind.VERSE) | _bars(song, SectionKind.CHORUS)
        assert sung_bars


def test_every_line_starts_on_a_bar() -> None:
    plan = replace(plans(1, SUNG)[0], lyrics=("na na na",))
    starts = [note.start for note in compose(plan, 8).sung]
    assert all(start % plan.bar_frames == 0 for start in starts[::3])


def test_a_line_of_many_syllables_takes_more_bars_instead_of_losing_them() -> None:
    long = " ".join(["la"] * 20)
    plan = replace(plans(1, SUNG)[0], lyrics=(long, "o"))
    vowels = "".join(note.vowel for note in compose(plan, 9).sung)
    assert vowels.startswith("a" * len(sung_lines(long)[0]))


def test_a_singer_without_lyrics_sings_one_vowel() -> None:
    plan = replace(plans(1, SUNG)[0], lyrics=())
    assert {note.vowel for note in compose(plan, 10).sung} == {"a"}


def test_lyrics_are_cleaned_before_they_are_sung_as_the_model_reads_them_cleaned() -> None:
    plan = plans(1, SUNG)[0]
    assert compose(replace(plan, lyrics=("ＬＵＮＡ",)), 1).sung == compose(replace(plan, lyrics=("LUNA",)), 1).sung


def _bars(song: Composition, kind: SectionKind) -> set[int]:
    return {bar for s in song.sections if s.kind is kind for bar in range(s.first_bar, s.first_bar + s.bars)}


def _end(event: Event) -> int:
    return event.start + (event.frames + 1 if event.sound.is_held else event.sound.frames)
