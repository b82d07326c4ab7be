"""Grouped-query attention: projections, rotation, and the ways a query may see keys.

Legend: B batch, T time, H hidden, N heads, G key/value groups, D head size.
"""

from __future__ import annotations

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import nn

from models.transformer.config import TransformerConfig
from models.transformer.linear import Linear
from models.transformer.rotary import Rotation


class Attend(Protocol):
    """How the queries of one call see keys and values; stateful ones keep a cache."""

    def __call__(self, layer: int, q_BNTD: torch.Tensor, k_BGTD: torch.Tensor, v_BGTD: torch.Tensor) -> torch.Tensor:
        """The attended values, [B, N, T, D]."""
        ...


class Attention(nn.Module):
    """One attention layer; rows of ``qkv`` are all queries, then all keys, then all values."""

    def __init__(self, config: TransformerConfig, layer: int) -> None:
        super().__init__()
        self.layer = layer
        self.head_size = config.head_size
        self.num_heads, self.num_turned = config.num_heads, config.num_heads + config.num_groups
        self.qkv = Linear(config.hidden_size, config.query_size + 2 * config.key_value_size, bias=config.linear_bias)
        self.out = Linear(config.query_size, config.hidden_size, bias=config.linear_bias)

    def forward(self, x_BTH: torch.Tensor, rotation: Rotation, attend: Attend) -> torch.Tensor:
        heads = self.qkv(x_BTH).unflatten(-1, (-1, self.head_size)).transpose(1, 2)
        turned = rotation.apply(heads[:, : self.num_turned])
        queries, keys, values = turned[:, : self.num_heads], turned[:, self.num_heads :], heads[:, self.num_turned :]
        mixed = attend(self.layer, queries, keys, values)
        projected: torch.Tensor = self.out(mixed.transpose(1, 2).flatten(-2))
        return projected


def attend_full(layer: int, q_BNTD: torch.Tensor, k_BGTD: torch.Tensor, v_BGTD: torch.Tensor) -> torch.Tensor:
    """Every position sees every other: super-resolution."""
    return F.scaled_dot_product_attention(q_BNTD, k_BGTD, v_BGTD, enable_gqa=True)


def attend_causal(layer: int, q_BNTD: torch.Tensor, k_BGTD: torch.Tensor, v_BGTD: torch.Tensor) -> torch.Tensor:
    """Every position sees itself and the past: the backbone without a cache."""
    return F.scaled_dot_product_attention(q_BNTD, k_BGTD, v_BGTD, is_causal=True, enable_gqa=True)
