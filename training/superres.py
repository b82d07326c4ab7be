"""Train the demo's super-resolution from the trained backbone: regression first, then the 62 layers.

Writes OUT/superresolution/ in the published format with factored tables and OUT/superres.csv with the loss curves;
resumes from OUT/superres.state.pt if it is there. ``training.demo`` runs it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.token_layout import COARSE_LAYERS
from models.checkpoint.factored_tables import factored_names
from models.checkpoint.megatron_export import megatron_tensors
from models.checkpoint.torch_dist_writer import write_torch_dist
from models.transformer.model import Transformer
from training.corpus.dataset import HELD_OUT_SEED, Corpus, Example
from training.loop import Loop, autocast
from training.optimiser import Optimiser, Schedule
from training.steps import batches_of
from training.superres_batches import SuperresBatch, draw_layers, pack_rows
from training.superres_loss import ALIGNMENT_WEIGHT, SuperresTrainer
from training.superres_model import SuperresModel
from training.superres_start import fit_tables, start_from_trunk
from training.text import corpus_layout

HELD_OUT_SONGS = 8
REPORTED_LAYERS = (2, 3, 4, 6, 8, 16, 32)
FIGURES = ("drawn layers", "alignment", "regression", *(f"layer {layer}" for layer in REPORTED_LAYERS))
_START_BATCHES = 8
_STEPS_BETWEEN_SOLVES = 5


class Objective(str, Enum):
    """The two ways of looking at a song with full attention."""

    REGRESSION = "regression"
    REFINEMENT = "refinement"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides the result, given codec and backbone. Each step reads ``songs`` rows of ``length``."""

    regression_steps: int
    refinement_steps: int
    songs: int = 8
    length: int = 640
    pool: int = 256
    """Songs of which all layers are made, once: refinement reads pieces of them."""
    aligned: int = 2
    """Songs of each step that are also seen causally."""
    muon_rate: float = 2e-3
    adam_rate: float = 1e-3
    refinement_rate: float = 0.25
    """Learning rate of refinement, as a share of regression's."""
    seed: int = 0

    @property
    def steps(self) -> int:
        return self.regression_steps + self.refinement_steps


RECIPES = {
    "cpu": Recipe(regression_steps=2000, refinement_steps=500, songs=3, length=448, pool=640, aligned=1),
    "gpu": Recipe(regression_steps=2000, refinement_steps=2500, songs=32, pool=2048),
    "miniature": Recipe(regression_steps=16, refinement_steps=16, songs=2, length=384, pool=4, aligned=1),
}
"""For two CPU cores, for one GPU, for a test of the whole."""


