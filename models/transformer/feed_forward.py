"""SwiGLU feed-forward layer."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from models.transformer.config import TransformerConfig
from models.transformer.linear import Linear


class FeedForward(nn.Module):
    """down(silu(gate(x)) · up(x)); rows of ``gate_up`` are the gate's, then the up projection's.

    A checkpoint that expects its fc1 bias twice (contract section 3) is loaded with that bias doubled, so nothing here
    needs to know.
    """

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.gate_up = Linear(config.hidden_size, 2 * config.ffn_size, bias=config.linear_bias)
        self.down = Linear(config.ffn_size, config.hidden_size, bias=config.linear_bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate, up = self.gate_up(x).chunk(2, dim=-1)
        projected: torch.Tensor = self.down(F.silu(gate) * up)
        return projected
