"""``khala.json``: what a checkpoint of this project says of itself; published ones have none."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

from core.errors import CheckpointError
from core.request import DURATION_MINUTES

CARD_FILE = "khala.json"


@dataclass(frozen=True, kw_only=True)
class CheckpointCard:
    """Name, whether it was trained, how often its fc1 bias is meant, and under which licence it may be used.

    ``longest`` is for small models, which now and then miss the end of a song: how many times the asked length they
    are let go on for. ``suggested_minutes`` is the length that they are best at: the page begins with it.
    """

    name: str
    trained: bool
    fc1_bias: str | None = None
    licence: str | None = None
    longest: float | None = None
    suggested_minutes: int | None = None

    def write(self, root: Path) -> None:
        (root / CARD_FILE).write_text(json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def read(cls, root: Path) -> CheckpointCard | None:
        """The card of a checkpoint tree, if it has one."""
        path = root / CARD_FILE
        if not path.exists():
            return None
        try:
            card = cls(**json.loads(path.read_text()))
        except (OSError, ValueError, TypeError) as error:
            raise CheckpointError(path, f"the file is damaged or has unknown fields ({error})") from error
        if not isinstance(card.name, str) or not isinstance(card.trained, bool):
            raise CheckpointError(path, "'name' must be a string and 'trained' true or false")
        if card.fc1_bias not in (None, "once", "twice"):
            raise CheckpointError(path, f"fc1_bias is '{card.fc1_bias}'; 'once' or 'twice' was expected")
        if card.longest is not None and not (type(card.longest) in (int, float) and 1 <= card.longest < math.inf):
            raise CheckpointError(path, f"longest is {card.longest!r}; a number of at least 1 was expected")
        minutes = card.suggested_minutes
        if minutes is not None and (type(minutes) is not int or DURATION_MINUTES.clamp(minutes) != minutes):
            raise CheckpointError(path, f"suggested_minutes is {minutes!r}; whole minutes from 1 to 10 were expected")
        return card
