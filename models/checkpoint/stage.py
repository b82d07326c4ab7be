"""One stage of a checkpoint as a transformer in memory."""

from __future__ import annotations

import torch

from core.token_layout import TokenLayout
from models.checkpoint.transformer_weights import Fc1Bias, load_transformer
from models.checkpoint.tree import StageFiles
from models.transformer.model import Transformer
from models.transformer.quantize import Quantize, quantize_blocks


def load_stage(
    files: StageFiles,
    layout: TokenLayout,
    *,
    num_layers: int,
    fc1_bias: Fc1Bias,
    device: torch.device,
    dtype: torch.dtype,
    quantize: Quantize = Quantize.NONE,
) -> Transformer:
    """The transformer of a stage whose vocabulary holds ``num_layers`` layers of codes, or CheckpointError."""
    config, names = files.open()
    on_device = quantize is Quantize.NONE
    model = load_transformer(
        names,
        config,
        vocab_size=layout.vocab_size(num_layers),
        first_output_row=layout.text_vocab_size,
        fc1_bias=fc1_bias,
        # What is to shrink shrinks on the host: the device never holds more than what stays.
        device=device if on_device else torch.device("cpu"),
        dtype=dtype,
    )
    return model if on_device else quantize_blocks(model).to(device)
