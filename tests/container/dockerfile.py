"""A Dockerfile as a list of instructions, as far as the project's own uses the language."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

KNOWN = {"ARG", "RUN", "COPY", "WORKDIR", "ENV", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One instruction: ``RUN``, ``COPY`` …, with its arguments as written; ``source`` is the stage of ``--from``."""

    instruction: str
    arguments: str
    source: str | None = None

    @property
    def words(self) -> list[str]:
        """The arguments: split as a shell would, and the list that some end in as JSON."""
        plain, bracket, listed = self.arguments.partition("[")
        if bracket and listed.endswith("]"):
            return [*shlex.split(plain), *map(str, json.loads(bracket + listed))]
        return shlex.split(self.arguments)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What follows one FROM; the last stage is the image."""

    base: str
    name: str
    steps: list[Step] = field(default_factory=list)


def read_dockerfile(path: Path) -> list[Stage]:
    """The stages of a Dockerfile in order; ValueError for an instruction that nothing here knows."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    stages: list[Stage] = []
    for line in filter(None, map(str.strip, re.sub(r"\\\n\s*", " ", text).splitlines())):
        instruction, _, arguments = line.partition(" ")
        if instruction == "FROM":
            base, *alias = re.split(r"\s+AS\s+", arguments.strip())
            stages.append(Stage(base=base, name=alias[0] if alias else "image"))
            continue
        if instruction not in KNOWN or not stages:
            raise ValueError(f"{path.name}: nothing here knows '{line}'")
        source = re.match(r"--from=(\S+)\s+", arguments)
        rest = arguments[source.end() :] if source else arguments
        step = Step(instruction=instruction, arguments=rest.strip(), source=source[1] if source else None)
        stages[-1].steps.append(step)
    return stages
