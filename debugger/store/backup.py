"""Backup of a database in one file, and its restore.

The file is gzip over lines of JSON. The first says what it is; then, for each table, a line names its columns
and a line for each row holds their values, bytes in base64; the last line counts the rows.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import NamedTuple, NoReturn

from sqlalchemy import Connection, MetaData, insert
from sqlalchemy.exc import DataError, IntegrityError

from debugger.errors import ConflictError, InputError, NotFoundError, StoreError, UnsupportedError
from debugger.store.backup_file import BackupFile, open_backup
from debugger.store.backup_reader import Row, read_revision, read_rows
from debugger.store.backup_salvage import ReadableRows, readable_revision
from debugger.store.backup_writer import holds_rows, write_backup
from debugger.store.claims import interrupt_all
from debugger.store.database import Database, first_line
from debugger.store.schema import SCHEMA_VERSION, metadata, revision_of, revisions, schema_version
from debugger.store.schema_setup import NEWEST, bring_up, check_schema, ensure_schema
from debugger.telemetry.progress import report_progress

_BYTES_AT_ONCE = 1_000_000


def back_up(url: str, file: Path) -> dict[str, int]:
    """Write the content of a database at one moment into a file.

    A database of an older revision is migrated first. The file gets its name, or replaces an earlier backup,
    once it is whole. Only its owner may read it.

    Returns:
        The number of rows in each table.

    Raises:
        NotFoundError: The database is empty, as one that was not there.
        StoreError: The database cannot be read, or was made by a newer version.
        StoreDamagedError: A page of it is damaged; see `back_up_readable`.
        InputError: The file cannot be written, or another file than a backup has its name.
    """
    with closing(Database(url)) as database:
        with database.reading() as connection:
            if not database.dialect.columns(connection):
                raise NotFoundError(
                    f"The database {database.place} is empty or was not there, so nothing was backed up.",
                    advice="Name another one in WORKFLOW_DEBUGGER_DATABASE or with --database.",
                )
        ensure_schema(database)
        with database.reading() as connection:
            return write_backup(connection, metadata, str(revision_of(connection)), file)


class ReadableBackup(NamedTuple):
    """The saved part of a damaged database."""

    counts: dict[str, int]
    """The number of saved rows in each table."""
    lost: list[str]
    """The rows that cannot be read, each in words."""


def back_up_readable(url: str, file: Path) -> ReadableBackup:
    """Write what can still be read of a damaged SQLite file into a new file.

    The backup can be restored like any other: rows whose run or workflow is lost are left out.

    Returns:
        The number of saved rows by table, and the lost rows in words.

    Raises:
        UnsupportedError: The database is no SQLite file.
        InputError: There is a file of that name, or it cannot be written: this backup replaces no whole one.
        StoreDamagedError: Not even the names of the tables can be read.
    """
    from debugger.store.migrations.upgrading import tables_at  # Alembic takes its time to load

    if file.exists():
        raise InputError(
            f"The file {file} was left as it is: a backup of a damaged database replaces no other.",
            advice="Name a new file.",
        )
    with closing(Database(url)) as database:
        if database.dialect.file is None:
            raise UnsupportedError(
                f"Of the damaged database {database.place} no part can be saved alone.",
                advice="Restore a backup of it.",
            )
        with database.reading() as connection:
            revision = readable_revision(connection)
            tables, schema_version = tables_at(revision)
            rows = ReadableRows(connection, tables, schema_version)
            counts = write_backup(connection, tables, revision, file, rows.packed)
    return ReadableBackup(counts, rows.lost)


def restore(url: str, file: Path, *, replace: bool = False) -> dict[str, int]:
    """Replace the content of a database by a backup's, or nothing.

    The file is read once, into one transaction, which is committed when the end of the file is right. A
    database of an older revision is migrated in the same transaction, so that a refused file leaves it, too.
    The restored tables are migrated to the newest revision, and turns in progress in them are interrupted.

    Args:
        url: The database's; it is created where it does not exist.
        file: A backup of a database of any kind.
        replace: Delete the present content; without it, the database must be empty.

    Returns:
        The number of rows in each table of the backup.

    Raises:
        ConflictError: The database holds something, and is not to be replaced.
        InputError: The file cannot be read, is no backup, or not a whole one.
        StoreError: The database cannot be written, or the backup is one of a newer version.
    """
    database = Database(url)
    with open_backup(file, database.dialect.free_bytes()) as backup, closing(database):
        revision = read_revision(backup)
        check_schema(database)
        with database.changing_tables() as connection:
            bring_up(connection, database)
            if not replace and holds_rows(connection, metadata):
                raise ConflictError(
                    f"The database {database.place} is not empty, and was left as it is.",
                    advice="Name an empty one, or use --replace to replace its content.",
                )
            return _load(connection, database, backup, revision)


def _load(connection: Connection, database: Database, backup: BackupFile, revision: str) -> dict[str, int]:
    """Replace all tables by those of a backup, migrated to the newest revision; return its rows by table.

    Drops the present tables, inserts the rows, and interrupts the turns in progress; commits nothing.

    Raises:
        InputError: The rows do not fit, or the schema version after the migration is another.
    """
    from debugger.store.migrations.upgrading import upgrade  # Alembic takes its time to load

    database.dialect.lock_tables(connection, [table.name for table in metadata.sorted_tables])
    metadata.drop_all(connection)
    revisions.drop(connection)
    # The tables of the backup's revision, which are migrated like those of any database of that revision.
    upgrade(connection, revision)
    counts = _insert_all(connection, backup)
    upgrade(connection, NEWEST)
    version = schema_version(connection)
    if version != SCHEMA_VERSION:
        _reject(backup, f"its schema version is {version} and not {SCHEMA_VERSION}")
    database.dialect.reset_numbering(connection)
    try:
        interrupt_all(connection)
    except (StoreError, KeyError, TypeError) as error:
        _reject(backup, "a turn in progress cannot be read", error)
    return counts


def _insert_all(connection: Connection, backup: BackupFile) -> dict[str, int]:
    """Insert the rows of a backup behind its first line into the present tables, about 1 MB at a time.

    Reports progress after each batch but the last.

    Returns:
        The number of rows in each table of the backup.

    Raises:
        InputError: A row cannot be read or inserted, or the file is not whole.
    """
    tables = MetaData()
    tables.reflect(connection)
    tables.remove(tables.tables[revisions.name])
    counts: dict[str, int] = {}
    batch: list[Row] = []
    size = 0
    for row in read_rows(backup, tables, counts):
        if batch and (row.table is not batch[0].table or size > _BYTES_AT_ONCE):
            _insert(connection, batch, backup)
            batch, size = [], 0
            report_progress("Reading bytes", backup.position(), backup.size())
        batch.append(row)
        size += row.size
    if batch:
        _insert(connection, batch, backup)
    return counts


def _insert(connection: Connection, rows: list[Row], backup: BackupFile) -> None:
    try:
        connection.execute(insert(rows[0].table), [row.values for row in rows])
    except (IntegrityError, DataError, OverflowError, UnicodeEncodeError) as error:
        cause = getattr(error, "orig", None) or error
        _reject(backup, f"lines {rows[0].line} to {rows[-1].line}: {first_line(cause)}", error)


def _reject(backup: BackupFile, reason: str, cause: BaseException | None = None) -> NoReturn:
    raise InputError(
        f"The backup {backup.file} cannot be restored: {reason}.",
        advice="Use another one; the database was left as it is.",
    ) from cause
