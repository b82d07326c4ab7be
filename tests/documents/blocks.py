"""Code blocks of the project's Markdown files, each with the reason why the tests leave it out, if there is one."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_BLOCK = re.compile(
    r"^(?:<!-- not run: (?P<reason>.+?) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_NOT_OURS = {"node_modules", "dist"}
_COMMENT = re.compile(r"(^|\s)#.*$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Block:
    """``place`` is file:line; ``reason`` says why nobody runs it here, and is empty when it is run."""

    place: str
    language: str
    text: str
    reason: str

    @property
    def commands(self) -> list[str]:
        """Lines of a shell block without comments, continued ones as one."""
        text = _COMMENT.sub("", self.text.replace("\\\n", " "))
        return [line.strip() for line in text.splitlines() if line.strip()]


def documents() -> list[Path]:
    """Every Markdown file of the project's own; weights that were downloaded or trained bring theirs."""
    found = []
    for folder, folders, files in os.walk(ROOT):
        if Path(folder) == ROOT / "checkpoints":
            folders[:] = ["demo"]
        folders[:] = [
            name
            for name in folders
            if name not in _NOT_OURS and not name.startswith(".") and not Path(folder, name, "pyvenv.cfg").exists()
        ]
        found += [Path(folder, name) for name in files if name.endswith(".md")]
    return sorted(found)


def blocks() -> list[Block]:
    """Every fenced block of every document, in reading order."""
    found = []
    for path in documents():
        text = path.read_text(encoding="utf-8")
        for match in _BLOCK.finditer(text):
            line = text.count("\n", 0, match.start("language")) + 1
            found.append(
                Block(
                    place=f"{path.relative_to(ROOT)}:{line}",
                    language=match["language"],
                    text=match["text"],
                    reason=match["reason"] or "",
                )
            )
    return found
