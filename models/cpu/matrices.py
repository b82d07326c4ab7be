"""Products of a few rows with a matrix, whose outputs the threads share out among themselves.

Rows are even in number, the last one made up where there is an uneven number of tracks.
"""

from __future__ import annotations

import math

import numpy as np

from models.cpu.arithmetic import LEFT, RIGHT, Floats, Weights, quarters, tile
from models.cpu.kernel import kernel
from models.cpu.team import Board, take

_SPAN = 32
"""Outputs of one job. A tile takes rows of four quarters of them, for memory is read faster in several streams."""


@kernel
def product(
    board: Board, phase: int, x: Floats, weight: Weights, scale: Floats, bias: Floats, out: Floats, onto: bool
) -> None:
    """x [rows, in] · weight [out, in] · scale [out] + bias [out] into out [rows, out], or ``onto`` what is there."""
    outputs = len(weight)
    while True:
        first = take(board, phase) * _SPAN
        if first >= outputs:
            return
        last = min(first + _SPAN, outputs) - 1
        quarter = (last - first) // RIGHT + 1
        for o in range(first, first + quarter):
            p, q, r, s = quarters(o, quarter, last)
            for row in range(0, len(x), LEFT):
                sums = tile(x[row], x[row + 1], weight[p], weight[q], weight[r], weight[s])
                for left in range(LEFT):
                    for right in range(RIGHT):
                        place = o + right * quarter
                        if place <= last:
                            found = sums[left][right] * scale[place] + bias[place]
                            out[row + left, place] = out[row + left, place] + found if onto else found


@kernel
def gated_product(
    board: Board, phase: int, x: Floats, weight: Weights, scale: Floats, bias: Floats, out: Floats
) -> None:
    """silu(gate) · up into out [rows, F]; rows of weight [2 F, in] are the gate's, then the up projection's."""
    outputs = len(weight) // 2
    while True:
        first = take(board, phase) * _SPAN
        if first >= outputs:
            return
        last = min(first + _SPAN, outputs) - 1
        half = (last - first) // 2 + 1
        for o in range(first, first + half):
            p = min(o + half, last)
            for row in range(0, len(x), LEFT):
                sums = tile(x[row], x[row + 1], weight[o], weight[p], weight[outputs + o], weight[outputs + p])
                for left in range(LEFT):
                    for which, place in enumerate((o, p)):
                        up = outputs + place
                        gate = sums[left][which] * scale[place] + bias[place]
                        out[row + left, place] = _silu(gate) * (sums[left][2 + which] * scale[up] + bias[up])


@kernel
def _silu(x: np.float32) -> np.float32:
    return x / (np.float32(1) + np.float32(math.exp(-x)))
