"""When a job will start and be done, from how long songs took on this machine before. Arithmetic: no clock, no store.

Work is measured in minutes of song asked for. A phase's pace is its seconds for each minute that the batch had to make,
the median over the last finished tracks. Where nothing has been finished yet, a running track is judged by its own
progress, and of a waiting one nothing is said.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TypeAlias

from core.job import TrackStatus
from core.progress import Phase

PHASES = [phase for phase in Phase if phase is not Phase.IDLE]
"""In the order a track goes through them."""

Pace: TypeAlias = Mapping[str, float]
"""Seconds each phase takes for a minute of song, by the phase's name."""

_TELLING_PERCENT = 10
"""A track that is not so far yet says nothing of how long it will take."""


@dataclass(frozen=True, kw_only=True)
class OpenTrack:
    """A track that has not ended."""

    index: int
    status: TrackStatus
    phase: Phase
    phase_fraction: float
    progress: int
    worker_id: int | None
    seconds_at_work: float


@dataclass(frozen=True, kw_only=True)
class OpenJob:
    """A job that has not ended."""

    job_id: str
    duration_minutes: int
    tracks: Sequence[OpenTrack]


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """Seconds from now; None where nobody can know, or where it has happened. ``track_seconds``: until each is done.

    ``failure`` says why nothing can start at all; then nobody knows when what waits will.
    """

    starts_in_seconds: float | None = None
    finishes_in_seconds: float | None = None
    track_seconds: Mapping[int, float] = field(default_factory=dict)
    failure: str | None = None


UNKNOWN = Outlook()


def median_pace(paces: Sequence[Pace]) -> Pace | None:
    """What is usual; None where nothing was measured."""
    if not paces:
        return None
    return {phase.value: median(pace.get(phase.value, 0.0) for pace in paces) for phase in PHASES}


def outlooks(jobs: Sequence[OpenJob], pace: Pace | None, *, workers: int) -> dict[str, Outlook]:
    """The outlook of each job. ``jobs`` come in the order in which they are handed out to ``workers`` workers."""
    running: dict[str, dict[int, float | None]] = {job.job_id: _running(job, pace) for job in jobs}
    free_at = _free_at(jobs, running, workers)
    found = {}
    for job in jobs:
        ends = dict(running[job.job_id])
        starts = None
        queued = [track.index for track in job.tracks if track.status is TrackStatus.QUEUED]
        if queued and pace is not None and free_at:
            start = heapq.heappop(free_at)
            end = start + sum(pace.values()) * job.duration_minutes * len(queued)
            heapq.heappush(free_at, end)
            ends |= dict.fromkeys(queued, end)
            starts = None if running[job.job_id] else start
        elif queued:
            ends |= dict.fromkeys(queued, None)
        known = {index: end for index, end in ends.items() if end is not None}
        found[job.job_id] = Outlook(
            starts_in_seconds=starts,
            finishes_in_seconds=max(known.values()) if known and len(known) == len(ends) else None,
            track_seconds=known,
        )
    return found


def _running(job: OpenJob, pace: Pace | None) -> dict[int, float | None]:
    """Seconds until each running track of a job is done."""
    at_work = [track for track in job.tracks if track.status.is_running]
    batches = Counter(track.worker_id for track in at_work)
    return {track.index: _left(track, job.duration_minutes * batches[track.worker_id], pace) for track in at_work}


def _left(track: OpenTrack, batch_minutes: int, pace: Pace | None) -> float | None:
    if pace is None:
        if track.progress < _TELLING_PERCENT:
            return None
        return max(0.0, track.seconds_at_work * (100 - track.progress) / track.progress)
    place = PHASES.index(track.phase) if track.phase in PHASES else 0
    to_come = sum(pace[phase.value] for phase in PHASES[place + 1 :])
    return batch_minutes * (to_come + pace[PHASES[place].value] * (1 - min(track.phase_fraction, 1.0)))


def _free_at(jobs: Sequence[OpenJob], running: Mapping[str, Mapping[int, float | None]], workers: int) -> list[float]:
    """When each worker is free, as a heap."""
    busy: dict[int, float] = {}
    for job in jobs:
        for track in job.tracks:
            if track.worker_id is not None and track.index in running[job.job_id]:
                left = running[job.job_id][track.index] or 0.0
                busy[track.worker_id] = max(busy.get(track.worker_id, 0.0), left)
    free_at = [*busy.values(), *[0.0] * (workers - len(busy))]
    heapq.heapify(free_at)
    return free_at
