"""Threads that go through a step together: they take jobs from one board and wait for each other between phases.

They wait by looking, for a phase takes microseconds and waking a thread that sleeps takes longer; after a while of it
they let others run. Each phase has two counters on the board, in a cache line each: jobs taken, threads arrived. The
last number says that somebody has given up.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import types

from models.cpu.kernel import instructions, kernel

_LINE = 8
"""Counters to a cache line."""
_GIVEN_UP = -1
_LOOKS = 2_000
"""Before a waiting thread lets others run: some microseconds."""

Board = npt.NDArray[np.int64]


class Team:
    """The threads of one batch's steps. They share nothing but the arguments of a step."""

    def __init__(self, threads: int, phases: int) -> None:
        self._threads = threads
        # Of this team alone: two that shared some would wait for each other's. None starts before it is needed.
        self._helpers = ThreadPoolExecutor(max_workers=max(1, threads - 1), thread_name_prefix="decode-step")
        # A helper may still be leaving one step when the next one begins, so they take turns; it is back for that one.
        self._boards = [np.zeros((phases + 1) * 2 * _LINE, np.int64) for _ in range(2)]

    def run(self, step: Callable[..., None], *arguments: Any) -> None:
        """``step(threads, thread, board, *arguments)`` on every thread; returns when the last phase is over.

        Raises what any of them raised.
        """
        self._boards.reverse()
        board = self._boards[0]
        board.fill(0)

        def take_part(thread: int) -> None:
            try:
                step(self._threads, thread, board, *arguments)
            except BaseException:
                board[_GIVEN_UP] = 1
                raise

        try:
            helpers = [self._helpers.submit(take_part, thread) for thread in range(1, self._threads)]
        except BaseException:
            board[_GIVEN_UP] = 1
            raise
        take_part(0)
        if board[_GIVEN_UP]:
            for helper in helpers:
                helper.result()


@kernel
def take(board: Board, phase: int) -> int:
    """The number of the next job of a phase; each is given to one thread."""
    job: int = _add(board, 2 * _LINE * phase, 1)
    return job


@kernel
def meet(board: Board, phase: int, threads: int) -> None:
    """Wait until all threads have done with a phase, or one has given up."""
    place = 2 * _LINE * phase + _LINE
    _add(board, place, 1)
    looks = 0
    while _read(board, place) < threads and board[_GIVEN_UP] == 0:
        looks += 1
        if looks > _LOOKS:
            _let_others_run()


_let_others_run = types.ExternalFunction("sched_yield", types.int32())


def _place(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    return builder.gep(array.data, [arguments[1]])


@instructions
def _add(typing: Any, board: Any, place: Any, more: Any) -> Any:
    """Add to a counter; what it was before. No two threads see the same."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.atomic_rmw("add", _place(context, builder, signature, arguments), arguments[2], "seq_cst")

    return types.int64(board, types.int64, types.int64), generate


@instructions
def _read(typing: Any, board: Any, place: Any) -> Any:
    """A counter as it is now; what other threads wrote before they counted is seen after it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(_place(context, builder, signature, arguments), "seq_cst", 8)

    return types.int64(board, types.int64), generate
