"""The prompts of the two models, as segments that keep user text and special tokens apart.

A segment is either a token id or text a person wrote; only the tokenizer turns the latter into ids, and it never
reads a special token out of it. So nothing a person types can steer the model's format.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import TypeAlias

import numpy as np

from core.codes import IdArray
from core.request import GenerationRequest, Mode, PromptMode
from core.token_layout import TokenLayout

Segment: TypeAlias = "int | str"
Encode: TypeAlias = Callable[[str], list[int]]
"""From a person's text to ids, never a special token."""

MAX_BACKBONE_PROMPT = 4096
MAX_SUPERRES_PROMPT = 2048
INSTRUMENTAL_LANGUAGE = "Instrumental"


class SuperresTextMode(str, Enum):
    """What super-resolution reads of the backbone's text (contract section 2)."""

    SAME = "same_as_backbone"
    WITHOUT_DESCRIPTION = "same_as_backbone_no_description"
    LANGUAGE_ONLY = "language_only"


def backbone_segments(request: GenerationRequest, layout: TokenLayout) -> list[Segment]:
    """The backbone's prompt (contract section 2)."""
    return _segments(request, layout, request.metadata_text)


def superres_segments(
    request: GenerationRequest,
    layout: TokenLayout,
    text_mode: SuperresTextMode = SuperresTextMode.WITHOUT_DESCRIPTION,
) -> list[Segment]:
    """Super-resolution's prompt: the backbone's, with its metadata kept or emptied as ``text_mode`` says."""
    described = request.prompt_mode is PromptMode.NATURAL
    drop = text_mode is SuperresTextMode.LANGUAGE_ONLY or (
        text_mode is SuperresTextMode.WITHOUT_DESCRIPTION and described
    )
    return _segments(request, layout, "" if drop else request.metadata_text)


def _segments(request: GenerationRequest, layout: TokenLayout, metadata: str) -> list[Segment]:
    # Blank metadata counts as none at all, so that " " and "" make the same prompt.
    metadata = metadata if metadata.strip() else ""
    separator = layout.end_of_field
    duration = layout.reserved(request.duration_minutes)
    tail: list[Segment] = [separator, duration, layout.end_of_condition, layout.begin_of_audio]
    if request.mode is Mode.INSTRUMENTAL:
        return [layout.begin_of_text, metadata, separator, INSTRUMENTAL_LANGUAGE, *tail]
    sung: list[Segment] = [layout.begin_of_lyrics]
    for line in request.cleaned_lyrics.split("\n"):
        sung += [layout.end_of_line, line]
    return [layout.begin_of_text, metadata, separator, "", separator, *sung, *tail]


def backbone_prompt(
    request: GenerationRequest, layout: TokenLayout, encode: Encode, *, limit: int = MAX_BACKBONE_PROMPT
) -> IdArray:
    """Ids of the backbone's prompt, int32 [n]; ``limit`` as in ``to_ids``."""
    return np.asarray(to_ids(backbone_segments(request, layout), encode, limit=limit), np.int32)


def superres_prompt(
    request: GenerationRequest,
    layout: TokenLayout,
    encode: Encode,
    text_mode: SuperresTextMode = SuperresTextMode.WITHOUT_DESCRIPTION,
    *,
    limit: int = MAX_SUPERRES_PROMPT,
) -> IdArray:
    """Ids of super-resolution's prompt, int32 [n]; ``limit`` as in ``to_ids``."""
    return np.asarray(to_ids(superres_segments(request, layout, text_mode), encode, limit=limit), np.int32)


def to_ids(segments: Sequence[Segment], encode: Encode, *, limit: int) -> list[int]:
    """Ids of a prompt; one that is too long keeps its first ``limit - 1`` ids and its last."""
    ids: list[int] = []
    for segment in segments:
        ids += [segment] if isinstance(segment, int) else encode(segment) if segment else []
    return ids if len(ids) <= limit else [*ids[: limit - 1], ids[-1]]
