"""How much memory a checkpoint asks for, computed from its sizes; nothing is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from core.engine import RuntimeMode
from core.pipeline import MAX_SEQUENCE_TOKENS, expected_frames
from core.request import DURATION_MINUTES
from core.token_layout import COARSE_LAYERS
from models.devices import Formats
from models.transformer.config import TransformerConfig
from models.transformer.model import Transformer
from models.transformer.quantize import Quantize

_WORKSPACE_GB = 1.5
"""What activations, the codec's chunks and the libraries take beside weights and cache."""

_FRAMES_PER_SECOND = 44_100 / 2_048
_PROMPT_TOKENS = 512


def block_numbers(config: TransformerConfig) -> int:
    """Weights of all blocks: what a decode step reads, embeddings and output rows apart."""
    with torch.device("meta"):
        return sum(p.numel() for p in Transformer(config, vocab_size=1).blocks.parameters())


@dataclass(frozen=True, kw_only=True)
class MemoryNeed:
    """Two transformers of one shape that hold so many numbers each: the backbone, then super-resolution."""

    config: TransformerConfig
    stage_numbers: Sequence[int]
    formats: Formats
    quantize: Quantize = Quantize.NONE
    runtime_mode: RuntimeMode = RuntimeMode.ONE_SHOT
    caches_float32: bool = False
    """As a CPU does, whatever the weights' format is."""

    def weights_gb(self) -> float:
        """Weights that lie in memory together."""
        gigabytes = self._stages_gb()
        return sum(gigabytes) if self.runtime_mode is RuntimeMode.KEEP_LOADED else max(gigabytes)

    def total_gb(self, *, tracks: int, minutes: float = DURATION_MINUTES.default) -> float:
        """With so many tracks of so many minutes at once."""
        backbone, superres = self._stages_gb()
        song = COARSE_LAYERS * expected_frames(minutes, _FRAMES_PER_SECOND)
        positions = min(_PROMPT_TOKENS + song, MAX_SEQUENCE_TOKENS)
        cached_numbers = 2 * self.config.num_layers * self.config.key_value_size * positions * tracks
        cached = torch.float32 if self.caches_float32 else self.formats.backbone
        writing = backbone + cached_numbers * cached.itemsize / 1e9
        keeps = self.runtime_mode is RuntimeMode.KEEP_LOADED
        return (writing + superres if keeps else max(writing, superres)) + _WORKSPACE_GB

    def _stages_gb(self) -> list[float]:
        blocks = block_numbers(self.config)
        # Embeddings and output rows stay as they are (models.transformer.quantize).
        gigabytes = []
        for numbers, dtype in zip(self.stage_numbers, (self.formats.backbone, self.formats.superres), strict=True):
            block_bytes = 1 if self.quantize is Quantize.INT8 else dtype.itemsize
            gigabytes.append((blocks * block_bytes + (numbers - blocks) * dtype.itemsize) / 1e9)
        return gigabytes
