"""Lyrics for songs of the corpus: lines of common or invented words, in the shapes in which people paste lyrics.

The words mean little on purpose. What a model can learn from them is which vowels are sung and when, and for that
the vowels must not be foreseeable from anything but the text.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

from training.corpus.form import SectionKind, song_form
from training.corpus.melody import LINE_BARS
from training.corpus.song_plan import MINUTES, SongPlan

_WORDS = {
    "english": """
        I you we the a my your our night light love heart time rain fire road home dream sky star moon sun sea
        wind river city window morning summer winter shadow memory feeling falling calling running dancing
        waiting burning shining never always again forever tonight tomorrow maybe only slowly stay go come hold
        take give find leave know see hear want need sing cry fly far near high low blue golden broken lonely
        open silent hello goodbye oh yeah
    """,
    "spanish": """
        yo tú el la mi tu amor corazón noche luna sol cielo mar lluvia fuego camino vida sueño tiempo canción
        luz sombra quiero siento vuelo canto bailo espero nunca siempre hoy mañana contigo sin ti otra vez solo
        lejos aquí azul
    """,
    "french": """
        je tu nous la nuit le jour mon amour coeur ciel mer pluie feu rêve soleil étoile chanson lumière ombre
        matin toujours jamais encore demain loin ici sans toi avec moi danse chante attends reviens bleu doux
        belle ville
    """,
    "japanese": """
        きみ ぼく わたし そら うみ ほし つき よる あさ ゆめ こえ うた なみだ こころ ひかり かぜ
        はな はる ふゆ あめ みち まち いま ずっと もっと きっと また あした さよなら ありがとう
        ふたり ひとり えがお せかい みらい キミ メロディ ダンス
    """,
    "korean": """
        나는 너를 우리 사랑 하늘 바다 별빛 달빛 밤이 꿈을 노래 마음 눈물 바람 비가 내려 봄날
        겨울 기억 다시 오늘 내일 영원히 함께 혼자 안녕 제발 가지마 돌아와 기다려 웃어 울어 춤을
        춰 빛나는
    """,
    "chinese": """
        我 你 我们 爱 心 天空 大海 月光 星 夜 梦 风 雨 花 路 时间 世界 故事 眼泪 声音 温暖
        孤独 永远 今天 明天 不要 一起 走 飞 唱 看 听 想 忘记 回来 离开 等待 你的 我的 春天
        冬天 远方 家
    """,
    "russian": """
        я ты мы любовь ночь день небо море звезда луна солнце дождь ветер огонь дорога дом сон сердце песня свет
        тень время всегда никогда снова завтра сегодня жду лечу пою помню далеко рядом
    """,
}
_INVENTED_ONSETS = (*"bdfghjklmnprstvwz", "sh", "ch", "tr")
_INVENTED_VOWELS = ("a", "e", "i", "o", "u", "ai", "ou", "ea", "y")
_INVENTED_ENDS = ("", "", "", "n", "m", "l", "r", "s", "t")
_LONGEST_WORD = 3

MOST_BYTES_A_MINUTE = 220
"""Longer lyrics are cut and sung again from the start, so that prompts stay short enough to train on."""


def _invented_word(rng: random.Random) -> str:
    parts = rng.randint(1, _LONGEST_WORD)
    syllables = (rng.choice(_INVENTED_ONSETS) + rng.choice(_INVENTED_VOWELS) for _ in range(parts))
    return "".join(syllables) + rng.choice(_INVENTED_ENDS)


def _word_of(language: str) -> Callable[[random.Random], str]:
    words = _WORDS[language].split()
    return lambda rng: rng.choice(words)


@dataclass(frozen=True)
class _Language:
    """How often lyrics are in it, where its words come from, what stands between them, and how many make a line."""

    share: float
    word: Callable[[random.Random], str]
    between: str
    fewest: int
    most: int


_LANGUAGES = (
    _Language(0.40, _word_of("english"), " ", 2, 6),
    _Language(0.20, _invented_word, " ", 2, 5),
    _Language(0.08, _word_of("spanish"), " ", 2, 5),
    _Language(0.06, _word_of("french"), " ", 2, 5),
    _Language(0.08, _word_of("japanese"), "", 2, 4),
    _Language(0.06, _word_of("korean"), " ", 2, 4),
    _Language(0.08, _word_of("chinese"), "", 3, 5),
    _Language(0.04, _word_of("russian"), " ", 2, 4),
)
_HEADINGS = {SectionKind.VERSE: "[Verse]", SectionKind.CHORUS: "[Chorus]"}
_NONE, _MARKED, _SPACED, _TOO_SHORT, _REPEATS_CHORUS = 0.04, 0.6, 0.5, 0.3, 0.5

_MOST_PASTED_BYTES = 1_200
_SINGLE_LINES = 0.5
"""How often pasted lyrics are a line a section; else they are those of a song of three minutes."""


def write_lyrics(plan: SongPlan, rng: random.Random, *, pasted: bool = False) -> tuple[str, ...]:
    """Lines for a sung plan, markers and blank lines among them: about as many as the song has room for, or fewer.

    ``pasted`` ones are as people paste them, who do not count: far too many, or one line for a verse.
    """
    if rng.random() < _NONE:
        return ()
    language = rng.choices(_LANGUAGES, [language.share for language in _LANGUAGES])[0]

    def line() -> str:
        text = language.between.join(language.word(rng) for _ in range(rng.randint(language.fewest, language.most)))
        return text[0].upper() + text[1:]

    single = pasted and rng.random() < _SINGLE_LINES
    minutes = max(MINUTES) if pasted and not single else plan.minutes
    sung = [section for section in song_form(minutes, plan.frames_per_beat) if section.is_sung]
    if single or rng.random() < _TOO_SHORT:
        sung = sung[: rng.randint(1, len(sung))]
    marked, spaced, repeats = (rng.random() < share for share in (_MARKED, _SPACED, _REPEATS_CHORUS))
    written: list[str] = []
    chorus: list[str] = []
    for section in sung:
        stanza = [line() for _ in range(1 if single else section.bars // LINE_BARS)]
        if section.kind is SectionKind.CHORUS and repeats:
            chorus = chorus or stanza
            stanza = [chorus[i % len(chorus)] for i in range(len(stanza))]
        if written and spaced:
            written.append("")
        written += [_HEADINGS[section.kind], *stanza] if marked else stanza
    return tuple(_cut(written, _MOST_PASTED_BYTES if pasted else MOST_BYTES_A_MINUTE * plan.minutes))


def _cut(lines: list[str], most_bytes: int) -> list[str]:
    """The first lines that fit, each with its line break."""
    room = [most_bytes - total for total in accumulate(len(line.encode()) + 1 for line in lines)]
    return [line for line, left in zip(lines, room, strict=True) if left >= 0]
