"""Where the log goes: one line an event, into a file and, where a person watches, the terminal.

Whatever is logged while a job is worked on carries the job's id: in text where the message does not name it anyway, in
JSON always.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal

_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"

_job: ContextVar[str | None] = ContextVar("job", default=None)


@contextmanager
def log_job(job_id: str) -> Iterator[None]:
    """What is logged inside the block belongs to this job."""
    token = _job.set(job_id)
    try:
        yield
    finally:
        _job.reset(token)


def configure_logging(log_file: Path | None = None, *, log_format: Literal["text", "json"] = "text") -> None:
    """Log to ``log_file`` and to standard error; with a file, standard error only where it is a terminal.

    A launcher that sends standard error into the same file gets every line once, and crashes too.
    """
    handlers: list[logging.Handler] = []
    if log_file is not None:
        log_file.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(logging.FileHandler(log_file, encoding="utf-8"))
    if log_file is None or sys.stderr.isatty():
        handlers.append(logging.StreamHandler())
    for handler in handlers:
        handler.setFormatter(JsonLines() if log_format == "json" else TextLines())
    logging.basicConfig(level=logging.INFO, handlers=handlers)
    # One line a request of ours to the workers, twice a second, would bury everything else.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)


class TextLines(logging.Formatter):
    """Lines for people."""

    def __init__(self) -> None:
        super().__init__(_FORMAT)

    def formatMessage(self, record: logging.LogRecord) -> str:
        line = super().formatMessage(record)
        job_id = _job.get()
        return f"{line} [job {job_id}]" if job_id and job_id not in line else line


class JsonLines(logging.Formatter):
    """Lines for programs: one JSON object each."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "job_id": _job.get(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
