"""A transformer's tensors under the names of the published files: one tensor a layer, fc1 in halves."""

from __future__ import annotations

import torch

from models.checkpoint.qkv_rows import to_groups
from models.transformer.model import Transformer


def megatron_tensors(model: Transformer) -> dict[str, torch.Tensor]:
    """On-disk names and tensors; output rows the model does not keep are written as zeros."""
    config = model.config
    output = torch.zeros_like(model.embedding.weight)
    output[model.first_output_row :] = model.output.weight
    tensors = {
        "embedding.word_embeddings.weight": model.embedding.weight,
        "decoder.final_layernorm.weight": model.norm.weight,
        "output_layer.weight": output,
    }
    state = model.state_dict()
    for layer in range(config.num_layers):
        prefix = f"decoder.layers.{layer}."
        block = {
            name.removeprefix(f"blocks.{layer}."): tensor
            for name, tensor in state.items()
            if name.startswith(f"blocks.{layer}.")
        }
        tensors |= {
            prefix + "self_attention.linear_qkv.layer_norm_weight": block["attention_norm.weight"],
            prefix + "mlp.linear_fc1.layer_norm_weight": block["ffn_norm.weight"],
        }
        for parameter in ("weight", "bias") if config.linear_bias else ("weight",):
            gate, up = block[f"ffn.gate_up.{parameter}"].chunk(2)
            tensors |= {
                prefix + f"self_attention.linear_qkv.{parameter}": to_groups(
                    block[f"attention.qkv.{parameter}"], config
                ),
                prefix + f"self_attention.linear_proj.{parameter}": block[f"attention.out.{parameter}"],
                prefix + f"mlp.linear_fc1.{parameter}_w": gate,
                prefix + f"mlp.linear_fc1.{parameter}_v": up,
                prefix + f"mlp.linear_fc2.{parameter}": block[f"ffn.down.{parameter}"],
            }
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}
