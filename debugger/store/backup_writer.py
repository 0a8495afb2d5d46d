"""The writer of backups."""

from __future__ import annotations

import gzip
import hashlib
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import time
from typing import Any

from sqlalchemy import Connection, MetaData, inspect, select

from debugger.errors import InputError, StoreError
from debugger.protocol.json_codec import encode
from debugger.settings import default_database_path
from debugger.store.backup_file import FORMAT, MAX_LINE, new_file
from debugger.store.backup_reader import VERSION
from debugger.store.backup_rows import ROWS_PER_REPORT, RowFormat
from debugger.store.database import Database
from debugger.store.schema import meta, never_used
from debugger.store.sql_helpers import iso_time
from debugger.telemetry.progress import report_progress

_ROWS_AT_ONCE = 20
_MAX_BACKUPS = 3
"""Backups of earlier revisions that stay beside a database."""

_log = logging.getLogger(__name__)


PackedRows = Callable[[RowFormat], Iterator[list[Any]]]
"""Returns the rows of a table as they are written."""


def write_backup(
    connection: Connection, tables: MetaData, revision: str, file: Path, read: PackedRows | None = None
) -> dict[str, int]:
    """Write the rows of tables into a file.

    Args:
        connection: In a transaction that sees one state of the database.
        tables: Those of the database's revision.
        revision: The database's.
        file: The backup's path.
        read: Reads the rows; by default all, and an error ends the backup.

    Returns:
        The number of rows in each table.

    Raises:
        InputError: The file cannot be written.
        StoreError: A row holds a value that no backup can.
    """
    header = {"format": FORMAT, "version": VERSION, "revision": revision, "made_at": iso_time(time())}
    with new_file(file) as lines:
        lines.write(_line(header))
        read = read or partial(_all_rows, connection)
        formats = map(RowFormat, tables.sorted_tables)
        counts = {rows.table.name: _write_table(rows, read(rows), lines) for rows in formats}
        lines.write(_line({"end": counts}))
    return counts


def holds_rows(connection: Connection, tables: MetaData) -> bool:
    """Return whether the database holds or ever held anything."""
    rows = (
        connection.execute(select(table).limit(1)).first()
        for table in tables.sorted_tables
        if table.name != meta.name
    )
    return not never_used(connection) or any(row is not None for row in rows)


def back_up_before_migration(database: Database, connection: Connection, revision: str, target: str) -> None:
    """Back up a database before its migration, if it holds anything.

    Locks its tables, and logs a warning that names the backup. A backup of an earlier attempt at the same
    migration is replaced, and only the newest ones stay.

    Args:
        database: The database.
        connection: In the transaction of the migration.
        revision: The database's revision.
        target: The revision after the migration.

    Raises:
        StoreError: It cannot be backed up.
    """
    from debugger.store.migrations.upgrading import tables_at  # Alembic takes its time to load

    tables, _ = tables_at(revision)
    # A program of the earlier revision may be writing; the migration needs the tables for itself anyway.
    database.dialect.lock_tables(connection, [table.name for table in tables.sorted_tables])
    if not holds_rows(connection, tables):
        return
    file = _file_before(database, connection, target)
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_backup(connection, tables, revision, file)
    except (OSError, InputError, StoreError) as error:
        reason = error.message if isinstance(error, InputError | StoreError) else f"{file}: {error.strerror}."
        raise StoreError(
            f"The database {database.place} was not brought up to date, for it cannot be backed up: {reason}",
            advice="Correct this, or copy the database yourself and add ?backup=off to its URL in "
            "WORKFLOW_DEBUGGER_DATABASE.",
        ) from error
    _log.warning(
        "Backed up the database %s to %s before bringing it from revision %s to %s.",
        database.place,
        file,
        revision,
        target,
    )
    _remove_old(file, target)


def _file_before(database: Database, connection: Connection, target: str) -> Path:
    """Return the path of the backup before a migration; nothing is created.

    It is beside the database's file, or in the data folder, named after the server, the database and the
    schema.
    """
    beside = database.dialect.file
    if beside is None:
        # The schema as well: several stores may share the database.
        schema = inspect(connection).default_schema_name
        place = f"{database.place} {schema}"
        digest = hashlib.sha256(place.encode()).hexdigest()[:8]
        name = re.sub(r"[^A-Za-z0-9_.-]+", "-", place)[:100]
        beside = default_database_path().with_name(f"{name}-{digest}")
    return beside.with_name(f"{beside.name}.before-{target}.backup")


def _remove_old(file: Path, target: str) -> None:
    """Delete the backups before migrations of the same database, but for the newest three; ignore errors."""
    prefix = file.name.removesuffix(f"{target}.backup")
    found = [
        path for path in file.parent.iterdir() if path.name.startswith(prefix) and path.suffix == ".backup"
    ]
    newest_first = sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in newest_first[_MAX_BACKUPS:]:
        with suppress(OSError):
            path.unlink()


def _write_table(rows: RowFormat, packed: Iterator[list[Any]], lines: gzip.GzipFile) -> int:
    """Write a line with the columns of a table, then a line for each row; return the number of rows.

    Raises:
        StoreError: A row takes more than `MAX_LINE` bytes.
    """
    name = rows.table.name
    lines.write(_line({"table": name, "columns": rows.columns, "binary": rows.binary}))
    count = 0
    for count, row in enumerate(packed, start=1):
        line = _line(row)
        if len(line) > MAX_LINE:
            raise _unfit(name, count, f"it takes more than {MAX_LINE:,} bytes")
        lines.write(line)
        if count % ROWS_PER_REPORT == 0:
            report_progress(f"Writing {name}", count)
    return count


def _all_rows(connection: Connection, rows: RowFormat) -> Iterator[list[Any]]:
    """Yield all rows of a table by primary key, as they are written.

    Raises:
        StoreError: A row holds a value that no backup can.
    """
    table = rows.table
    statement = select(table).order_by(*table.primary_key).execution_options(yield_per=_ROWS_AT_ONCE)
    for number, row in enumerate(connection.execute(statement), start=1):
        try:
            yield rows.pack(row)
        except ValueError as error:
            raise _unfit(table.name, number, str(error)) from error


def _unfit(table: str, number: int, reason: str) -> StoreError:
    return StoreError(
        f"Row {number} of the table {table} cannot be backed up: {reason}.",
        advice="The database was changed by something else; restore an earlier backup.",
    )


def _line(value: Any) -> bytes:
    return encode(value) + b"\n"
