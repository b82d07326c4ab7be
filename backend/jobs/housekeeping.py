"""Keeps the disk in order: room for new songs, files that nobody owns, and how long jobs are kept.

Removes only what is known to be nobody's or too old; a file it knows nothing of is left alone.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError

from backend.artifacts.store import ArtifactStore
from backend.jobs.database import Database
from backend.jobs.refusals import NoRoom
from backend.jobs.rows import UNFINISHED, forget, now
from backend.jobs.tables import DiscardedFilesRow, JobRow, TrackRow
from backend.settings import JobSettings

logger = logging.getLogger(__name__)

_GB = 10**9
_ROUND_SECONDS = 600.0
_FORGOTTEN_AT_ONCE = 500
"""Rows deleted by one statement: databases allow so many variables and no more."""
_FORGET_AFTER = timedelta(hours=1)
"""So long a worker that was given up may still write; its files are looked for again until then."""


class Housekeeping:
    """Looks after the folder of songs and the jobs that own them."""

    def __init__(self, database: Database, artifacts: ArtifactStore, settings: JobSettings) -> None:
        self._database = database
        self._artifacts = artifacts
        self._settings = settings

    def check_room(self) -> None:
        """NoRoom when another song might not fit, or there is nowhere to put it."""
        try:
            self._artifacts.open()
            free_gb = shutil.disk_usage(self._artifacts.root).free / _GB
        except OSError as error:
            raise NoRoom(
                f"The folder of songs, {self._artifacts.root}, cannot be reached ({error.strerror}): nothing is begun "
                "until it can. If its disk is gone, mount it again; KHALA_OUTPUT_DIR names another folder."
            ) from error
        if free_gb < self._settings.min_free_gb:
            raise NoRoom(
                f"The disk is nearly full: {free_gb:.1f} GB are free, and nothing is begun below "
                f"{self._settings.min_free_gb:g} GB. Remove old jobs, or ask whoever runs this system to make room."
            )

    async def run(self) -> None:
        """Go round again and again until cancelled."""
        while True:
            try:
                await asyncio.to_thread(self.remove_old_jobs)
                await asyncio.to_thread(self._artifacts.sweep)
            except (OSError, SQLAlchemyError):
                logger.exception("old jobs and files could not be looked through; again in %g s", _ROUND_SECONDS)
            await self.remove_discarded()
            await asyncio.sleep(_ROUND_SECONDS)

    async def remove_discarded(self) -> None:
        """Remove the files of attempts that were given up and of jobs that were removed; what cannot be is left for the
        next time."""
        try:
            await asyncio.to_thread(self._remove_discarded)
        except SQLAlchemyError:
            logger.exception("the job store did not say which files are nobody's; they are left for later")

    def _remove_discarded(self) -> None:
        with self._database.reading() as session:
            discarded = session.execute(select(DiscardedFilesRow.file_id, DiscardedFilesRow.discarded_at)).all()
        past = []
        for file_id, discarded_at in discarded:
            try:
                self._artifacts.discard(file_id)
            except OSError as error:
                logger.warning("the files of %s cannot be removed now: %s", file_id, error)
                continue
            if now() - discarded_at > _FORGET_AFTER:
                past.append(file_id)
        for first in range(0, len(past), _FORGOTTEN_AT_ONCE):
            some = past[first : first + _FORGOTTEN_AT_ONCE]
            with self._database.writing() as session:
                session.execute(delete(DiscardedFilesRow).where(DiscardedFilesRow.file_id.in_(some)))

    def remove_old_jobs(self) -> None:
        """Forget ended jobs that are too old or too many for the disk budget, the oldest first.

        Favourites stay, and neither they nor files that are no song's count towards the budget: whatever else fills the
        folder, new songs are not removed for it.
        """
        if self._settings.keep_days is None and self._settings.keep_gb is None:
            return
        with self._database.writing() as session:
            unfinished = select(TrackRow.job_number).where(TrackRow.status.in_(UNFINISHED))
            removable = select(JobRow).where(~JobRow.favourite, JobRow.number.not_in(unfinished))
            for row in self._too_many(list(session.scalars(removable.order_by(JobRow.number)))):
                logger.info("job %s is removed: it is older than the settings keep jobs", row.job_id)
                forget(session, row)

    def _too_many(self, oldest_first: list[JobRow]) -> Iterator[JobRow]:
        keep_days, keep_gb = self._settings.keep_days, self._settings.keep_gb
        # Looked up on the disk only where they count.
        sizes = [0 if keep_gb is None else self._size(row) for row in oldest_first]
        used = sum(sizes)
        for row, size in zip(oldest_first, sizes, strict=True):
            too_old = keep_days is not None and row.finished_at and now() - row.finished_at > timedelta(days=keep_days)
            if too_old or (keep_gb is not None and used > keep_gb * _GB):
                used -= size
                yield row

    def _size(self, row: JobRow) -> int:
        return sum(self._artifacts.size(track.file_id) for track in row.tracks if track.file_id)
