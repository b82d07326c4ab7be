"""How well both transformers foretell the codes of held-out songs, in nats, against how often each code occurs.

Legend: Q layers, T frames, P prompt rows, K codebook size.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F

from core.token_layout import COARSE_LAYERS
from models.transformer.attention import attend_full
from models.transformer.model import Transformer
from training.coarse_loss import FIGURES, CoarseTrainer
from training.corpus.dataset import HELD_OUT_SEED, Example
from training.evaluation.results import Section
from training.evaluation.songs import MINUTES
from training.evaluation.subject import Subject
from training.sequences import pack
from training.superres_model import SHARPNESS

COUNTING_SEED = 31_337
"""Seed of the songs in which codes are counted."""

_COUNTED_SONGS = 100
_LAYERS = (2, 3, 4, 5, 6, 8, 12, 16, 24, 32, 48, 63)
_COARSE_FIGURES = FIGURES[:5]


@torch.inference_mode()
def measure_backbone(subject: Subject, songs: int) -> Section:
    """Nats of layers 0 and 1 as they are served, also on onset frames alone and of the end, given the request and all
    that came before."""
    layout = subject.engine.layout
    trainer = CoarseTrainer(subject.transformer(subject.tree.backbone, COARSE_LAYERS), layout)
    figures = []
    for example in _held_out(subject, songs, COARSE_LAYERS):
        length = len(subject.backbone_prompt(example.request)) + COARSE_LAYERS * example.num_frames + 1
        figures.append(trainer(pack([example], layout, length=length))[1][: len(_COARSE_FIGURES)])
    means = torch.stack(figures).mean(0).tolist()
    unigram = _unigram(subject, songs, range(COARSE_LAYERS))
    return {
        "nats": {name: round(value, 4) for name, value in zip(_COARSE_FIGURES, means, strict=True)},
        "unigram nats": {f"q{layer}": nats for layer, nats in unigram.items()},
        "songs": songs,
    }


@torch.inference_mode()
def measure_superres(subject: Subject, songs: int) -> Section:
    """Nats of each layer given all layers before it, as served and at the temperature that undoes its sharpness."""
    model = subject.transformer(subject.tree.superres, subject.corpus.num_quantizers)
    layers = [layer for layer in _LAYERS if layer < subject.corpus.num_quantizers]
    held_out = _held_out(subject, songs, subject.corpus.num_quantizers)
    nats = torch.tensor([_nats_by_layer(subject, model, example, layers) for example in held_out]).mean(0)
    unigram = _unigram(subject, songs, layers)
    served, tempered = (
        {str(layer): round(value, 4) for layer, value in zip(layers, column, strict=True)} for column in nats.T.tolist()
    )
    return {
        "nats": served,
        "tempered nats": tempered,
        "unigram nats": {str(layer): value for layer, value in unigram.items()},
        "songs": songs,
    }


def _nats_by_layer(
    subject: Subject, model: Transformer, example: Example, layers: Sequence[int]
) -> list[tuple[float, float]]:
    """For each layer the nats as it is served, and those at a temperature of its sharpness."""
    layout = subject.engine.layout
    codes_QT = torch.from_numpy(example.codes).long()
    prompt = torch.from_numpy(subject.superres_prompt(example.request)).long()
    rotation = model.rotation(torch.arange(len(prompt) + example.num_frames))
    nats = []
    for layer in layers:
        prompt[-1] = layout.layer_marker(layer)
        known = [model.embed(codes_QT[below] + layout.window(below).start) for below in range(layer)]
        rows = torch.cat([model.embed(prompt), torch.stack(known).sum(0)])
        hidden = model(rows.unsqueeze(0), rotation, attend_full)[0, len(prompt) :]
        logits_TK = model.logits(hidden, layout.window(layer))
        served, tempered = (F.cross_entropy(logits_TK / heat, codes_QT[layer]) for heat in (1.0, SHARPNESS))
        nats.append((float(served), float(tempered)))
    return nats


def _unigram(subject: Subject, songs: int, layers: Sequence[int]) -> dict[int, float]:
    """Nats of held-out codes when only their frequency in other songs is known."""
    size, depth = subject.corpus.codebook_size, max(layers) + 1
    counts = np.ones((depth, size))
    examples = subject.corpus.examples(COUNTING_SEED, layers=depth, minutes=(MINUTES,))
    for _ in range(_COUNTED_SONGS if depth == COARSE_LAYERS else _COUNTED_SONGS // 4):
        for layer, codes in enumerate(next(examples).codes):
            np.add.at(counts[layer], codes, 1)
    nats = -np.log(counts / counts.sum(axis=1, keepdims=True))
    held_out = [example.codes for example in _held_out(subject, songs, depth)]
    return {
        layer: round(float(np.mean([nats[layer][codes[layer]].mean() for codes in held_out])), 4) for layer in layers
    }


def _held_out(subject: Subject, songs: int, layers: int) -> list[Example]:
    examples = subject.corpus.examples(HELD_OUT_SEED, layers=layers, minutes=(MINUTES,))
    return [next(examples) for _ in range(songs)]
