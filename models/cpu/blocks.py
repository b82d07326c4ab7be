"""One step of all tracks through all blocks, as every thread of a team takes it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.cpu.arithmetic import Floats
from models.cpu.attention import add_up, attend
from models.cpu.kernel import kernel
from models.cpu.matrices import gated_product, product
from models.cpu.team import Board, meet
from models.cpu.weights import BlockWeights

PHASES = 5
"""Of a block: what ends with all threads having done."""


class Parts(NamedTuple):
    """What attending to each chunk came to: its largest score, the sum of exponentials, the mixed values.

    The first two [B G, chunks, N / G], the last [B G, chunks, N / G, D], heads of a group rounded up to even.
    """

    largest: Floats
    total: Floats
    mixed: Floats


class Workspace(NamedTuple):
    """Room for what a step computes on its way; rows are tracks, rounded up to even.

    Of all threads: heads [rows, (N + 2 G) D], hidden [rows, F] and the parts. Of each: normed [threads, rows, H],
    attended [threads, rows, N D], queries [threads, heads of a group, D], scores [threads, heads of a group, CHUNK].
    """

    heads: Floats
    hidden: Floats
    parts: Parts
    normed: Floats
    attended: Floats
    queries: Floats
    scores: Floats


@kernel
def through_blocks(
    threads: int,
    thread: int,
    board: Board,
    x: Floats,
    weights: BlockWeights,
    epsilon: np.float32,
    keys: Floats,
    values: Floats,
    lengths: npt.NDArray[np.int64],
    turns: Floats,
    workspace: Workspace,
) -> None:
    """x [rows, H]: embeddings of each track's new token, then what the blocks make of them.

    keys [L, B, G, T, D] and values [L, B, G, T / CHUNK, D, CHUNK] get a position more; ``lengths`` [B] are without it.
    turns: cosines and sines of all positions [2, T, D].
    """
    normed, attended = workspace.normed[thread], workspace.attended[thread]
    queries, scores = workspace.queries[thread], workspace.scores[thread]
    heads, hidden, parts = workspace.heads, workspace.hidden, workspace.parts
    qkv, out, gate, down = weights.qkv, weights.out, weights.gate_up, weights.down
    for layer in range(len(keys)):
        phase = layer * PHASES
        norm(x, weights.attention_norm[layer], epsilon, normed)
        product(board, phase, normed, qkv.weight[layer], qkv.scale[layer], qkv.bias[layer], heads, False)
        meet(board, phase, threads)
        attend(board, phase + 1, heads, keys[layer], values[layer], lengths, turns, queries, scores, parts)
        meet(board, phase + 1, threads)
        add_up(lengths, parts, attended)
        product(board, phase + 2, attended, out.weight[layer], out.scale[layer], out.bias[layer], x, True)
        meet(board, phase + 2, threads)
        norm(x, weights.ffn_norm[layer], epsilon, normed)
        gated_product(board, phase + 3, normed, gate.weight[layer], gate.scale[layer], gate.bias[layer], hidden)
        meet(board, phase + 3, threads)
        product(board, phase + 4, hidden, down.weight[layer], down.scale[layer], down.bias[layer], x, True)
        meet(board, phase + 4, threads)


@kernel
def norm(x: Floats, weight: Floats, epsilon: np.float32, out: Floats) -> None:
    """RMSNorm of each row of x [rows, H] (``models.transformer.norm``)."""
    size = np.float32(x.shape[1])
    for row in range(len(x)):
        squares = np.float32(0)
        for i in range(x.shape[1]):
            squares += x[row, i] * x[row, i]
        scale = np.float32(1) / np.sqrt(squares / size + epsilon)
        for i in range(x.shape[1]):
            out[row, i] = x[row, i] * scale * weight[i]
