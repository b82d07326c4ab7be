"""What the dispatcher does with tracks: legal transitions only, claims that nobody shares, attempts that cannot mix."""

from __future__ import annotations

import itertools
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from backend.artifacts.store import TrackFiles
from backend.jobs.database import Database
from backend.jobs.store import JobStore
from backend.jobs.tables import DiscardedFilesRow
from backend.jobs.track_queue import TrackQueue
from core.errors import IllegalTransition
from core.job import JobStatus, TrackStatus
from core.progress import Phase, Progress
from tests.backend.jobs import FILES, REQUEST, add, claim, finish, found, walk_to_decoding


def discarded(database: Database) -> set[str]:
    with database.reading() as session:
        return set(session.scalars(select(DiscardedFilesRow.file_id)))


def test_a_claim_takes_every_queued_track_of_the_oldest_job(database: Database) -> None:
    add(database, "old")
    add(database, "young")

    taken = claim(database, 3, checkpoint="demo")

    assert (taken.job_id, taken.request) == ("old", REQUEST)
    assert [(track.index, track.seed) for track in taken.tracks] == [(0, 2**32 - 1), (1, 2**32 - 2)]
    old = found(database, "old")
    assert [(track.status, track.worker_id, track.attempts) for track in old.tracks] == [
        (TrackStatus.GENERATING, 3, 1)
    ] * 2
    assert [track.file_id for track in old.tracks] == [track.file_id for track in taken.tracks]
    assert len({track.file_id for track in old.tracks}) == 2
    assert old.checkpoint == "demo"
    assert found(database, "young").status is JobStatus.QUEUED


def test_idle_workers_share_the_tracks_of_a_job(database: Database) -> None:
    add(database, tracks=4)

    shares = [claim(database, 0, idle_workers=3), claim(database, 1, idle_workers=2), claim(database, 2)]

    assert [[track.index for track in share.tracks] for share in shares] == [[0, 1], [2], [3]]
    assert TrackQueue(database).claim(3) is None


def test_two_dispatch_loops_never_take_one_track(database: Database) -> None:
    for number in range(20):
        add(database, f"job-{number}", tracks=3)

    def take_all(loop: int) -> list[tuple[str, int]]:
        taken, workers = [], itertools.count(100 * loop)
        while claimed := TrackQueue(database).claim(next(workers), idle_workers=2):
            taken += [(claimed.job_id, track.index) for track in claimed.tracks]
        return taken

    with ThreadPoolExecutor(4) as loops:
        taken = Counter(track for batch in loops.map(take_all, range(4)) for track in batch)

    assert len(taken) == 60
    assert set(taken.values()) == {1}


def test_progress_moves_the_state_and_never_goes_back(database: Database) -> None:
    add(database)
    file_id = claim(database).tracks[0].file_id
    queue = TrackQueue(database)
    queue.record_progress(file_id, Progress(phase=Phase.BACKBONE, fraction=0.5, tokens=40, tokens_per_second=10))
    queue.record_progress(file_id, Progress(phase=Phase.BACKBONE, fraction=0.1, tokens_per_second=9))

    track = found(database).tracks[0]
    assert (track.status, track.phase) == (TrackStatus.GENERATING, Phase.BACKBONE)
    assert track.progress == Progress(phase=Phase.BACKBONE, fraction=0.5).percent
    assert track.phase_display.startswith("Backbone generating · 10%")
    assert (track.phase_fraction, track.tokens_per_second) == (0.1, 9)


def test_every_change_raises_the_version_of_its_job_alone(database: Database) -> None:
    add(database, "other")
    add(database)
    claim(database)
    versions = [found(database).version]
    file_id = claim(database).tracks[0].file_id
    versions.append(found(database).version)
    TrackQueue(database).record_progress(file_id, Progress(phase=Phase.BACKBONE))
    versions.append(found(database).version)

    assert versions == sorted(set(versions))
    assert found(database, "other").version < versions[-1]


def test_a_finished_track_keeps_its_files_and_its_warning(database: Database) -> None:
    add(database)
    done_id, failed_id = (track.file_id for track in claim(database).tracks)
    finish(
        database,
        done_id,
        TrackFiles(duration_seconds=2, wav_file="a.wav", mp3_file=None, metadata_file="a.json", warning="no MP3"),
    )
    assert found(database).finished_at is None
    TrackQueue(database).fail(failed_id, "no frame")

    job = found(database)
    assert job.status is JobStatus.PARTIAL
    assert job.finished_at is not None
    done, failed = job.tracks
    assert (done.status, done.progress, done.phase_display) == (TrackStatus.DONE, 100, "Done")
    assert (done.wav_file, done.mp3_file, done.error, done.file_id) == ("a.wav", None, "no MP3", done_id)
    assert (failed.status, failed.error, failed.phase) == (TrackStatus.ERROR, "no frame", Phase.IDLE)
    assert discarded(database) == {failed_id}


def test_an_illegal_transition_cannot_be_written(database: Database) -> None:
    add(database)
    queue = TrackQueue(database)
    first, second = (track.file_id for track in claim(database).tracks)
    with pytest.raises(IllegalTransition):
        queue.finish(first, FILES, pace={})
    with pytest.raises(IllegalTransition):
        queue.record_progress(first, Progress(phase=Phase.DECODING))
    finish(database, first)
    before = found(database)
    for change in (
        lambda: queue.finish(second, FILES, pace={}),
        lambda: queue.fail(first, "late"),
        lambda: queue.cancelled(first),
        lambda: queue.lose(first, "late"),
        lambda: queue.record_progress(first, Progress(phase=Phase.BACKBONE)),
        lambda: queue.record_progress("nobody's", Progress(phase=Phase.BACKBONE)),
    ):
        with pytest.raises(IllegalTransition):
            change()
    assert found(database) == before


