"""The tables' way into a database, and on to those of the present."""

from __future__ import annotations

from enum import Enum, auto

from sqlalchemy import Connection, Inspector, inspect

from debugger.errors import StoreError
from debugger.store.database import Database
from debugger.store.facts import revision_of, revisions, schema_version, write_first_facts
from debugger.store.migrations import REVISIONS
from debugger.store.schema import SCHEMA_VERSION, meta
from debugger.store.server_schema import metadata

NEWEST = REVISIONS[-1]

_FIRST_RELEASED = 2
"""The schema version of the first release; what was before has no way on."""


class _Standing(Enum):
    """How the tables of a database stand to those of this program."""

    EMPTY = auto()
    BEHIND = auto()
    PRESENT = auto()


def install(database: Database) -> None:
    """Make the tables where there are none, and bring those of an older version of this program up to date.

    Raises:
        StoreError: The database was made by a newer or a much older version of this program, or by another
            program, and is left as it is; or it cannot be opened or written.
    """
    with database.reading() as connection:
        standing = _standing(connection, database.place)
    database.prepare()
    if standing is not _Standing.PRESENT:
        with database.changing_tables() as connection:
            bring_up(connection, database.place)


def bring_up(connection: Connection, place: str) -> None:
    """Make the tables, or bring them up to date, in a transaction in which nobody else does so."""
    # Another program may have been here since the first look.
    standing = _standing(connection, place)
    if standing is _Standing.EMPTY:
        metadata.create_all(connection)
        write_first_facts(connection, NEWEST)
    elif standing is _Standing.BEHIND:
        from debugger.store.migrations.upgrading import upgrade  # Alembic takes its time to load

        upgrade(connection, NEWEST)


def _standing(connection: Connection, place: str) -> _Standing:
    """How the tables stand.

    Raises:
        StoreError: They are not ours, or not ones that have a way to the present.
    """
    inspector = inspect(connection)
    tables = inspector.get_table_names()
    if not tables:
        return _Standing.EMPTY
    version = schema_version(connection) if _has_facts(inspector) else None
    if version is None:
        raise StoreError(
            f"The database {place} holds the tables of another program: {', '.join(tables)}.",
            advice="It was left as it is; name another one in WORKFLOW_DEBUGGER_DATABASE.",
        )
    _check_version(version, place)
    revision = revision_of(connection) if revisions.name in tables else None
    if revision is not None and revision not in REVISIONS:
        raise _too_new(f"revision {revision}", NEWEST, place)
    return _Standing.PRESENT if revision == NEWEST else _Standing.BEHIND


def _check_version(version: int, place: str) -> None:
    if version < _FIRST_RELEASED:
        raise StoreError(
            f"The database {place} has schema version {version}, and this program needs {SCHEMA_VERSION}.",
            advice="It was made before the first release. Name another one in WORKFLOW_DEBUGGER_DATABASE, "
            "and import your workflows again.",
        )
    if version > SCHEMA_VERSION:
        raise _too_new(f"schema version {version}", str(SCHEMA_VERSION), place)


def _too_new(found: str, known: str, place: str) -> StoreError:
    return StoreError(
        f"The database {place} has {found}, newer than the {known} known here.",
        advice="Install the newest version of this program, or name another database "
        "in WORKFLOW_DEBUGGER_DATABASE.",
    )


def _has_facts(inspector: Inspector) -> bool:
    if not inspector.has_table(meta.name):
        return False
    columns = {column["name"] for column in inspector.get_columns(meta.name)}
    return columns >= set(meta.columns.keys())
