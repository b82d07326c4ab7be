"""Bringing a database's tables up to date when it is opened."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect

BEFORE_MIGRATIONS = "0001"
"""The tables as the first version made them, when it kept no record of that."""


def upgrade(connection: Connection) -> None:
    """Run the missing steps in the connection's transaction; tables without a record count as the first version's."""
    config = alembic_config(connection)
    unrecorded = MigrationContext.configure(connection).get_current_revision() is None
    if unrecorded and inspect(connection).has_table("jobs"):
        command.stamp(config, BEFORE_MIGRATIONS)
    command.upgrade(config, "head")


def alembic_config(connection: Connection) -> Config:
    """Alembic's view of this folder, working on a connection that is already there."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
