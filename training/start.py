"""Starting points that tell a transformer what is alike before it has seen anything: tokens of similar sound begin as
similar vectors, numbers of similar size too.

Legend: K codebook size, D latent size, H hidden.
"""

from __future__ import annotations

import math

import torch

from core.token_layout import COARSE_LAYERS, TokenLayout
from models.transformer.config import TransformerConfig
from models.transformer.model import Transformer
from training.text import number_tokens

_SPREAD = 0.02
_NUMBER_WIDTH = 0.06
"""Numbers whose ratio is within about this of one start alike: tempi that a person would take for each other."""


def new_transformer(
    config: TransformerConfig, layout: TokenLayout, codebooks: torch.Tensor, *, seed: int
) -> Transformer:
    """A transformer for text and layers 0 and 1, codebooks [layers, K, D]: small random matrices, biases silent.

    Those matrices that write to the residual stream are smaller still, the deeper the model the smaller.
    """
    model = Transformer(config, vocab_size=layout.vocab_size(COARSE_LAYERS), first_output_row=layout.text_vocab_size)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                parameter.zero_()
            elif parameter.dim() == 2:
                writes = name.endswith(("attention.out.weight", "ffn.down.weight"))
                deviation = _SPREAD / math.sqrt(2 * config.num_layers) if writes else _SPREAD
                parameter.normal_(0.0, deviation, generator=generator)
        _start_from_codebooks(model, layout, codebooks[:COARSE_LAYERS], generator)
        _start_numbers(model, generator)
    return model


def _start_from_codebooks(
    model: Transformer, layout: TokenLayout, codebooks: torch.Tensor, generator: torch.Generator
) -> None:
    """Make each window's rows random projections of its codebook."""
    for layer, codebook_KD in enumerate(codebooks):
        window = layout.window(layer)
        unit_KD = codebook_KD - codebook_KD.mean(0)
        unit_KD = unit_KD / unit_KD.square().mean().sqrt()
        for table, first in ((model.embedding.weight, 0), (model.output.weight, model.first_output_row)):
            projection_DH = torch.randn(unit_KD.shape[1], table.shape[1], generator=generator)
            rows = _SPREAD * unit_KD @ projection_DH / unit_KD.shape[1] ** 0.5
            table[window.start - first : window.stop - first] = rows


def _start_numbers(model: Transformer, generator: torch.Generator) -> None:
    """Make the rows of number tokens samples of a smooth random function of the number's logarithm."""
    places, numbers = zip(*number_tokens(), strict=True)
    size = model.embedding.weight.shape[1]
    rates = torch.randn(size, generator=generator) / _NUMBER_WIDTH
    shifts = 2 * torch.pi * torch.rand(size, generator=generator)
    waves = torch.cos(torch.tensor(numbers).log()[:, None] * rates + shifts)
    model.embedding.weight[list(places)] = _SPREAD * 2**0.5 * waves
