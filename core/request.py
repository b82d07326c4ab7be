"""What a person asks for: one song request and how to sample it.

Owns every limit of the API. Knows nothing of HTTP; the edges turn InvalidRequest into their own words.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum

from core.errors import InvalidRequest
from core.lyrics import clean_lyrics

MAX_PROMPT_CHARACTERS = 4_000
MAX_LYRICS_CHARACTERS = 20_000
MAX_SEED = 2**32 - 1


class Mode(str, Enum):
    """Whether the song is sung."""

    VOCAL = "vocal"
    INSTRUMENTAL = "instrumental"


class PromptMode(str, Enum):
    """Whether the description is a comma-separated tag list or free text."""

    TAGS = "tags"
    NATURAL = "natural"


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A closed range with its default."""

    low: float
    high: float
    default: float

    def check(self, name: str, value: float) -> None:
        """Raise InvalidRequest unless ``value`` is inside."""
        if not (math.isfinite(value) and self.low <= value <= self.high):
            raise InvalidRequest(name, f"must be between {self.low:g} and {self.high:g}, not {value}")

    def clamp(self, value: float) -> float:
        return min(max(value, self.low), self.high)


DURATION_MINUTES = Limit(low=1, high=10, default=3)
TOP_K_BACKBONE = Limit(low=1, high=200, default=80)
TOP_K_SUPERRES = Limit(low=1, high=1024, default=10)
TEMPERATURE = Limit(low=0.6, high=1.4, default=1.0)
NUM_TRACKS = Limit(low=1, high=4, default=2)


@dataclass(frozen=True, kw_only=True)
class SamplingOptions:
    """How tokens are drawn: top-k of each stage, and the backbone's temperature."""

    top_k_backbone: int = int(TOP_K_BACKBONE.default)
    top_k_superres: int = int(TOP_K_SUPERRES.default)
    temperature: float = TEMPERATURE.default

    def __post_init__(self) -> None:
        TOP_K_BACKBONE.check("top_k_bb", self.top_k_backbone)
        TOP_K_SUPERRES.check("top_k_sr", self.top_k_superres)
        TEMPERATURE.check("temperature", self.temperature)


@dataclass(frozen=True, kw_only=True)
class GenerationRequest:
    """One song request; every field is checked when it is built."""

    mode: Mode = Mode.VOCAL
    prompt_mode: PromptMode = PromptMode.TAGS
    prompt: str = ""
    tags: str = ""
    lyrics: str = ""
    duration_minutes: int = int(DURATION_MINUTES.default)
    sampling: SamplingOptions = field(default_factory=SamplingOptions)

    def __post_init__(self) -> None:
        DURATION_MINUTES.check("duration", self.duration_minutes)
        for name, limit in (
            ("prompt", MAX_PROMPT_CHARACTERS),
            ("tags", MAX_PROMPT_CHARACTERS),
            ("lyrics", MAX_LYRICS_CHARACTERS),
        ):
            _check_text(name, getattr(self, name), limit)

    @property
    def metadata_text(self) -> str:
        """The description the models read: the prompt in natural mode, the tag list in tag mode."""
        return self.prompt if self.prompt_mode is PromptMode.NATURAL else self.tags

    @property
    def cleaned_lyrics(self) -> str:
        """Lyrics as the models read them; empty for an instrumental request."""
        return clean_lyrics(self.lyrics) if self.mode is Mode.VOCAL else ""

    def warnings(self) -> list[str]:
        """What a person should know about a request that is legal but odd."""
        found = []
        if self.mode is Mode.VOCAL and not self.cleaned_lyrics:
            found.append("Vocal mode without lyrics: the model will have no words to sing.")
        if not self.metadata_text.strip():
            name = "prompt" if self.prompt_mode is PromptMode.NATURAL else "tags"
            found.append(f"The {name} field is empty: the model chooses the style by itself.")
        return found


def clamp_with_warnings(*, duration: int, top_k_backbone: int, temperature: float) -> tuple[int, int, float, list[str]]:
    """Bring the three forgiving fields into range, saying so for each that moved (contract section 7)."""
    given: list[tuple[str, float, Limit]] = [
        ("duration", duration, DURATION_MINUTES),
        ("top_k_bb", top_k_backbone, TOP_K_BACKBONE),
        ("temperature", temperature, TEMPERATURE),
    ]
    warnings, values = [], []
    for name, value, limit in given:
        if not math.isfinite(value):
            raise InvalidRequest(name, f"must be a number between {limit.low:g} and {limit.high:g}, not {value}")
        kept = limit.clamp(value)
        if kept != value:
            warnings.append(f"{name} {value:g} is outside {limit.low:g}–{limit.high:g}; {kept:g} is used instead.")
        values.append(kept)
    return int(values[0]), int(values[1]), float(values[2]), warnings


def track_seeds(seed: int, num_tracks: int) -> list[int]:
    """One seed a track: the request's own for the first, its successors for the others.

    A track can so be made again alone, by asking for one track with that track's seed: on a CPU, or where tracks are
    written one after another; on a GPU a batch may sum in another order.
    """
    if not 0 <= seed <= MAX_SEED:
        raise InvalidRequest("seed", f"must be a whole number from 0 to {MAX_SEED}, not {seed}")
    NUM_TRACKS.check("num_tracks", num_tracks)
    return [(seed + index) % (MAX_SEED + 1) for index in range(num_tracks)]


def _check_text(name: str, text: str, limit: int) -> None:
    if len(text) > limit:
        raise InvalidRequest(name, f"must be at most {limit} characters, not {len(text)}")
    if "\x00" in text:
        raise InvalidRequest(name, "must not contain NUL characters")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidRequest(name, "must be valid Unicode text (it contains half of a surrogate pair)") from None
