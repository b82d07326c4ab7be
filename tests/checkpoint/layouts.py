"""One seeded model written in every layout a checkpoint may have."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save_file

from models.checkpoint.megatron_export import megatron_tensors
from models.checkpoint.miniature import TRANSFORMER, random_transformer
from models.checkpoint.names import MegatronNames, PortNames, WeightNames
from models.checkpoint.safetensors_port import SafetensorsSource, read_port_arguments
from models.checkpoint.torch_dist import TorchDistSource, iteration_directory, read_arguments
from models.checkpoint.torch_dist_writer import write_torch_dist
from models.checkpoint.transformer_weights import Fc1Bias, load_transformer
from models.transformer.config import TransformerConfig
from models.transformer.model import Transformer

VOCAB_SIZE, PADDING, FIRST_OUTPUT = 96, 32, 16


def seeded_model() -> Transformer:
    return random_transformer(TRANSFORMER, VOCAB_SIZE, torch.Generator().manual_seed(5))


def padded(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Vocabulary rows padded as Megatron pads them, and entries a reader has to pass over."""
    names = ("embedding.word_embeddings.weight", "output_layer.weight")
    padded = {name: torch.cat([tensors[name], torch.full((PADDING, 64), 7.0)]) for name in names}
    skipped = {"optimizer.state.exp_avg": torch.ones(3), "decoder.layers.0.mlp.linear_fc1._extra_state": torch.ones(1)}
    return tensors | padded | skipped


def stacked(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Megatron's default layout: layers on a leading dimension, fc1 whole."""
    whole = dict(tensors)
    for name in [name for name in tensors if name.endswith("_w")]:
        whole[name.removesuffix("_w")] = torch.cat([whole.pop(name), whole.pop(name.removesuffix("_w") + "_v")])
    layers = TRANSFORMER.num_layers
    kinds = {name.split(".", 3)[3] for name in whole if name.startswith("decoder.layers.0.") and "_extra" not in name}
    for kind in kinds:
        parts = [whole.pop(f"decoder.layers.{layer}.{kind}") for layer in range(layers)]
        whole[f"decoder.layers.{kind}"] = torch.stack(parts)
    return whole


def port_tensors(model: Transformer) -> dict[str, torch.Tensor]:
    """The Apple-silicon port's names and separate projections, written out from the model."""
    tensors = {
        "embed.weight": model.embedding.weight,
        "lm_head.weight": model.output.weight,
        "norm.weight": model.norm.weight,
    }
    for layer, block in enumerate(model.blocks):
        prefix = f"layers.{layer}."
        state = block.state_dict()
        tensors[prefix + "input_norm.weight"] = state["attention_norm.weight"]
        tensors[prefix + "post_attn_norm.weight"] = state["ffn_norm.weight"]
        for parameter in ("weight", "bias"):
            q, k, v = torch.split(state[f"attention.qkv.{parameter}"], [64, 32, 32])
            gate, up = torch.split(state[f"ffn.gate_up.{parameter}"], [160, 160])
            named = {"q_proj": q, "k_proj": k, "v_proj": v, "o_proj": state[f"attention.out.{parameter}"]}
            tensors |= {f"{prefix}attn.{name}.{parameter}": tensor for name, tensor in named.items()}
            named = {"gate_proj": gate, "up_proj": up, "down_proj": state[f"ffn.down.{parameter}"]}
            tensors |= {f"{prefix}mlp.{name}.{parameter}": tensor for name, tensor in named.items()}
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def megatron_names(root: Path, tensors: dict[str, torch.Tensor]) -> WeightNames:
    write_torch_dist(root, tensors, TRANSFORMER.to_arguments(vocab_size=VOCAB_SIZE), iteration=7)
    directory = iteration_directory(root)
    config = TransformerConfig.from_arguments(read_arguments(directory), directory)
    assert config == TRANSFORMER
    return MegatronNames(TorchDistSource(directory), config)


def port_names(root: Path, model: Transformer) -> WeightNames:
    save_file(port_tensors(model), root / "khala_backbone.safetensors")
    arguments = {key: value for key, value in vars(TRANSFORMER.to_arguments()).items() if key != "norm_epsilon"}
    (root / "args.json").write_text(json.dumps(arguments))
    config = TransformerConfig.from_arguments(read_port_arguments(root / "args.json"), root / "args.json")
    assert config == TRANSFORMER
    return PortNames(SafetensorsSource(root / "khala_backbone.safetensors"), config)


LAYOUTS: dict[str, Callable[[Path, Transformer], WeightNames]] = {
    "per layer": lambda root, model: megatron_names(root, padded(megatron_tensors(model))),
    "stacked": lambda root, model: megatron_names(root, stacked(padded(megatron_tensors(model)))),
    "port": port_names,
}


def load(names: WeightNames, fc1_bias: Fc1Bias = Fc1Bias.ONCE, dtype: torch.dtype = torch.float32) -> Transformer:
    return load_transformer(
        names,
        TRANSFORMER,
        vocab_size=VOCAB_SIZE,
        first_output_row=FIRST_OUTPUT,
        fc1_bias=fc1_bias,
        device=torch.device("cpu"),
        dtype=dtype,
    )
