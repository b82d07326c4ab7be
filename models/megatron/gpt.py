"""megatron-core's GPTModel with the weights of this project's transformer, whole or one rank's share of them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
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


class MegatronGpt:
    """GPTModel, fed the tensors this project would write to disk; ``room`` is the longest sequence.

    It computes on ``device``, by default where the model is. Inside a process group of several ranks each of them holds
    its share, and all must make the same calls.
    """

    def __init__(self, model: Transformer, *, room: int, device: torch.device | None = None) -> None:
        config, device = model.config, device or model.device
        ranks = parallel_state.get_tensor_model_parallel_world_size()
        share = Share(parallel_state.get_tensor_model_parallel_rank(), ranks)
        vocab_size = -(-model.embedding.num_embeddings // ranks) * ranks
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
            perform_initialization=False,
            bias_activation_fusion=False,
            bias_dropout_fusion=False,
            apply_rope_fusion=False,
            params_dtype=model.dtype,
            tensor_model_parallel_size=ranks,
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
        self.model.to(device, model.dtype)
        rotary = _Rotary(config.head_size, 1.0, rotary_base=int(config.rotary_base), use_cpu_initialization=True)
        rotary.inv_freq = rotary.inv_freq.to(device)
        self.model.rotary_pos_emb = rotary
        whole = _local_names(megatron_tensors(model))
        loaded = self.model.load_state_dict({name: share.of(name, whole[name]) for name in whole}, strict=False)
        odd = [*loaded.unexpected_keys, *(name for name in loaded.missing_keys if "_extra_state" not in name)]
        if odd:
            raise RuntimeError(f"megatron-core {metadata.version('megatron-core')} names its tensors otherwise: {odd}")
        # Hidden states come out, so that only the positions and rows that somebody needs are projected.
        self.model.post_process = False
        self._local_groups = config.num_groups // ranks

    @torch.no_grad()
    def causal_logits(self, ids: torch.Tensor) -> torch.Tensor:
        """Logits of ids [B, T], [B, T, V]."""
        return self._logits(self.model(ids, *_causal(ids)))

    @torch.no_grad()
    def bidirectional_hidden(self, embedded: torch.Tensor) -> torch.Tensor:
        """Hidden states of embeddings [B, T, H], in any format, that all see each other, [B, T, H]."""
        hidden: torch.Tensor = self.model.decoder(
            hidden_states=embedded.transpose(0, 1).to(self._config.params_dtype),
            attention_mask=None,
            rotary_pos_emb=self.model.rotary_pos_emb(embedded.shape[1]),
        )
        return hidden.transpose(0, 1)

    def cache(self, batch: int, room: int) -> StaticInferenceContext:
        """An empty cache of ``room`` positions for each track."""
        context = StaticInferenceContext(batch, room)
        weight = self.model.embedding.word_embeddings.weight
        shape = (room, batch, self._local_groups, self._config.kv_channels)
        for layer in range(1, self._config.num_layers + 1):
            pair = torch.zeros(2, *shape, dtype=weight.dtype, device=weight.device)
            context.key_value_memory_dict[layer] = (pair[0], pair[1])
        return context

    @torch.no_grad()
    def begin(self, prompt: torch.Tensor, *, room: int) -> tuple[StaticInferenceContext, torch.Tensor]:
        """Read prompts [B, T] into a cache with ``room`` positions; the cache and the last position's logits [B, V]."""
        batch, time = prompt.shape
        context = self.cache(batch, room)
        hidden = self.model(prompt, *_causal(prompt), inference_context=context, runtime_gather_output=True)
        context.increment_sequence_len_offset(time)
        context.enable_decode_mode()
        return context, self._logits(hidden[-1:])[:, 0]

    @torch.no_grad()
    def follow(self, context: StaticInferenceContext, token: torch.Tensor) -> torch.Tensor:
        """Read one more token of each track [B]; its logits [B, V]."""
        position = torch.full_like(token, context.sequence_len_offset)[:, None]
        hidden = self.model(token[:, None], position, None, inference_context=context, runtime_gather_output=True)
        context.increment_sequence_len_offset(1)
        return self._logits(hidden)[:, 0]

    def _logits(self, hidden_TBH: torch.Tensor) -> torch.Tensor:
        """Float32, like ``Transformer.logits``."""
        return _gathered(F.linear(hidden_TBH.transpose(0, 1).float(), self.model.output_layer.weight.float()))


def _causal(ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Positions of ids [B, T], [B, T], and what none of them may see, True in [1, 1, T, T]."""
    time = ids.shape[1]
    hidden_from = torch.ones(time, time, dtype=torch.bool, device=ids.device).triu(1)
    return torch.arange(time, device=ids.device)[None].expand_as(ids), hidden_from[None, None]


class _MaskedAttention(torch.nn.Module):
    """Attention by the explicit mask alone (True = hidden); without one, everything is seen."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__()

    def forward(self, query: Any, key: Any, value: Any, attention_mask: Any, **keywords: Any) -> torch.Tensor:
        q, k, v = (tensor.permute(1, 2, 0, 3) for tensor in (query, key, value))
        seen = None if attention_mask is None else ~attention_mask
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=seen, enable_gqa=True)
        return mixed.permute(2, 0, 1, 3).flatten(2)


def _gathered(logits: torch.Tensor) -> torch.Tensor:
    """Every rank's columns side by side; megatron-core's own way asks for a CUDA device even where there is none."""
    ranks = parallel_state.get_tensor_model_parallel_world_size()
    if ranks == 1:
        return logits
    shares = [torch.empty_like(logits) for _ in range(ranks)]
    torch.distributed.all_gather(shares, logits.contiguous(), group=parallel_state.get_tensor_model_parallel_group())
    return torch.cat(shares, dim=-1)


@dataclass(frozen=True)
class Share:
    """What one of several tensor-parallel ranks holds of each whole tensor, by Megatron's local names."""

    rank: int
    ranks: int

    def of(self, name: str, whole: torch.Tensor) -> torch.Tensor:
        """Rows of what fans out and of the vocabulary, columns of what joins again, all of the rest."""
        if self.ranks == 1:
            return whole
        if "linear_fc1" in name:  # gate and up: a share of each
            return torch.cat([half.chunk(self.ranks)[self.rank] for half in whole.chunk(2)])
        if "linear_qkv." in name:
            return whole.chunk(self.ranks)[self.rank]
        if "word_embeddings" in name or name.startswith("output_layer"):
            padded = F.pad(whole, (0, 0, 0, -len(whole) % self.ranks))
            return padded.chunk(self.ranks)[self.rank]
        if name.endswith(("linear_proj.weight", "linear_fc2.weight")):
            return whole.chunk(self.ranks, dim=1)[self.rank]
        return whole


class _Rotary(RotaryEmbedding):  # type: ignore[misc]
    """Megatron's rotary embedding on the model's device, without its question for a CUDA device."""

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
