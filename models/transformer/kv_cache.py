"""A key/value cache for a batch of tracks, and the two ways of attending that use it.

Every track starts at position 0 of its own row; steps write in place, and whoever runs out of room asks for more.
Legend: B tracks, N heads, G key/value groups, S room in positions, T time, D head size.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from models.transformer.attention import attend_causal
from models.transformer.config import TransformerConfig

_MANY_BYTES = 4 * 2**20
"""Keys and values of one layer beyond which every thread of a CPU is worth waking, also for a model so small that one
thread computes all else of its steps. Attention sums in one order whatever the number of threads."""

WINDOW_STEP = 512
"""Attention looks at a multiple of this many positions: few distinct shapes, and one order of summation whatever the
length of the longest neighbour in the batch, so a track's numbers do not depend on it."""


class KVCache:
    """Keys and values of all layers, and how many positions of each track are filled."""

    def __init__(
        self, config: TransformerConfig, *, batch: int, room: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        shape = (batch, config.num_groups, _whole_windows(room), config.head_size)
        self.keys, self.values = (
            [torch.zeros(shape, device=device, dtype=dtype) for _ in range(config.num_layers)] for _ in range(2)
        )
        self.lengths = torch.zeros(batch, dtype=torch.long, device=device)
        self._rows = torch.arange(batch, device=device)
        self._places = torch.arange(shape[2], device=device)
        self._longest = 0
        self._threads = torch.get_num_threads()

    @property
    def is_full(self) -> bool:
        """Whether the longest track has no room for another position."""
        return self._longest >= len(self._places)

    def grow(self, most: int) -> None:
        """Make half as much room again, but no more than for ``most`` positions; recorded steps know the old room.

        One tensor after another, so that no more than one of them is there twice.
        """
        room = min(_whole_windows(len(self._places) * 3 // 2), _whole_windows(most))
        for tensors in (self.keys, self.values):
            for layer, tensor in enumerate(tensors):
                tensors[layer] = F.pad(tensor, (0, 0, 0, room - tensor.shape[2]))
        self._places = torch.arange(room, device=self._places.device)

    def prefill(self, rows: list[int], length: int) -> Prefill:
        """The attention of a prompt of ``length`` ids that is computed once and shared by ``rows``."""
        self.lengths[rows] = length
        self._longest = max(self._longest, length)
        return Prefill(self, rows)

    def next_window(self) -> int:
        """How many positions the next step has to look at; counts it as taken."""
        self._longest += 1
        return _whole_windows(self._longest)

    def step(self, window: int) -> DecodeStep:
        """The attention of one new token on every row; whoever takes the step adds 1 to ``lengths`` behind it."""
        return DecodeStep(self, window)


class Prefill:
    """Causal attention over a prompt [1, …], whose keys and values are copied to the rows that share it."""

    def __init__(self, cache: KVCache, rows: list[int]) -> None:
        self._cache, self._rows = cache, rows

    def __call__(self, layer: int, q_BNTD: torch.Tensor, k_BGTD: torch.Tensor, v_BGTD: torch.Tensor) -> torch.Tensor:
        time = k_BGTD.shape[2]
        self._cache.keys[layer][self._rows, :, :time] = k_BGTD
        self._cache.values[layer][self._rows, :, :time] = v_BGTD
        return attend_causal(layer, q_BNTD, k_BGTD, v_BGTD)


class DecodeStep:
    """One query a track against its own filled positions and itself.

    The query heads of a group are treated as that group's rows, so keys and values are never repeated.
    """

    def __init__(self, cache: KVCache, window: int) -> None:
        self._cache, self._window = cache, window
        filled = cache._places[:window] <= cache.lengths[:, None]
        # As numbers, made once a step: attention would otherwise turn a boolean mask into them in every layer.
        mask = torch.zeros_like(filled, dtype=cache.keys[0].dtype).masked_fill_(~filled, float("-inf"))
        self._mask = mask[:, None, None]
        read = 2 * cache.keys[0][:, :, :window].nbytes
        self._threads = cache._threads if read > _MANY_BYTES else torch.get_num_threads()

    def __call__(self, layer: int, q_BNTD: torch.Tensor, k_BGTD: torch.Tensor, v_BGTD: torch.Tensor) -> torch.Tensor:
        cache, groups = self._cache, k_BGTD.shape[1]
        keys, values = cache.keys[layer], cache.values[layer]
        keys[cache._rows, :, cache.lengths] = k_BGTD.squeeze(2)
        values[cache._rows, :, cache.lengths] = v_BGTD.squeeze(2)
        queries = q_BNTD.view(q_BNTD.shape[0], groups, -1, q_BNTD.shape[-1])
        fewer = torch.get_num_threads()
        torch.set_num_threads(self._threads)
        mixed = F.scaled_dot_product_attention(
            queries, keys[:, :, : self._window], values[:, :, : self._window], attn_mask=self._mask
        )
        torch.set_num_threads(fewer)
        return mixed.flatten(1, 2).unsqueeze(2)


def _whole_windows(positions: int) -> int:
    return -(-positions // WINDOW_STEP) * WINDOW_STEP