def test_a_lost_track_is_queued_once_more_and_then_failed_with_the_reason(database: Database) -> None:
    add(database, tracks=1)
    queue = TrackQueue(database)
    first = claim(database).tracks[0].file_id
    walk_to_decoding(database, first)
    assert queue.lose(first, "It hung.") is TrackStatus.QUEUED
    again = found(database).tracks[0]
    assert (again.progress, again.worker_id, again.phase_display, again.attempts) == (0, None, "Queued", 1)

    second = claim(database, 1).tracks[0].file_id
    assert queue.lose(second, "It hung.") is TrackStatus.ERROR
    failed = found(database)
    assert failed.status is JobStatus.FAILED
    assert failed.tracks[0].error == "It hung. This happened 2 times in a row."
    assert discarded(database) == {first, second}


def test_what_comes_late_from_a_lost_attempt_is_not_written(database: Database) -> None:
    add(database, tracks=1)
    queue = TrackQueue(database)
    lost = claim(database).tracks[0].file_id
    queue.lose(lost, "It hung.")
    with pytest.raises(IllegalTransition):
        queue.record_progress(lost, Progress(phase=Phase.BACKBONE))
    claim(database, 1)
    before = found(database)
    with pytest.raises(IllegalTransition):
        queue.fail(lost, "late")
    assert found(database) == before


def test_a_lost_track_goes_to_another_worker_if_there_is_one(database: Database) -> None:
    add(database, "lost", tracks=1)
    add(database, "next", tracks=1)
    queue = TrackQueue(database)
    queue.lose(claim(database, 0).tracks[0].file_id, "It hung.")

    finish(database, claim(database, 0, others=True).tracks[0].file_id)
    assert found(database, "next").status is JobStatus.COMPLETED
    assert queue.claim(0, others=True) is None
    assert claim(database, 1, others=True).job_id == "lost"


def test_a_lost_track_goes_to_the_same_worker_if_it_is_the_only_one(database: Database) -> None:
    add(database, tracks=1)
    TrackQueue(database).lose(claim(database, 0).tracks[0].file_id, "It hung.")

    assert claim(database, 0, others=False).job_id == "job"


def test_a_wish_to_stop_is_heard_of_and_fulfilled(database: Database) -> None:
    add(database)
    store, queue = JobStore(database), TrackQueue(database)
    first, second = (track.file_id for track in claim(database).tracks)
    assert queue.unwanted("job") == set()
    wished = store.cancel("job")

    assert wished is not None
    assert wished.status is JobStatus.GENERATING
    assert [track.phase_display for track in wished.tracks] == ["Cancelling..."] * 2
    assert queue.unwanted("job") == {first, second}
    queue.record_progress(first, Progress(phase=Phase.BACKBONE, fraction=0.5))
    assert found(database).tracks[0].phase_display == "Cancelling..."
    queue.cancelled(first)
    assert queue.lose(second, "It hung.") is TrackStatus.CANCELLED, "nobody wants it any more"
    assert found(database).status is JobStatus.CANCELLED
    assert queue.unwanted("job") == set()
    assert discarded(database) == {first, second}


def test_a_stop_queues_running_tracks_again_as_if_they_had_never_begun(database: Database) -> None:
    add(database)
    running_id, finished_id = (track.file_id for track in claim(database).tracks)
    walk_to_decoding(database, running_id)
    finish(database, finished_id)

    assert TrackQueue(database).requeue_stopped() == ["job"]
    running, finished = found(database).tracks
    assert (running.status, running.attempts, running.progress) == (TrackStatus.QUEUED, 0, 0)
    assert finished.status is TrackStatus.DONE
    assert found(database).status is JobStatus.PENDING
    assert discarded(database) == {running_id}
    assert TrackQueue(database).requeue_stopped() == []


def test_what_an_idle_worker_is_said_to_have_at_work_is_queued_again(database: Database) -> None:
    add(database, "first", tracks=1)
    add(database, "second", tracks=1)
    lost = claim(database, 0).tracks[0].file_id
    other = claim(database, 1).tracks[0].file_id

    again = claim(database, 0)
    assert again.job_id == "first"
    assert again.tracks[0].file_id != lost
    assert found(database, "first").tracks[0].attempts == 1, "what was never begun does not count"
    assert discarded(database) == {lost}
    finish(database, other)


def test_a_track_that_takes_everything_down_again_and_again_is_given_up(database: Database) -> None:
    add(database, "greedy", tracks=1)
    add(database, "modest", tracks=1)
    queue = TrackQueue(database, max_attempts=2)
    for _ in range(4):
        assert claim(database).job_id == "greedy"
        assert queue.requeue_interrupted() == ["greedy"]
        assert found(database, "greedy").tracks[0].status is TrackStatus.QUEUED

    claim(database)
    queue.requeue_interrupted()
    (given_up,) = found(database, "greedy").tracks
    assert given_up.status is TrackStatus.ERROR
    assert given_up.error and "5 times in a row" in given_up.error
    assert claim(database).job_id == "modest"


def test_a_restart_does_not_bring_back_what_nobody_wants(database: Database) -> None:
    add(database)
    claim(database)
    JobStore(database).cancel("job")
    TrackQueue(database).requeue_interrupted()

    assert found(database).status is JobStatus.CANCELLED
