"""Execution of migrations."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, MetaData, create_engine, insert, select

from debugger.errors import StoreError
from debugger.store.migrations import REVISIONS
from debugger.store.schema import FIRST_RELEASED, SCHEMA_VERSION_KEY, meta, revisions

FOLDER = Path(__file__).parent


def upgrade(connection: Connection, revision: str, folder: Path = FOLDER) -> None:
    """Bring the tables of a database to a revision.

    Args:
        connection: In a transaction in which tables may be changed.
        revision: The one after which to stop.
        folder: Holds ``env.py`` and ``versions``.

    Raises:
        StoreError: The database's recorded revision is none of this program.
    """
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, revision)
    except CommandError as error:
        raise StoreError(
            f"The tables of the database cannot be brought to revision {revision}: {error}.",
            advice="The database was left as it is; restore it from a backup.",
        ) from error


@cache
def tables_at(revision: str) -> tuple[MetaData, str]:
    """Return the tables of a revision, without that of Alembic, and its schema version; cached by revision.

    They are read from a database in memory that is migrated to the revision.

    Raises:
        StoreError: The revision is none of this program.
    """
    engine = create_engine("sqlite://")
    tables = MetaData()
    with engine.begin() as connection:
        upgrade(connection, REVISIONS[0])
        connection.execute(insert(meta).values(key=SCHEMA_VERSION_KEY, value=str(FIRST_RELEASED)))
        upgrade(connection, revision)
        version = connection.scalar(select(meta.c.value).where(meta.c.key == SCHEMA_VERSION_KEY))
        tables.reflect(connection)
    engine.dispose()
    tables.remove(tables.tables[revisions.name])
    return tables, str(version)
