from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.corpus.syllables import sung_lines, syllables
from training.corpus.voices import CONSONANTS, VOWELS


@pytest.mark.parametrize(
    ("text", "vowels"),
    [
        ("time", "i"),
        ("Time after time", "iaei"),
        ("you say yes", "oae"),
        ("don't stop 24 hours", "ooo"),
        ("corazón, café", "oaoae"),
        ("きゃっと ラーメン", "aoaeu"),
        ("さくら", "aua"),
        ("사랑해요", "aaeo"),
        ("我爱你", "oai"),
        ("Привет, мир", "iei"),
        ("καλημέρα", "aiea"),
    ],
)
def test_text_is_sung_on_its_vowels(text: str, vowels: str) -> None:
    assert "".join(syllable.vowel for syllable in syllables(text)) == vowels


@pytest.mark.parametrize(
    ("text", "consonants"),
    [
        ("pa", ["plosive"]),
        ("sa", ["fricative"]),
        ("ma", [None]),
        ("あか", [None, "plosive"]),
        ("바하", ["plosive", "fricative"]),
    ],
)
def test_syllables_start_with_the_kind_of_consonant_they_are_written_with(
    text: str, consonants: list[str | None]
) -> None:
    assert [syllable.consonant for syllable in syllables(text)] == consonants


def test_markers_and_lines_without_letters_are_not_sung() -> None:
    assert len(sung_lines("[Verse 1]\nla la\n\n...\n [Chorus] \no")) == 2


def test_a_cyrillic_letter_folded_into_its_latin_look_alike_keeps_its_sound() -> None:
    assert [s.vowel for s in syllables("pyкa")] == ["u", "a"]


@given(st.text(max_size=60))
def test_any_text_can_be_sung(text: str) -> None:
    for syllable in syllables(text):
        assert syllable.vowel in VOWELS
        assert syllable.consonant is None or syllable.consonant in CONSONANTS
