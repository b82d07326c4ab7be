"""What a single-token step attends to: one query a track against its own filled positions and itself.

The query heads of a group are treated as that group's rows, so keys and values are never repeated.
Legend: B tracks, N heads, G key/value groups, R heads a group, T time, D head size.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from models.transformer.kv_cache import KVCache

_BACKENDS = [SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]
"""On Hopper and Blackwell torch prefers cuDNN, which plans anew for every window, and on some of them decodes wrongly
(github.com/pytorch/pytorch/issues/193893)."""


class DecodeAttention:
    """The attention of the step whose ``window`` the cache just gave; behind it, ``lengths`` grow by 1.

    All tracks look at the same window, each through its own mask: a device takes the same step again and again.
    """

    def __init__(self, cache: KVCache, window: int) -> None:
        self._cache, self._window = cache, window
        filled = cache.places[:window] <= cache.lengths[:, None]
        # As numbers, made once a step: attention would otherwise turn a boolean mask into them in every layer.
        mask = torch.zeros_like(filled, dtype=cache.keys[0].dtype).masked_fill_(~filled, float("-inf"))
        self._mask = mask[:, None, None]

    def __call__(self, layer: int, q_BNTD: torch.Tensor, k_BGTD: torch.Tensor, v_BGTD: torch.Tensor) -> torch.Tensor:
        cache = self._cache
        keys, values = cache.keys[layer], cache.values[layer]
        keys[cache.rows, :, cache.lengths] = k_BGTD.squeeze(2)
        values[cache.rows, :, cache.lengths] = v_BGTD.squeeze(2)
        q_BGRD = q_BNTD.view(q_BNTD.shape[0], keys.shape[1], -1, q_BNTD.shape[-1])
        with sdpa_kernel(_BACKENDS):
            mixed = F.scaled_dot_product_attention(
                q_BGRD, keys[:, :, : self._window], values[:, :, : self._window], attn_mask=self._mask
            )
        return mixed.flatten(1, 2).unsqueeze(2)
