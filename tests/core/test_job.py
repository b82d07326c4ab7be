"""Which states may follow which, and how a job's state is read off its tracks."""

from __future__ import annotations

import pytest

from core.errors import IllegalTransition
from core.job import JobStatus, TrackStatus, check_transition, job_status

T = TrackStatus


@pytest.mark.parametrize("final", [T.DONE, T.ERROR, T.CANCELLED])
@pytest.mark.parametrize("new", list(TrackStatus))
def test_a_final_state_is_never_left(final: TrackStatus, new: TrackStatus) -> None:
    if new is final:
        check_transition(final, new)
    else:
        with pytest.raises(IllegalTransition):
            check_transition(final, new)


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
