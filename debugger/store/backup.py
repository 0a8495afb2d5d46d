"""Backup of a database in one file, and its restore.

The file is gzip over lines of JSON. The first says what it is; then, for each table, a line names its columns
and a line for each row holds their values, bytes in base64; the last line counts the rows.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import NoReturn

from sqlalchemy import Connection, MetaData, and_, exists, insert, select
from sqlalchemy.exc import DataError, IntegrityError

from debugger.errors import ConflictError, InputError, NotFoundError, StoreError
from debugger.store.backup_file import MAX_BYTES, BackupFile, open_backup
from debugger.store.backup_reader import BackupReader, Row
from debugger.store.backup_writer import holds_rows, write_backup
from debugger.store.claims import interrupt_all
from debugger.store.database import Database, first_line
from debugger.store.schema import metadata, revision_of, revisions
from debugger.store.schema_setup import NEWEST, ensure_schema
from debugger.telemetry.progress import report_progress

_BYTES_AT_ONCE = 1_000_000


def back_up(url: str, file: Path) -> dict[str, int]:
    """Write the content of a database at one moment into a file.

    The file gets its name, or replaces another one, once it is whole. Only its owner may read it.

    Returns:
        The number of rows in each table.

    Raises:
        NotFoundError: The database is empty, as one that was not there.
        StoreError: The database cannot be read.
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


def restore(url: str, file: Path, *, replace: bool = False) -> dict[str, int]:
    """Replace the content of a database by a backup's, or nothing.

    The whole file is checked before the database is touched; then it is read again into one transaction.

    Args:
        url: The database's; it is created where it does not exist.
        file: A backup of a database of any kind.
        replace: Delete the present content; without it, the database must be empty.

    Returns:
        The number of rows in each table.

    Raises:
        ConflictError: The database holds something, and is not to be replaced.
        InputError: The file cannot be read, is no backup, or not a whole one.
        StoreError: The database cannot be written.
    """
    database = Database(url)
    free = database.dialect.free_bytes()
    with open_backup(file, MAX_BYTES if free is None else free) as backup:
        reader = BackupReader(backup)
        counts = reader.counts()
        with closing(database):
            ensure_schema(database)
            with database.changing_tables() as connection:
                if not replace and holds_rows(connection, metadata):
                    raise ConflictError(
                        f"The database {database.place} is not empty, and was left as it is.",
                        advice="Name an empty one, or use --replace to replace its content.",
                    )
                _load(connection, reader, backup, database, sum(counts.values()))
    return counts


def _load(
    connection: Connection, reader: BackupReader, backup: BackupFile, database: Database, total: int
) -> None:
    from debugger.store.migrations.upgrading import upgrade  # Alembic takes its time to load

    database.dialect.lock_tables(connection, [table.name for table in metadata.sorted_tables])
    metadata.drop_all(connection)
    revisions.drop(connection)
    # The tables of the backup's revision, which are migrated like those of any database of that revision.
    upgrade(connection, reader.revision)
    tables = MetaData()
    tables.reflect(connection)
    _insert_all(connection, tables, reader, backup, total)
    _check_references(connection, tables, backup)
    upgrade(connection, NEWEST)
    database.dialect.reset_numbering(connection)
    try:
        interrupt_all(connection)
    except (StoreError, KeyError, TypeError) as error:
        _reject(backup, "a turn in progress cannot be read", error)


def _insert_all(
    connection: Connection, tables: MetaData, reader: BackupReader, backup: BackupFile, total: int
) -> None:
    batch: list[Row] = []
    size = 0
    for number, row in enumerate(reader.rows()):
        if batch and (row.table != batch[0].table or size > _BYTES_AT_ONCE):
            _insert(connection, tables, batch, backup)
            batch, size = [], 0
            report_progress("Inserting rows", number, total)
        batch.append(row)
        size += row.size
    if batch:
        _insert(connection, tables, batch, backup)


def _insert(connection: Connection, tables: MetaData, rows: list[Row], backup: BackupFile) -> None:
    try:
        connection.execute(insert(tables.tables[rows[0].table]), [row.values for row in rows])
    except (IntegrityError, DataError) as error:
        _reject(backup, f"lines {rows[0].line} to {rows[-1].line}: {first_line(error.orig or error)}", error)


def _check_references(connection: Connection, tables: MetaData, backup: BackupFile) -> None:
    """Check references, which SQLite does not while tables are changed."""
    for table in tables.sorted_tables:
        for constraint in table.foreign_key_constraints:
            pairs = [(key.parent, key.column) for key in constraint.elements]
            found = exists().where(and_(*(child == parent for child, parent in pairs)))
            has_parent = and_(*(child.is_not(None) for child, _ in pairs))
            lost = connection.execute(
                select(*(child for child, _ in pairs)).where(has_parent, ~found)
            ).first()
            if lost is not None:
                parent = constraint.referred_table.name
                _reject(
                    backup, f"a row of {table.name} refers to {lost[0][:60]!r}, which {parent} does not hold"
                )


def _reject(backup: BackupFile, reason: str, cause: BaseException | None = None) -> NoReturn:
    raise InputError(
        f"The backup {backup.file} cannot be restored: {reason}.",
        advice="Use another one; the database was left as it is.",
    ) from cause
