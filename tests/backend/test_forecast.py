"""When jobs will start and be done: arithmetic on what songs took before."""

from __future__ import annotations

import pytest

from backend.jobs.forecast import PHASES, OpenJob, OpenTrack, median_pace, outlooks
from core.job import TrackStatus
from core.progress import Phase

PACE = {phase.value: 0.0 for phase in PHASES} | {"backbone": 10.0, "superres": 20.0, "decoding": 5.0}
"""Thirty-five seconds a minute of song."""


def waiting(job_id: str, *, minutes: int = 1, tracks: int = 1) -> OpenJob:
    return OpenJob(
        job_id=job_id,
        duration_minutes=minutes,
        tracks=[_track(index, TrackStatus.QUEUED, Phase.IDLE, 0.0, None) for index in range(tracks)],
    )


def running(
    job_id: str, phase: Phase, fraction: float, *, minutes: int = 1, workers: tuple[int, ...] = (0,), progress: int = 50
) -> OpenJob:
    return OpenJob(
        job_id=job_id,
        duration_minutes=minutes,
        tracks=[
            _track(index, TrackStatus.GENERATING, phase, fraction, worker, progress=progress)
            for index, worker in enumerate(workers)
        ],
    )


def _track(
    index: int, status: TrackStatus, phase: Phase, fraction: float, worker: int | None, *, progress: int = 0
) -> OpenTrack:
    return OpenTrack(
        index=index,
        status=status,
        phase=phase,
        phase_fraction=fraction,
        progress=progress,
        worker_id=worker,
        seconds_at_work=30.0,
    )


def test_the_pace_is_the_median_of_what_was_measured() -> None:
    pace = median_pace([{"backbone": 1.0, "superres": 3.0}, {"backbone": 2.0}, {"backbone": 9.0, "superres": 4.0}])

    assert pace is not None
    assert (pace["backbone"], pace["superres"], pace["decoding"]) == (2.0, 3.0, 0.0)
    assert median_pace([]) is None


@pytest.mark.parametrize(
    ("phase", "fraction", "left"),
    [
        (Phase.IDLE, 0.0, 35.0),
        (Phase.LOADING_BACKBONE, 0.0, 35.0),
        (Phase.BACKBONE, 0.0, 35.0),
        (Phase.BACKBONE, 0.5, 30.0),
        (Phase.LOADING_SUPERRES, 0.0, 25.0),
        (Phase.SUPERRES, 0.25, 20.0),
        (Phase.DECODING, 0.8, 1.0),
        (Phase.DECODING, 1.5, 0.0),
    ],
)
def test_a_running_track_has_what_its_phases_still_take(phase: Phase, fraction: float, left: float) -> None:
    (outlook,) = outlooks([running("job", phase, fraction)], PACE, workers=1).values()

    assert outlook.finishes_in_seconds == pytest.approx(left)
    assert outlook.starts_in_seconds is None


def test_tracks_of_one_batch_share_its_worker_and_those_of_two_do_not() -> None:
    together = outlooks([running("job", Phase.BACKBONE, 0.0, workers=(0, 0))], PACE, workers=2)
    apart = outlooks([running("job", Phase.BACKBONE, 0.0, workers=(0, 1))], PACE, workers=2)

    assert together["job"].finishes_in_seconds == pytest.approx(70.0)
    assert apart["job"].finishes_in_seconds == pytest.approx(35.0)


def test_waiting_jobs_start_when_a_worker_is_free() -> None:
    jobs = [
        running("now", Phase.DECODING, 0.0),
        waiting("first", minutes=2),
        waiting("second", tracks=2),
        waiting("third"),
    ]
    found = outlooks(jobs, PACE, workers=2)

    times = {name: (one.starts_in_seconds, one.finishes_in_seconds) for name, one in found.items()}
    assert times == {"now": (None, 5.0), "first": (0.0, 70.0), "second": (5.0, 75.0), "third": (70.0, 105.0)}


def test_without_workers_nothing_is_promised() -> None:
    assert outlooks([waiting("job")], PACE, workers=0)["job"].finishes_in_seconds is None


def test_before_anything_was_measured_a_track_is_judged_by_its_own_progress() -> None:
    jobs = [running("far", Phase.SUPERRES, 0.5, progress=75), running("begun", Phase.BACKBONE, 0.0, progress=2)]
    found = outlooks([*jobs, waiting("job")], None, workers=3)

    assert found["far"].finishes_in_seconds == pytest.approx(10.0)
    assert found["begun"].finishes_in_seconds is None
    assert (found["job"].starts_in_seconds, found["job"].finishes_in_seconds) == (None, None)


def test_a_job_is_done_when_the_last_of_its_tracks_is() -> None:
    job = running("job", Phase.DECODING, 0.0)
    half = OpenJob(job_id="job", duration_minutes=1, tracks=[*job.tracks, *waiting("job", tracks=2).tracks[1:]])
    (outlook,) = outlooks([half], PACE, workers=1).values()

    assert outlook.track_seconds == {0: pytest.approx(5.0), 1: pytest.approx(40.0)}
    assert outlook.starts_in_seconds is None
    assert outlook.finishes_in_seconds == pytest.approx(40.0)
