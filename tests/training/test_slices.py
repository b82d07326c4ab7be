from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from training.corpus.grid import HOP_SAMPLES, MAX_NOTE_FRAMES
from training.corpus.lapped import analyse, synthesise
from training.corpus.latents import DistinctFrames, LatentBank, onset_mask
from training.corpus.render import render, render_in_time
from training.corpus.slices import SliceBank
from training.corpus.sounds import Event, Sound, all_sounds, samples_of

FEW = (Sound("piano", 60), Sound("finger_bass", 38), Sound("male_a", 50), Sound("kick"), Sound("crash"))


@pytest.fixture(scope="module")
def few() -> SliceBank:
    return SliceBank.of(FEW)


@st.composite
def event(draw: st.DrawFn) -> Event:
    sound = draw(st.sampled_from(FEW))
    frames = draw(st.integers(1, MAX_NOTE_FRAMES)) if sound.is_held else 0
    return Event(sound, draw(st.integers(0, 20)), frames)


def test_the_lapped_transform_is_undone_exactly() -> None:
    audio = torch.randn(2, 6 * HOP_SAMPLES, generator=torch.Generator().manual_seed(0))
    inside = slice(HOP_SAMPLES, 5 * HOP_SAMPLES)
    torch.testing.assert_close(synthesise(analyse(audio))[:, inside], audio[:, inside], atol=1e-5, rtol=0)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(event(), min_size=1, max_size=6))
def test_songs_from_stored_frames_sound_as_songs_written_in_time(few: SliceBank, events: list[Event]) -> None:
    frames = 64
    torch.testing.assert_close(render(events, frames, few), render_in_time(events, frames), atol=2e-6, rtol=0)


def test_an_equal_event_makes_equal_frames_wherever_it_starts(few: SliceBank) -> None:
    early = few.frames_of([Event(FEW[0], 2, 9)], 40)
    late = few.frames_of([Event(FEW[0], 25, 9)], 40)
    assert torch.equal(early[:, 2:12], late[:, 25:35])
    assert early[:, 12:].abs().max() == 0


def test_what_rings_past_the_last_frame_is_cut_off(few: SliceBank) -> None:
    events = [Event(FEW[0], 5, 30), Event(FEW[4], 8)]
    assert torch.equal(few.frames_of(events, 10), few.frames_of(events, 60)[:, :10])


def test_equal_sums_are_computed_once_and_put_back_in_order(few: SliceBank) -> None:
    events = [Event(FEW[3], start) for start in range(0, 40, 8)]
    frames = DistinctFrames.of(few.index, events, 40)
    assert frames.count == FEW[3].frames + 1  # silence is one frame too
    assert frames.counts.sum() == 40
    expected = few.frames_of(events, 40).transpose(0, 1).flatten(1)
    assert torch.equal(frames.sums(few.rows)[torch.from_numpy(frames.which)], expected)


def test_latents_of_a_song_are_the_projected_sum_of_its_frames(few: SliceBank) -> None:
    projection = torch.randn(few.rows.shape[1], 3, generator=torch.Generator().manual_seed(0))
    events = [Event(FEW[0], 0, 7), Event(FEW[1], 3, 12), Event(FEW[4], 4)]
    latents = LatentBank(few.index, few.rows @ projection).latents(events, 30)
    expected = few.frames_of(events, 30).transpose(0, 1).flatten(1) @ projection
    torch.testing.assert_close(latents, expected, atol=1e-4, rtol=1e-4)


def test_onsets_are_where_events_start() -> None:
    events = [Event(FEW[3], 0), Event(FEW[0], 4, 9), Event(FEW[1], 4, 9), Event(FEW[3], 12)]
    assert onset_mask(events, 10).nonzero()[0].tolist() == [0, 4]


def test_every_sound_is_finite_short_of_full_scale_and_neither_silent_nor_clicking_at_its_start() -> None:
    for sound in all_sounds():
        samples = samples_of(sound, 4)
        assert 0.005 < abs(samples).max() < 0.7, sound
        assert abs(samples[:, 0]).max() < 0.03, sound


def test_struck_sounds_are_silent_in_their_last_samples() -> None:
    for sound in all_sounds():
        if not sound.is_held:
            assert abs(samples_of(sound, sound.frames)[:, -256:]).max() == 0, sound
