"""A key/value cache for a batch of tracks, and the attention of a prompt that fills it.

Every track starts at position 0 of its own row; steps write in place, and whoever runs out of room asks for more.
Legend: B tracks, N heads, G key/value groups, T time, D head size.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from models.transformer.attention import attend_causal
from models.transformer.config import TransformerConfig

WINDOW_STEP = 512
"""Room, and what attention looks at, is a multiple of this many positions: few distinct shapes, and for most steps one
order of summation whatever the length of the longest neighbour in the batch."""


class KVCache:
    """Keys and values of all layers, and how many positions of each track are filled.

    ``lengths`` counts them where the keys are, without the token of a running step; the host knows the longest with it.
    """

    def __init__(
        self, config: TransformerConfig, *, batch: int, room: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        shape = (batch, config.num_groups, _whole_windows(room), config.head_size)
        self.keys, self.values = (
            [torch.zeros(shape, device=device, dtype=dtype) for _ in range(config.num_layers)] for _ in range(2)
        )
        self.lengths = torch.zeros(batch, dtype=torch.long, device=device)
        self._longest = 0
        self.rows = torch.arange(batch, device=device)
        self.places = torch.arange(shape[2], device=device)

    @property
    def is_full(self) -> bool:
        """Whether the longest track has no room for another position."""
        return self._longest >= len(self.places)

    def grow(self, most: int) -> None:
        """Make half as much room again, but no more than for ``most`` positions; recorded steps know the old room.

        One tensor after another, so that no more than one of them is there twice.
        """
        room = min(_whole_windows(len(self.places) * 3 // 2), _whole_windows(most))
        for tensors in (self.keys, self.values):
            for layer, tensor in enumerate(tensors):
                tensors[layer] = F.pad(tensor, (0, 0, 0, room - tensor.shape[2]))
        self.places = torch.arange(room, device=self.places.device)

    def prefill(self, rows: list[int], length: int) -> Prefill:
        """The attention of a prompt of ``length`` ids that is computed once and shared by ``rows``."""
        self.lengths[rows] = length
        self._longest = max(self._longest, length)
        return Prefill(self, rows)

    def next_window(self) -> int:
        """How many positions the next step has to look at; counts it as taken on the host."""
        self._longest += 1
        return _whole_windows(self._longest)


class Prefill:
    """Causal attention over a prompt [1, …], whose keys and values are copied to the rows that share it."""

    def __init__(self, cache: KVCache, rows: list[int]) -> None:
        self._cache, self._rows = cache, rows

    def __call__(self, layer: int, q_BNTD: torch.Tensor, k_BGTD: torch.Tensor, v_BGTD: torch.Tensor) -> torch.Tensor:
        time = k_BGTD.shape[2]
        self._cache.keys[layer][self._rows, :, :time] = k_BGTD
        self._cache.values[layer][self._rows, :, :time] = v_BGTD
        return attend_causal(layer, q_BNTD, k_BGTD, v_BGTD)


def _whole_windows(positions: int) -> int:
    return -(-positions // WINDOW_STEP) * WINDOW_STEP
