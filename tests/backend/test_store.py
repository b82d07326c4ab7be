"""The job store: legal transitions only, claims that nobody shares, places in the queue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from backend.artifacts.store import TrackFiles
from backend.jobs.store import DatabaseUnusable, JobStore
from core.errors import IllegalTransition
from core.job import Job, JobStatus, Track, TrackStatus
from core.progress import Phase, Progress
from core.request import GenerationRequest, Mode, PromptMode, SamplingOptions

REQUEST = GenerationRequest(
    mode=Mode.INSTRUMENTAL,
    prompt_mode=PromptMode.NATURAL,
    prompt="a calm 夜 \U0001f319",
    sampling=SamplingOptions(temperature=0.7),
)
FILES = TrackFiles(duration_seconds=1.5, wav_file="a.wav", mp3_file="a.mp3", metadata_file="a.json")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    opened = JobStore(f"sqlite:///{tmp_path / 'new' / 'jobs.sqlite3'}")
    opened.open()
    yield opened
    opened.close()


def add(store: JobStore, job_id: str = "job", tracks: int = 2) -> Job:
    job = Job(
        job_id=job_id,
        request=REQUEST,
        created_at=datetime(2026, 11, 21, 12, tzinfo=timezone(timedelta(hours=9))),
        tracks=tuple(Track(index=index, seed=2**32 - 1 - index) for index in range(tracks)),
        warnings=("odd",),
    )
    store.add(job)
    return job


def found(store: JobStore, job_id: str = "job") -> Job:
    job = store.find(job_id)
    assert job is not None
    return job


def walk_to_decoding(store: JobStore, index: int = 0) -> None:
    for phase in (Phase.BACKBONE, Phase.SUPERRES, Phase.DECODING):
        store.record_progress("job", index, Progress(phase=phase))


def test_a_job_comes_back_as_it_was_kept(store: JobStore) -> None:
    kept = add(store)

    assert found(store) == kept
    assert store.find("another") is None


def test_jobs_outlive_the_process(store: JobStore, tmp_path: Path) -> None:
    kept = add(store)
    store.close()

    reopened = JobStore(f"sqlite:///{tmp_path / 'new' / 'jobs.sqlite3'}")
    reopened.open()
    assert reopened.find("job") == kept
    reopened.close()


def test_a_claim_takes_every_queued_track_of_the_oldest_job(store: JobStore) -> None:
    add(store, "old")
    add(store, "young")

    claim = store.claim(3)

    assert claim is not None
    assert (claim.job_id, claim.request) == ("old", REQUEST)
    assert [(track.index, track.seed) for track in claim.tracks] == [(0, 2**32 - 1), (1, 2**32 - 2)]
    assert [(track.status, track.worker_id, track.attempts) for track in found(store, "old").tracks] == [
        (TrackStatus.GENERATING, 3, 1)
    ] * 2
    assert found(store, "young").status is JobStatus.QUEUED


def test_idle_workers_share_the_tracks_of_a_job(store: JobStore) -> None:
    add(store, tracks=4)

    shares = [store.claim(0, idle_workers=3), store.claim(1, idle_workers=2), store.claim(2, idle_workers=1)]

    assert [[track.index for track in share.tracks] for share in shares if share] == [[0, 1], [2], [3]]
    assert store.claim(3) is None


def test_two_dispatch_loops_never_take_one_track(store: JobStore) -> None:
    for number in range(30):
        add(store, f"job-{number}", tracks=3)

    def take_all(worker_id: int) -> list[tuple[str, int]]:
        taken = []
        while claim := store.claim(worker_id, idle_workers=2):
            taken += [(claim.job_id, track.index) for track in claim.tracks]
        return taken

    with ThreadPoolExecutor(8) as loops:
        taken = Counter(track for batch in loops.map(take_all, range(8)) for track in batch)

    assert len(taken) == 90
    assert set(taken.values()) == {1}


def test_progress_moves_the_state_and_never_goes_back(store: JobStore) -> None:
    add(store)
    store.claim(0)
    store.record_progress("job", 0, Progress(phase=Phase.BACKBONE, fraction=0.5, tokens=40, tokens_per_second=10))
    store.record_progress("job", 0, Progress(phase=Phase.BACKBONE, fraction=0.1))

    track = found(store).tracks[0]
    assert (track.status, track.phase) == (TrackStatus.GENERATING, Phase.BACKBONE)
    assert track.progress == Progress(phase=Phase.BACKBONE, fraction=0.5).percent
    assert track.phase_display.startswith("Backbone generating · 10%")


def test_a_finished_track_keeps_its_files_and_its_warning(store: JobStore) -> None:
    add(store)
    store.claim(0)
    walk_to_decoding(store)
    store.finish(
        "job",
        0,
        TrackFiles(duration_seconds=2, wav_file="a.wav", mp3_file=None, metadata_file="a.json", warning="no MP3"),
    )
    store.fail("job", 1, "no frame")

    job = found(store)
    assert job.status is JobStatus.PARTIAL
    done, failed = job.tracks
    assert (done.status, done.progress, done.phase_display) == (TrackStatus.DONE, 100, "Done")
    assert (done.wav_file, done.mp3_file, done.error) == ("a.wav", None, "no MP3")
    assert (failed.status, failed.error, failed.phase) == (TrackStatus.ERROR, "no frame", Phase.IDLE)


def test_an_illegal_transition_cannot_be_written(store: JobStore) -> None:
    add(store)
    with pytest.raises(IllegalTransition):
        store.finish("job", 0, FILES)
    with pytest.raises(IllegalTransition):
        store.record_progress("job", 0, Progress(phase=Phase.DECODING))
    assert found(store).status is JobStatus.QUEUED

    store.claim(0)
    walk_to_decoding(store)
    store.finish("job", 0, FILES)
    before = found(store)
    for change in (
        lambda: store.finish("job", 1, FILES),
        lambda: store.fail("job", 0, "late"),
        lambda: store.lose("job", 0),
        lambda: store.record_progress("job", 0, Progress(phase=Phase.BACKBONE)),
    ):
        with pytest.raises(IllegalTransition):
            change()
    assert found(store) == before


def test_a_lost_track_is_queued_once_more_and_then_failed_with_a_sentence(store: JobStore) -> None:
    add(store, tracks=1)
    store.claim(0)
    walk_to_decoding(store)
    assert store.lose("job", 0) is TrackStatus.QUEUED
    again = found(store).tracks[0]
    assert (again.progress, again.worker_id, again.phase_display, again.attempts) == (0, None, "Queued", 1)

    store.claim(1)
    assert store.lose("job", 0) is TrackStatus.ERROR
    failed = found(store)
    assert failed.status is JobStatus.FAILED
    assert "2 times in a row" in (failed.tracks[0].error or "")


def test_a_restart_queues_running_tracks_again_without_blaming_them(store: JobStore) -> None:
    add(store)
    store.claim(0)
    walk_to_decoding(store, 0)
    walk_to_decoding(store, 1)
    store.finish("job", 1, FILES)

    assert store.requeue_running() == ["job"]
    running, finished = found(store).tracks
    assert (running.status, running.attempts, running.progress) == (TrackStatus.QUEUED, 0, 0)
    assert finished.status is TrackStatus.DONE
    assert found(store).status is JobStatus.PENDING
    assert store.requeue_running() == []


def test_places_and_counts_follow_the_tracks(store: JobStore) -> None:
    for name in ("first", "second", "third"):
        add(store, name)
    assert [store.queue_position(name) for name in ("first", "second", "third", "none")] == [1, 2, 3, 0]
    assert store.counts().queued == 3

    store.claim(0)
    assert [store.queue_position(name) for name in ("first", "second", "third")] == [0, 1, 2]
    assert (store.counts().active, store.counts().queued) == (1, 2)

    store.claim(1, idle_workers=2)
    assert store.queue_position("second") == 1, "half of it still waits"
    assert (store.counts().active, store.counts().queued) == (2, 1)


@pytest.mark.parametrize("address", ["nonsense", "abacus://host/jobs", "sqlite:///{file}"])
def test_a_database_that_is_none_is_told_in_one_sentence_that_keeps_the_address_to_itself(
    tmp_path: Path, address: str
) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear reader, " * 100)

    with pytest.raises(DatabaseUnusable, match="KHALA_DATABASE_URL") as told:
        JobStore(address.format(file=file)).open()
    assert "abacus" not in str(told.value)
