"""Creation, check and migration of a database's tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum, auto
from itertools import islice

from sqlalchemy import Connection

from debugger.errors import StoreError
from debugger.store.database import Database
from debugger.store.migrations import REVISIONS
from debugger.store.schema import (
    FIRST_RELEASED,
    SCHEMA_VERSION,
    meta,
    metadata,
    revision_of,
    revisions,
    schema_version,
    write_first_facts,
)
from debugger.telemetry.progress import report_progress

NEWEST = REVISIONS[-1]


class _Tables(Enum):
    """The state of a database's tables."""

    EMPTY = auto()
    BEHIND = auto()
    PRESENT = auto()


def ensure_schema(database: Database) -> None:
    """Create the tables, or migrate those of an older version.

    A database that is migrated is backed up first.

    Raises:
        StoreError: The database was made by a newer or a much older version of this program, or by another
            program, and is left as it is; or it cannot be opened or written.
    """
    if not check_schema(database):
        with database.changing_tables() as connection:
            bring_up(connection, database)
    database.has_tables = True


def check_schema(database: Database) -> bool:
    """Switch the database to its mode; return whether it has the tables of the newest revision.

    ``False`` means that they are missing or older; none is made or changed. Sets `Database.has_tables`.

    Raises:
        StoreError: As of `ensure_schema`.
    """
    with database.reading() as connection:
        database.has_tables = meta.name in database.dialect.columns(connection)
    # Where there are tables, the second look waits for a program that replaces them, as a restore does; its
    # snapshot from before would see the new ones without their rows.
    with database.reading() as connection:
        state = _state(connection, database)
    database.prepare()
    return state is _Tables.PRESENT


def bring_up(connection: Connection, database: Database) -> None:
    """Create the tables, or migrate those of an older version, in a transaction that may change tables.

    Present tables of the newest revision stay as they are. Nothing is committed.

    Raises:
        StoreError: As of `ensure_schema`.
    """
    # Another program may have changed the tables since the first look.
    state = _state(connection, database)
    if state is _Tables.EMPTY:
        metadata.create_all(connection)
        write_first_facts(connection, NEWEST)
    elif state is _Tables.BEHIND:
        _migrate(connection, database)


def _migrate(connection: Connection, database: Database) -> None:
    """Back up the database where its URL does not forbid it, and apply the pending migrations in order.

    Reports progress before each.

    Raises:
        StoreError: It cannot be backed up, or columns are not as the newest revision has them.
    """
    from debugger.store.backup_writer import back_up_before_migration
    from debugger.store.migrations.upgrading import upgrade  # Alembic takes its time to load

    if revisions.name not in database.dialect.columns(connection):
        # From before the migrations: the first one adds the missing tables of the first release.
        upgrade(connection, REVISIONS[0])
    if database.dialect.backs_up:
        back_up_before_migration(database, connection, str(revision_of(connection)), NEWEST)
    pending = REVISIONS[REVISIONS.index(str(revision_of(connection))) + 1 :]
    for done, revision in enumerate(pending):
        report_progress("Migrating the database", done, len(pending))
        upgrade(connection, revision)
    _check_columns(database.dialect.columns(connection), database.place)


def _state(connection: Connection, database: Database) -> _Tables:
    """Return the state of the tables: none, of an older revision, or of the newest one.

    Raises:
        StoreError: They are another program's, too old or too new, or were changed by something else.
    """
    place, tables = database.place, database.dialect.columns(connection)
    if not tables:
        return _Tables.EMPTY
    version = schema_version(connection) if tables.get(meta.name, set()) >= set(meta.columns.keys()) else None
    if version is None:
        raise StoreError(
            f"The database {place} holds the tables of another program: {_names(tables)}.",
            advice="It was left as it is; name another one in WORKFLOW_DEBUGGER_DATABASE.",
        )
    _check_version(version, place)
    triggers = database.dialect.triggers(connection)
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
        return _Tables.BEHIND
    _check_columns(tables, place)
    return _Tables.PRESENT


def _check_columns(tables: Mapping[str, set[str]], place: str) -> None:
    """Check that every table of this program exists with its columns.

    Raises:
        StoreError: One does not.
    """
    for table in metadata.sorted_tables:
        missing = [name for name in table.columns.keys() if name not in tables.get(table.name, set())]  # noqa: SIM118
        if missing:
            raise StoreError(
                f"The database {place} has no column {missing[0]} in a table {table.name}.",
                advice="It was changed by something else and left as it is; restore it from a backup.",
            )


def _names(names: Iterable[str]) -> str:
    return ", ".join(name[:40] for name in islice(names, 10))


def _check_version(version: int, place: str) -> None:
    """Check that there is a migration from a schema version.

    Raises:
        StoreError: It is older than the first release, or newer than this program.
    """
    if version < FIRST_RELEASED:
        raise StoreError(
            f"The database {place} has schema version {version}, and this program needs {SCHEMA_VERSION}.",
            advice="It was made before the first release. Name another one in WORKFLOW_DEBUGGER_DATABASE, "
            "and import your workflows again.",
        )
    if version > SCHEMA_VERSION:
        raise _too_new(f"schema version {version}", str(SCHEMA_VERSION), place)


def _too_new(found: str, known: str, place: str) -> StoreError:
    """Return the error for a database of a newer version of this program."""
    return StoreError(
        f"The database {place} has {found}, newer than the {known} known here.",
        advice="Install the newest version of this program, or name another database "
        "in WORKFLOW_DEBUGGER_DATABASE.",
    )
