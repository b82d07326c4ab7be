"""Every setting as a table for the documents, from the settings' own names, types, defaults and descriptions."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, get_args

from pydantic import AliasChoices
from pydantic.fields import FieldInfo

from backend.settings import PROJECT_ROOT, Settings


def settings_table() -> str:
    """Markdown: a row a setting, in the groups and the order of ``backend.settings``."""
    lines = ["| variable | default | what it means |", "| --- | --- | --- |"]
    for group in Settings.model_fields.values():
        kind = group.annotation
        assert kind is not None
        lines += [_row(name, field) for name, field in kind.model_fields.items()]
    return "\n".join(lines) + "\n"


def _row(name: str, field: FieldInfo) -> str:
    names = " or ".join(f"`{variable}`" for variable in _variables(name, field))
    choices = ", ".join(f"`{choice}`" for choice in _choices(field.annotation))
    meaning = f"{field.description or ''} One of {choices}." if choices else field.description or ""
    return f"| {names} | {_default(field.default)} | {meaning.strip()} |"


def _variables(name: str, field: FieldInfo) -> list[str]:
    if isinstance(field.validation_alias, AliasChoices):
        return [str(choice) for choice in field.validation_alias.choices]
    return [f"KHALA_{name.upper()}"]


def _choices(kind: Any) -> Iterator[str]:
    if isinstance(kind, type) and issubclass(kind, Enum):
        yield from (str(member.value) for member in kind)
    elif str(kind).startswith("typing.Literal"):
        yield from map(str, get_args(kind))


def _default(value: Any) -> str:
    if value is None or value == []:
        return "none"
    if isinstance(value, Enum):
        value = value.value
    text = str(value)
    if isinstance(value, Path):
        text = str(value.relative_to(PROJECT_ROOT))
    return f"`{text.replace(f'{PROJECT_ROOT}/', '')}`"
