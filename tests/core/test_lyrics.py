"""Lyrics cleaning, character for character."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.lyrics import clean_lyrics

PAIRS = {
    "。": ".", "，": ",", "、": ",", "،": ",", "！": "!", "？": "?", "：": ":", "∶": ":", "；": ";",
    "（": "(", "）": ")", "【": "[", "】": "]", "〖": "[", "〗": "]", "［": "[", "］": "]",
    "「": '"', "」": '"', "“": '"', "”": '"', "『": "'", "』": "'", "‘": "'", "’": "'", "′": "'",
    "ʼ": "'", "´": "'", "｀": "'", "^": "'", "《": "<", "》": ">", "〈": "<", "〉": ">", "…": "...",
    "～": "~", "·": ".", "×": "x", "÷": "/", "|": "-", "—": "-", "–": "-", "―": "-", "﹣": "-",
    "－": "-", "——": "-", "е": "e", "а": "a", "о": "o", "р": "p", "с": "c", "у": "y", "х": "x",
    "Α": "A", "Β": "B", "Ε": "E", "Η": "H", "Ι": "I", "Κ": "K", "Μ": "M", "Ν": "N", "Ο": "O",
    "Ρ": "P", "Τ": "T", "Υ": "Y", "Χ": "X", "Ζ": "Z", "¨": '"', "﹏": "_", "\u00e2\u0080\u0099": "'",
    "Ａ": "A", "ｚ": "z", "９": "9", "＋": "+", "＾": "^",
}  # fmt: skip


@pytest.mark.parametrize(("written", "read"), PAIRS.items())
def test_a_variant_is_read_as_plain_ascii(written: str, read: str) -> None:
    assert clean_lyrics(f"a{written}b") == f"a{read}b"


@pytest.mark.parametrize("space", ["・", "\u00a0", "\u3000", "\u2005", "\u2006", "\u2028"])
def test_every_odd_space_becomes_a_space(space: str) -> None:
    assert clean_lyrics(f"a{space}b") == "a b"


@pytest.mark.parametrize("mark", ["\u200b", "\ufeff", "\u202a", "\u202c", "\u180e", "★", "\ue3ac"])
def test_invisible_marks_vanish(mark: str) -> None:
    assert clean_lyrics(f"a{mark}b") == "ab"


@pytest.mark.parametrize("kept", ["｛", "｜", "｝", "[Verse]\nline", "é", "日本語", "ж", "λ", "\u200d", "\t"])
def test_everything_else_passes_through(kept: str) -> None:
    assert clean_lyrics(f"a{kept}b") == f"a{kept}b"


def test_the_longest_match_is_taken_first_and_only_once() -> None:
    assert clean_lyrics("a———b") == "a--b"


def test_the_result_is_stripped_after_cleaning() -> None:
    assert clean_lyrics("\u3000 \n夜風が、窓を\n\u200b ") == "夜風が,窓を"


@given(st.text())
def test_cleaning_never_leaves_outer_space(text: str) -> None:
    cleaned = clean_lyrics(text)
    assert cleaned == cleaned.strip()
