"""The project's own transformer, cache and sampling, as ``models.backbone`` steps them."""

from __future__ import annotations

import numpy as np
import torch

from benchmarks.decoders.contender import VOCAB_ROWS
from benchmarks.random_engine import randomised
from benchmarks.shapes import LAYOUT
from core.engine import BackboneTask
from models.backbone import NativeBackbone
from models.transformer.config import TransformerConfig
from models.transformer.model import Transformer


class Native:
    """The engine itself: its steps include drawing from the window and the masks of tracks of unequal length."""

    name = "native"

    def __init__(self, shape: TransformerConfig, device: torch.device, dtype: torch.dtype) -> None:
        with torch.device("meta"):
            model = Transformer(shape, vocab_size=VOCAB_ROWS)
        self._model = randomised(model, device, dtype)
        self._backbone = NativeBackbone(self._model, LAYOUT)

    @torch.inference_mode()
    def start(self, *, batch: int, context: int, steps: int) -> None:
        prompt = np.arange(context, dtype=np.int32) % LAYOUT.text_vocab_size
        task = BackboneTask(
            prompt=prompt, seed=0, top_k=1, temperature=1.0, max_frames=steps, expected_tokens=2 * steps
        )
        self._batch = self._backbone.begin([task] * batch)

    @torch.inference_mode()
    def step(self) -> None:
        self._batch.step()

    def weight_bytes(self) -> int:
        blocks = self._model.blocks
        in_blocks = sum(tensor.nbytes for tensor in (*blocks.parameters(), *blocks.buffers()))
        return in_blocks + self._backbone._heads[0].nbytes
