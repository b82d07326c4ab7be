"""What super-resolution adds: the latent's signal-to-noise ratio with its layers, over that of two layers alone.

True codes of layers 0 and 1 are given; the latent they are measured against is the sum of the true codes of all layers.
Legend: Q layers, F frames.
"""

from __future__ import annotations

import torch
from torch import Tensor

from core.codes import CoarseCodes, FullCodes
from core.engine import SuperresTask
from core.token_layout import COARSE_LAYERS
from models.codec.rvq import ResidualVectorQuantizer
from training.corpus.dataset import HELD_OUT_SEED
from training.evaluation.intervals import estimate
from training.evaluation.results import Section
from training.evaluation.songs import MINUTES
from training.evaluation.subject import Subject


def measure_superres_gain(subject: Subject, songs: int, top_k: int) -> Section:
    """Decibels gained, means over songs, drawing from the ``top_k`` likeliest codes and taking the likeliest."""
    quantizer = ResidualVectorQuantizer(subject.corpus.codebooks)
    examples = subject.corpus.examples(HELD_OUT_SEED, layers=subject.corpus.num_quantizers, minutes=(MINUTES,))
    alone: list[float] = []
    gains: dict[int, list[float]] = {top_k: [], 1: []}
    with subject.engine.superres() as resolver:
        for index in range(songs):
            example = next(examples)
            true = _latents(quantizer, FullCodes(values=example.codes))
            coarse = CoarseCodes(values=example.coarse)
            alone.append(_snr(true, _latents(quantizer, FullCodes(values=example.codes[:COARSE_LAYERS]))))
            prompt = subject.superres_prompt(example.request)
            for k, found in gains.items():
                task = SuperresTask(prompt=prompt, coarse=coarse, seed=index, top_k=k)
                completed = resolver.resolve(task, lambda fraction: None)
                found.append(_snr(true, _latents(quantizer, completed)) - alone[-1])
    return {
        "snr of two layers": estimate(alone),
        "gain": estimate(gains[top_k]),
        "top k": top_k,
        "gain drawing the likeliest": estimate(gains[1]),
    }


def _latents(quantizer: ResidualVectorQuantizer, codes_QF: FullCodes) -> Tensor:
    return quantizer.decode(torch.from_numpy(codes_QF.values).long())


def _snr(true: Tensor, estimated: Tensor) -> float:
    return float(10 * torch.log10(true.square().sum() / (estimated - true).square().sum().clamp(min=1e-12)))
