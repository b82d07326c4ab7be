"""Alembic reads this on every command; the connection comes from the caller."""

from __future__ import annotations

from alembic import context

from backend.jobs.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
context.run_migrations()
