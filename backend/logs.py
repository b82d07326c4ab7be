"""Where the log goes: one line an event, into a file and, where a person watches, the terminal."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def configure_logging(log_file: Path | None = None) -> None:
    """Log to ``log_file`` and to standard error; with a file, standard error only where it is a terminal.

    A launcher that sends standard error into the same file gets every line once, and crashes too.
    """
    handlers: list[logging.Handler] = []
    if log_file is not None:
        log_file.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(logging.FileHandler(log_file, encoding="utf-8"))
    if log_file is None or sys.stderr.isatty():
        handlers.append(logging.StreamHandler())
    logging.basicConfig(level=logging.INFO, format=_FORMAT, handlers=handlers)
    # One line a request of ours to the workers, twice a second, would bury everything else.
    logging.getLogger("httpx").setLevel(logging.WARNING)
