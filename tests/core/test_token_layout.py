"""Ids of the published vocabulary, and the same scheme at another size."""

from __future__ import annotations

import pytest

from core.token_layout import TokenLayout

PUBLISHED = TokenLayout(text_vocab_size=128_000, codebook_size=1024, num_quantizers=64)
SMALL = TokenLayout(text_vocab_size=256, codebook_size=1024, num_quantizers=64)


def test_the_published_special_tokens_have_their_published_ids() -> None:
    named = {
        128_000: PUBLISHED.begin_of_text,
        128_001: PUBLISHED.end_of_generation,
        128_006: PUBLISHED.begin_of_lyrics,
        128_007: PUBLISHED.end_of_line,
        128_008: PUBLISHED.end_of_field,
        128_009: PUBLISHED.end_of_condition,
        128_010: PUBLISHED.begin_of_audio,
    }
    assert all(expected == found for expected, found in named.items())


@pytest.mark.parametrize(
    ("number", "token_id"), [(0, 128_002), (1, 128_003), (2, 128_005), (3, 128_011), (247, 128_255)]
)
def test_reserved_tokens_are_numbered_around_the_named_ones(number: int, token_id: int) -> None:
    assert PUBLISHED.reserved(number) == token_id


def test_there_is_no_reserved_token_beyond_the_block() -> None:
    with pytest.raises(ValueError, match="248"):
        PUBLISHED.reserved(248)


def test_vocabularies_have_their_published_sizes() -> None:
    assert (PUBLISHED.vocab_size(2), PUBLISHED.vocab_size(64)) == (130_304, 193_792)


def test_code_windows_lie_side_by_side_behind_the_special_tokens() -> None:
    assert PUBLISHED.window(0) == range(128_256, 129_280)
    assert PUBLISHED.window(63).stop == PUBLISHED.vocab_size(64)


def test_layer_markers_count_down_from_the_end_of_the_special_tokens() -> None:
    assert (PUBLISHED.layer_marker(2), PUBLISHED.layer_marker(63)) == (128_253, 128_192)


def test_a_small_vocabulary_has_the_same_scheme() -> None:
    shift = PUBLISHED.text_vocab_size - SMALL.text_vocab_size
    assert SMALL.begin_of_audio == PUBLISHED.begin_of_audio - shift
    assert SMALL.window(5).start == PUBLISHED.window(5).start - shift
    assert SMALL.layer_marker(9) == PUBLISHED.layer_marker(9) - shift


def test_a_layer_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="layer 64"):
        PUBLISHED.window(64)
