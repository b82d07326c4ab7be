from __future__ import annotations

import threading

import numpy as np
import numpy.typing as npt
import pytest

from models.cpu.kernel import kernel
from models.cpu.team import Board, Team, meet, take

PHASES, JOBS = 40, 500


@kernel
def _count_jobs(threads: int, thread: int, board: Board, counts: npt.NDArray[np.int64]) -> None:
    """In each phase, one more than was counted in the one before."""
    for phase in range(PHASES):
        while True:
            job = take(board, phase)
            if job >= JOBS:
                break
            counts[phase + 1, job] += counts[phase, JOBS - 1 - job] + 1
        meet(board, phase, threads)


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_each_job_is_done_once_and_phases_follow_each_other(threads: int) -> None:
    team = Team(threads, PHASES)
    for _ in range(50):
        counts = np.zeros((PHASES + 1, JOBS), np.int64)
        team.run(_count_jobs, counts)
        assert (counts == np.arange(PHASES + 1)[:, None]).all()


@pytest.mark.parametrize("lost", [0, 1])
def test_nobody_waits_for_a_thread_that_does_not_come(lost: int) -> None:
    team = Team(3, PHASES)
    came = threading.Semaphore(0)

    def interrupted(threads: int, thread: int, board: Board, counts: npt.NDArray[np.int64]) -> None:
        if thread == lost:
            raise KeyboardInterrupt
        _count_jobs(threads, thread, board, counts)
        came.release()

    counts = np.zeros((PHASES + 1, JOBS), np.int64)
    with pytest.raises(KeyboardInterrupt):
        team.run(interrupted, counts)
    for _ in range(2):
        assert came.acquire(timeout=60)
    team.run(_count_jobs, counts := np.zeros_like(counts))
    assert counts[-1, 0] == PHASES, "the next step finds everybody there"
