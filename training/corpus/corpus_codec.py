"""The fitted codec as the corpus uses it: every sound's frames as latents, and the codebooks.

With these, a song's codes are made without making its sound. Legend: R rows, Q layers, K codebook size, D latent size.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from training.corpus.latents import LatentBank
from training.corpus.slices import SliceIndex
from training.corpus.sounds import all_sounds

CORPUS_CODEC_FILE = "corpus_codec.pt"


@dataclass(frozen=True)
class CorpusCodec:
    """``bank`` holds the latents of all sounds; ``codebooks`` float32 [Q, K, D]."""

    bank: LatentBank
    codebooks: Tensor

    def save(self, directory: Path) -> None:
        """Write ``corpus_codec.pt``: rows in single and codebooks in half precision, as in the codec's file."""
        path = directory / CORPUS_CODEC_FILE
        unfinished = path.with_suffix(".part")
        torch.save({"rows": self.bank.rows, "codebooks": self.codebooks.half()}, unfinished)
        unfinished.replace(path)

    @classmethod
    def load(cls, directory: Path) -> CorpusCodec:
        """Read it back; ValueError when it was made for another set of sounds than the corpus has now."""
        path = directory / CORPUS_CODEC_FILE
        stored = torch.load(path, weights_only=True)
        index = SliceIndex.of(all_sounds())
        if len(stored["rows"]) != index.num_rows:
            raise ValueError(
                f"{path} was fitted to a corpus with {len(stored['rows'])} frames of sounds; this one has "
                f"{index.num_rows}. Fit the codec again."
            )
        return cls(LatentBank(index, stored["rows"]), stored["codebooks"].float())
