"""Migrations that are run."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

FOLDER = Path(__file__).parent


def upgrade(connection: Connection, revision: str, folder: Path = FOLDER) -> None:
    """Bring the tables of a database to a revision.

    Args:
        connection: In a transaction in which tables may be changed.
        revision: The one after which to stop.
        folder: Holds ``env.py`` and ``versions``.
    """
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
