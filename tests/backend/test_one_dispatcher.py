"""One database belongs to one dispatcher, whatever becomes of its connections."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from backend.jobs.database import Database
from backend.jobs.one_dispatcher import OneDispatcher, SecondDispatcher


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


def _break_connections(database: Database) -> None:
    with database.engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
