from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.corpus.grid import (
    HOP_SAMPLES,
    PHASE_PERIOD_FRAMES,
    SETTLED_FRAMES,
    TEMPI,
    beats_per_minute,
    frequency_hz,
    grid_steps,
    nearest_tempo,
    period_frames,
)
from training.corpus.waves import band_noise, falling, harmonic


@given(pitch=st.integers(36, 96), number=st.integers(1, 20))
def test_every_harmonic_repeats_after_eight_frames_to_the_last_bit(pitch: int, number: int) -> None:
    period = PHASE_PERIOD_FRAMES * HOP_SAMPLES
    wave = harmonic(pitch, number, 2 * period)
    assert np.array_equal(wave[:period], wave[period:])


def test_tones_of_the_c_major_triad_repeat_with_every_frame() -> None:
    assert [grid_steps(pitch) % PHASE_PERIOD_FRAMES for pitch in (60, 64, 67)] == [0, 0, 0]


@pytest.mark.parametrize("pitch", range(36, 96))
def test_pitches_are_within_a_third_of_a_semitone_of_equal_temperament_on_their_own_a(pitch: int) -> None:
    cents = 1200 * np.log2(frequency_hz(pitch) / frequency_hz(69)) - 100 * (pitch - 69)
    assert abs(cents) < 36


def test_pitches_below_the_lowest_note_are_refused() -> None:
    with pytest.raises(ValueError, match="pitch 35 lies below C2"):
        grid_steps(35)


@pytest.mark.parametrize(("bpm", "frames"), [(150, 9), (120, 11), (174, 8), (70, 17), (1, 17), (999, 8)])
def test_a_tempo_in_numbers_means_the_nearest_there_is(bpm: float, frames: int) -> None:
    assert nearest_tempo(bpm) == frames


def test_every_tempo_is_nearest_to_itself() -> None:
    assert [nearest_tempo(beats_per_minute(tempo)) for tempo in TEMPI] == list(TEMPI)


def test_decay_is_exponential_across_frames() -> None:
    assert np.allclose(falling(3.0, 5000), np.exp(-3.0 * np.arange(5000) / 44_100))


def test_what_has_faded_for_long_enough_stays_as_it_is() -> None:
    assert len(set(falling(3.0, 40 * HOP_SAMPLES)[SETTLED_FRAMES * HOP_SAMPLES :])) == 1


@pytest.mark.parametrize(("pitch", "frames"), [(36, 1), (38, 8), (40, 4), (43, 2), (60, 1), (62, 2), (74, 1)])
def test_tones_repeat_after_their_period_and_not_before(pitch: int, frames: int) -> None:
    assert period_frames(pitch) == frames
    assert next(steps for steps in range(1, 9) if grid_steps(pitch) * steps % PHASE_PERIOD_FRAMES == 0) == frames


def test_noise_is_the_same_on_every_machine() -> None:
    noise = band_noise(7, 4096, 500, 4_000)
    assert noise.std() == pytest.approx(1)
    assert noise[[0, 1, 2047]] == pytest.approx([-0.02999488, -0.39049736, 1.35449143])
