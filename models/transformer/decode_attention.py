"""What a single-token step attends to: one query a track against its own filled positions and itself.

The query heads of a group are treated as that group's rows, so keys and values are never repeated.
Legend: B tracks, N heads, G key/value groups, R heads a group, T time, D head size.
"""

from __future__ import annotations

from itertools import groupby

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from models.transformer.attention import Attend
from models.transformer.kv_cache import KVCache

_MANY_BYTES = 4 * 2**20
"""Keys and values of one layer beyond which every thread of a CPU is worth waking, also for a model so small that one
thread computes all else of its steps. Attention sums in one order whatever the number of threads."""

_MASKED_BACKENDS = [SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]
"""On Hopper and Blackwell torch prefers cuDNN, which plans anew for every window, and on some of them decodes wrongly
(github.com/pytorch/pytorch/issues/193893)."""


def decode_attention(cache: KVCache, window: int) -> Attend:
    """The attention of the step whose ``window`` the cache just gave; behind it, ``lengths`` grow by 1."""
    return ExactWindows(cache) if cache.lengths.device.type == "cpu" else MaskedWindow(cache, window)


class MaskedWindow:
    """All tracks look at the same window, each through its own mask: a device takes the same step again and again."""

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
        with sdpa_kernel(_MASKED_BACKENDS):
            mixed = F.scaled_dot_product_attention(
                _by_group(q_BNTD, keys), keys[:, :, : self._window], values[:, :, : self._window], attn_mask=self._mask
            )
        return mixed.flatten(1, 2).unsqueeze(2)


class ExactWindows:
    """Each track looks at what it has and no further: a CPU takes any shape, and pays for every position.

    Neighbours of one length, as the tracks of one prompt are, are attended to in one call.
    """

    def __init__(self, cache: KVCache) -> None:
        self._cache = cache
        self._runs: list[tuple[slice, int]] = []
        for length, run in groupby(range(len(cache.host_lengths)), cache.host_lengths.__getitem__):
            rows = list(run)
            self._runs.append((slice(rows[0], rows[-1] + 1), length))
        one_position = 2 * cache.keys[0][0, :, 0].nbytes
        self._threads = cache.threads if sum(cache.host_lengths) * one_position > _MANY_BYTES else None

    def __call__(self, layer: int, q_BNTD: torch.Tensor, k_BGTD: torch.Tensor, v_BGTD: torch.Tensor) -> torch.Tensor:
        keys, values = self._cache.keys[layer], self._cache.values[layer]
        q_BGRD = _by_group(q_BNTD, keys)
        fewer = torch.get_num_threads()
        torch.set_num_threads(self._threads or fewer)
        mixed = []
        for rows, length in self._runs:
            keys[rows, :, length - 1 : length] = k_BGTD[rows]
            values[rows, :, length - 1 : length] = v_BGTD[rows]
            mixed.append(F.scaled_dot_product_attention(q_BGRD[rows], keys[rows, :, :length], values[rows, :, :length]))
        torch.set_num_threads(fewer)
        together = mixed[0] if len(mixed) == 1 else torch.cat(mixed)
        return together.flatten(1, 2).unsqueeze(2)


def _by_group(q_BNTD: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
    """The queries of one token as [B, G, R, D]."""
    return q_BNTD.view(q_BNTD.shape[0], keys.shape[1], -1, q_BNTD.shape[-1])