class Run:
    """One training run, from wherever it stands to its last step."""

    def __init__(
        self,
        recipe: Recipe,
        corpus: Corpus,
        trunk: Transformer,
        out: Path,
        device: torch.device,
        *,
        compiled: bool = True,
        workers: int = 0,
    ) -> None:
        """``workers`` processes make songs ahead of time."""
        self._recipe, self._corpus, self._out = recipe, corpus, out
        self._device, self._workers = device, workers
        self._layout = corpus_layout(corpus)
        torch.manual_seed(recipe.seed)  # hidden units beyond the trunk's
        self.model = SuperresModel(trunk.config, self._layout, corpus.codebooks).to(device)
        self._trainer = SuperresTrainer(self.model).to(device)
        optimiser = Optimiser(
            self._trainer,
            muon_rate=recipe.muon_rate,
            adam_rate=recipe.adam_rate,
            delicate=(self.model.bridge.gate_up.weight, self.model.bridge.down.weight),
        )
        self._loop: Loop[tuple[SuperresBatch, Objective]] = Loop(
            out, "superres", self._trainer, optimiser, recipe=repr(recipe), steps=recipe.steps
        )
        if self._loop.step == 0:
            batches = batches_of(self._fresh, range(-_START_BATCHES, 0), workers=workers)
            start_from_trunk(self._trainer, trunk.to(device), [batch.to(device) for batch in batches])
        if compiled:
            for block in list(self.model.transformer.blocks)[:-1]:  # the last one is listened to
                block.compile()

    def train(self, **stops: Any) -> bool:
        """Train on as ``Loop.run`` does; whether the last step is done."""
        return self._loop.run(
            self._batches(), self._objective, figures=FIGURES, rate=self._rate, evaluate=self._evaluate, **stops
        )

    def export(self) -> Path:
        """Write the model as a checkpoint of the published format with factored tables, in half precision."""
        size = self._layout.vocab_size(self._layout.num_quantizers)
        self.model.hold_constant()
        unfolded = ("embedding.word_embeddings.weight", "output_layer.weight")
        tensors = {name: t for name, t in megatron_tensors(self.model.transformer).items() if name not in unfolded}
        halves = {name: tensor.detach().cpu().half() for name, tensor in tensors.items()}
        # Scales and offsets are few and large: as halves they would be wrong by tenths of a nat.
        parts = {
            name: part.detach().cpu().to(torch.float32 if name in ("scale", "offset") else torch.float16)
            for name, part in self.model.factored().items()
        }
        halves |= factored_names(parts)
        if odd := [name for name, tensor in halves.items() if not tensor.isfinite().all()]:
            raise SystemExit(f"these tensors do not fit half precision: {', '.join(odd)}")
        arguments = self.model.config.to_arguments(
            vocab_size=size, padded_vocab_size=size, fp16=True, params_dtype=torch.float16
        )
        return write_torch_dist(self._out / "superresolution", halves, arguments, iteration=self._loop.step)

    def _rate(self, step: int) -> float:
        recipe = self._recipe
        if step < recipe.regression_steps:
            return Schedule(steps=recipe.regression_steps, warm_up=max(1, recipe.regression_steps // 20)).factor(step)
        steps = recipe.refinement_steps
        schedule = Schedule(steps=steps, warm_up=max(1, steps // 20))
        return recipe.refinement_rate * schedule.factor(step - recipe.regression_steps)

    def _batches(self) -> Iterator[tuple[tuple[SuperresBatch, Objective], int]]:
        """The batches that are left, each with what is to be learnt from it."""
        recipe = self._recipe
        for batch in batches_of(self._fresh, range(self._loop.step, recipe.regression_steps), workers=self._workers):
            yield (batch.to(self._device), Objective.REGRESSION), batch.text.numel()
        examples = self._corpus.examples(recipe.seed + 1, layers=self._layout.num_quantizers, minutes=(1,))
        pool = list(batches_of(examples.example, range(recipe.pool), workers=self._workers))
        if self._loop.step == recipe.regression_steps:
            self._fit_tables(pool)
        for step in range(self._loop.step, recipe.steps):
            rng = np.random.default_rng((recipe.seed, step))
            chosen = [pool[int(number)] for number in rng.integers(len(pool), size=recipe.songs)]
            batch = self._pack(chosen, step, layers=draw_layers(recipe.songs, self._layout.num_quantizers, rng))
            yield (batch.to(self._device), Objective.REFINEMENT), batch.text.numel()

    def _fresh(self, step: int) -> SuperresBatch:
        """A batch for regression, with songs of its own; steps below 0 are for the start."""
        first = (_START_BATCHES + step) * self._recipe.songs
        songs = self._corpus.examples(self._recipe.seed, start=first, minutes=(1,))
        return self._pack(list(itertools.islice(songs, self._recipe.songs)), _START_BATCHES + step)

    def _fit_tables(self, pool: list[Example]) -> None:
        codes = torch.from_numpy(np.concatenate([example.codes for example in pool], axis=1).astype(np.int64))
        counts = torch.stack([torch.bincount(layer, minlength=self._layout.codebook_size) for layer in codes])
        fit_tables(self._trainer, self._pack(pool[:2], 0).to(self._device), counts.to(self._device))

    def _pack(self, examples: list[Example], step: int, layers: list[int] | None = None) -> SuperresBatch:
        rng = np.random.default_rng((self._recipe.seed, step, 1))
        layers = layers or [COARSE_LAYERS] * len(examples)
        return pack_rows(examples, self._layout, length=self._recipe.length, layers=layers, rng=rng)

    def _objective(self, item: tuple[SuperresBatch, Objective]) -> tuple[torch.Tensor, torch.Tensor]:
        batch, objective = item
        regression = objective is Objective.REGRESSION
        if regression and self._loop.step % _STEPS_BETWEEN_SOLVES == 0:
            self._trainer.solve_bridge()
        with autocast(self._device):
            alignment = self._trainer.alignment(batch.first(self._recipe.aligned))
            nats, error = (None, self._trainer.regression(batch)) if regression else self._trainer.refinement(batch)
        figures = torch.full((len(FIGURES),), math.nan)
        figures[1:3] = torch.stack([alignment.detach(), error.detach()])
        loss = error + ALIGNMENT_WEIGHT * alignment
        if nats is not None:
            figures[0] = nats.detach()
            loss = loss + nats
        return loss, figures

    @torch.no_grad()
    def _evaluate(self) -> torch.Tensor:
        """Figures of held-out songs: the regression, and the reported layers' cross-entropies."""
        layers = self._layout.num_quantizers
        unheard = self._corpus.examples(HELD_OUT_SEED, layers=layers, minutes=(1,))
        songs = list(itertools.islice(unheard, HELD_OUT_SONGS))
        with autocast(self._device):
            first = self._pack(songs, 0).to(self._device)
            found = [math.nan, float(self._trainer.alignment(first)), float(self._trainer.regression(first))]
            for layer in REPORTED_LAYERS:
                batch = self._pack(songs, 0, layers=[min(layer, layers - 1)] * len(songs)).to(self._device)
                found.append(float(self._trainer.refinement(batch)[0]))
        return torch.tensor(found)
