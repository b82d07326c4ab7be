"""Lyrics to what the singer sings: lines of syllables.

In alphabets every run of vowel letters is a syllable with its first vowel; kana, Hangul and Han are read character by
character (see ``scripts``). Lines in square brackets are markers such as [Verse] and are not sung.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from training.corpus.scripts import (
    LETTER_VOWELS,
    MUTE_KANA,
    SMALL_KANA,
    Syllable,
    arbitrary_vowel,
    is_katakana,
    of_character,
    of_consonant,
)

_MARKER = re.compile(r"\s*\[[^\]]*\]\s*")
_WORD = re.compile(r"[^\W\d_]+")
_KATAKANA_TO_HIRAGANA = ord("ぁ") - ord("ァ")


def sung_lines(lyrics: str) -> tuple[tuple[Syllable, ...], ...]:
    """The lines of lyrics that have something to sing, in syllables."""
    lines = (syllables(line) for line in lyrics.splitlines() if not _MARKER.fullmatch(line))
    return tuple(line for line in lines if line)


@lru_cache(maxsize=4096)
def syllables(line: str) -> tuple[Syllable, ...]:
    """The syllables of a line."""
    found: list[Syllable] = []
    for word in _WORD.findall(unicodedata.normalize("NFC", line).lower()):
        letters = ""
        for written in word:
            character = chr(ord(written) + _KATAKANA_TO_HIRAGANA) if is_katakana(written) else written
            syllable = of_character(character)
            if syllable is None and character not in MUTE_KANA:
                letters += character
                continue
            found += _spell(letters)
            letters = ""
            if syllable and character in SMALL_KANA and found:
                found[-1] = Syllable(syllable.vowel, found[-1].consonant)
            elif syllable:
                found.append(syllable)
        found += _spell(letters)
    return tuple(found)


def _spell(word: str) -> list[Syllable]:
    """The syllables of a word in letters."""
    plain = "".join(letter for letter in unicodedata.normalize("NFD", word) if not unicodedata.combining(letter))
    if any("\u0400" <= letter <= "\u04ff" for letter in plain):
        plain = plain.replace("y", "у")  # cleaning lyrics turns the Cyrillic letter into its Latin look-alike
    vowels = [LETTER_VOWELS.get(letter) for letter in plain]
    if not any(vowels):
        # A lone consonant says nothing; a script without an alphabet's vowels is read letter by letter.
        return [] if plain.isascii() else [Syllable(arbitrary_vowel(letter)) for letter in plain]
    for place, letter in enumerate(plain[:-1]):
        if letter == "y" and vowels[place + 1] and (place == 0 or not vowels[place - 1]):
            vowels[place] = None  # a consonant, as in "you"
    found: list[Syllable] = []
    for place, vowel in enumerate(vowels):
        if vowel and (place == 0 or not vowels[place - 1]):
            found.append(Syllable(vowel, of_consonant(plain[place - 1]) if place else None))
    # A final e after a consonant is silent in a word of several syllables: "time" has one, "café" two.
    if len(found) > 1 and word[-1] == "e" and not vowels[-2]:
        found.pop()
    return found
