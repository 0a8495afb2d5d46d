"""The tables' way into a database."""

from __future__ import annotations

from sqlalchemy import Connection, Inspector, inspect

from debugger.errors import StoreError
from debugger.store.database import Database
from debugger.store.facts import schema_version, write_first_facts
from debugger.store.notebook_schema import metadata
from debugger.store.schema import SCHEMA_VERSION, meta


def install(database: Database) -> None:
    """Make the tables where there are none, and those that an older version of this program did not have.

    Raises:
        StoreError: The database was made by a newer or a much older version of this program, or by another
            program, and is left as it is; or it cannot be opened or written.
    """
    with database.reading() as connection:
        there = _check(connection, database.place)
    database.prepare()
    if not there.issuperset(metadata.tables):
        _create(database)


def _create(database: Database) -> None:
    with database.writing() as connection:
        # Another program may have been here since the first look.
        there = _check(connection, database.place)
        metadata.create_all(connection)
        if not there:
            write_first_facts(connection)


def _check(connection: Connection, place: str) -> set[str]:
    """The tables that are there, which are then ours and of this version; none in a new database."""
    inspector = inspect(connection)
    tables = inspector.get_table_names()
    if not tables:
        return set()
    version = schema_version(connection) if _has_facts(inspector) else None
    if version is None:
        raise StoreError(
            f"The database {place} holds the tables of another program: {', '.join(tables)}.",
            advice="It was left as it is; name another file in WORKFLOW_DEBUGGER_DATABASE.",
        )
    if version < SCHEMA_VERSION:
        raise StoreError(
            f"The database {place} has schema version {version}, and this program needs {SCHEMA_VERSION}.",
            advice="It was made before the first release. Name another file in WORKFLOW_DEBUGGER_DATABASE, "
            "and import your workflows again.",
        )
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"The database {place} has schema version {version}, newer than the {SCHEMA_VERSION} known here.",
            advice="Install the newest version of this program, or name another file "
            "in WORKFLOW_DEBUGGER_DATABASE.",
        )
    return set(tables)


def _has_facts(inspector: Inspector) -> bool:
    if not inspector.has_table(meta.name):
        return False
    columns = {column["name"] for column in inspector.get_columns(meta.name)}
    return columns >= set(meta.columns.keys())
