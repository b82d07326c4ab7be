"""Whether songs are new: how many of their four-second windows of coarse codes occur anywhere in training songs.

The corpus itself repeats: held-out originals measured alike say how much of that is the style and not the model.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from core.codes import CodeArray
from core.token_layout import COARSE_LAYERS
from training.backbone_recipes import Recipe
from training.corpus.dataset import Corpus
from training.corpus.grid import FRAMES_PER_SECOND
from training.evaluation.intervals import estimate
from training.evaluation.results import Section
from training.listening import songs_of_step, stage_of_step

Hashes = npt.NDArray[np.uint64]

WINDOW_SECONDS = 4
_WINDOW_FRAMES = round(WINDOW_SECONDS * FRAMES_PER_SECOND)
_HASH_KEY = 86_002

logger = logging.getLogger(__name__)


def measure_novelty(
    corpus: Corpus,
    recipe: Recipe,
    training_songs: int,
    generated: Sequence[CodeArray],
    originals: Sequence[CodeArray],
) -> Section:
    """Share of each song's windows that occur in training songs, which are taken evenly from the whole training."""
    known = np.unique(np.concatenate([window_hashes(coarse) for coarse in _trained_on(corpus, recipe, training_songs)]))

    def seen(coarse: CodeArray) -> float:
        windows = window_hashes(coarse)
        return float(np.isin(windows, known).mean()) if len(windows) else 0.0

    return {
        "windows seen in training": estimate([seen(coarse) for coarse in generated]),
        "of held-out originals": estimate([seen(coarse) for coarse in originals]),
        "window seconds": WINDOW_SECONDS,
        "training songs compared": training_songs,
        "training songs": _songs_of(recipe),
        "different training windows": len(known),
    }


def window_hashes(coarse: CodeArray) -> Hashes:
    """A number for each window of codes [frames, 2]; equal windows have equal numbers, different ones hardly ever."""
    if len(coarse) < _WINDOW_FRAMES:
        return np.zeros(0, np.uint64)
    factors = np.random.Philox(key=_HASH_KEY).random_raw((_WINDOW_FRAMES, COARSE_LAYERS)) | np.uint64(1)
    windows = np.lib.stride_tricks.sliding_window_view(coarse.astype(np.uint64) + np.uint64(1), _WINDOW_FRAMES, axis=0)
    hashes: Hashes = np.einsum("nlf,fl->n", windows, factors)  # wraps around, as hashes may
    return hashes


def _trained_on(corpus: Corpus, recipe: Recipe, songs: int) -> Iterator[CodeArray]:
    """About so many of the songs the recipe trains on, those of every so many steps, as far as it reads them."""
    stride = max(1, _songs_of(recipe) // songs)
    for stages, seed in ((recipe.stages, recipe.seed), (recipe.finish, recipe.finish_seed)):
        for step in range(0, sum(stage.steps for stage in stages), stride):
            stage, first = stage_of_step(stages, step)
            rng = np.random.default_rng([seed, first])
            for heard in songs_of_step(stage, corpus, seed, first, stage.songs, rng):
                yield heard.coarse[: stage.length // COARSE_LAYERS]


def _songs_of(recipe: Recipe) -> int:
    return sum(stage.steps * stage.songs for stage in (*recipe.stages, *recipe.finish))
