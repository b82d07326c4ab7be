"""Which states may follow which, and how a job's state is read off its tracks."""

from __future__ import annotations

import pytest

from core.errors import IllegalTransition
from core.job import JobStatus, TrackStatus, check_transition, job_status

T = TrackStatus


@pytest.mark.parametrize("new", [status for status in TrackStatus if status is not T.DONE])
def test_a_finished_track_stays_finished(new: TrackStatus) -> None:
    with pytest.raises(IllegalTransition):
        check_transition(T.DONE, new)


@pytest.mark.parametrize("stopped", [T.ERROR, T.CANCELLED])
def test_a_stopped_track_can_only_be_asked_for_again(stopped: TrackStatus) -> None:
    assert [new for new in TrackStatus if new is not stopped and _may_follow(stopped, new)] == [T.QUEUED]


def _may_follow(old: TrackStatus, new: TrackStatus) -> bool:
    try:
        check_transition(old, new)
    except IllegalTransition:
        return False
    return True


@pytest.mark.parametrize("running", [T.GENERATING, T.SUPERRES, T.DECODING])
def test_a_running_track_can_go_back_to_the_queue(running: TrackStatus) -> None:
    check_transition(running, T.QUEUED)


def test_a_stage_cannot_be_skipped() -> None:
    with pytest.raises(IllegalTransition, match="generating cannot become done"):
        check_transition(T.GENERATING, T.DONE)


@pytest.mark.parametrize(
    ("tracks", "expected"),
    [
        ([T.QUEUED, T.QUEUED], JobStatus.QUEUED),
        ([T.QUEUED, T.SUPERRES], JobStatus.GENERATING),
        ([T.DONE, T.QUEUED], JobStatus.PENDING),
        ([T.DONE, T.DECODING], JobStatus.GENERATING),
        ([T.DONE, T.DONE], JobStatus.COMPLETED),
        ([T.DONE, T.ERROR], JobStatus.PARTIAL),
        ([T.ERROR, T.ERROR], JobStatus.FAILED),
        ([T.ERROR, T.CANCELLED], JobStatus.FAILED),
        ([T.CANCELLED, T.CANCELLED], JobStatus.CANCELLED),
        ([T.DONE, T.CANCELLED], JobStatus.PARTIAL),
    ],
)
def test_a_job_is_what_its_tracks_are(tracks: list[TrackStatus], expected: JobStatus) -> None:
    assert job_status(tracks) is expected
