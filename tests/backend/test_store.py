"""The job store as people see it, on both kinds of database."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from backend.jobs.database import Database, DatabaseUnusable
from backend.jobs.job_status_sql import with_status
from backend.jobs.refusals import KeyReused, NotAsItIs, QueueFull
from backend.jobs.store import IdempotencyKey, JobFilter, JobStore
from backend.jobs.tables import JobRow
from backend.jobs.track_queue import TrackQueue
from core.job import JobStatus, Track, TrackStatus, job_status
from core.request import GenerationRequest
from tests.backend.jobs import add, claim, finish, found, new_job
from tests.backend.test_track_queue import discarded

KEY = IdempotencyKey(key="key", fingerprint="f" * 64)


@pytest.fixture
def store(database: Database) -> JobStore:
    return JobStore(database)


def ids(store: JobStore, **wanted: object) -> list[str]:
    page = store.page(JobFilter(**wanted), limit=100)  # type: ignore[arg-type]
    assert page.total == len(page.jobs)
    return [job.job_id for job in page.jobs]


def test_a_job_comes_back_as_it_was_kept(database: Database, store: JobStore) -> None:
    kept = add(database, title="Rain", client="address 1.2.3.4")

    assert found(database) == kept
    assert store.find("another") is None
    assert store.find("a\x00b") is None


def test_jobs_outlive_the_process(database: Database, database_url: str) -> None:
    kept = add(database)
    database.close()

    reopened = Database(database_url)
    reopened.open()
    assert found(reopened) == kept
    reopened.close()


def test_counts_follow_the_tracks(database: Database, store: JobStore) -> None:
    for name in ("first", "second", "third"):
        add(database, name)
    assert store.counts().queued == 3

    claim(database)
    assert (store.counts().active, store.counts().queued) == (1, 2)

    claim(database, 1, idle_workers=2)
    assert (store.counts().active, store.counts().queued) == (2, 1)


def test_work_counts_in_minutes_so_short_songs_come_more_often(database: Database) -> None:
    short, long = (GenerationRequest(tags="Jazz", duration_minutes=minutes) for minutes in (1, 4))
    for number in range(2):
        add(database, f"long-{number}", tracks=1, client="long", request=long)
    for number in range(5):
        add(database, f"short-{number}", tracks=1, client="short", request=short)

    order = [claim(database).job_id for _ in range(7)]
    assert order == ["long-0", "short-0", "short-1", "short-2", "short-3", "long-1", "short-4"]


def test_who_was_idle_has_saved_nothing_up(database: Database) -> None:
    for number in range(3):
        add(database, f"early-{number}", client="early")
        finished = claim(database)
        for track in finished.tracks:
            finish(database, track.file_id)
    add(database, "early-3", client="early")
    for number in range(3):
        add(database, f"late-{number}", client="late")

    order = [claim(database).job_id for _ in range(4)]
    assert order.index("early-3") <= 1


def test_what_is_cancelled_before_it_begins_costs_no_turn(database: Database) -> None:
    add(database, "first", client="other")
    for number in range(5):
        add(database, f"mistake-{number}", client="hasty")
        JobStore(database).cancel(f"mistake-{number}")
    add(database, "meant", client="hasty")
    add(database, "second", client="other")

    assert [claim(database).job_id for _ in range(3)] == ["first", "meant", "second"]


def test_so_many_jobs_may_wait_and_no_more(database: Database) -> None:
    add(database, "first", max_queued=2)
    add(database, "second", max_queued=2)
    with pytest.raises(QueueFull, match="2 jobs wait already"):
        add(database, "third", max_queued=2)

    claim(database)
    add(database, "third", max_queued=2)
    assert found(database, "third").status is JobStatus.QUEUED


def test_the_same_key_is_the_same_job_for_one_client(database: Database) -> None:
    first = add(database, "first", client="a", idempotency=KEY)

    assert add(database, "again", client="a", idempotency=KEY, max_queued=1) == first
    assert add(database, "other", client="b", idempotency=KEY).job_id == "other"
    with pytest.raises(KeyReused):
        add(database, "changed", client="a", idempotency=IdempotencyKey(key="key", fingerprint="0" * 64))


def test_jobs_are_listed_newest_first_page_by_page(database: Database, store: JobStore) -> None:
    for number in range(5):
        add(database, f"job-{number}")

    first = store.page(JobFilter(), limit=2)
    second = store.page(JobFilter(), limit=2, before=first.next_before)
    add(database, "newcomer")
    third = store.page(JobFilter(), limit=2, before=second.next_before)

    pages = [[job.job_id for job in page.jobs] for page in (first, second, third)]
    assert pages == [["job-4", "job-3"], ["job-2", "job-1"], ["job-0"]]
    assert (first.total, third.total, third.next_before) == (5, 6, None)


def test_text_is_found_wherever_it_stands_in_small_or_capital_letters(database: Database, store: JobStore) -> None:
    add(database, "lyrics", request=GenerationRequest(tags="Jazz, Piano", lyrics="Ärger im REGEN"))
    add(database, "title", title="100%_sure")
    add(database, "notes")
    store.edit("notes", title=None, favourite=None, notes="Straße")

    assert ids(store, text="ärger") == ["lyrics"]
    assert ids(store, text="pIaNo") == ["lyrics"]
    assert ids(store, text="夜") == ["notes", "title"], "the prompt of both"
    assert ids(store, text="0%_s") == ["title"]
    assert ids(store, text="0%s") == []
    assert ids(store, text="STRASSE") == ["notes"]


def test_favourites_and_states_are_filtered(database: Database, store: JobStore) -> None:
    for name in ("running", "waiting"):
        add(database, name)
    claim(database)
    store.edit("waiting", title=None, favourite=True, notes=None)

    assert ids(store, favourite=True) == ["waiting"]
    assert ids(store, favourite=False) == ["running"]
    assert ids(store, statuses=frozenset({JobStatus.GENERATING})) == ["running"]
    assert ids(store, statuses=frozenset({JobStatus.GENERATING, JobStatus.QUEUED})) == ["waiting", "running"]
    assert ids(store, statuses=frozenset({JobStatus.FAILED})) == []


def test_the_database_reads_the_state_off_the_tracks_as_core_does(database: Database) -> None:
    expected = {}
    combinations = [
        combination
        for count in (1, 2, 3)
        for combination in itertools.combinations_with_replacement(TrackStatus, count)
    ]
    with database.writing() as session:
        for number, statuses in enumerate(combinations):
            tracks = tuple(Track(index=index, seed=0, status=status) for index, status in enumerate(statuses))
            job = replace(new_job(f"job-{number}"), tracks=tracks)
            session.add(JobRow.of(job, None))
            expected[job.job_id] = job_status(statuses)
    with database.reading() as session:
        for status in JobStatus:
            rows = session.scalars(select(JobRow.job_id).where(JobRow.number.in_(with_status([status]))))
            assert set(rows) == {job_id for job_id, own in expected.items() if own is status}


def test_what_is_written_on_a_job_stays(database: Database, store: JobStore) -> None:
    add(database)
    before = found(database).version
    store.edit("job", title="Rain", favourite=None, notes="second try")
    edited = store.edit("job", title=None, favourite=True, notes=None)

    assert edited == found(database)
    assert (edited.title, edited.favourite, edited.notes) == ("Rain", True, "second try")
    assert edited.version > before
    assert store.edit("unknown", title="x", favourite=None, notes=None) is None


def test_queued_tracks_are_cancelled_at_once_and_an_ended_job_stays_as_it_is(
    database: Database, store: JobStore
) -> None:
    add(database)
    cancelled = store.cancel("job")

    assert cancelled is not None
    assert cancelled.status is JobStatus.CANCELLED
    assert cancelled.finished_at is not None
    assert store.cancel("job") == cancelled
    assert store.cancel("unknown") is None
    assert TrackQueue(database).claim(0) is None


def test_failed_and_cancelled_tracks_can_be_asked_for_again(database: Database, store: JobStore) -> None:
    add(database, tracks=3)
    done, failed, lost = (track.file_id for track in claim(database).tracks)
    finish(database, done)
    TrackQueue(database).fail(failed, "no frame")
    with pytest.raises(NotAsItIs, match="not ended"):
        store.retry("job")
    TrackQueue(database).lose(lost, "hung")
    store.cancel("job")

    again = store.retry("job")
    assert again is not None
    assert [track.status for track in again.tracks] == [TrackStatus.DONE, TrackStatus.QUEUED, TrackStatus.QUEUED]
    assert [track.error for track in again.tracks] == [None, None, None]
    assert again.finished_at is None
    retried = claim(database)
    assert [(track.index, track.seed) for track in retried.tracks] == [(1, 2**32 - 2), (2, 2**32 - 3)]
    for track in retried.tracks:
        finish(database, track.file_id)
    with pytest.raises(NotAsItIs, match="Every track of this job is done"):
        store.retry("job")
    assert store.retry("unknown") is None


def test_an_ended_job_can_be_removed_with_its_files(database: Database, store: JobStore) -> None:
    add(database, tracks=1)
    with pytest.raises(NotAsItIs, match="Cancel it first"):
        store.remove("job")
    file_id = claim(database).tracks[0].file_id
    finish(database, file_id)

    assert store.remove("job")
    assert store.find("job") is None
    assert discarded(database) == {file_id}
    assert not store.remove("job")


@pytest.mark.parametrize("address", ["nonsense", "abacus://host/jobs", "sqlite:///{file}"])
def test_a_database_that_is_none_is_told_in_one_sentence_that_keeps_the_address_to_itself(
    tmp_path: Path, address: str
) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear reader, " * 100)

    with pytest.raises(DatabaseUnusable, match="KHALA_DATABASE_URL") as told:
        Database(address.format(file=file)).open()
    assert "abacus" not in str(told.value)
