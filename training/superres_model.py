"""The demo's super-resolution: the project's transformer between tables made of the codec's codebooks.

The residual stream has three parts: T, which the blocks write freely; S, where the embeddings subtract what is known
of the residual r = latent − layers 0 and 1 and the last block adds its estimate r̂ of it; and U, whose first place the
last block makes a large constant. So the final norm is the same constant everywhere, and the logit of code k of layer l

    scale_l · (r̂ − known) · codebook_l[k] + offset_l[k]

is a Gaussian's when scale is 1/σ² and offset −|codebook_l[k]|²/2σ² plus the code's log frequency. The 62 passes start
as one good regression of r, and learn to do better. Only the embeddings and the last block's bridge write S and the
constant: their gradients are masked everywhere else.

Legend: B songs, T rows (prompt, then frames), D latent size, H hidden, Q layers, K codebook size.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

import torch
import torch.nn.functional as F
from torch import nn

from core.token_layout import COARSE_LAYERS, TokenLayout
from models.transformer.attention import Attend
from models.transformer.config import TransformerConfig
from models.transformer.feed_forward import FeedForward
from models.transformer.model import Block, Transformer

SPARE = 32
"""Size of U."""

_KNOWN_SHARE = 0.1
"""Size of S beside T where frames enter: small enough not to disturb the norms of the blocks."""
_CONSTANT = 25.0
"""The final constant in multiples of the norm of T: T then moves the final norm by less than a thousandth."""
_GATE = 4.0
"""What the bridge's gates are held at: their units are then nearly linear."""
_RIDGE = 3e-3
SHARPNESS = 4.0
"""What the written Gaussians' scales are multiplied with. As sure as they are trained to be, they draw their own error
once more: songs are that much noisier. The codes' log frequencies stay as they are."""


@dataclass(frozen=True)
class Parts:
    """Where T, S and the constant lie in the residual stream."""

    width: int
    latent_size: int

    @property
    def stream(self) -> slice:
        return slice(0, self.width)

    @property
    def residual(self) -> slice:
        return slice(self.width, self.width + self.latent_size)

    @property
    def constant(self) -> int:
        return self.width + self.latent_size

    @property
    def hidden_size(self) -> int:
        return self.width + self.latent_size + SPARE


def widened(trunk: TransformerConfig, latent_size: int) -> TransformerConfig:
    """The sizes of a super-resolution around a trunk of these sizes."""
    return replace(
        trunk,
        hidden_size=Parts(trunk.hidden_size, latent_size).hidden_size,
        ffn_size=trunk.ffn_size + latent_size,
    )


