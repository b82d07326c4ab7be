"""Every meter names what originals hold, and does not find it where it is not: in other songs' requests."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
import torch

from core.codes import CodeArray
from training.corpus.dataset import HELD_OUT_SEED, Corpus, Example, song
from training.evaluation.asked import Asked, asked_of
from training.evaluation.following import METERS, measure_following
from training.evaluation.heard import Heard, Listener
from training.evaluation.lyrics_fit import FEWEST_HEARD, asked_vowels, lyrics_fit, measure_lyrics
from training.evaluation.onsets import OnsetDetector, comb_tempo, share_on_grid
from training.evaluation.sections import LISTENING_SEED
from training.evaluation.vowels import VowelListener, without_repeats

LESSONS, JUDGED = 400, 120


def examples(corpus: Corpus, seed: int, count: int) -> list[Example]:
    return list(islice(corpus.examples(seed, minutes=(1,)), count))


@pytest.fixture(scope="module")
def lessons(corpus: Corpus) -> list[Example]:
    return examples(corpus, LISTENING_SEED, LESSONS)


@pytest.fixture(scope="module")
def judged(corpus: Corpus) -> list[Example]:
    return examples(corpus, HELD_OUT_SEED, JUDGED)


@pytest.fixture(scope="module")
def asked() -> list[Asked]:
    return [asked_of(song(HELD_OUT_SEED, index, minutes=(1,))) for index in range(JUDGED)]


@pytest.fixture(scope="module")
def heard(corpus: Corpus, lessons: list[Example], judged: list[Example]) -> list[Heard]:
    listener = Listener(lessons, corpus.codebook_size)
    return [listener.hear(example.coarse) for example in judged]


@pytest.mark.parametrize("meter", METERS)
def test_originals_are_what_was_asked_for_and_others_are_not(
    meter: str, asked: list[Asked], heard: list[Heard]
) -> None:
    found = measure_following(asked, heard, heard)[meter]
    right, shuffled = found["right"]["mean"], found["shuffled"]
    assert right == found["originals"]["mean"]
    # The miniature codec is coarse: instruments are the hardest to tell apart in its codes.
    assert right > (0.4 if meter == "instrument" else 0.7), found
    assert right - shuffled > 0.25, found


def test_the_next_songs_request_is_no_better_than_a_shuffled_one(asked: list[Asked], heard: list[Heard]) -> None:
    found = measure_following(asked[1:] + asked[:1], heard, heard)
    for meter in ("genre", "exact tempo", "key and mode", "instrument"):
        assert found[meter]["right"]["low"] <= found[meter]["shuffled"] + 0.1, meter
        assert found[meter]["right"]["mean"] < 0.5, meter


def test_only_what_a_request_speaks_of_is_measured(asked: list[Asked]) -> None:
    for meter in ("genre", "tempo grid", "key and mode", "instrument"):
        assert 0 < sum(METERS[meter].states(request) for request in asked) < len(asked), meter


def test_onsets_are_found_where_events_start(corpus: Corpus, lessons: list[Example], judged: list[Example]) -> None:
    detector = OnsetDetector.fit(lessons[:200], corpus.codebook_size)
    right = found = there = 0
    for example in judged:
        mask = detector(example.coarse)
        right += int((mask & example.onsets).sum())
        found, there = found + int(mask.sum()), there + int(example.onsets.sum())
    assert right / found > 0.95
    assert right / there > 0.4


def test_a_song_that_slips_by_a_frame_leaves_the_grid() -> None:
    onsets = np.zeros(1200, np.bool_)
    onsets[::12] = True
    assert share_on_grid(onsets, 12, 6) == 1.0
    slipped = np.roll(onsets, 1)
    slipped[:600] = onsets[:600]
    assert share_on_grid(slipped, 12, 6) == pytest.approx(0.5, abs=0.02)
    assert share_on_grid(np.zeros(100, np.bool_), 12, 6) == 0.0


@pytest.mark.parametrize("frames_per_beat", [8, 11, 15])
def test_the_comb_names_the_beat_of_a_steady_pulse(frames_per_beat: int) -> None:
    pulse = np.arange(1300) % frames_per_beat == 0
    assert comb_tempo(pulse) == frames_per_beat


def test_a_song_of_no_frames_is_heard_and_fits_nothing(corpus: Corpus, lessons: list[Example]) -> None:
    heard = Listener(lessons[:60], corpus.codebook_size).hear(np.zeros((0, 2), np.int16))
    assert not heard.onsets.any()


def test_sung_vowels_are_heard_and_fit_their_own_lyrics(
    corpus: Corpus, lessons: list[Example], judged: list[Example]
) -> None:
    def fine(seed: int, place: int) -> CodeArray:
        """All layers, for two of the miniature codec are too coarse to tell vowels apart."""
        return corpus.examples(seed, layers=corpus.num_quantizers, minutes=(1,)).example(place).codes.T

    sung = [place for place, example in enumerate(lessons) if example.composition.sung][:60]
    pairs = [(song(LISTENING_SEED, place, minutes=(1,)), fine(LISTENING_SEED, place)) for place in sung]
    listener = VowelListener(pairs, corpus.codebooks, steps=600)
    singing = [place for place, example in enumerate(judged) if asked_vowels(example.request.cleaned_lyrics)]
    vowels = [asked_vowels(judged[place].request.cleaned_lyrics) for place in singing]
    heard = [listener.hear(fine(HELD_OUT_SEED, place)) for place in singing]
    found = measure_lyrics(vowels, heard, heard)
    assert found["right"]["mean"] > found["shuffled"] + 0.1
    assert found["own fits better"]["mean"] > 0.85
    others = measure_lyrics(vowels[1:] + vowels[:1], heard, heard)
    assert others["own fits better"]["mean"] < 0.6
    silent = next(place for place, example in enumerate(judged) if not example.composition.sung)
    assert len(listener.hear(fine(HELD_OUT_SEED, silent))) < found["vowels heard"] / 2


def test_vowels_fit_any_stretch_of_lyrics_sung_round_and_round() -> None:
    lyrics = "aeiouaoeiu"
    assert lyrics_fit((lyrics * 3)[4:25], lyrics) == 1.0
    changed = (lyrics * 3)[4:14] + "e" + (lyrics * 3)[15:24]
    assert lyrics_fit(changed, lyrics) == pytest.approx(1 - 1 / 20)
    assert lyrics_fit("ae" * 10, "iu" * 5) == 0.0
    assert lyrics_fit(lyrics[: FEWEST_HEARD - 1], lyrics) == 0.0
    assert without_repeats("aabbba") == "aba"


def test_meters_are_the_same_whoever_runs_them(corpus: Corpus, lessons: list[Example]) -> None:
    pairs = [(song(LISTENING_SEED, place, minutes=(1,)), lessons[place].coarse) for place in range(20)]
    torch.manual_seed(1)
    first = VowelListener(pairs, corpus.codebooks, steps=5).frames(lessons[0].coarse)
    torch.manual_seed(2)
    assert first == VowelListener(pairs, corpus.codebooks, steps=5).frames(lessons[0].coarse)
