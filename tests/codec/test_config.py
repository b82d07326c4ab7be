from __future__ import annotations

from dataclasses import replace

import pytest

from tests.codec.small_codec import SMALL


def test_frame_rate_follows_from_sample_rate_and_hop() -> None:
    assert SMALL.hop_samples == 2_048
    assert SMALL.audio_format.frames_per_second == pytest.approx(21.533, abs=1e-3)


def test_odd_rates_are_refused_as_they_would_lose_a_sample() -> None:
    with pytest.raises(ValueError, match="must be even"):
        replace(SMALL, decoder_rates=(8, 8, 8, 5))


def test_encoder_and_decoder_must_have_one_hop() -> None:
    with pytest.raises(ValueError, match="1024 is not the decoder's, 2048"):
        replace(SMALL, encoder_strides=(2, 8, 8, 8))


def test_a_width_that_cannot_be_halved_once_a_block_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be halved"):
        replace(SMALL, decoder_width=40)