class SuperresModel(nn.Module):
    """The transformer with its factored tables; ``codebooks`` float32 [Q, K, D]."""

    def __init__(self, trunk: TransformerConfig, layout: TokenLayout, codebooks: torch.Tensor) -> None:
        super().__init__()
        self.layout = layout
        self.parts = Parts(trunk.hidden_size, codebooks.shape[2])
        self.config = widened(trunk, codebooks.shape[2])
        self.transformer = Transformer(
            self.config, vocab_size=layout.vocab_size(COARSE_LAYERS), first_output_row=layout.audio_base
        )
        added = layout.num_quantizers - COARSE_LAYERS
        self.log_scale = nn.Parameter(torch.zeros(added))
        self.offset = nn.Parameter(torch.zeros(added, layout.codebook_size))
        self.register_buffer("codebooks", codebooks, persistent=False)
        self.register_buffer("known_step", torch.zeros(()))
        self.register_buffer("residual_std", torch.ones(self.parts.latent_size))
        for block in self._blocks:
            for layer in (block.attention.out, block.ffn.down):
                _on_gradient(layer.weight, self._mask)
                _on_gradient(layer.bias, self._mask)
        _on_gradient(self.transformer.embedding.weight, lambda gradient: self._mask(gradient.T).T)

    codebooks: torch.Tensor
    known_step: torch.Tensor
    residual_std: torch.Tensor

    @torch.no_grad()
    def known(self, codes_BTQ: torch.Tensor, layers_B: torch.Tensor) -> torch.Tensor:
        """Sum of the codebook vectors of layers 2 … layer − 1, [B, T, D]."""
        total = self.codebooks.new_zeros(*codes_BTQ.shape[:2], self.parts.latent_size)
        for layer in range(COARSE_LAYERS, int(layers_B.max())):
            songs = (layers_B > layer).nonzero().flatten()
            total[songs] += self.codebooks[layer][codes_BTQ[songs, :, layer]]
        return total

    def rows(self, text_BT: torch.Tensor, coarse_BT2: torch.Tensor, known_BTD: torch.Tensor) -> torch.Tensor:
        """What the transformer reads, [B, T, H]: the embedding of a text id, or of a frame where that is −1."""
        starts = [self.layout.window(layer).start for layer in range(COARSE_LAYERS)]
        frames = self.transformer.embed(coarse_BT2 + torch.tensor(starts, device=coarse_BT2.device)).sum(2)
        frames = frames + F.pad(-self.known_step * known_BTD, (self.parts.width, SPARE))
        return torch.where((text_BT < 0)[..., None], frames, self.transformer.embed(text_BT.clamp_min(0)))

    def hidden(self, rows_BTH: torch.Tensor, attend: Attend) -> torch.Tensor:
        """Hidden states after the final norm, [B, T, H]."""
        rotation = self.transformer.rotation(torch.arange(rows_BTH.shape[1], device=rows_BTH.device))
        hidden: torch.Tensor = self.transformer(rows_BTH, rotation, attend)
        return hidden

    def estimate(self, hidden: torch.Tensor) -> torch.Tensor:
        """r̂ − known, in units of the latents, [..., D]."""
        return hidden[..., self.parts.residual].float()

    def logits(self, hidden_BTH: torch.Tensor, layers_B: torch.Tensor) -> torch.Tensor:
        """Logits of each song's layer, [B, T, K]."""
        place = layers_B - COARSE_LAYERS
        near = self.estimate(hidden_BTH) @ self.codebooks[layers_B].transpose(1, 2)
        return near * self.log_scale[place].exp()[:, None, None] + self.offset[place][:, None]

    @torch.no_grad()
    def start(self, trunk: Transformer, *, residual_std: torch.Tensor, stream_norm: float) -> None:
        """Take over a trunk's weights and build the bridge, whose estimate is zero until ``solve_bridge``.

        ``residual_std`` [D] is the size of each number of r, which the bridge's hidden units estimate in these units;
        ``stream_norm`` is the norm of the trunk's last hidden state.
        """
        model, parts = self.transformer, self.parts
        t, s, u = parts.stream, parts.residual, parts.constant
        narrower = math.sqrt(parts.width / parts.hidden_size)  # rms over all of H of a vector that lies in T
        model.embedding.weight.zero_()
        model.embedding.weight[:, t] = trunk.embedding.weight
        first, second = (model.embedding.weight[list(self.layout.window(layer))] for layer in range(COARSE_LAYERS))
        entering = float((first.square().sum(1).mean() + second.square().sum(1).mean()).sqrt())
        self.residual_std.copy_(residual_std)
        self.known_step.fill_(_KNOWN_SHARE * entering / float(residual_std.norm()))
        for mine, theirs in zip(self._blocks, _blocks_of(trunk), strict=True):
            for norm, given in ((mine.attention_norm, theirs.attention_norm), (mine.ffn_norm, theirs.ffn_norm)):
                norm.weight.fill_(1.0)
                norm.weight[t] = given.weight * narrower
                norm.weight[s] = 1 / _KNOWN_SHARE
            _copy(mine.attention.qkv, theirs.attention.qkv, columns=t)
            _copy(mine.attention.out, theirs.attention.out, rows=t)
            size = self.config.ffn_size
            kept = trunk.config.ffn_size
            halves = theirs.ffn.gate_up.weight.chunk(2), theirs.ffn.gate_up.bias.chunk(2)
            for half, (weight, bias) in enumerate(zip(*halves, strict=True)):
                mine.ffn.gate_up.weight[half * size : half * size + kept] = 0.0
                mine.ffn.gate_up.weight[half * size : half * size + kept, t] = weight
                mine.ffn.gate_up.bias[half * size : half * size + kept] = bias
            mine.ffn.down.weight.zero_()
            mine.ffn.down.weight[t, :kept] = theirs.ffn.down.weight
            mine.ffn.down.bias.zero_()
            mine.ffn.down.bias[t] = theirs.ffn.down.bias
        bridge, units = self.bridge, self._bridge_units
        bridge.gate_up.weight[units] = 0.0
        bridge.gate_up.bias[units] = _GATE
        bridge.gate_up.weight[self._bridge_rows] = 0.0
        bridge.gate_up.bias[self._bridge_rows] = 0.0
        bridge.down.weight[s, units] = torch.diag(self.known_step * residual_std / F.silu(torch.tensor(_GATE)))
        constant = _CONSTANT * stream_norm
        bridge.down.bias[u] = constant
        model.norm.weight.zero_()
        model.norm.weight[t] = trunk.norm.weight * narrower * constant / stream_norm
        model.norm.weight[s] = constant / (math.sqrt(parts.hidden_size) * self.known_step)
        self.hold_constant()
        model.output.weight.zero_()
        model.output.weight[:, t] = trunk.output.weight[-len(model.output.weight) :]

    @torch.no_grad()
    def hold_constant(self) -> None:
        """Let the constant be 1 behind the final norm. Training adds offsets without it, so it may move this weight."""
        self.transformer.norm.weight[self.parts.constant] = 1 / math.sqrt(self.parts.hidden_size)

    @torch.no_grad()
    def solve_bridge(self, gram: torch.Tensor, moment: torch.Tensor) -> None:
        """Let the bridge estimate r by ridge regression on what the last feed-forward layer reads of T, and a constant.

        ``gram`` [T + 1, T + 1] are sums of products of the features, ``moment`` [T + 1, D] those with r, float64.
        """
        ridge = _RIDGE * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
        solved = (torch.linalg.solve(gram + ridge, moment) / self.residual_std).float()
        self.bridge.gate_up.weight[self._bridge_rows, self.parts.stream] = solved[:-1].T
        self.bridge.gate_up.bias[self._bridge_rows] = solved[-1]

    def factored(self) -> dict[str, torch.Tensor]:
        """The tables' parts, by the names of ``models.checkpoint.factored_tables``, as sharp as they are served."""
        scale = self.log_scale.exp()
        lengths = self.codebooks[COARSE_LAYERS:].square().sum(2)
        offset = self.offset - (SHARPNESS - 1) / 2 * scale[:, None] * lengths
        s, latent_size = self.parts.residual, self.codebooks.shape[2]
        pick = torch.zeros(latent_size, self.config.hidden_size, device=self.codebooks.device)
        pick[:, s] = torch.eye(latent_size)
        direction = torch.zeros(self.config.hidden_size)
        direction[self.parts.constant] = 1.0
        return {
            "rows": self.transformer.embedding.weight,
            "projection_in": -self.known_step * pick,
            "projection_out": pick,
            "scale": SHARPNESS * scale,
            # Only differences within a layer count, and small numbers lose less in half precision.
            "offset": offset - offset.mean(1, keepdim=True),
            "direction": direction,
        }

    @property
    def _blocks(self) -> list[Block]:
        return _blocks_of(self.transformer)

    @property
    def bridge(self) -> FeedForward:
        """The feed-forward layer that adds r̂ and the constant."""
        return self._blocks[-1].ffn

    @property
    def _bridge_units(self) -> slice:
        """The bridge's hidden units, as rows of the gate and columns of the down projection."""
        return slice(self.config.ffn_size - self.parts.latent_size, self.config.ffn_size)

    @property
    def _bridge_rows(self) -> slice:
        """Rows of the up projection that hold the regression."""
        return slice(2 * self.config.ffn_size - self.parts.latent_size, 2 * self.config.ffn_size)

    def _mask(self, gradient: torch.Tensor) -> torch.Tensor:
        masked = gradient.clone()
        masked[self.parts.residual] = 0.0
        masked[self.parts.constant] = 0.0
        return masked


def _on_gradient(parameter: torch.Tensor, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
    parameter.register_hook(change)  # type: ignore[no-untyped-call]


def _blocks_of(model: Transformer) -> list[Block]:
    return cast("list[Block]", list(model.blocks))


def _copy(mine: nn.Linear, theirs: nn.Linear, *, rows: slice = slice(None), columns: slice = slice(None)) -> None:
    """A smaller layer's weights inside a larger one that is otherwise zero."""
    mine.weight.zero_()
    mine.weight[rows, columns] = theirs.weight
    mine.bias.zero_()
    mine.bias[rows] = theirs.bias
