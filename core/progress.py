"""Where a track is on its way, and the sentence people read about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Phase(str, Enum):
    """What a worker is doing (contract section 7, ``worker_phase``)."""

    IDLE = "idle"
    LOADING_BACKBONE = "loading_backbone"
    BACKBONE = "backbone"
    LOADING_SUPERRES = "loading_superres"
    SUPERRES = "superres"
    LOADING_DECODER = "loading_decoder"
    DECODING = "decoding"


_SHARE = {
    # Where each phase begins and ends on the track's 0–100 scale; phases only ever move it forward.
    Phase.IDLE: (0, 0),
    Phase.LOADING_BACKBONE: (0, 2),
    Phase.BACKBONE: (2, 60),
    Phase.LOADING_SUPERRES: (60, 62),
    Phase.SUPERRES: (62, 90),
    Phase.LOADING_DECODER: (90, 91),
    Phase.DECODING: (91, 99),
}

_LOADING_TEXT = {
    Phase.IDLE: "Queued",
    Phase.LOADING_BACKBONE: "Loading backbone model...",
    Phase.LOADING_SUPERRES: "Loading super-resolution model...",
    Phase.LOADING_DECODER: "Loading decoder...",
    Phase.DECODING: "Decoding audio...",
}


@dataclass(frozen=True, kw_only=True)
class Progress:
    """One observation: the phase, how much of it is done (0–1), and the backbone's count and speed."""

    phase: Phase
    fraction: float = 0.0
    tokens: int = 0
    tokens_per_second: float = 0.0

    @property
    def percent(self) -> int:
        """Position on the track's 0–100 scale; 100 is kept for a finished track."""
        start, end = _SHARE[self.phase]
        return int(start + (end - start) * min(max(self.fraction, 0.0), 1.0))

    @property
    def display(self) -> str:
        """Text for people, in the words of contract section 7."""
        percent = int(100 * min(max(self.fraction, 0.0), 1.0))
        if self.phase is Phase.BACKBONE:
            speed = f"{self.tokens_per_second:.0f} tok/s · {self.tokens} tokens"
            return f"Backbone generating · {percent}% · {speed}"
        if self.phase is Phase.SUPERRES:
            return f"Super-Resolution Generating · {percent}%"
        return _LOADING_TEXT[self.phase]
