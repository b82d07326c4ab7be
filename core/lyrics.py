"""Lyrics as the models were trained to read them: typographic variants folded into plain ASCII."""

from __future__ import annotations

import re


def _table() -> dict[str, str]:
    full_width = {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F) if not 0xFF5B <= code <= 0xFF5D}
    groups = {
        ".": "。·",
        ",": "，、،",
        "!": "！",
        "?": "？",
        ":": "：∶",
        ";": "；",
        "(": "（",
        ")": "）",
        "[": "【〖［",
        "]": "】〗］",
        '"': "「」“”¨",
        "'": "『』‘’′ʼ´｀^",
        "<": "《〈",
        ">": "》〉",
        "~": "～",
        " ": "・\u00a0\u3000\u2005\u2006\u2028",
        "x": "×х",
        "/": "÷",
        "-": "|—–―﹣－",
        "_": "﹏",
        "": "\u200b\ufeff\u202a\u202c\u180e★\ue3ac",
    }
    folded = {variant: plain for plain, variants in groups.items() for variant in variants}
    look_alikes = dict(zip("еаорсуΑΒΕΗΙΚΜΝΟΡΤΥΧΖ", "eaopcyABEHIKMNOPTYXZ", strict=True))
    sequences = {"…": "...", "——": "-", "\u00e2\u0080\u0099": "'"}
    return full_width | folded | look_alikes | sequences


_REPLACEMENTS = _table()
_PATTERN = re.compile("|".join(re.escape(key) for key in sorted(_REPLACEMENTS, key=len, reverse=True)))


def clean_lyrics(text: str) -> str:
    """Fold typographic variants into ASCII, longest match first in one pass, and strip (contract section 2)."""
    return _PATTERN.sub(lambda match: _REPLACEMENTS[match.group()], text).strip()
