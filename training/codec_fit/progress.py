"""Progress of a long step in the log: how far it is, and how long it will still take."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")

_SECONDS_BETWEEN_LINES = 5.0


def with_progress(name: str, items: Iterable[T], total: int, *, done: int = 0) -> Iterator[T]:
    """The items, with a line in the log every few seconds; ``done`` of the ``total`` were done before."""
    started = spoken = time.monotonic()
    for number, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - spoken >= _SECONDS_BETWEEN_LINES or done + number == total:
            spoken = now
            remaining = (now - started) / number * (total - done - number)
            logger.info("%s: %d of %d, %.0f s, about %.0f s left", name, done + number, total, now - started, remaining)
