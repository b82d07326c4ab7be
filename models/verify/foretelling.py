"""What a model foretells, given everything before it: the logits that decide each code, without any sampling.

Legend: T frames, Q layers, K codebook size, P prompt, H hidden.
"""

from __future__ import annotations

from typing import Protocol

import torch

from core.codes import IdArray
from core.token_layout import COARSE_LAYERS, TokenLayout
from models.transformer.attention import Attend, attend_causal, attend_full
from models.transformer.codebook_embedding import embed_columns
from models.transformer.model import Transformer


class Foreteller(Protocol):
    """A backbone and a super-resolution model, whoever runs them."""

    def coarse_logits(self, prompt: IdArray, codes_QT: torch.Tensor) -> torch.Tensor:
        """Logits of each frame's first two codes given all codes before them, float32 [T, 2, K]."""
        ...

    def layer_logits(self, prompt: IdArray, codes_QT: torch.Tensor, layer: int) -> torch.Tensor:
        """Logits of one further layer given the layers before it of all frames, float32 [T, K]."""
        ...


class NativeForeteller:
    """The project's own transformers, in whatever format their weights are."""

    def __init__(self, backbone: Transformer, superres: Transformer, layout: TokenLayout) -> None:
        self._backbone, self._superres, self._layout = backbone, superres, layout

    @torch.inference_mode()
    def coarse_logits(self, prompt: IdArray, codes_QT: torch.Tensor) -> torch.Tensor:
        ids = coarse_ids(prompt, codes_QT, self._layout).to(self._backbone.device)
        hidden = hidden_states(self._backbone, self._backbone.embed(ids), attend_causal)[len(prompt) - 1 :]
        return torch.stack(
            [
                self._backbone.logits(hidden[layer::COARSE_LAYERS], self._layout.window(layer)).cpu()
                for layer in range(COARSE_LAYERS)
            ],
            dim=1,
        )

    @torch.inference_mode()
    def layer_logits(self, prompt: IdArray, codes_QT: torch.Tensor, layer: int) -> torch.Tensor:
        rows = layer_rows(self._superres, self._layout, prompt, codes_QT, layer)
        hidden = hidden_states(self._superres, rows, attend_full)[len(prompt) :]
        return self._superres.logits(hidden, self._layout.window(layer)).cpu()


def coarse_ids(prompt: IdArray, codes_QT: torch.Tensor, layout: TokenLayout) -> torch.Tensor:
    """What the backbone reads to foretell every code: the prompt and all codes but the last, int64."""
    starts = torch.tensor([layout.window(layer).start for layer in range(COARSE_LAYERS)])
    codes = (codes_QT[:COARSE_LAYERS] + starts[:, None]).T.reshape(-1)
    return torch.cat([torch.from_numpy(prompt).long(), codes[:-1]])


def layer_rows(
    model: Transformer, layout: TokenLayout, prompt: IdArray, codes_QT: torch.Tensor, layer: int
) -> torch.Tensor:
    """What super-resolution reads to foretell a layer: prompt and marker, then the layers before it, [P + T, H]."""
    ids = torch.from_numpy(prompt).long().to(model.device)
    ids[-1] = layout.layer_marker(layer)
    starts = torch.tensor([layout.window(known).start for known in range(layer)])
    audio = embed_columns(model, (codes_QT[:layer] + starts[:, None]).T.to(model.device))
    return torch.cat([model.embed(ids).float(), audio]).to(model.stream_dtype)


def hidden_states(model: Transformer, rows: torch.Tensor, attend: Attend) -> torch.Tensor:
    """What the model makes of embedded rows [T, H] at positions 0, 1, 2 …, [T, H]."""
    rotation = model.rotation(torch.arange(len(rows), device=model.device))
    hidden: torch.Tensor = model(rows[None], rotation, attend)[0]
    return hidden
