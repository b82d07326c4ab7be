"""Keys and values of a batch on a CPU: float32, in the order in which the kernels read them.

There is room for the longest song from the start: memory that nobody has written to takes up none.
Legend: B tracks, N heads, G key/value groups, T time, D head size, L layers.
"""

from __future__ import annotations

import math
import mmap

import numpy as np
import torch
import torch.nn.functional as F

from models.cpu.arithmetic import Floats
from models.cpu.attention import CHUNK
from models.transformer.attention import attend_causal
from models.transformer.config import TransformerConfig


class CpuCache:
    """keys [L, B, G, T, D]; values [L, B, G, T / CHUNK, D, CHUNK]; ``lengths`` [B] of what is filled."""

    def __init__(self, config: TransformerConfig, *, batch: int, room: int) -> None:
        chunks, groups, size = -(-room // CHUNK), config.num_groups, config.head_size
        self.keys = _zeros(config.num_layers, batch, groups, chunks * CHUNK, size)
        self.values = _zeros(config.num_layers, batch, groups, chunks, size, CHUNK)
        self.lengths = np.zeros(batch, np.int64)

    def prefill(self, rows: list[int], length: int) -> CpuPrefill:
        """The attention of a prompt of ``length`` ids that is computed once and shared by ``rows``."""
        self.lengths[rows] = length
        return CpuPrefill(self, rows)


class CpuPrefill:
    """Causal attention over a prompt [1, …], whose keys and values are copied to the rows that share it."""

    def __init__(self, cache: CpuCache, rows: list[int]) -> None:
        self._keys, self._values, self._rows = torch.from_numpy(cache.keys), torch.from_numpy(cache.values), rows

    def __call__(self, layer: int, q_BNTD: torch.Tensor, k_BGTD: torch.Tensor, v_BGTD: torch.Tensor) -> torch.Tensor:
        time = k_BGTD.shape[2]
        chunks = F.pad(v_BGTD, (0, 0, 0, -time % CHUNK)).view(*k_BGTD.shape[:2], -1, CHUNK, k_BGTD.shape[3]).mT
        for row in self._rows:
            self._keys[layer, row, :, :time] = k_BGTD[0]
            self._values[layer, row, :, : chunks.shape[2]] = chunks[0]
        return attend_causal(layer, q_BNTD, k_BGTD, v_BGTD)


def _zeros(*shape: int) -> Floats:
    """Zeros that take up memory only once they are written to.

    Torch's would be written at once; NumPy's come in huge pages, two megabytes taken up for the first number in each.
    """
    try:
        pages = mmap.mmap(-1, 4 * math.prod(shape), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError as error:
        raise MemoryError(str(error)) from error
    return np.frombuffer(pages, np.float32).reshape(shape)
