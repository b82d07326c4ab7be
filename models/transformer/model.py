"""The transformer itself: embeddings in, hidden states out, and a projection on the rows somebody needs.

Knows nothing of sampling, prompts or layers of codes. Legend: B batch, T time, H hidden, V vocabulary rows.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from models.transformer.attention import Attend, Attention
from models.transformer.config import TransformerConfig
from models.transformer.feed_forward import FeedForward
from models.transformer.linear import Linear
from models.transformer.norm import RMSNorm
from models.transformer.rotary import Rotation, rotation_of


class Block(nn.Module):
    """Pre-norm attention and feed-forward, each added to the residual stream."""

    def __init__(self, config: TransformerConfig, layer: int) -> None:
        super().__init__()
        self.attention_norm = RMSNorm(config.hidden_size, config.norm_epsilon)
        self.attention = Attention(config, layer)
        self.ffn_norm = RMSNorm(config.hidden_size, config.norm_epsilon)
        self.ffn = FeedForward(config)

    def forward(self, x_BTH: torch.Tensor, rotation: Rotation, attend: Attend) -> torch.Tensor:
        x_BTH = x_BTH + self.attention(self.attention_norm(x_BTH), rotation, attend)
        out: torch.Tensor = x_BTH + self.ffn(self.ffn_norm(x_BTH))
        return out


class Transformer(nn.Module):
    """Embeddings, blocks, final norm, and the output rows ``first_output_row`` … of the vocabulary.

    Only rows that can be predicted need to be kept: text is read, never written.
    """

    def __init__(self, config: TransformerConfig, *, vocab_size: int, first_output_row: int = 0) -> None:
        super().__init__()
        self.config = config
        self.first_output_row = first_output_row
        # Zeros, not random: on the meta device, where loading begins, drawing would import torch's whole compiler.
        table = torch.zeros(vocab_size, config.hidden_size)
        embedding: nn.Embedding = nn.Embedding.from_pretrained(table, freeze=False)  # type: ignore[no-untyped-call]
        self.embedding = embedding
        self.blocks = nn.ModuleList(Block(config, layer) for layer in range(config.num_layers))
        self.norm = RMSNorm(config.hidden_size, config.norm_epsilon)
        self.output = Linear(config.hidden_size, vocab_size - first_output_row, bias=False)

    @property
    def device(self) -> torch.device:
        return self.embedding.weight.device

    @property
    def dtype(self) -> torch.dtype:
        """What the blocks compute in."""
        return self.get_parameter("blocks.0.attention_norm.weight").dtype

    @property
    def stream_dtype(self) -> torch.dtype:
        """What the blocks read and add to: the embeddings' format, which may be wider than theirs."""
        return self.embedding.weight.dtype

    def embed(self, ids: torch.Tensor) -> torch.Tensor:
        """Embeddings of ids [...], as [..., H]."""
        embedded: torch.Tensor = self.embedding(ids)
        return embedded

    def rotation(self, positions: torch.Tensor) -> Rotation:
        """Rotation of positions [T] or [B, 1, T]."""
        return rotation_of(positions, self.config.head_size, self.config.rotary_base)

    def forward(self, x_BTH: torch.Tensor, rotation: Rotation, attend: Attend) -> torch.Tensor:
        """Hidden states after the final norm, [B, T, H]."""
        for block in self.blocks:
            x_BTH = block(x_BTH, rotation, attend)
        hidden: torch.Tensor = self.norm(x_BTH)
        return hidden

    def output_rows(self, ids: range) -> torch.Tensor:
        """Output weights of consecutive vocabulary ids, [len(ids), H]."""
        start = ids.start - self.first_output_row
        return self.output.weight[start : start + len(ids)]

    def logits(self, hidden: torch.Tensor, ids: range) -> torch.Tensor:
        """Logits of consecutive vocabulary ids, float32 [..., len(ids)]: in bfloat16 the likeliest ones tie."""
        return F.linear(hidden.float(), self.output_rows(ids).float())
