"""The two arrangements of the fused query-key-value rows, and the ways between them."""

from __future__ import annotations

import torch

from models.transformer.config import TransformerConfig


def from_groups(rows: torch.Tensor, config: TransformerConfig) -> torch.Tensor:
    """Megatron keeps q … q, k, v together in each key/value group; this project all q, then all k, then all v."""
    grouped = rows.view(config.num_groups, config.heads_per_group + 2, config.head_size, *rows.shape[1:])
    parts = torch.split(grouped, [config.heads_per_group, 1, 1], dim=1)
    return torch.cat([part.flatten(0, 2) for part in parts])


def to_groups(rows: torch.Tensor, config: TransformerConfig) -> torch.Tensor:
    """The inverse of ``from_groups``."""
    parts = torch.split(rows, [config.query_size, config.key_value_size, config.key_value_size])
    by_group = [part.view(config.num_groups, -1, config.head_size, *rows.shape[1:]) for part in parts]
    return torch.cat(by_group, dim=1).flatten(0, 2)
