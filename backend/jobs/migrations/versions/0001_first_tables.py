"""Jobs and their tracks, as the first version made them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("job_id", sa.String(32), nullable=False, unique=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("warnings", sa.JSON, nullable=False),
    )
    op.create_table(
        "tracks",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("job_number", sa.Integer, sa.ForeignKey("jobs.number"), nullable=False, index=True),
        sa.Column("index", sa.Integer, nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("status", sa.String(32), nullable=False, index=True),
        sa.Column("progress", sa.Integer, nullable=False),
        sa.Column("phase", sa.String(32), nullable=False),
        sa.Column("phase_display", sa.String, nullable=False),
        sa.Column("worker_id", sa.Integer),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("duration_seconds", sa.Float),
        sa.Column("wav_file", sa.String),
        sa.Column("mp3_file", sa.String),
        sa.Column("metadata_file", sa.String),
        sa.Column("error", sa.String),
        sa.UniqueConstraint("job_number", "index"),
    )
