"""megatron-core's GPTModel with its static inference context."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from megatron.core.inference.contexts import StaticInferenceContext

from benchmarks.decoders.contender import VOCAB_ROWS
from benchmarks.random_engine import randomised
from models.megatron.gpt import MegatronGpt
from models.megatron.process_group import process_group
from models.transformer.config import TransformerConfig
from models.transformer.model import Transformer

_ROOM = 32_768


class MegatronStatic:
    """Its local layers, which need no Transformer Engine; one batch at a time, all tracks of one length."""

    name = "megatron-core, static inference"

    def __init__(self, shape: TransformerConfig, device: torch.device, dtype: torch.dtype) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._group = process_group(Path(self._folder.name) / "store")
        self._group.__enter__()
        with torch.device("meta"):
            model = Transformer(shape, vocab_size=VOCAB_ROWS)
        self._shape, self._device, self._dtype = shape, device, dtype
        self._gpt = MegatronGpt(randomised(model, torch.device("cpu"), torch.float32), room=_ROOM)
        self._gpt.model.to(device, dtype)

    def start(self, *, batch: int, context: int, steps: int) -> None:
        shape = self._shape
        self._context = StaticInferenceContext(batch, context + steps)
        size = (context + steps, batch, shape.num_groups, shape.head_size)
        for layer in range(1, shape.num_layers + 1):
            pair = tuple(torch.randn(size, device=self._device, dtype=self._dtype) for _ in range(2))
            self._context.key_value_memory_dict[layer] = pair
        self._context.increment_sequence_len_offset(context)
        self._context.enable_decode_mode()
        self._token = torch.zeros(batch, dtype=torch.long, device=self._device)

    @torch.inference_mode()
    def step(self) -> None:
        logits = self._gpt.follow(self._context, self._token)
        self._token = logits.argmax(-1)

    def weight_bytes(self) -> int:
        model = self._gpt.model
        return int(sum(p.nbytes for p in model.decoder.parameters()) + model.output_layer.weight.nbytes)

    def close(self) -> None:
        """Leave the process group, so that another can be made."""
        self._group.__exit__(None, None, None)
        self._folder.cleanup()
