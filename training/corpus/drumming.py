"""What a drummer plays in a bar, as strings of eight half beats (x = stroke)."""

from __future__ import annotations

from training.corpus.genres import DrumStyle
from training.corpus.texture import DrumLevel, Texture

_Pattern = dict[str, str]

_PATTERNS: dict[DrumStyle, tuple[_Pattern, _Pattern]] = {
    # light, full
    DrumStyle.BACKBEAT: (
        {"kick": "x...x...", "hat": "x.x.x.x."},
        {"kick": "x...x...", "snare": "..x...x.", "hat": "xxxxxxxx"},
    ),
    DrumStyle.ROCK: (
        {"kick": "x...x...", "snare": "..x...x.", "hat": "x.x.x.x."},
        {"kick": "x..xxx..", "snare": "..x...x.", "hat": "xxxxxxxx"},
    ),
    DrumStyle.FOUR_ON_THE_FLOOR: (
        {"kick": "x.x.x.x."},
        {"kick": "x.x.x.x.", "clap": "..x...x.", "open_hat": ".x.x.x.x"},
    ),
    DrumStyle.BOOM_BAP: (
        {"kick": "x....x..", "snare": "..x...x."},
        {"kick": "x..x.x..", "snare": "..x...x.", "hat": "xxxxxxxx"},
    ),
    DrumStyle.SOFT: ({"hat": "x.x.x.x."}, {"kick": "x.......", "rim": "....x...", "hat": "x.x.x.x."}),
    DrumStyle.SWING: ({"hat": "..x...x."}, {"ride": "x.xxx.xx", "hat": "..x...x."}),
    DrumStyle.MACHINE: (
        {"kick": "x...x...", "hat": ".x.x.x.x"},
        {"kick": "x..xx...", "snare": "..x...x.", "hat": ".x.x.x.x"},
    ),
    DrumStyle.SHAKER: ({"shaker": "xxxxxxxx"}, {"kick": "x...x...", "rim": "..x...x.", "shaker": "xxxxxxxx"}),
    DrumStyle.TOMS: ({"tom": "x......."}, {"kick": "x.......", "tom": "x...x.xx"}),
    DrumStyle.CHIP: ({"hat": "x.x.x.x."}, {"kick": "x...x...", "rim": "..x...x.", "hat": ".x.x.x.x"}),
}

_FILLS: dict[DrumStyle, _Pattern] = {
    DrumStyle.BACKBEAT: {"snare": "....xxxx"},
    DrumStyle.ROCK: {"snare": "....xx..", "tom": "......xx"},
    DrumStyle.FOUR_ON_THE_FLOOR: {"clap": "......xx"},
    DrumStyle.BOOM_BAP: {"snare": "....x.xx"},
    DrumStyle.SOFT: {"rim": "....x.xx"},
    DrumStyle.SWING: {"snare": "....x.xx"},
    DrumStyle.MACHINE: {"tom": "....x.xx"},
    DrumStyle.SHAKER: {"rim": "....xxxx"},
    DrumStyle.TOMS: {"tom": "....xxxx"},
    DrumStyle.CHIP: {"rim": "....xxxx"},
}

_WITHOUT_CRASH = (DrumStyle.SOFT, DrumStyle.SHAKER, DrumStyle.SWING)


def strokes(style: DrumStyle, texture: Texture) -> list[tuple[str, int]]:
    """Drums and the half beats (0 … 7) they are struck on."""
    if style is DrumStyle.NONE or texture.drums is DrumLevel.SILENT:
        return []
    pattern = dict(_PATTERNS[style][texture.drums - 1])
    if texture.fill:
        # The first half of the bar goes on as before.
        pattern = {drum: line[:4] for drum, line in pattern.items()}
        for drum, fill in _FILLS[style].items():
            pattern[drum] = pattern.get(drum, "....") + fill[4:]
    elif texture.lifted:
        pattern["open_hat"] = pattern.get("open_hat", ".......x")
    if texture.crash and style not in _WITHOUT_CRASH:
        pattern["crash"] = "x"
    return [(drum, step) for drum, line in pattern.items() for step, stroke in enumerate(line) if stroke == "x"]
