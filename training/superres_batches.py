"""Songs as super-resolution reads them: prompt, then one row a frame, from anywhere in the song.

Legend: B songs, T rows, D latent size, Q layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from core.prompt import superres_prompt
from core.token_layout import COARSE_LAYERS, TokenLayout
from training.corpus.dataset import Example
from training.text import encode_text

NO_TEXT = -1


@dataclass(frozen=True, kw_only=True)
class SuperresBatch:
    """What one step needs. ``text`` int64 [B, T] is −1 where a frame is; ``codes`` int64 [B, T, Q] is 0 where text is.

    ``latents`` float32 [B, T, D]; ``layers`` int64 [B], the layer each song is to be given.
    """

    text: torch.Tensor
    codes: torch.Tensor
    latents: torch.Tensor
    layers: torch.Tensor

    @property
    def is_frame(self) -> torch.Tensor:
        return self.text == NO_TEXT

    def first(self, songs: int) -> SuperresBatch:
        """The batch of its first songs."""
        return SuperresBatch(**{name: tensor[:songs] for name, tensor in vars(self).items()})

    def to(self, device: torch.device) -> SuperresBatch:
        return SuperresBatch(**{name: tensor.to(device) for name, tensor in vars(self).items()})


def pack_rows(
    examples: Sequence[Example], layout: TokenLayout, *, length: int, layers: Sequence[int], rng: np.random.Generator
) -> SuperresBatch:
    """A batch of the fixed shape [B, length]: each prompt, with its layer's marker, and a random piece of its song.

    Where a row has room for more than the song there is, the rest is end-of-generation ids, which are no frames.
    """
    depth, latent_size = len(examples[0].codes), examples[0].latents.shape[1]
    text = np.full((len(examples), length), layout.end_of_generation, np.int64)
    codes = np.zeros((len(examples), length, depth), np.int64)
    latents = np.zeros((len(examples), length, latent_size), np.float32)
    for row, (example, layer) in enumerate(zip(examples, layers, strict=True)):
        prompt = superres_prompt(example.request, layout, encode_text, limit=length // 2)
        frames = min(length - len(prompt), example.num_frames)
        first = int(rng.integers(example.num_frames - frames + 1))
        text[row, : len(prompt)] = [*prompt[:-1], layout.layer_marker(layer)]
        place, piece = slice(len(prompt), len(prompt) + frames), slice(first, first + frames)
        text[row, place] = NO_TEXT
        codes[row, place] = example.codes[:, piece].T
        latents[row, place] = example.latents[piece]
    return SuperresBatch(
        text=torch.from_numpy(text),
        codes=torch.from_numpy(codes),
        latents=torch.from_numpy(latents),
        layers=torch.tensor(layers),
    )


def draw_layers(songs: int, num_quantizers: int, rng: np.random.Generator) -> list[int]:
    """Layers to train on: the first ones, which carry most, most often (p ∝ layer^−0.8)."""
    added = np.arange(COARSE_LAYERS, num_quantizers)
    chances = added**-0.8
    return [int(layer) for layer in rng.choice(added, size=songs, p=chances / chances.sum())]
