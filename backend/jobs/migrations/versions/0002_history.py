"""Titles, notes and search; a client and a turn for every job; a file id for every attempt; files that nobody owns."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("title", sa.Text, nullable=False, server_default=""))
    op.add_column("jobs", sa.Column("favourite", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("jobs", sa.Column("notes", sa.Text, nullable=False, server_default=""))
    op.add_column("jobs", sa.Column("search_text", sa.Text, nullable=False, server_default=""))
    op.add_column("jobs", sa.Column("client", sa.Text, nullable=False, server_default=""))
    op.add_column("jobs", sa.Column("idempotency_key", sa.Text))
    op.add_column("jobs", sa.Column("fingerprint", sa.String(64)))
    op.add_column("jobs", sa.Column("turn", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("cost", sa.Integer, nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("finished_at", sa.DateTime(timezone=True)))
    op.add_column("jobs", sa.Column("checkpoint", sa.Text))
    op.add_column("jobs", sa.Column("version", sa.Integer, nullable=False, server_default="1"))
    op.create_index("ix_jobs_client_idempotency_key", "jobs", ["client", "idempotency_key"], unique=True)
    op.create_index("ix_jobs_turn", "jobs", ["turn"])
    op.create_index("ix_jobs_client_turn", "jobs", ["client", "turn"])
    op.add_column("tracks", sa.Column("phase_fraction", sa.Float, nullable=False, server_default="0"))
    op.add_column("tracks", sa.Column("tokens_per_second", sa.Float))
    op.add_column("tracks", sa.Column("lost_by", sa.Integer))
    op.add_column("tracks", sa.Column("cancel_wished", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("tracks", sa.Column("started_at", sa.DateTime(timezone=True)))
    op.add_column("tracks", sa.Column("pace", sa.JSON))
    op.add_column("tracks", sa.Column("file_id", sa.String(24)))
    op.create_index("ix_tracks_file_id", "tracks", ["file_id"])
    op.create_table(
        "discarded_files",
        sa.Column("file_id", sa.String(24), primary_key=True),
        sa.Column("discarded_at", sa.DateTime(timezone=True), nullable=False),
    )
    _fill_in()


def _fill_in() -> None:
    """What the new columns are for jobs that were there already."""
    jobs = sa.table(
        "jobs",
        *map(sa.column, ("number", "search_text", "turn", "finished_at", "created_at")),
        sa.column("request", sa.JSON),
    )
    tracks = sa.table("tracks", *map(sa.column, ("job_number", "status", "wav_file", "file_id")))
    connection = op.get_bind()
    # YYYYMMDD_HHMMSS_xxxxxxxx.wav without its ending.
    connection.execute(sa.update(tracks).values(file_id=sa.func.substr(tracks.c.wav_file, 1, 24)))
    connection.execute(sa.update(jobs).values(turn=jobs.c.number))
    unfinished = sa.select(tracks.c.job_number).where(tracks.c.status.not_in(["done", "error", "cancelled"]))
    # The true moment was never written down.
    connection.execute(sa.update(jobs).where(jobs.c.number.not_in(unfinished)).values(finished_at=jobs.c.created_at))
    for number, request in connection.execute(sa.select(jobs.c.number, jobs.c.request)).all():
        words = "\n".join(request.get(name, "") for name in ("prompt", "tags", "lyrics")).casefold()
        connection.execute(sa.update(jobs).where(jobs.c.number == number).values(search_text=words))
