"""megatron-core's GPTModel with its static inference context."""

from __future__ import annotations

import atexit
import tempfile
from contextlib import ExitStack
from pathlib import Path

import torch

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
        group = ExitStack()
        atexit.register(group.close)  # megatron-core needs it for as long as the model is used
        folder = group.enter_context(tempfile.TemporaryDirectory())
        group.enter_context(process_group(Path(folder) / "store", device))
        with torch.device("meta"):
            model = Transformer(shape, vocab_size=VOCAB_ROWS)
        self._device = device
        self._gpt = MegatronGpt(randomised(model, device, dtype), room=_ROOM)

    def start(self, *, batch: int, context: int, steps: int) -> None:
        self._context = self._gpt.cache(batch, context + steps)
        for pair in self._context.key_value_memory_dict.values():
            for kept in pair:
                kept.normal_()
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
