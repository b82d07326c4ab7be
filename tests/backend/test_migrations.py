"""Tables step by step: new databases, databases from before there were steps, and the tables the code expects."""

from __future__ import annotations

import json

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from backend.jobs.database import Database
from backend.jobs.migrations.upgrade import BEFORE_MIGRATIONS, alembic_config
from backend.jobs.store import JobFilter, JobStore
from backend.jobs.tables import Base
from core.job import JobStatus, TrackStatus
from core.request import GenerationRequest
from tests.backend.jobs import add, claim, found


def revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def test_the_steps_lead_to_the_tables_the_code_expects(database: Database) -> None:
    with database.engine.begin() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)

    assert differences == []


def test_a_database_from_before_the_steps_is_taken_over_with_its_jobs(database_url: str) -> None:
    database = Database(database_url)
    if database.file:
        database.file.parent.mkdir()
    with database.engine.begin() as connection:
        command.upgrade(alembic_config(connection), BEFORE_MIGRATIONS)
        # That version kept no record of its tables.
        connection.execute(text("DROP TABLE alembic_version"))
        _keep_old_job(connection, 1, "done", wav_file="20260101_000000_00000000.wav")
        _keep_old_job(connection, 2, "queued", wav_file=None)

    database.open()

    done, waiting = found(database, "job-1"), found(database, "job-2")
    assert done.request == GenerationRequest(tags="Jazz", lyrics="RAIN")
    assert (done.status, waiting.status) == (JobStatus.COMPLETED, JobStatus.QUEUED)
    assert (done.tracks[0].file_id, waiting.tracks[0].file_id) == ("20260101_000000_00000000", None)
    assert done.finished_at == done.created_at
    assert waiting.finished_at is None
    assert JobStore(database).page(JobFilter(text="rain"), limit=9).total == 2
    add(database, "new")
    assert [claim(database).job_id for _ in range(2)] == ["job-2", "new"]
    database.close()


def test_opening_again_changes_nothing(database: Database, database_url: str) -> None:
    kept = add(database)
    again = Database(database_url)
    again.open()

    assert found(again) == kept
    with again.engine.begin() as connection:
        assert revision(connection) == "0002"
        assert set(inspect(connection).get_table_names()) == {"alembic_version", *Base.metadata.tables}
    again.close()


def _keep_old_job(connection: Connection, number: int, status: str, *, wav_file: str | None) -> None:
    request = {"mode": "vocal", "prompt_mode": "tags", "prompt": "", "tags": "Jazz", "lyrics": "RAIN"}
    sampling = {"top_k_backbone": 80, "top_k_superres": 10, "temperature": 1.0}
    connection.execute(
        text(
            "INSERT INTO jobs (number, job_id, created_at, request, warnings) "
            "VALUES (:number, :job_id, '2026-11-01 12:00:00', :request, '[]')"
        ),
        {
            "number": number,
            "job_id": f"job-{number}",
            "request": json.dumps({**request, "duration_minutes": 3, "sampling": sampling}),
        },
    )
    connection.execute(
        text(
            'INSERT INTO tracks (job_number, "index", seed, status, progress, phase, phase_display, attempts, wav_file)'
            " VALUES (:number, 0, 7, :status, 0, 'idle', '', 0, :wav_file)"
        ),
        {"number": number, "status": TrackStatus(status).value, "wav_file": wav_file},
    )
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT setval(pg_get_serial_sequence('jobs', 'number'), :number)"), {"number": number})
