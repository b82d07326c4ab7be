"""A cache that grows by concatenation and heads repeated for their groups: how simple ports decode."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from benchmarks.decoders.contender import VOCAB_ROWS
from benchmarks.random_engine import randomised
from models.transformer.config import TransformerConfig
from models.transformer.model import Transformer


class Concatenating:
    """The same layers; the whole vocabulary is projected on, and masked afterwards."""

    name = "concatenating cache"

    def __init__(self, shape: TransformerConfig, device: torch.device, dtype: torch.dtype) -> None:
        with torch.device("meta"):
            model = Transformer(shape, vocab_size=VOCAB_ROWS)
        self._model = randomised(model, device, dtype)

    def start(self, *, batch: int, context: int, steps: int) -> None:
        model = self._model
        shape = (batch, model.config.num_groups, context, model.config.head_size)
        self._keys = [torch.randn(shape, device=model.device, dtype=model.dtype) for _ in model.blocks]
        self._values = [torch.randn_like(keys) for keys in self._keys]
        self._token = torch.zeros(batch, 1, dtype=torch.long, device=model.device)
        self._hidden_from = torch.zeros(VOCAB_ROWS, dtype=torch.bool, device=model.device)

    @torch.inference_mode()
    def step(self) -> None:
        model = self._model
        rotation = model.rotation(torch.tensor([self._keys[0].shape[2]], device=model.device))
        hidden = model(model.embed(self._token), rotation, self._attend)
        logits = F.linear(hidden[:, -1], model.output.weight).float().masked_fill(self._hidden_from, float("-inf"))
        self._token = logits.argmax(-1, keepdim=True)

    def weight_bytes(self) -> int:
        return sum(p.nbytes for p in self._model.blocks.parameters()) + self._model.output.weight.nbytes

    def _attend(self, layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        self._keys[layer] = torch.cat([self._keys[layer], k], dim=2)
        self._values[layer] = torch.cat([self._values[layer], v], dim=2)
        repeats = q.shape[1] // k.shape[1]
        keys, values = (kept[layer].repeat_interleave(repeats, dim=1) for kept in (self._keys, self._values))
        return F.scaled_dot_product_attention(q, keys, values)
