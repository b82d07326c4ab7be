"""The corpus in the codes of a codec of which nothing is left but its file.

The encoder in the file is the lapped transform followed by a projection, so its answers to single coefficients are the
projection's columns, and with them every stored row of the corpus becomes a latent.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from models.checkpoint.codec_file import read_codec_weights
from models.codec.encoder import Encoder
from training.codec_fit.basis import perceptual_weights
from training.corpus.corpus_codec import CorpusCodec
from training.corpus.grid import HOP_SAMPLES
from training.corpus.lapped import synthesise
from training.corpus.latents import LatentBank
from training.corpus.slices import SliceBank
from training.corpus.sounds import all_sounds

_FRAMES_AT_A_TIME = 64
_SILENT = 1e-9
"""Coefficients with less than this part of all sounds' weighted energy are not asked about: a third of them."""
_MARGIN_FRAMES = 2
"""Frames around those that are asked about, so that the encoder sees all of each."""


def corpus_codec_of(codec_file: Path, bank: SliceBank | None = None) -> CorpusCodec:
    """Latents of every sound and the codebooks; 20 seconds, rows within −56 dB of the fit's own.

    ``bank`` holds every sound of the corpus, if somebody has made it already.
    """
    weights = read_codec_weights(codec_file)
    with torch.device("meta"):
        encoder = Encoder(weights.config)
    weights.load_into(encoder, "encoder.")
    bank = bank or SliceBank.of(all_sounds())
    energy = (bank.rows * perceptual_weights()).square().sum(0)
    heard = torch.nonzero(energy > _SILENT * energy.sum())[:, 0]
    rows = bank.rows[:, heard] @ _projection(encoder, heard)
    return CorpusCodec(LatentBank(bank.index, rows), weights.codebooks())


@torch.inference_mode()
def _projection(encoder: Encoder, coefficients: Tensor) -> Tensor:
    """Latents of frames with a single coefficient of 1, one of ``coefficients`` [n] after the other, [n, D]."""
    columns = []
    for asked in torch.split(coefficients, _FRAMES_AT_A_TIME):
        frames = torch.zeros(len(asked) + 2 * _MARGIN_FRAMES, 2 * HOP_SAMPLES)
        frames[_MARGIN_FRAMES + torch.arange(len(asked)), asked] = 1
        audio_CT = synthesise(frames.view(-1, 2, HOP_SAMPLES).transpose(0, 1))
        columns.append(encoder(audio_CT.unsqueeze(0))[0].T[_MARGIN_FRAMES:-_MARGIN_FRAMES])
    return torch.cat(columns)
