"""Results on disk, a file a section, so that an evaluation run again computes only what is missing or has changed."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Section = dict[str, Any]
"""What a group of meters found: numbers, texts and lists of them, as JSON has them."""

logger = logging.getLogger(__name__)


def fingerprint(paths: Sequence[Path]) -> str:
    """A short name of the content of files and of all files in directories."""
    digest = hashlib.sha256()
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                digest.update(file.name.encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


class Results:
    """The sections of one evaluation in a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.sections: dict[str, Section] = {}

    def section(self, name: str, measured: Mapping[str, object], compute: Callable[[], Section]) -> Section:
        """The section ``name`` of what was ``measured``, computed now unless it was before; its seconds go with it."""
        path = self._directory / f"{name}.json"
        identity = json.loads(json.dumps(measured))
        stored = json.loads(path.read_text()) if path.exists() else {}
        if stored.get("measured") != identity:
            logger.info("measuring %s", name.replace("_", " "))
            started = time.perf_counter()
            found = compute()
            seconds = round(time.perf_counter() - started, 1)
            stored = {"measured": identity, "seconds": seconds, "found": found}
            write_json(path, stored)
        self.sections[name] = stored
        section: Section = stored["found"]
        return section


def write_json(path: Path, content: object) -> None:
    """Write beside the final name first, so that a file that is there is whole."""
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    unfinished.replace(path)
