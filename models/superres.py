"""Super-resolution: 62 bidirectional passes, each adding one RVQ layer to every frame at once (contract section 4).

The rows are the prompt's ids, then one row a frame whose embedding is a running sum: each pass adds the layer just
drawn. No padding, and only the frames are projected, only on the layer's own output rows.
Legend: T frames, P prompt rows, H hidden, Q layers.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from core.codes import FullCodes
from core.engine import SuperresTask
from core.token_layout import COARSE_LAYERS, TokenLayout
from models.out_of_memory import naming_out_of_memory
from models.sampling import Stage, check_finite, draw, generator_for
from models.transformer.attention import attend_full
from models.transformer.codebook_embedding import embed_columns
from models.transformer.model import Transformer


class NativeSuperResolver:
    """Implements core.engine.SuperResolver on the project's own transformer."""

    def __init__(self, model: Transformer, layout: TokenLayout) -> None:
        self._model = model
        self._layout = layout

    @torch.inference_mode()
    def resolve(self, task: SuperresTask, on_layer: Callable[[float], None]) -> FullCodes:
        """All layers of one track; ``on_layer`` hears the fraction done and may raise to stop."""
        with naming_out_of_memory("super-resolution"):
            return self._resolve(task, on_layer)

    def _resolve(self, task: SuperresTask, on_layer: Callable[[float], None]) -> FullCodes:
        model, layout = self._model, self._layout
        num_layers, frames = layout.num_quantizers, task.coarse.num_frames
        generator = generator_for(task.seed, Stage.SUPERRES)

        codes_QT = torch.empty(num_layers, frames, dtype=torch.long, device=model.device)
        codes_QT[:COARSE_LAYERS] = torch.from_numpy(task.coarse.values.T.astype(np.int64))
        starts = torch.tensor([layout.window(layer).start for layer in range(num_layers)], device=model.device)
        audio_TH = embed_columns(model, (codes_QT[:COARSE_LAYERS] + starts[:COARSE_LAYERS, None]).T)
        prompt = torch.from_numpy(task.prompt).to(model.device, torch.long)
        text_PH = model.embed(prompt).float()
        rotation = model.rotation(torch.arange(len(prompt) + frames, device=model.device))

        for layer in range(COARSE_LAYERS, num_layers):
            marker = torch.tensor(layout.layer_marker(layer), device=model.device)
            text_PH[-1] = model.embed(marker).float()
            rows = torch.cat([text_PH, audio_TH]).to(model.stream_dtype)
            hidden = model(rows.unsqueeze(0), rotation, attend_full)[0, len(prompt) :]
            check_finite(hidden, "super-resolution model")
            uniform = torch.rand(frames, generator=generator).to(model.device)
            drawn = draw(model.logits(hidden, layout.window(layer)), uniform, top_k=task.top_k)
            codes_QT[layer] = drawn
            audio_TH += model.embed(drawn + starts[layer]).float()
            on_layer((layer + 1 - COARSE_LAYERS) / (num_layers - COARSE_LAYERS))
        return FullCodes(values=codes_QT.cpu().numpy().astype(np.int16))
