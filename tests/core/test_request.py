"""Limits, clamping, seeds and warnings of a request."""

from __future__ import annotations

import math

import pytest

from core.errors import InvalidRequest
from core.request import (
    MAX_LYRICS_CHARACTERS,
    MAX_SEED,
    GenerationRequest,
    Mode,
    SamplingOptions,
    clamp_with_warnings,
    track_seeds,
)


def test_values_in_range_are_kept_in_silence() -> None:
    assert clamp_with_warnings(duration=5, top_k_backbone=80, temperature=1.0) == (5, 80, 1.0, [])


def test_values_out_of_range_are_clamped_and_each_is_named() -> None:
    duration, top_k, temperature, warnings = clamp_with_warnings(duration=99, top_k_backbone=0, temperature=9.0)
    assert (duration, top_k, temperature) == (10, 1, 1.4)
    assert [warning.split()[0] for warning in warnings] == ["duration", "top_k_bb", "temperature"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_temperature_that_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(InvalidRequest, match="temperature"):
        clamp_with_warnings(duration=3, top_k_backbone=80, temperature=value)


@pytest.mark.parametrize(
    ("field", "text"), [("lyrics", "a" * (MAX_LYRICS_CHARACTERS + 1)), ("tags", "\x00"), ("prompt", "\ud800")]
)
def test_text_that_cannot_be_used_is_refused_by_name(field: str, text: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        GenerationRequest(**{field: text})  # type: ignore[arg-type]
    assert caught.value.field == field


def test_sampling_options_out_of_range_cannot_be_built() -> None:
    with pytest.raises(InvalidRequest, match="top_k_sr"):
        SamplingOptions(top_k_superres=0)


def test_each_track_has_its_own_seed_and_the_first_has_the_requests() -> None:
    assert track_seeds(7, 3) == [7, 8, 9]
    assert track_seeds(MAX_SEED, 2) == [MAX_SEED, 0]


@pytest.mark.parametrize("seed", [-1, MAX_SEED + 1])
def test_a_seed_out_of_range_is_refused(seed: int) -> None:
    with pytest.raises(InvalidRequest, match="seed"):
        track_seeds(seed, 1)


def test_a_vocal_request_without_words_is_warned_about() -> None:
    assert any("without lyrics" in warning for warning in GenerationRequest(tags="Jazz", lyrics=" \u200b").warnings())
    assert not GenerationRequest(tags="Jazz", mode=Mode.INSTRUMENTAL).warnings()
