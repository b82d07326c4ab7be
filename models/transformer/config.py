"""The sizes of a transformer, read from the arguments stored with its weights."""

from __future__ import annotations

import math
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import CheckpointError

DEFAULT_ROTARY_BASE = 500_000.0
DEFAULT_NORM_EPSILON = 1e-6

_REQUIRED = {
    # Arguments that would change the computation, with the only value this project computes.
    "normalization": ("RMSNorm",),
    "position_embedding_type": ("rope",),
    "swiglu": (True,),
    "rotary_percent": (1.0,),
    "rotary_interleaved": (False,),
    "qk_layernorm": (False,),
    "apply_residual_connection_post_layernorm": (False,),
    "num_experts": (None,),
    "multi_latent_attention": (False,),
    "use_rope_scaling": (False,),
    "apply_layernorm_1p": (False,),
    "rotary_seq_len_interpolation_factor": (None, 1),
    "window_size": (None,),
}


@dataclass(frozen=True, kw_only=True)
class TransformerConfig:
    """Shape of one model (contract section 3)."""

    num_layers: int
    hidden_size: int
    num_heads: int
    num_groups: int
    head_size: int
    ffn_size: int
    norm_epsilon: float = DEFAULT_NORM_EPSILON
    rotary_base: float = DEFAULT_ROTARY_BASE
    linear_bias: bool = True

    def __post_init__(self) -> None:
        sizes = (self.num_layers, self.hidden_size, self.num_heads, self.num_groups, self.head_size, self.ffn_size)
        if min(sizes) < 1:
            raise ValueError(f"all sizes must be positive, not {sizes}")
        if not (0 < self.norm_epsilon < 1 and 1 < self.rotary_base < math.inf):
            raise ValueError(f"norm epsilon {self.norm_epsilon} and rotary base {self.rotary_base} make no numbers")
        if self.num_heads % self.num_groups:
            raise ValueError(f"{self.num_heads} heads cannot be shared by {self.num_groups} key/value groups")
        if self.head_size % 2:
            raise ValueError(f"rotary positions need an even head size, not {self.head_size}")

    @property
    def heads_per_group(self) -> int:
        return self.num_heads // self.num_groups

    @property
    def query_size(self) -> int:
        return self.num_heads * self.head_size

    @property
    def key_value_size(self) -> int:
        return self.num_groups * self.head_size

    @classmethod
    def from_arguments(cls, arguments: Namespace, path: Path) -> TransformerConfig:
        """Sizes from Megatron's argument names; ``path`` is where they were found, for the error."""
        values = vars(arguments)
        for name, allowed in _REQUIRED.items():
            found = values.get(name, allowed[0])
            if not isinstance(found, bool | int | float | str | None) or found not in allowed:
                raise CheckpointError(path, f"argument '{name}' is {found!r}; only {allowed[0]!r} is supported")
        heads = _whole(values, "num_attention_heads", path)
        hidden = _whole(values, "hidden_size", path)
        grouped = values.get("group_query_attention", values.get("num_query_groups") is not None)
        try:
            return cls(
                num_layers=_whole(values, "num_layers", path),
                hidden_size=hidden,
                num_heads=heads,
                num_groups=_whole(values, "num_query_groups", path) if grouped else heads,
                head_size=_whole(values, "kv_channels", path) if values.get("kv_channels") else hidden // max(heads, 1),
                ffn_size=_whole(values, "ffn_hidden_size", path),
                norm_epsilon=float(_first(values, ("norm_epsilon", "layernorm_epsilon"), DEFAULT_NORM_EPSILON)),
                rotary_base=float(_first(values, ("rotary_base",), DEFAULT_ROTARY_BASE)),
                linear_bias=bool(values.get("add_bias_linear", True)),
            )
        except (ValueError, TypeError, RuntimeError) as error:
            raise CheckpointError(path, f"the stored arguments describe no model: {error}") from error

    def to_arguments(self, **others: Any) -> Namespace:
        """The same sizes under Megatron's argument names, for a checkpoint this project writes."""
        return Namespace(
            num_layers=self.num_layers,
            hidden_size=self.hidden_size,
            num_attention_heads=self.num_heads,
            group_query_attention=True,
            num_query_groups=self.num_groups,
            kv_channels=self.head_size,
            ffn_hidden_size=self.ffn_size,
            norm_epsilon=self.norm_epsilon,
            rotary_base=int(self.rotary_base),
            rotary_percent=1.0,
            add_bias_linear=self.linear_bias,
            swiglu=True,
            normalization="RMSNorm",
            position_embedding_type="rope",
            untie_embeddings_and_output_weights=True,
            **others,
        )


def _first(values: dict[str, Any], names: tuple[str, ...], default: float) -> Any:
    return next((values[name] for name in names if values.get(name) is not None), default)


def _whole(values: dict[str, Any], name: str, path: Path) -> int:
    value = values.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise CheckpointError(path, f"argument '{name}' is {value!r}; a whole number was expected")
    return value
