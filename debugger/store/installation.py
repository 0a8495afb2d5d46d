"""The tables of a database: created, checked, and migrated to those of this program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum, auto
from itertools import islice

from sqlalchemy import Connection

from debugger.errors import StoreError
from debugger.store.database import Database
from debugger.store.facts import revision_of, revisions, schema_version, write_first_facts
from debugger.store.migrations import REVISIONS
from debugger.store.schema import FIRST_RELEASED, SCHEMA_VERSION, meta
from debugger.store.server_schema import metadata

NEWEST = REVISIONS[-1]


class _Standing(Enum):
    """How the tables of a database stand to those of this program."""

    EMPTY = auto()
    BEHIND = auto()
    PRESENT = auto()


def install(database: Database) -> None:
    """Make the tables where there are none, and bring those of an older version of this program up to date.

    A database that is migrated is backed up first.

    Raises:
        StoreError: The database was made by a newer or a much older version of this program, or by another
            program, and is left as it is; or it cannot be opened or written.
    """
    with database.reading() as connection:
        standing = _standing(connection, database)
    database.prepare()
    if standing is not _Standing.PRESENT:
        with database.changing_tables() as connection:
            _bring_up(connection, database)


def _bring_up(connection: Connection, database: Database) -> None:
    """Make the tables, or bring them up to date, in a transaction in which nobody else does so."""
    # Another program may have been here since the first look.
    standing = _standing(connection, database)
    if standing is _Standing.EMPTY:
        metadata.create_all(connection)
        write_first_facts(connection, NEWEST)
    elif standing is _Standing.BEHIND:
        _migrate(connection, database)


def _migrate(connection: Connection, database: Database) -> None:
    from debugger.store.backup_writer import back_up_before_migration
    from debugger.store.migrations.upgrading import upgrade  # Alembic takes its time to load

    if revisions.name not in database.kind.columns(connection):
        # Of before the migrations: the first one adds what it lacks of the first release.
        upgrade(connection, REVISIONS[0])
    if database.kind.backs_up:
        back_up_before_migration(database, connection, str(revision_of(connection)), NEWEST)
    upgrade(connection, NEWEST)
    _check_columns(database.kind.columns(connection), database.place)


def _standing(connection: Connection, database: Database) -> _Standing:
    """Return how the tables stand.

    Raises:
        StoreError: They are not ours, or not ones that have a way to the present.
    """
    place, tables = database.place, database.kind.columns(connection)
    if not tables:
        return _Standing.EMPTY
    version = schema_version(connection) if tables.get(meta.name, set()) >= set(meta.columns.keys()) else None
    if version is None:
        raise StoreError(
            f"The database {place} holds the tables of another program: {_names(tables)}.",
            advice="It was left as it is; name another one in WORKFLOW_DEBUGGER_DATABASE.",
        )
    _check_version(version, place)
    triggers = database.kind.triggers(connection)
    if triggers:
        raise StoreError(
            f"The database {place} holds triggers that this program did not make: {_names(triggers)}.",
            advice="It was left as it is; drop them, or restore the database from a backup.",
        )
    revision = revision_of(connection) if revisions.name in tables else None
    if revision is not None and revision not in REVISIONS:
        if revision > NEWEST:
            raise _too_new(f"revision {revision}", NEWEST, place)
        raise StoreError(
            f"The database {place} has revision {revision}, which there never was.",
            advice="It was changed by something else and left as it is; restore it from a backup.",
        )
    if revision != NEWEST:
        return _Standing.BEHIND
    _check_columns(tables, place)
    return _Standing.PRESENT


def _check_columns(tables: Mapping[str, set[str]], place: str) -> None:
    """See that every table of this program is there with its columns.

    Raises:
        StoreError: One is not.
    """
    for table in metadata.sorted_tables:
        missing = [name for name in table.columns.keys() if name not in tables.get(table.name, set())]  # noqa: SIM118
        if missing:
            raise StoreError(
                f"The database {place} has no column {missing[0]} in a table {table.name}.",
                advice="It was changed by something else and left as it is; restore it from a backup.",
            )


def _names(names: Iterable[str]) -> str:
    """Return the first few of many names."""
    return ", ".join(name[:40] for name in islice(names, 10))


def _check_version(version: int, place: str) -> None:
    if version < FIRST_RELEASED:
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
