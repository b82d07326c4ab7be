"""Building a transformer from a checkpoint, one kind of tensor at a time."""

from __future__ import annotations

from enum import Enum

import torch

from core.errors import CheckpointError
from models.checkpoint.names import WeightNames
from models.transformer.config import TransformerConfig
from models.transformer.model import Transformer

_NORMS = ("attention_norm", "ffn_norm")
_PROJECTIONS = ("attention.qkv", "attention.out", "ffn.gate_up", "ffn.down")


class Fc1Bias(str, Enum):
    """How often the fc1 bias is added: published weights expect it twice (contract section 3)."""

    ONCE = "once"
    TWICE = "twice"


def load_transformer(
    names: WeightNames,
    config: TransformerConfig,
    *,
    vocab_size: int,
    first_output_row: int,
    fc1_bias: Fc1Bias,
    device: torch.device,
    dtype: torch.dtype,
) -> Transformer:
    """A transformer in evaluation mode with the checkpoint's weights.

    Vocabulary rows beyond ``vocab_size`` are padding and are dropped, and so are output rows before
    ``first_output_row``. The host holds one kind of tensor at a time beside what is already on the device.

    ``dtype`` is what blocks compute in. Tables, and so the stream that blocks add to, lose nothing of what is stored: a
    small model's, rounded to bfloat16, would cost it far more than all its blocks do (docs/numerics.md).
    """
    rows = names.vocab_rows()
    if rows < vocab_size:
        message = f"the embedding has {rows} rows; the tokenizer and the codec need {vocab_size}"
        raise CheckpointError(names.source.path, message)

    def place(tensor: torch.Tensor, to: torch.dtype = dtype) -> torch.Tensor:
        # A slice or a view must not keep the whole tensor it was cut from in memory.
        placed = tensor.to(device, to)
        return placed.clone() if placed.untyped_storage().nbytes() > placed.nbytes else placed

    def place_table(tensor: torch.Tensor) -> torch.Tensor:
        return place(tensor, torch.promote_types(tensor.dtype, dtype))

    state = {
        "embedding.weight": place_table(names.whole("embedding", (rows, config.hidden_size))[:vocab_size]),
        "output.weight": place_table(names.whole("output", (rows, config.hidden_size))[first_output_row:vocab_size]),
        "norm.weight": place_table(names.whole("norm", (config.hidden_size,))),
    }
    parameters = [(kind, "weight") for kind in (*_NORMS, *_PROJECTIONS)]
    if config.linear_bias:
        parameters += [(kind, "bias") for kind in _PROJECTIONS]
    for kind, parameter in parameters:
        doubled = fc1_bias is Fc1Bias.TWICE and (kind, parameter) == ("ffn.gate_up", "bias")
        for layer, tensor in enumerate(names.per_layer(kind, parameter)):
            state[f"blocks.{layer}.{kind}.{parameter}"] = place(tensor * 2 if doubled else tensor)
    _check_nothing_left_out(names)
    with torch.device("meta"):
        model = Transformer(config, vocab_size=vocab_size, first_output_row=first_output_row)
    model.load_state_dict(state, strict=True, assign=True)
    return model.requires_grad_(False).eval()


def _check_nothing_left_out(names: WeightNames) -> None:
    """Refuse weights inside the layers that this model has no place for: it would compute something else."""
    left = sorted(name for name in names.source.unread if "layers." in name)
    if left:
        message = f"is not part of the model that the stored arguments describe ({len(left)} such tensors)"
        raise CheckpointError(names.source.path, message, tensor=left[0])
