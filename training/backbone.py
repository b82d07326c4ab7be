"""Train the demo's backbone: fresh songs every step, in excerpts and then whole.

Writes OUT/backbone/ in the published format and OUT/backbone.csv with the loss curves; resumes from
OUT/backbone.state.pt if it is there. ``training.demo`` runs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.token_layout import COARSE_LAYERS, TokenLayout
from models.checkpoint.megatron_export import megatron_tensors
from models.checkpoint.names import MegatronNames
from models.checkpoint.torch_dist import TorchDistSource, iteration_directory, read_arguments
from models.checkpoint.torch_dist_writer import write_torch_dist
from models.checkpoint.transformer_weights import Fc1Bias, load_transformer
from models.transformer.config import TransformerConfig
from models.transformer.model import Transformer
from training.backbone_recipes import Recipe
from training.coarse_loss import FIGURES, CoarseTrainer
from training.corpus.dataset import HELD_OUT_SEED, Corpus
from training.holds import hold
from training.listening import Stage, songs_of_step, stage_of_step
from training.loop import Loop, autocast
from training.optimiser import Optimiser
from training.reading import PromptBatch, prompts_of_step
from training.sequences import CoarseBatch, pack
from training.splices import splice
from training.start import new_transformer
from training.steps import batches_of
from training.text import corpus_layout

HELD_OUT_SONGS = 12
READING_SEED = 271_829
"""Seed of the songs whose prompts are read by themselves."""
SHARPNESS = 1 / 0.4
"""What the written output rows are multiplied with. A small model is best sampled a little colder than it was trained;
so the temperature everybody's requests have, 1, is 0.4 of the trained one."""


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What one step reads: prompts by themselves, and songs."""

    prompts: PromptBatch
    songs: CoarseBatch | None = None

    @property
    def num_ids(self) -> int:
        return self.prompts.ids.numel() + (self.songs.ids.numel() if self.songs else 0)

    def to(self, device: torch.device) -> Lesson:
        return Lesson(prompts=self.prompts.to(device), songs=self.songs.to(device) if self.songs else None)


def read_songs(stage: Stage, corpus: Corpus, layout: TokenLayout, seed: int, first: int, songs: int) -> CoarseBatch:
    """Songs ``first`` … of a seed as a stage reads them, some of them astray."""
    rng = np.random.default_rng([seed, first])
    heard = songs_of_step(stage, corpus, seed, first, songs, rng)
    batch = pack(heard, layout, length=stage.length)
    if stage.spliced:
        batch = splice(batch, heard, rng, share=stage.spliced)
    return hold(batch, heard, rng, share=stage.held) if stage.held else batch


def read_backbone(directory: Path, layout: TokenLayout) -> Transformer:
    """The backbone that a run wrote into ``directory``, float32, as sharp as it was trained."""
    iteration = iteration_directory(directory / "backbone")
    config = TransformerConfig.from_arguments(read_arguments(iteration), iteration)
    model = load_transformer(
        MegatronNames(TorchDistSource(iteration), config),
        config,
        vocab_size=layout.vocab_size(COARSE_LAYERS),
        first_output_row=layout.text_vocab_size,
        fc1_bias=Fc1Bias.ONCE,
        device=torch.device("cpu"),
        dtype=torch.float32,
    )
    model.output.weight /= SHARPNESS
    return model


def write_backbone(directory: Path, model: Transformer, iteration: int) -> Path:
    """Write ``directory``/backbone in the published format and half precision, as sharp as it is served."""
    size = len(model.embedding.weight)
    tensors = {name: tensor.cpu() for name, tensor in megatron_tensors(model).items()}
    tensors["output_layer.weight"] *= SHARPNESS
    tensors = {name: tensor.half() for name, tensor in tensors.items()}
    arguments = model.config.to_arguments(
        vocab_size=size, padded_vocab_size=size, fp16=True, params_dtype=torch.float16
    )
    return write_torch_dist(directory / "backbone", tensors, arguments, iteration=iteration)


class Run:
    """One training run, from wherever it stands to its last step."""

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
        self.model = new_transformer(recipe.config, self._layout, corpus.codebooks, seed=recipe.seed).to(device)
        torch.manual_seed(recipe.seed)  # the heads that are dropped afterwards
        self._trainer = CoarseTrainer(self.model, self._layout).to(device)
        optimiser = Optimiser(self._trainer, muon_rate=recipe.muon_rate, adam_rate=recipe.adam_rate)
        self._listen: Any = torch.compile(self._trainer, dynamic=False) if compiled else self._trainer
        self._read: Any = torch.compile(self._trainer.read, dynamic=False) if compiled else self._trainer.read
        self._loop: Loop[Lesson] = Loop(
            out, "backbone", self._trainer, optimiser, recipe=repr(recipe), steps=recipe.steps
        )

    def train(self, **stops: Any) -> bool:
        """Train on as ``Loop.run`` does; whether the last step is done."""
        return self._loop.run(
            self._batches(),
            self._objective,
            figures=FIGURES,
            rate=self._recipe.schedule.factor,
            evaluate=self._evaluate,
            **stops,
        )

    def export(self) -> Path:
        """Write the backbone as a checkpoint of the published format, in half precision."""
        return write_backbone(self._out, self.model, self._loop.step)

    def _batches(self) -> Iterator[tuple[Lesson, int]]:
        """The batches that are left."""
        steps = range(self._loop.step, self._recipe.steps)
        for batch in batches_of(self._batch, steps, workers=self._workers):
            yield batch.to(self._device), batch.num_ids

    def _batch(self, step: int) -> Lesson:
        """The batch of a step."""
        reading, seed = self._recipe.reading, self._recipe.seed
        prompts = prompts_of_step(reading, self._layout, READING_SEED + seed, step)
        if step < reading.steps:
            return Lesson(prompts=prompts)
        stage, first = stage_of_step(self._recipe.stages, step - reading.steps)
        return Lesson(prompts=prompts, songs=read_songs(stage, self._corpus, self._layout, seed, first, stage.songs))

    def _objective(self, lesson: Lesson) -> tuple[torch.Tensor, torch.Tensor]:
        with autocast(self._device):
            loss, figures = self._read(lesson.prompts)
            if lesson.songs is None:
                return loss, figures
            listening, heard = self._listen(lesson.songs)
            return loss + listening, _merged(heard, figures)

    @torch.no_grad()
    def _evaluate(self) -> torch.Tensor:
        """Figures of held-out prompts, and of held-out songs as the stage that ends reads them."""
        reading = self._recipe.reading
        with autocast(self._device):
            prompts = prompts_of_step(reading, self._layout, HELD_OUT_SEED, 0)
            figures = self._trainer.read(prompts.to(self._device))[1]
            heard = self._loop.step - reading.steps
            if heard <= 0:
                return figures
            stage, _ = stage_of_step(self._recipe.stages, heard - 1)
            songs = read_songs(stage, self._corpus, self._layout, HELD_OUT_SEED, 0, HELD_OUT_SONGS)
            return _merged(self._trainer(songs.to(self._device))[1], figures)


def _merged(heard: torch.Tensor, read: torch.Tensor) -> torch.Tensor:
    """Figures of songs, and those of prompts where songs have none."""
    return heard.where(~heard.isnan(), read)
