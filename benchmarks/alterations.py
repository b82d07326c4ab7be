"""A bfloat16 model with one operation in another number format than it is served in, to see what that changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import nn

from core.codes import IdArray
from models.transformer.attention import Attend, Attention, attend_causal, attend_full
from models.transformer.model import Block, Transformer
from models.transformer.norm import RMSNorm
from models.transformer.rotary import Rotation
from models.verify.foretelling import NativeForeteller, hidden_states, layer_rows

ModuleT = TypeVar("ModuleT", bound=nn.Module)


def narrow_norms(model: Transformer) -> None:
    """Mean squares in bfloat16."""
    for norm in _all(model, RMSNorm):
        _replace(norm, "forward", _narrow_norm(norm))


def narrow_rotation(model: Transformer) -> None:
    """Angles in bfloat16: far positions come to share one."""

    def rotation(positions: torch.Tensor) -> Rotation:
        exponents = torch.arange(0, model.config.head_size, 2) / model.config.head_size
        frequencies = (1.0 / model.config.rotary_base**exponents).bfloat16()
        angles = (positions.unsqueeze(-1).bfloat16() * frequencies).float()
        cos, sin = angles.cos(), angles.sin()
        return Rotation(torch.cat([cos, cos], dim=-1), torch.cat([-sin, sin], dim=-1))

    _replace(model, "rotation", rotation)


def narrow_attention(model: Transformer) -> None:
    """Scores, softmax and its sum in bfloat16, each rounded."""
    _attend_with(model, lambda attend: _narrow_attend(causal=attend is attend_causal))


def wide_attention(model: Transformer) -> None:
    """Scores, softmax and mixed values in float32; projections stay in bfloat16."""

    def widened(attend: Attend) -> Attend:
        return lambda layer, q, k, v: attend(layer, q.float(), k.float(), v.float()).to(q.dtype)

    _attend_with(model, widened)


def wide_residual(model: Transformer) -> None:
    """What blocks add to is float32; what they compute with stays bfloat16."""
    for norm in _all(model, RMSNorm):
        norm.float()
    for block in _all(model, Block):
        _replace(block, "forward", _wide_block(block))
    final = model.norm
    _replace(final, "forward", lambda x: RMSNorm.forward(final, x).to(model.stream_dtype))


def narrow_tables(model: Transformer) -> None:
    """Embeddings, output rows and what blocks add to in bfloat16, where they are wider."""
    model.bfloat16()


def narrow_logits(model: Transformer) -> None:
    """Logits in bfloat16: of some size, they have few values."""

    def logits(hidden: torch.Tensor, ids: range) -> torch.Tensor:
        return F.linear(hidden.bfloat16(), model.output_rows(ids).bfloat16()).float()

    _replace(model, "logits", logits)


ALTERATIONS: dict[str, Callable[[Transformer], None]] = {
    "attention in float32": wide_attention,
    "residual stream in float32": wide_residual,
    "tables and residual stream in bfloat16": narrow_tables,
    "logits in bfloat16": narrow_logits,
    "attention's softmax in bfloat16": narrow_attention,
    "norm statistics in bfloat16": narrow_norms,
    "angles in bfloat16": narrow_rotation,
}


class NarrowSums(NativeForeteller):
    """The embeddings of a frame's codes added one after another in bfloat16."""

    @torch.inference_mode()
    def layer_logits(self, prompt: IdArray, codes_QT: torch.Tensor, layer: int) -> torch.Tensor:
        model, layout = self._superres, self._layout
        rows = layer_rows(model, layout, prompt, codes_QT, layer)
        total = torch.zeros_like(rows[len(prompt) :], dtype=torch.bfloat16)
        for known in range(layer):
            total += model.embed(codes_QT[known] + layout.window(known).start).bfloat16()
        rows = torch.cat([rows[: len(prompt)], total.to(rows.dtype)])
        hidden = hidden_states(model, rows, attend_full)[len(prompt) :]
        return model.logits(hidden, layout.window(layer))


def _narrow_norm(norm: RMSNorm) -> Callable[[torch.Tensor], torch.Tensor]:
    def forward(x: torch.Tensor) -> torch.Tensor:
        x = x.bfloat16()
        scaled = x * torch.rsqrt(x.square().mean(-1, keepdim=True) + norm.epsilon) * norm.weight.bfloat16()
        return scaled.to(norm.weight.dtype)

    return forward


def _wide_block(block: Block) -> Callable[[torch.Tensor, Rotation, Attend], torch.Tensor]:
    def forward(x: torch.Tensor, rotation: Rotation, attend: Attend) -> torch.Tensor:
        narrow = block.attention.out.weight.dtype
        x = x.float()
        x = x + block.attention(block.attention_norm(x).to(narrow), rotation, attend).float()
        out: torch.Tensor = x + block.ffn(block.ffn_norm(x).to(narrow)).float()
        return out

    return forward


def _attend_with(model: Transformer, change: Callable[[Attend], Attend]) -> None:
    for attention in _all(model, Attention):
        _replace(attention, "forward", _changed(attention, change))


def _changed(attention: Attention, change: Callable[[Attend], Attend]) -> Callable[..., torch.Tensor]:
    return lambda x, rotation, attend: Attention.forward(attention, x, rotation, change(attend))


def _narrow_attend(*, causal: bool) -> Attend:
    def attend(layer: int, q_BNTD: torch.Tensor, k_BGTD: torch.Tensor, v_BGTD: torch.Tensor) -> torch.Tensor:
        k, v = (one.repeat_interleave(q_BNTD.shape[1] // one.shape[1], dim=1) for one in (k_BGTD, v_BGTD))
        scores = q_BNTD @ k.mT * q_BNTD.shape[-1] ** -0.5
        if causal:
            scores = scores.masked_fill(scores.new_ones(scores.shape[-2:]).triu(1).bool(), float("-inf"))
        weights = (scores - scores.amax(-1, keepdim=True)).exp()
        mixed: torch.Tensor = (weights / weights.sum(-1, keepdim=True, dtype=weights.dtype)) @ v
        return mixed

    return attend


def _all(model: Transformer, kind: type[ModuleT]) -> list[ModuleT]:
    return [module for module in model.modules() if isinstance(module, kind)]


def _replace(module: nn.Module, name: str, function: Callable[..., object]) -> None:
    """Put a function in a method's place, of this one module."""
    setattr(module, name, function)
