"""Hugging Face's Llama of the same shape with its static cache."""

from __future__ import annotations

from typing import Any, cast

import torch
from transformers import LlamaConfig, LlamaForCausalLM, StaticCache

from benchmarks.decoders.contender import VOCAB_ROWS
from benchmarks.random_engine import randomised
from models.transformer.config import TransformerConfig


class HuggingFace:
    """``LlamaForCausalLM`` stepped eagerly, its cache filled by hand."""

    name = "transformers, static cache"

    def __init__(self, shape: TransformerConfig, device: torch.device, dtype: torch.dtype) -> None:
        config = LlamaConfig(
            vocab_size=VOCAB_ROWS,
            hidden_size=shape.hidden_size,
            intermediate_size=shape.ffn_size,
            num_hidden_layers=shape.num_layers,
            num_attention_heads=shape.num_heads,
            num_key_value_heads=shape.num_groups,
            head_dim=shape.head_size,
            attention_bias=shape.linear_bias,
            mlp_bias=shape.linear_bias,
            max_position_embeddings=32_768,
            tie_word_embeddings=False,
        )
        self._shape, self._config, self._device, self._dtype = shape, config, device, dtype
        self._model = randomised(LlamaForCausalLM(config), device, dtype, keep_buffers=True)

    def start(self, *, batch: int, context: int, steps: int) -> None:
        # Any: the library types its layers as if they could be of every kind there is.
        self._cache = cast(Any, StaticCache(config=self._config, max_cache_len=context + steps))
        self._cache.early_initialization(
            batch_size=batch,
            num_heads=self._shape.num_groups,
            head_dim=self._shape.head_size,
            dtype=self._dtype,
            device=self._device,
        )
        for layer in self._cache.layers:
            layer.keys[:, :, :context].normal_()
            layer.values[:, :, :context].normal_()
            layer.cumulative_length.fill_(context)
        self._token = torch.zeros(batch, 1, dtype=torch.long, device=self._device)

    @torch.inference_mode()
    def step(self) -> None:
        answer = self._model(self._token, past_key_values=self._cache, use_cache=True)
        self._token = answer.logits[:, -1].argmax(-1, keepdim=True)

    def weight_bytes(self) -> int:
        model = self._model
        return int(sum(p.nbytes for p in model.model.layers.parameters()) + model.lm_head.weight.nbytes)
