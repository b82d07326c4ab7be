"""Which vowels are heard in a song, from the latents of its first layers of codes.

Legend: F frames, K codebook size, D latent size.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.codes import CodeArray
from training.corpus.dataset import Song
from training.corpus.sounds import vowel_name
from training.corpus.voices import VOWELS, Voice

_SHORTEST_RUN_FRAMES = 3
_HIDDEN, _BATCH, _RATE, _SEED = 256, 1_024, 2e-3, 5
_NO_VOICE = 0
_SUNG_AS = {vowel_name(voice, vowel): 1 + VOWELS.index(vowel) for voice in Voice for vowel in VOWELS}


class VowelListener:
    """A small network that names the vowel of each frame from its latent and its neighbours'."""

    def __init__(self, songs: Sequence[tuple[Song, CodeArray]], codebooks: Tensor, *, steps: int = 2_000) -> None:
        """Taught by originals in so many steps: songs with their codes [frames, layers]."""
        self._codebooks = codebooks
        states = torch.cat([self._states(codes) for _, codes in songs])
        labels = torch.cat([_labels(song, len(codes)) for song, codes in songs])
        self._centre, self._deviation = states.mean(0), states.std(0).clamp(min=1e-3)
        states = (states - self._centre) / self._deviation
        generator = torch.Generator().manual_seed(_SEED)
        sizes = (states.shape[1], _HIDDEN, 1 + len(VOWELS))
        self._layers = nn.Sequential(nn.Linear(*sizes[:2]), nn.ReLU(), nn.Linear(*sizes[1:]))
        for parameter in self._layers.parameters():
            nn.init.normal_(parameter, std=parameter.shape[-1] ** -0.5, generator=generator)
        optimiser = torch.optim.AdamW(self._layers.parameters(), _RATE)
        for step in range(steps):
            optimiser.param_groups[0]["lr"] = _RATE * (1 - step / steps)
            chosen = torch.randint(len(states), (_BATCH,), generator=generator)
            F.cross_entropy(self._layers(states[chosen]), labels[chosen]).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            optimiser.zero_grad()

    @torch.no_grad()
    def frames(self, codes: CodeArray) -> list[int]:
        """What each frame holds: 0 for no voice, else one more than the vowel's place in ``VOWELS``."""
        states = (self._states(codes) - self._centre) / self._deviation
        named: list[int] = self._layers(states).argmax(1).tolist()
        return named

    def hear(self, codes: CodeArray) -> str:
        """The vowels of a song in order, each different from the one before."""
        if len(codes) == 0:
            return ""
        runs = [(name, sum(1 for _ in run)) for name, run in groupby(self.frames(codes))]
        vowels = [VOWELS[name - 1] for name, frames in runs if name != _NO_VOICE and frames >= _SHORTEST_RUN_FRAMES]
        return without_repeats(vowels)

    def _states(self, codes: CodeArray) -> Tensor:
        layers = zip(torch.from_numpy(codes.T).long(), self._codebooks, strict=False)
        latents_FD = torch.stack([codebook_KD[codes_F] for codes_F, codebook_KD in layers]).sum(0)
        before, after = torch.cat([latents_FD[:1], latents_FD[:-1]]), torch.cat([latents_FD[1:], latents_FD[-1:]])
        return torch.cat([before, latents_FD, after], dim=1)


def _labels(song: Song, num_frames: int) -> Tensor:
    labels = torch.zeros(num_frames, dtype=torch.long)
    for sound, start, frames in song.composition.events:
        if sound.name in _SUNG_AS:
            labels[start : start + frames] = _SUNG_AS[sound.name]
    return labels


def without_repeats(vowels: Iterable[str]) -> str:
    """Vowels in a row, each different from the one before: one sung twice cannot be told from a long one."""
    return "".join(vowel for vowel, _ in groupby(vowels))
