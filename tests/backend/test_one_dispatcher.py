"""One database belongs to one dispatcher, whatever becomes of its connections."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from backend.jobs.database import Database
from backend.jobs.one_dispatcher import OneDispatcher, SecondDispatcher
from tests.backend.studio import until


def test_a_second_dispatcher_on_one_database_is_refused(database_url: str) -> None:
    @contextmanager
    def right() -> Iterator[None]:
        database = Database(database_url)
        one = OneDispatcher(database)
        one.acquire()
        try:
            yield
        finally:
            one.release()
            database.close()

    with right(), pytest.raises(SecondDispatcher, match="Another dispatcher works on the database"), right():
        pytest.fail("two have the right at once")
    with right():
        pass


def test_a_lost_connection_does_not_cost_the_right_unless_somebody_takes_it(postgres_url: str) -> None:
    database, other = Database(postgres_url), Database(postgres_url)
    mine, theirs = OneDispatcher(database), OneDispatcher(other)
    mine.acquire()
    _break_connections(other)
    mine._check()
    with pytest.raises(SecondDispatcher):
        theirs.acquire()

    _break_connections(other)
    theirs.acquire()
    with pytest.raises(SecondDispatcher):
        mine._check()
    theirs.release()
    for opened in (database, other):
        opened.close()


async def test_a_refusal_counts_only_when_it_lasts(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.jobs.one_dispatcher._LOOK_SECONDS", 0.01)
    database, other = Database(postgres_url), Database(postgres_url)
    mine, ghost = OneDispatcher(database), OneDispatcher(other)
    ghost.acquire()
    keeping = asyncio.create_task(mine.keep())
    refusals = 0
    check = mine._check

    def counted() -> None:
        nonlocal refusals
        try:
            check()
        except SecondDispatcher:
            refusals += 1
            raise

    monkeypatch.setattr(mine, "_check", counted)
    await until(lambda: refusals >= 2)
    ghost.release()
    await until(lambda: mine._session is not None)
    assert not keeping.done()
    keeping.cancel()
    await asyncio.wait([keeping])

    mine.release()
    ghost.acquire()
    monkeypatch.setattr("backend.jobs.one_dispatcher._OWN_GHOST_SECONDS", 0)
    with pytest.raises(SecondDispatcher):
        await mine.keep()
    ghost.release()
    for opened in (database, other):
        opened.close()


def test_a_server_notices_within_half_a_minute_that_a_machine_is_gone(postgres_url: str) -> None:
    database = Database(postgres_url)
    with database.engine.connect() as connection:
        assert connection.scalar(text("SHOW tcp_keepalives_idle")) == "10"
    database.close()


def _break_connections(database: Database) -> None:
    with database.engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
