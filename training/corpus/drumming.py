"""What a drummer plays in a bar, as strings of eight half beats (x = stroke)."""

from __future__ import annotations

from training.corpus.genres import DrumStyle
from training.corpus.texture import Texture

_Pattern = dict[str, str]

_KNOCKED: _Pattern = {"rim": "x.x.x.x.", "hat": ".x.x.x.x"}
_RIDDEN: _Pattern = {"ride": "x.x.x.x.", "hat": ".x.x.x.x"}
_SHAKEN: _Pattern = {"rim": "x.x.x.x.", "shaker": ".x.x.x.x"}
"""How time is kept. Something is struck on every half beat, and beats sound unlike what lies between them: so the metre
can always be heard."""

_PATTERNS: dict[DrumStyle, tuple[_Pattern, _Pattern, _Pattern]] = {
    # Keeping time, light, full.
    DrumStyle.BACKBEAT: (
        _KNOCKED,
        {"kick": "x...x...", "rim": "..x...x.", "hat": ".x.x.x.x"},
        {"kick": "x...x...", "snare": "..x...x.", "hat": ".x.x.x.x"},
    ),
    DrumStyle.ROCK: (
        _RIDDEN,
        {"kick": "x..xxx..", **_RIDDEN},
        {"kick": "x..xxx..", "snare": "..x...x.", **_RIDDEN},
    ),
    DrumStyle.FOUR_ON_THE_FLOOR: (
        _KNOCKED,
        {"kick": "x.x.x.x.", "hat": ".x.x.x.x"},
        {"kick": "x.x.x.x.", "clap": "..x...x.", "open_hat": ".x.x.x.x"},
    ),
    DrumStyle.BOOM_BAP: (
        _KNOCKED,
        {"kick": "x....x..", "rim": "..x.x.x.", "hat": ".x.x.x.x"},
        {"kick": "x..x.x..", "snare": "..x...x.", "rim": "....x...", "hat": ".x.x.x.x"},
    ),
    DrumStyle.SOFT: (
        _KNOCKED,
        {"kick": "x.......", "rim": "..x.x.x.", "hat": ".x.x.x.x"},
        {"kick": "x...x...", "rim": "..x...x.", "hat": ".x.x.x.x"},
    ),
    DrumStyle.SWING: (
        _RIDDEN,
        {"rim": "..x...x.", **_RIDDEN},
        {"kick": "x...x...", "rim": "..x...x.", **_RIDDEN},
    ),
    DrumStyle.MACHINE: (
        _KNOCKED,
        {"kick": "x..xx...", "rim": "..x...x.", "hat": ".x.x.x.x"},
        {"kick": "x..xx...", "clap": "..x...x.", "hat": ".x.x.x.x"},
    ),
    DrumStyle.SHAKER: (
        _SHAKEN,
        {"kick": "x...x...", "rim": "..x...x.", "shaker": ".x.x.x.x"},
        {"kick": "x...x...", "clap": "..x...x.", "shaker": ".x.x.x.x"},
    ),
    DrumStyle.TOMS: (
        _SHAKEN,
        {"tom": "x...x...", "rim": "..x...x.", "shaker": ".x.x.x.x"},
        {"kick": "x...x...", "tom": "..x...xx", "shaker": ".x.x.x.x"},
    ),
    DrumStyle.CHIP: (
        _KNOCKED,
        {"kick": "x...x...", "rim": "..x...x.", "hat": ".x.x.x.x"},
        {"kick": "x.x.x.x.", "snare": "..x...x.", "hat": ".x.x.x.x"},
    ),
}

_FILLS: dict[DrumStyle, _Pattern] = {
    # the second half of the bar
    DrumStyle.BACKBEAT: {"snare": "xxxx"},
    DrumStyle.ROCK: {"snare": "xx..", "tom": "..xx"},
    DrumStyle.FOUR_ON_THE_FLOOR: {"clap": "xxxx"},
    DrumStyle.BOOM_BAP: {"snare": "xxxx"},
    DrumStyle.SOFT: {"rim": "xxxx"},
    DrumStyle.SWING: {"snare": "xxxx"},
    DrumStyle.MACHINE: {"tom": "xxxx"},
    DrumStyle.SHAKER: {"rim": "xxxx"},
    DrumStyle.TOMS: {"tom": "xxxx"},
    DrumStyle.CHIP: {"kick": "xxxx"},
}

_WITHOUT_CRASH = (DrumStyle.SOFT, DrumStyle.SHAKER, DrumStyle.SWING)


def strokes(style: DrumStyle, texture: Texture) -> list[tuple[str, int]]:
    """Drums and the half beats (0 … 7) they are struck on."""
    if style is DrumStyle.NONE:
        return []
    pattern = dict(_PATTERNS[style][texture.drums])
    if texture.fill:
        # The first half of the bar goes on as before.
        pattern = {drum: line[:4] for drum, line in pattern.items()}
        for drum, fill in _FILLS[style].items():
            pattern[drum] = pattern.get(drum, "....") + fill
    elif texture.lifted:
        pattern["clap"] = pattern.get("clap", ".......")[:7] + "x"
    if texture.crash and style not in _WITHOUT_CRASH:
        pattern["crash"] = "x"
    return [(drum, step) for drum, line in pattern.items() for step, stroke in enumerate(line) if stroke == "x"]
