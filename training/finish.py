"""The end of the backbone's training: read as it is served, by people who paste lyrics of any length.

Goes on from OUT/backbone, which ``training.backbone`` wrote, without the heads and rates of its rounds; writes
OUT/finished/backbone in the published format and OUT/finish.csv with the curves. ``training.demo`` runs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import torch

from training.backbone import SHARPNESS, read_backbone, read_songs, write_backbone
from training.backbone_recipes import Recipe
from training.corpus.dataset import HELD_OUT_SEED, Corpus
from training.listening import stage_of_step
from training.loop import Loop, autocast
from training.optimiser import Optimiser
from training.sequences import CoarseBatch
from training.served_loss import FIGURES, ServedTrainer
from training.steps import batches_of
from training.text import corpus_layout

FINISHED = "finished"
HELD_OUT_SONGS = 6


class Finish:
    """One run, from wherever it stands to its last step."""

    def __init__(
        self,
        recipe: Recipe,
        corpus: Corpus,
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
        self.model = read_backbone(out, self._layout).to(device).requires_grad_()
        self._trainer = ServedTrainer(self.model, self._layout, SHARPNESS)
        optimiser = Optimiser(self._trainer, muon_rate=None, adam_rate=recipe.finish_rate)
        self._listen: Any = torch.compile(self._trainer, dynamic=False) if compiled else self._trainer
        self._loop: Loop[CoarseBatch] = Loop(
            out, "finish", self._trainer, optimiser, recipe=repr(recipe), steps=recipe.finish_steps
        )

    def train(self, **stops: Any) -> bool:
        """Train on as ``Loop.run`` does; whether the last step is done."""
        return self._loop.run(
            self._batches(),
            self._objective,
            figures=FIGURES,
            rate=self._recipe.finish_schedule.factor,
            evaluate=self._evaluate,
            **stops,
        )

    def export(self) -> Path:
        """Write the backbone as a checkpoint of the published format, in half precision."""
        return write_backbone(self._out / FINISHED, self.model, self._recipe.steps + self._loop.step)

    def _batches(self) -> Iterator[tuple[CoarseBatch, int]]:
        """The batches that are left."""
        steps = range(self._loop.step, self._recipe.finish_steps)
        for batch in batches_of(self._batch, steps, workers=self._workers):
            yield batch.to(self._device), batch.ids.numel()

    def _batch(self, step: int) -> CoarseBatch:
        """The batch of a step."""
        stage, first = stage_of_step(self._recipe.finish, step)
        return read_songs(stage, self._corpus, self._layout, self._recipe.finish_seed, first, stage.songs)

    def _objective(self, batch: CoarseBatch) -> tuple[torch.Tensor, torch.Tensor]:
        with autocast(self._device):
            loss, figures = self._listen(batch)
        return loss, figures

    @torch.no_grad()
    def _evaluate(self) -> torch.Tensor:
        """Figures of held-out songs as the stage that ends reads them."""
        stage, _ = stage_of_step(self._recipe.finish, self._loop.step - 1)
        songs = read_songs(stage, self._corpus, self._layout, HELD_OUT_SEED, 0, HELD_OUT_SONGS)
        with autocast(self._device):
            _, figures = self._trainer(songs.to(self._device))
        return cast("torch.Tensor", figures)
