"""THIRD_PARTY.md names every package the system runs on; a failure prints the document as it should be."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def runtime_packages() -> list[str]:
    """Names in requirements.txt."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    names = {re.split(r"[=\[]", line)[0] for line in lines if line and not line.startswith("#")}
    return sorted(names, key=str.lower)


def licence(name: str) -> str:
    """In the package's own words, the short ones where it has them."""
    try:
        about: Any = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return "MIT"  # exceptiongroup and tomli, which only Python 3.10 needs
    stated = about.get("License-Expression") or ""
    classifiers = [
        line.rsplit(" :: ", 1)[1] for line in about.get_all("Classifier") or [] if line.startswith("License ::")
    ]
    first_line = (about.get("License") or "").strip().splitlines()
    return stated or ", ".join(classifiers) or (first_line[0] if first_line else "see the package")


def document() -> str:
    rows = [f"| {name} | {licence(name)} |" for name in runtime_packages()]
    return "\n".join(
        [
            "# Third-party software",
            "",
            "What an installation brings along, in versions that `requirements.txt` fixes, under the licences that",
            "the packages state. On x86-64 Linux, torch also installs NVIDIA's CUDA libraries under NVIDIA's licence.",
            "imageio-ffmpeg contains an ffmpeg program (GPL), which is run as a process of its own to write MP3 files.",
            "The page's packages are in `frontend/package.json`: MIT, ISC, 0BSD, BSD-3-Clause and Apache-2.0, with a",
            "typeface under the Open Font Licence.",
            "",
            "| package | licence |",
            "| --- | --- |",
            *rows,
            "",
        ]
    )


def test_every_package_is_named() -> None:
    written = (ROOT / "THIRD_PARTY.md").read_text()
    missing = [name for name in runtime_packages() if f"| {name} |" not in written]
    assert not missing, f"THIRD_PARTY.md should be:\n{document()}"
