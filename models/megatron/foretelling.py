"""What megatron-core foretells from the weights of this project's transformers (``models.verify``)."""

from __future__ import annotations

import torch

from core.codes import IdArray
from core.token_layout import COARSE_LAYERS, TokenLayout
from models.megatron.gpt import MegatronGpt
from models.transformer.model import Transformer
from models.verify.foretelling import coarse_ids, layer_rows


class MegatronForeteller:
    """The same weights in megatron-core's own model; ``room`` is the longest sequence it will see."""

    def __init__(self, backbone: Transformer, superres: Transformer, layout: TokenLayout, *, room: int) -> None:
        self._layout, self._tables = layout, superres
        self._backbone, self._superres = MegatronGpt(backbone, room=room), MegatronGpt(superres, room=room)

    def coarse_logits(self, prompt: IdArray, codes_QT: torch.Tensor) -> torch.Tensor:
        ids = coarse_ids(prompt, codes_QT, self._layout).to(self._tables.device)
        logits = self._backbone.causal_logits(ids[None])[0, len(prompt) - 1 :].cpu()
        windows = [self._layout.window(layer) for layer in range(COARSE_LAYERS)]
        parts = [logits[layer::COARSE_LAYERS, w.start : w.stop] for layer, w in enumerate(windows)]
        return torch.stack(parts, dim=1)

    def layer_logits(self, prompt: IdArray, codes_QT: torch.Tensor, layer: int) -> torch.Tensor:
        rows = layer_rows(self._tables, self._layout, prompt, codes_QT, layer)
        hidden = self._superres.bidirectional_hidden(rows[None])[0, len(prompt) :]
        return self._tables.logits(hidden, self._layout.window(layer)).cpu()
