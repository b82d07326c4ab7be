"""At most one dispatcher works on a database: two would hand out the same work and call each other's tracks lost.

Beside an SQLite file lies a locked file, in PostgreSQL a session holds an advisory lock; the system lets go of either
however the process ends.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import time

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from backend.jobs.database import Database, cannot_be_opened
from core.errors import KhalaError

logger = logging.getLogger(__name__)

_TRY = text("SELECT pg_try_advisory_lock(7309453002)")
_LOOK_SECONDS = 5.0
_OWN_GHOST_SECONDS = 40.0
"""Longer than the server needs to notice a dead connection (``database``)."""


class SecondDispatcher(KhalaError):
    """Another dispatcher works on this database."""

    def __init__(self) -> None:
        super().__init__(
            "Another dispatcher works on the database of KHALA_DATABASE_URL. Stop it first, or give this one a "
            "database of its own."
        )


class OneDispatcher:
    """The right to dispatch from a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._file: int | None = None
        self._session: Connection | None = None

    def acquire(self) -> None:
        """Take the right; SecondDispatcher when somebody has it, DatabaseUnusable when the database does not answer."""
        if not self._database.is_sqlite:
            try:
                self._acquire_in_session()
            except DBAPIError as error:
                raise cannot_be_opened(error) from error
        elif file := self._database.file:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(f"{file}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.release()
                raise SecondDispatcher from None

    def release(self) -> None:
        """Let go of the right."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        if self._session is not None:
            # Not back into the pool: the lock lasts as long as the connection.
            self._session.invalidate()
            self._session.close()
            self._session = None

    async def keep(self) -> None:
        """Watch over the right until cancelled; SecondDispatcher when a broken connection cost it.

        A server that has not yet noticed that the connection broke still has the lock in its name, so a refusal counts
        only when it lasts.
        """
        refused_since: float | None = None
        while not self._database.is_sqlite:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                await asyncio.to_thread(self._check)
                refused_since = None
            except SecondDispatcher:
                refused_since = refused_since or time.monotonic()
                if time.monotonic() - refused_since >= _OWN_GHOST_SECONDS:
                    raise

    def _check(self) -> None:
        try:
            if self._session is not None:
                self._session.execute(text("SELECT 1"))
        except DBAPIError:
            logger.warning("the connection to the database broke; taking the dispatcher's lock again")
            self.release()
        if self._session is None:
            try:
                self._acquire_in_session()
            except DBAPIError:
                # While the database is away, nobody else can dispatch from it either.
                logger.warning("the database cannot be reached")

    def _acquire_in_session(self) -> None:
        self._session = self._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        if not self._session.scalar(_TRY):
            self.release()
            raise SecondDispatcher
