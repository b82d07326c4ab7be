"""Attention of one new token a track: a query row against the keys and values that the track has so far.

A group's positions are cut into chunks. Each is attended to by itself, and what comes of them is added up in their
order. Positions that a job begins with never depend on how many there are, nor on the neighbours.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from models.cpu.arithmetic import LEFT, RIGHT, Floats, exponential, quarters, tile
from models.cpu.kernel import kernel
from models.cpu.team import Board, take

CHUNK = 512
"""Positions of a chunk. Its values lie together, transposed: attended values are then row products as scores are."""
_VECTOR = 16
"""A multiple of every vector register's numbers, so that no remainder is added up one by one."""


@kernel
def attend(
    board: Board,
    phase: int,
    heads: Floats,
    keys: Floats,
    values: Floats,
    lengths: npt.NDArray[np.int64],
    turns: Floats,
    queries: Floats,
    scores: Floats,
    parts: Any,
) -> None:
    """Keep the new keys and values, and attend to each chunk, ``parts`` being what comes of it.

    heads [B, (N + 2 G) D], keys [B, G, T, D], values [B, G, T / CHUNK, D, CHUNK], turns: cosines and sines [2, T, D],
    queries [N / G, D] and scores [N / G, CHUNK], both rounded up to even: room of this thread's own.
    """
    groups, size = keys.shape[1], keys.shape[3]
    per_group = heads.shape[1] // (groups * size) - 2
    key_heads, value_heads = groups * per_group, groups * (per_group + 1)
    chunks = parts.largest.shape[1]
    shrink = np.float32(1 / math.sqrt(size))
    while True:
        job = take(board, phase)
        if job >= len(lengths) * groups * chunks:
            return
        row, chunk = divmod(job, chunks)
        track, group = divmod(row, groups)
        newest = lengths[track]
        start = chunk * CHUNK
        if start > newest:
            continue
        cos, sin = turns[0, newest], turns[1, newest]
        if newest - start < CHUNK:
            new_key, new_value = (key_heads + group) * size, (value_heads + group) * size
            _turn(heads[track, new_key : new_key + size], cos, sin, np.float32(1), keys[track, group, newest])
            values[track, group, chunk, :, newest - start] = heads[track, new_value : new_value + size]
        for head in range(per_group):
            query = (group * per_group + head) * size
            _turn(heads[track, query : query + size], cos, sin, shrink, queries[head])
        seen = keys[track, group, start : min(newest + 1, start + CHUNK)]
        _attend_to_chunk(queries, seen, values[track, group, chunk], scores, parts, row, chunk)


@kernel
def _attend_to_chunk(
    queries: Floats, keys: Floats, values: Floats, scores: Floats, parts: Any, row: int, chunk: int
) -> None:
    positions, size = keys.shape
    quarter = (positions - 1) // RIGHT + 1
    for t in range(quarter):
        p, q, r, s = quarters(t, quarter, positions - 1)
        for head in range(0, len(queries), LEFT):
            sums = tile(queries[head], queries[head + 1], keys[p], keys[q], keys[r], keys[s])
            for left in range(LEFT):
                found = scores[head + left]
                found[p], found[q], found[r], found[s] = sums[left]
    whole = -(-positions // _VECTOR) * _VECTOR
    for head in range(len(queries)):
        parts.largest[row, chunk, head], parts.total[row, chunk, head] = _soften(scores[head], positions)
        scores[head, positions:whole] = np.float32(0)
    quarter = (size - 1) // RIGHT + 1
    for d in range(quarter):
        p, q, r, s = quarters(d, quarter, size - 1)
        for head in range(0, len(queries), LEFT):
            first, second = scores[head, :whole], scores[head + 1, :whole]
            sums = tile(first, second, values[p, :whole], values[q, :whole], values[r, :whole], values[s, :whole])
            for left in range(LEFT):
                mixed = parts.mixed[row, chunk, head + left]
                mixed[p], mixed[q], mixed[r], mixed[s] = sums[left]


@kernel
def _soften(scores: Floats, positions: int) -> tuple[np.float32, np.float32]:
    """Replace scores by their exponentials, relative to the largest; that one, and the sum of all."""
    largest = scores[0]
    for t in range(positions):
        largest = max(largest, scores[t])
    total = np.float32(0)
    for t in range(positions):
        scores[t] = exponential(scores[t] - largest)
        total += scores[t]
    return largest, total


@kernel
def add_up(lengths: npt.NDArray[np.int64], parts: Any, out: Floats) -> None:
    """The attended values of all heads, out [B, N D], from those of the chunks."""
    size = parts.mixed.shape[3]
    groups = parts.mixed.shape[0] // len(lengths)
    per_group = out.shape[1] // (groups * size)
    for row in range(len(parts.mixed)):
        track, group = divmod(row, groups)
        chunks = lengths[track] // CHUNK + 1
        for head in range(per_group):
            place = (group * per_group + head) * size
            mixed = out[track, place : place + size]
            mixed[:] = np.float32(0)
            largest = parts.largest[row, :chunks, head].max()
            total = np.float32(0)
            for chunk in range(chunks):
                share = np.float32(math.exp(parts.largest[row, chunk, head] - largest))
                total += share * parts.total[row, chunk, head]
                for d in range(size):
                    mixed[d] += share * parts.mixed[row, chunk, head, d]
            for d in range(size):
                mixed[d] /= total


@kernel
def _turn(x: Floats, cos: Floats, sin: Floats, scale: np.float32, out: Floats) -> None:
    """Rotate x [D] by a position (``models.transformer.rotary``), scaled."""
    half = len(x) // 2
    for d in range(half):
        out[d] = (x[d] * cos[d] + x[half + d] * sin[d]) * scale
        out[half + d] = (x[half + d] * cos[half + d] + x[d] * sin[half + d]) * scale
