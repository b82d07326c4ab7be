"""The database jobs are kept in, SQLite (WAL) or PostgreSQL: opening it, and sessions to read and write it.

Writers wait for each other, whatever the database: what one has read is still true when it writes. All calls block.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError
from sqlalchemy.orm import Session

from backend.jobs.migrations.upgrade import upgrade
from core.errors import KhalaError

_BUSY_TIMEOUT_MS = 10_000
_WRITERS = text("SELECT pg_advisory_xact_lock(7309453001)")
"""In PostgreSQL, one writer at a time; the number is ours, and any would do."""

_POSTGRES: dict[str, Any] = {
    "pool_pre_ping": True,
    # A server that lets go of a vanished machine's locks within half a minute, not after the two hours of its default.
    "connect_args": {"options": "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"},
}


class DatabaseUnusable(KhalaError):
    """The database is not there, or is none. The address is not repeated: it may hold a password."""


class Database:
    """One database and its connections."""

    def __init__(self, url: str) -> None:
        """DatabaseUnusable when no database can have this address."""
        try:
            self.url = _with_driver(make_url(url))
            self.engine: Engine = create_engine(self.url, **({} if self.is_sqlite else _POSTGRES))
        except (ArgumentError, ImportError) as error:
            raise DatabaseUnusable(
                "KHALA_DATABASE_URL is not the address of a database that can be used here. Examples are "
                "sqlite:////var/lib/khala/jobs.sqlite3 and postgresql://user:password@host/khala."
            ) from error
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
            self._reader = self.engine.execution_options(read_only=True)
        else:
            self._reader = self.engine.execution_options(isolation_level="REPEATABLE READ")

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @property
    def file(self) -> Path | None:
        """Where an SQLite database lies."""
        return Path(self.url.database) if self.is_sqlite and self.url.database else None

    def open(self) -> None:
        """Bring the tables up to date, making them where there are none; DatabaseUnusable when that cannot be done."""
        if self.file:
            self.file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self.engine.begin() as connection:
                if not self.is_sqlite:
                    connection.execute(_WRITERS)
                upgrade(connection)
        except DatabaseError as error:
            raise cannot_be_opened(error) from error

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One transaction, kept when the block ends well."""
        with Session(self.engine) as session, session.begin():
            if not self.is_sqlite:
                session.execute(_WRITERS)
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One look at one moment."""
        with Session(self._reader) as session:
            yield session


def cannot_be_opened(error: DBAPIError) -> DatabaseUnusable:
    """What to say where a database refuses."""
    return DatabaseUnusable(
        f"The database of KHALA_DATABASE_URL cannot be opened: {str(error.orig).strip().splitlines()[0]}. "
        "Check that it runs, that it is the right one and that it may be written to."
    )


def _with_driver(url: URL) -> URL:
    return url.set(drivername="postgresql+psycopg") if url.drivername in ("postgres", "postgresql") else url


def _prepare_sqlite(connection: SqliteConnection, record: object) -> None:
    # The driver would begin transactions by itself and too late; _begin_sqlite does it instead.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", f"busy_timeout={_BUSY_TIMEOUT_MS}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the write lock before it reads, so that what it read is still true when it writes.
    read_only = connection.get_execution_options().get("read_only")
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
