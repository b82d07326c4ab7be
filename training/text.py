"""The demo's tokenizer as plain Python: one token a byte, for machines without the ``tokenizers`` library."""

from __future__ import annotations

import numpy as np

from core.codes import IdArray
from core.prompt import MAX_BACKBONE_PROMPT, backbone_segments, to_ids
from core.request import GenerationRequest
from core.token_layout import TokenLayout

TEXT_VOCAB_SIZE = 256


def _byte_ids() -> list[int]:
    """Id of each byte: the place of its printable stand-in in the byte-level alphabet, sorted."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    stand_ins = {byte: byte for byte in printable} | {byte: 256 + place for place, byte in enumerate(others)}
    rank = {letter: place for place, letter in enumerate(sorted(stand_ins.values()))}
    return [rank[stand_ins[byte]] for byte in range(256)]


_IDS = _byte_ids()


def encode_text(text: str) -> list[int]:
    """Ids of a text, the same that the checkpoint's ``tokenizer.json`` gives."""
    return [_IDS[byte] for byte in text.encode()]


def backbone_prompt(request: GenerationRequest, layout: TokenLayout, *, limit: int = MAX_BACKBONE_PROMPT) -> IdArray:
    """Ids of the backbone's prompt, int32 [n]; one beyond ``limit`` is cut as any long prompt is."""
    ids = to_ids(backbone_segments(request, layout), encode_text, limit=limit)
    return np.asarray(ids, dtype=np.int32)
