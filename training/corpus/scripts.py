"""Tables of sounds: which vowel, and which kind of consonant before it, a character of a script stands for.

Rules of thumb, not pronunciations: enough for a singer of five vowels.
"""

from __future__ import annotations

from typing import NamedTuple

from training.corpus.voices import VOWELS


class Syllable(NamedTuple):
    """A vowel of ``VOWELS`` and the name of the consonant it starts with, if any."""

    vowel: str
    consonant: str | None = None


LETTER_VOWELS = {
    # Latin, Cyrillic, Greek
    **{letter: letter for letter in VOWELS},
    **dict(zip("yæœø", "ieee", strict=True)),
    **dict(zip("аяэеёиыйоую", "aaeeoiiiouu", strict=True)),
    **dict(zip("αεηιυοω", "aeiiioo", strict=True)),
}
_PLOSIVES = frozenset("pbtdkgcqxпбтдкгπβτδκγ")
_FRICATIVES = frozenset("sfvzhjсфвзхшщжчцσφθχζξψ")

_KANA_VOWELS = {
    kana: vowel
    for vowel, row in {
        "a": "あかさたなはまやらわがざだばぱゃぁ",
        "i": "いきしちにひみりぎじぢびぴぃ",
        "u": "うくすつぬふむゆるぐずづぶぷゅぅんゔ",
        "e": "えけせてねへめれげぜでべぺぇ",
        "o": "おこそとのほもよろをごぞどぼぽょぉ",
    }.items()
    for kana in row
}
SMALL_KANA = frozenset("ゃゅょぁぃぅぇぉ")
"""Kana that only change the vowel of the one before."""
MUTE_KANA = frozenset("っー")
_KANA_PLOSIVES = frozenset("かきくけこたちてとがぎぐげごだでどばびぶべぼぱぴぷぺぽ")
_KANA_FRICATIVES = frozenset("さしすせそはひふへほざじずぜぞつぢづ")

_HANGUL = range(0xAC00, 0xD7A4)
# The 21 medials in code order: a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i.
_HANGUL_VOWELS = "aeaeoeoeoaeeouoeiuuii"
# The 19 initials: g kk n d tt r m b pp s ss (none) j jj ch k t p h.
_HANGUL_PLOSIVES = frozenset((0, 1, 3, 4, 7, 8, 15, 16, 17))
_HANGUL_FRICATIVES = frozenset((9, 10, 12, 13, 14, 18))

_HAN = range(0x3400, 0xA000)
_HAN_VOWELS = {
    # Vowels of the Mandarin readings of the commonest characters of songs; all others get an arbitrary one.
    character: vowel
    for vowel, row in {
        "a": "爱大他她那啊花家下天安然散帆看半山难间边晚暖光忘长想向上望方房浪远漫前年线点面样黄阳霜双",
        "e": "的么得着乐热和这个谁风灯冷梦生声等能成城真深沉门们很认分身神文问恨北给没飞美泪雷水醉睡会非夜人",
        "i": "你一里起期地迷已思丝字此时世事是日之知心今新信情行听星静清影轻命音迹息衣雨去曲遇鱼云寻",
        "o": "我国火多落过说所做昨坐左走口后头有友由游就旧秋留流六楼收受红空中同动东痛懂送从容总手",
        "u": "不无五路步舞出初书如入故古苦哭夫父福图土度独孤处树湖春村都",
    }.items()
    for character in row
}


def is_katakana(character: str) -> bool:
    return "ァ" <= character <= "ヴ"


def of_consonant(letter: str) -> str | None:
    """The kind of noise a letter starts a syllable with."""
    return "plosive" if letter in _PLOSIVES else "fricative" if letter in _FRICATIVES else None


def of_character(character: str) -> Syllable | None:
    """The syllable of a character that stands for one by itself; None for letters of alphabets."""
    code = ord(character)
    if character in _KANA_VOWELS:
        kind = "plosive" if character in _KANA_PLOSIVES else "fricative" if character in _KANA_FRICATIVES else None
        return Syllable(_KANA_VOWELS[character], kind)
    if code in _HANGUL:
        initial, medial = divmod((code - _HANGUL.start) // 28, len(_HANGUL_VOWELS))
        kind = "plosive" if initial in _HANGUL_PLOSIVES else "fricative" if initial in _HANGUL_FRICATIVES else None
        return Syllable(_HANGUL_VOWELS[medial], kind)
    if code in _HAN:
        return Syllable(_HAN_VOWELS.get(character, arbitrary_vowel(character)))
    return None


def arbitrary_vowel(character: str) -> str:
    """A fixed vowel for a character whose sound is not known here."""
    return VOWELS[ord(character) % len(VOWELS)]
