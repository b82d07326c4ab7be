"""megatron-core's GPTModel in float32 on a CPU, in one process, with the weights of this project's transformer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from megatron.core import parallel_state
from megatron.core.inference.contexts import StaticInferenceContext
from megatron.core.models.common.embeddings.rotary_pos_embedding import RotaryEmbedding
from megatron.core.models.gpt import GPTModel
from megatron.core.models.gpt.gpt_layer_specs import get_gpt_layer_local_spec
from megatron.core.transformer.transformer_config import TransformerConfig as MegatronConfig

from models.checkpoint.megatron_export import megatron_tensors
from models.transformer.model import Transformer


@contextmanager
def single_process(directory: Path) -> Iterator[None]:
    """A process group of one, which GPTModel needs even on a CPU."""
    torch.distributed.init_process_group("gloo", init_method=f"file://{directory / 'store'}", world_size=1, rank=0)
    parallel_state.initialize_model_parallel(1, 1)
    try:
        yield
    finally:
        parallel_state.destroy_model_parallel()
        torch.distributed.destroy_process_group()


class MegatronGpt:
    """GPTModel in float32, fed the tensors this project would write to disk; ``room`` is the longest sequence."""

    def __init__(self, model: Transformer, *, room: int) -> None:
        config = model.config
        vocab_size = model.embedding.num_embeddings
        self._config = MegatronConfig(
            num_layers=config.num_layers,
            hidden_size=config.hidden_size,
            num_attention_heads=config.num_heads,
            num_query_groups=config.num_groups,
            kv_channels=config.head_size,
            ffn_hidden_size=config.ffn_size,
            normalization="RMSNorm",
            layernorm_epsilon=config.norm_epsilon,
            gated_linear_unit=True,
            activation_func=F.silu,
            add_bias_linear=config.linear_bias,
            hidden_dropout=0.0,
            attention_dropout=0.0,
            use_cpu_initialization=True,
            bias_activation_fusion=False,
            bias_dropout_fusion=False,
            apply_rope_fusion=False,
            params_dtype=torch.float32,
        )
        spec = get_gpt_layer_local_spec(normalization="RMSNorm")
        spec.submodules.self_attention.submodules.core_attention = _MaskedAttention
        self.model = GPTModel(
            self._config,
            spec,
            vocab_size=vocab_size,
            max_sequence_length=room,
            position_embedding_type="rope",
            rotary_base=int(config.rotary_base),
            share_embeddings_and_output_weights=False,
            parallel_output=False,
        ).eval()
        self.model.rotary_pos_emb = _CpuRotary(
            config.head_size, 1.0, rotary_base=int(config.rotary_base), use_cpu_initialization=True
        )
        loaded = self.model.load_state_dict(_local_names(megatron_tensors(model)), strict=False)
        odd = [*loaded.unexpected_keys, *(name for name in loaded.missing_keys if "_extra_state" not in name)]
        if odd:
            raise RuntimeError(f"megatron-core {metadata.version('megatron-core')} names its tensors otherwise: {odd}")
        self._room = room

    @torch.no_grad()
    def causal_logits(self, ids: torch.Tensor) -> torch.Tensor:
        """Logits of ids [B, T], [B, T, V]."""
        time = ids.shape[1]
        hidden_from = torch.ones(time, time, dtype=torch.bool).triu(1)[None, None]
        logits: torch.Tensor = self.model(ids, torch.arange(time)[None].expand_as(ids), hidden_from)
        return logits

    @torch.no_grad()
    def bidirectional_hidden(self, embedded: torch.Tensor) -> torch.Tensor:
        """Hidden states of embeddings [B, T, H] that all see each other, [B, T, H]."""
        time = embedded.shape[1]
        nothing_hidden = torch.zeros(1, 1, time, time, dtype=torch.bool)
        rotary = self.model.rotary_pos_emb(time)
        hidden: torch.Tensor = self.model.decoder(
            hidden_states=embedded.transpose(0, 1), attention_mask=nothing_hidden, rotary_pos_emb=rotary
        )
        return hidden.transpose(0, 1)

    @torch.no_grad()
    def cached_logits(self, prompt: torch.Tensor, following: torch.Tensor) -> torch.Tensor:
        """Logits after each token of ``following`` [B, S], decoded one by one behind ``prompt`` [B, T]; [B, S, V]."""
        batch, time = prompt.shape
        config = self._config
        context = StaticInferenceContext(batch, self._room)
        shape = (self._room, batch, config.num_query_groups, config.kv_channels)
        for layer in range(1, config.num_layers + 1):
            context.key_value_memory_dict[layer] = (torch.zeros(shape), torch.zeros(shape))
        hidden_from = torch.ones(time, time, dtype=torch.bool).triu(1)[None, None]
        positions = torch.arange(time)[None].expand(batch, -1)
        self.model(prompt, positions, hidden_from, inference_context=context, runtime_gather_output=True)
        context.increment_sequence_len_offset(time)
        context.enable_decode_mode()
        steps = []
        for step in range(following.shape[1]):
            position = torch.full((batch, 1), time + step)
            token = following[:, step : step + 1]
            steps.append(self.model(token, position, None, inference_context=context, runtime_gather_output=True))
            context.increment_sequence_len_offset(1)
        return torch.cat(steps, dim=1)


class _MaskedAttention(torch.nn.Module):
    """Attention by the explicit mask alone (True = hidden); without one, everything in the cache is seen."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__()

    def forward(self, query: Any, key: Any, value: Any, attention_mask: Any, **keywords: Any) -> torch.Tensor:
        q, k, v = (tensor.permute(1, 2, 0, 3) for tensor in (query, key, value))
        seen = None if attention_mask is None else ~attention_mask
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=seen, enable_gqa=True)
        return mixed.permute(2, 0, 1, 3).flatten(2)


class _CpuRotary(RotaryEmbedding):  # type: ignore[misc]
    """Megatron's rotary embedding without its question for a CUDA device."""

    def get_emb(self, max_seq_len: int, offset: int = 0) -> torch.Tensor:
        freqs = self.get_freqs_non_repeated(max_seq_len, offset)
        return torch.cat((freqs, freqs), dim=-1)[:, None, None, :]


def _local_names(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """On-disk (Transformer Engine) names turned into those of the local layer specification."""
    renamed: dict[str, torch.Tensor] = {}
    for name, tensor in tensors.items():
        if name.endswith("_v"):
            continue
        if name.endswith("_w"):
            tensor = torch.cat([tensor, tensors[name[:-1] + "v"]])
        name = name.removesuffix("_w")
        name = name.replace("self_attention.linear_qkv.layer_norm_", "input_layernorm.")
        renamed[name.replace("mlp.linear_fc1.layer_norm_", "pre_mlp_layernorm.")] = tensor
    return renamed
