"""What each published layout calls the tensors of a transformer (contract section 6).

A ``WeightNames`` answers with tensors in this project's arrangement: one fused qkv (queries, keys, values), one fused
gate and up. Per-layer tensors come one kind after another, so a file that stacks its layers is read once a kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import torch

from core.errors import CheckpointError
from models.checkpoint.qkv_rows import from_groups
from models.checkpoint.tensor_source import RecordingSource, TensorSource, read_checked
from models.transformer.config import TransformerConfig


class WeightNames(Protocol):
    """Access to a transformer's tensors, whatever their names on disk."""

    source: RecordingSource

    def has_fc1_bias(self) -> bool: ...

    def vocab_rows(self) -> int:
        """Rows of the embedding, padding included."""
        ...

    def whole(self, name: str, shape: tuple[int, ...]) -> torch.Tensor:
        """``embedding``, ``output`` or ``norm``."""
        ...

    def per_layer(self, kind: str, parameter: str) -> Iterator[torch.Tensor]:
        """One tensor a layer, read when its turn comes, of ``attention_norm``, ``attention.qkv``, ``attention.out``,
        ``ffn_norm``, ``ffn.gate_up`` or ``ffn.down``; ``parameter`` is ``weight`` or ``bias``."""
        ...


_MEGATRON_WHOLE = {
    "embedding": "embedding.word_embeddings.weight",
    "output": "output_layer.weight",
    "norm": "decoder.final_layernorm.weight",
}
_MEGATRON_LAYER = {
    "attention_norm": "self_attention.linear_qkv.layer_norm_",
    "attention.qkv": "self_attention.linear_qkv.",
    "attention.out": "self_attention.linear_proj.",
    "ffn_norm": "mlp.linear_fc1.layer_norm_",
    "ffn.gate_up": "mlp.linear_fc1.",
    "ffn.down": "mlp.linear_fc2.",
}


class MegatronNames:
    """Megatron's names: one tensor a layer or layers stacked, fc1 whole or in halves."""

    def __init__(self, source: TensorSource, config: TransformerConfig) -> None:
        self.source = RecordingSource(source)
        self._config = config
        self._stacked = "decoder.layers.mlp.linear_fc2.weight" in source.shapes

    def has_fc1_bias(self) -> bool:
        return any("mlp.linear_fc1.bias" in name for name in self.source.shapes)

    def vocab_rows(self) -> int:
        return _rows(self.source, _MEGATRON_WHOLE["embedding"])

    def whole(self, name: str, shape: tuple[int, ...]) -> torch.Tensor:
        return read_checked(self.source, _MEGATRON_WHOLE[name], shape)

    def per_layer(self, kind: str, parameter: str) -> Iterator[torch.Tensor]:
        shape = expected_shape(self._config, kind, parameter)
        suffix = _MEGATRON_LAYER[kind] + parameter
        halved = kind == "ffn.gate_up" and any(name.endswith(f"{suffix}_w") for name in self.source.shapes)
        if halved:
            half = (shape[0] // 2, *shape[1:])
            gate, up = self._read(f"{suffix}_w", half), self._read(f"{suffix}_v", half)
            yield from (torch.cat(pair) for pair in zip(gate, up, strict=True))
        elif kind == "attention.qkv":
            yield from (from_groups(layer, self._config) for layer in self._read(suffix, shape))
        else:
            yield from self._read(suffix, shape)

    def _read(self, suffix: str, shape: tuple[int, ...]) -> Iterator[torch.Tensor]:
        layers = self._config.num_layers
        if self._stacked:
            yield from read_checked(self.source, f"decoder.layers.{suffix}", (layers, *shape)).unbind()
            return
        for layer in range(layers):
            yield read_checked(self.source, f"decoder.layers.{layer}.{suffix}", shape)


_PORT_WHOLE = {"embedding": "embed.weight", "output": "lm_head.weight", "norm": "norm.weight"}
_PORT_LAYER = {
    "attention_norm": ["input_norm"],
    "attention.qkv": ["attn.q_proj", "attn.k_proj", "attn.v_proj"],
    "attention.out": ["attn.o_proj"],
    "ffn_norm": ["post_attn_norm"],
    "ffn.gate_up": ["mlp.gate_proj", "mlp.up_proj"],
    "ffn.down": ["mlp.down_proj"],
}


class PortNames:
    """The names of the Apple-silicon port, whose projections are all separate."""

    def __init__(self, source: TensorSource, config: TransformerConfig) -> None:
        self.source = RecordingSource(source)
        self._config = config

    def has_fc1_bias(self) -> bool:
        return any(name.endswith("mlp.gate_proj.bias") for name in self.source.shapes)

    def vocab_rows(self) -> int:
        return _rows(self.source, _PORT_WHOLE["embedding"])

    def whole(self, name: str, shape: tuple[int, ...]) -> torch.Tensor:
        return read_checked(self.source, _PORT_WHOLE[name], shape)

    def per_layer(self, kind: str, parameter: str) -> Iterator[torch.Tensor]:
        config = self._config
        rows, *rest = expected_shape(config, kind, parameter)
        sizes = {
            "attention.qkv": [config.query_size, config.key_value_size, config.key_value_size],
            "ffn.gate_up": [config.ffn_size, config.ffn_size],
        }.get(kind, [rows])
        parts = [(name, (size, *rest)) for name, size in zip(_PORT_LAYER[kind], sizes, strict=True)]
        for layer in range(config.num_layers):
            yield torch.cat(
                [read_checked(self.source, f"layers.{layer}.{name}.{parameter}", shape) for name, shape in parts]
            )


def _rows(source: TensorSource, embedding: str) -> int:
    if embedding not in source.shapes:
        raise CheckpointError(source.path, "is missing; the embedding of the vocabulary was expected", tensor=embedding)
    shape = source.shapes[embedding]
    if len(shape) != 2:
        raise CheckpointError(source.path, f"has shape {list(shape)}; two dimensions were expected", tensor=embedding)
    return shape[0]


def expected_shape(config: TransformerConfig, kind: str, parameter: str) -> tuple[int, ...]:
    """Shape of one layer's tensor in this project's arrangement."""
    rows, columns = {
        "attention_norm": (config.hidden_size, 0),
        "attention.qkv": (config.query_size + 2 * config.key_value_size, config.hidden_size),
        "attention.out": (config.hidden_size, config.query_size),
        "ffn_norm": (config.hidden_size, 0),
        "ffn.gate_up": (2 * config.ffn_size, config.hidden_size),
        "ffn.down": (config.hidden_size, config.ffn_size),
    }[kind]
    return (rows, columns) if parameter == "weight" and columns else (rows,)
