"""The board of open jobs, on both kinds of database: places, freshness, and that what has ended leaves it."""

from __future__ import annotations

import asyncio

import pytest

from backend.jobs.board import Board
from backend.jobs.database import Database
from backend.jobs.feed import JobFeed
from backend.workers.pool import WorkerPool
from tests.backend.jobs import add, claim, finish


@pytest.fixture
def feed() -> JobFeed:
    return JobFeed()


@pytest.fixture
def board(database: Database, feed: JobFeed) -> Board:
    return Board(database, WorkerPool(on_idle=lambda: None), feed)


async def places(board: Board, *job_ids: str) -> list[int | None]:
    found = [await board.find(job_id, with_all_news=True) for job_id in job_ids]
    return [placed.queue_position if placed else None for placed in found]


async def test_places_follow_the_tracks(database: Database, board: Board, feed: JobFeed) -> None:
    names = ("first", "second", "third")
    for name in names:
        add(database, name)
    assert await places(board, *names, "none", "\x00") == [1, 2, 3, None, None]

    claim(database)
    feed.changed("any")
    assert await places(board, *names) == [0, 1, 2]

    claim(database, 1, idle_workers=2)
    feed.changed("any")
    assert await places(board, "second") == [1], "half of it still waits"


async def test_a_client_with_many_jobs_waits_for_others_between_them(
    database: Database, board: Board, feed: JobFeed
) -> None:
    for number in range(4):
        add(database, f"many-{number}", client="many")
    assert claim(database).job_id == "many-0"
    add(database, "single", client="single")
    add(database, "pair-0", client="pair")
    add(database, "pair-1", client="pair")

    waiting = ["many-1", "many-2", "many-3", "single", "pair-0", "pair-1"]
    in_order = ["single", "pair-0", "many-1", "pair-1", "many-2", "many-3"]
    assert await places(board, *in_order) == [1, 2, 3, 4, 5, 6]
    assert [claim(database).job_id for _ in waiting] == in_order


async def test_what_has_ended_leaves_the_board(database: Database, feed: JobFeed) -> None:
    moment = 0.0
    board = Board(database, WorkerPool(on_idle=lambda: None), feed, clock=lambda: moment)
    add(database, "first", tracks=1)
    add(database, "second", tracks=1)
    assert await board.find("first")
    finish(database, claim(database).tracks[0].file_id)
    feed.changed("any")
    assert await board.find("first"), "a quarter of a second old at most, for whoever only polls"
    assert await board.find("first", with_all_news=True) is None

    finish(database, claim(database).tracks[0].file_id)
    feed.changed("any")
    assert await board.find("second")
    moment += 0.3
    assert await board.find("second") is None


async def test_many_looks_cost_one_reading(
    database: Database, board: Board, feed: JobFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings = 0
    read = database.reading

    def counted() -> object:
        nonlocal readings
        readings += 1
        return read()

    monkeypatch.setattr(database, "reading", counted)
    add(database)
    feed.changed("any")
    await asyncio.gather(*(board.find("job", with_all_news=True) for _ in range(100)))
    assert readings == 1


async def test_a_change_during_a_reading_is_seen_by_the_next_look(
    database: Database, board: Board, feed: JobFeed
) -> None:
    add(database, "first")
    looking = asyncio.create_task(board.find("first"))
    await asyncio.sleep(0)  # the reading has begun
    add(database, "second")
    feed.changed("any")
    await looking
    assert await places(board, "second") == [2]
