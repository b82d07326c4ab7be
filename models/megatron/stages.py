"""Backbone and super-resolution on megatron-core's GPTModel, plainly: one call of the model a token, one a layer.

With several tensor-parallel ranks every rank runs these same functions on the same tasks; they differ only in who
decides whether to go on, which is rank 0 (``models.megatron.ranks``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from core.codes import CoarseCodes, FullCodes
from core.engine import BackboneTask, SuperresTask, Watch
from core.errors import GenerationError
from core.pipeline import MAX_NEW_TOKENS
from core.progress import Progress
from core.token_layout import COARSE_LAYERS, TokenLayout
from models.follower import Follower
from models.megatron.gpt import MegatronGpt
from models.out_of_memory import naming_out_of_memory
from models.sampling import Stage, check_finite, draw, generator_for, uniform_numbers
from models.transformer.model import Transformer
from models.verify.foretelling import layer_rows

Agree = Callable[[bool], bool]
"""From what this rank would do to what all ranks do: rank 0's word."""


class MegatronBackbone:
    """Implements core.engine.BackboneGenerator."""

    def __init__(self, gpt: MegatronGpt, layout: TokenLayout, agree: Agree) -> None:
        self._gpt, self._layout, self._agree = gpt, layout, agree

    def generate(self, tasks: Sequence[BackboneTask], watch: Watch) -> list[CoarseCodes | GenerationError]:
        """Codes of each task, or why there are none. Tasks of one prompt are decoded together."""
        groups: dict[bytes, list[int]] = {}
        for track, task in enumerate(tasks):
            groups.setdefault(task.prompt.tobytes(), []).append(track)
        results: dict[int, CoarseCodes | GenerationError] = {}
        with naming_out_of_memory("the backbone"):
            for tracks in groups.values():
                group = [tasks[track] for track in tracks]
                follower = Follower(group, _PartOf(watch, tracks), end_index=self._layout.codebook_size)
                self._write(group, follower)
                results |= dict(zip(tracks, follower.results(), strict=True))
        return [results[track] for track in range(len(tasks))]

    @torch.inference_mode()
    def _write(self, tasks: Sequence[BackboneTask], follower: Follower) -> None:
        layout, device = self._layout, next(self._gpt.model.parameters()).device
        prompt = torch.from_numpy(tasks[0].prompt).to(device, torch.long).expand(len(tasks), -1)
        room = len(tasks[0].prompt) + COARSE_LAYERS * max(task.max_frames for task in tasks)
        uniform_SB = uniform_numbers([task.seed for task in tasks], Stage.BACKBONE, MAX_NEW_TOKENS).to(device)
        top_k = max(task.top_k for task in tasks)
        limits = torch.tensor([[task.top_k] for task in tasks], device=device)
        temperature = torch.tensor([[task.temperature] for task in tasks], device=device)
        context, logits = self._gpt.begin(prompt, room=room + 1)
        for step in range(room):
            if not self._agree(follower.anyone_waits()):
                return
            check_finite(logits, "backbone")
            layer = step % COARSE_LAYERS
            window = layout.window(layer)
            legal = logits[:, window.start : window.stop]
            if layer == 0:
                legal = torch.cat([legal, logits[:, layout.end_of_generation, None]], dim=1)
            index = draw(legal, uniform_SB[step], top_k=top_k, row_top_k=limits, temperature=temperature)
            follower.read(index[None].cpu().numpy())
            token = torch.where(index < len(window), index + window.start, layout.end_of_generation)
            logits = self._gpt.follow(context, token)


class _PartOf:
    """A watch over some of a batch's tracks."""

    def __init__(self, watch: Watch, tracks: Sequence[int]) -> None:
        self._watch, self._tracks = watch, tracks

    def progress(self, track: int, progress: Progress) -> None:
        self._watch.progress(self._tracks[track], progress)

    def cancelled(self, track: int) -> bool:
        return self._watch.cancelled(self._tracks[track])


class MegatronSuperResolver:
    """Implements core.engine.SuperResolver. ``tables`` embeds the rows and projects on them."""

    def __init__(self, gpt: MegatronGpt, tables: Transformer, layout: TokenLayout, agree: Agree) -> None:
        self._gpt, self._tables, self._layout, self._agree = gpt, tables, layout, agree

    @torch.inference_mode()
    def resolve(self, task: SuperresTask, on_layer: Callable[[float], None]) -> FullCodes:
        """All layers of one track; ``on_layer`` hears the fraction done and may raise to stop."""
        with naming_out_of_memory("super-resolution"):
            return self._resolve(task, on_layer)

    def _resolve(self, task: SuperresTask, on_layer: Callable[[float], None]) -> FullCodes:
        layout, tables = self._layout, self._tables
        num_layers, frames = layout.num_quantizers, task.coarse.num_frames
        generator = generator_for(task.seed, Stage.SUPERRES)
        codes_QT = torch.zeros(num_layers, frames, dtype=torch.long)
        codes_QT[:COARSE_LAYERS] = torch.from_numpy(task.coarse.values.T.astype(np.int64))
        stopped: BaseException | None = None
        for layer in range(COARSE_LAYERS, num_layers):
            rows = layer_rows(tables, layout, task.prompt, codes_QT, layer)
            hidden = self._gpt.bidirectional_hidden(rows[None])[0, len(task.prompt) :]
            check_finite(hidden, "super-resolution model")
            uniform = torch.rand(frames, generator=generator).to(hidden.device)
            codes_QT[layer] = draw(tables.logits(hidden, layout.window(layer)), uniform, top_k=task.top_k).cpu()
            try:
                on_layer((layer + 1 - COARSE_LAYERS) / (num_layers - COARSE_LAYERS))
            except BaseException as error:  # whatever it is, the other ranks must hear that this one stops
                stopped = error
            if not self._agree(stopped is None):
                raise stopped or GenerationError("Super-resolution was stopped.")
        return FullCodes(values=codes_QT.numpy().astype(np.int16))
