"""The content of a backup, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import MetaData, Table

from debugger.errors import StoreError
from debugger.protocol.json_codec import decode
from debugger.store.backup_file import FORMAT, BackupFile
from debugger.store.backup_rows import RowFormat
from debugger.store.migrations import REVISIONS

VERSION = 1
"""Raised when a program that knows the one before could not read the file."""


class Row(NamedTuple):
    """A row of a backup, as it is inserted."""

    table: Table
    values: dict[str, Any]
    line: int
    size: int
    """Bytes of its line."""


def read_revision(backup: BackupFile) -> str:
    """Read the first line; return the revision of the database that was backed up.

    Raises:
        InputError: The file is no backup, cannot be read, or names a version or revision that never was.
        StoreError: A newer version of this program has made it.
    """
    match _decoded(backup.read_line()):
        case {"format": format_, "version": int(version), "revision": str(revision)} if format_ == FORMAT:
            pass
        case _:
            raise backup.no_backup()
    if version == VERSION and revision in REVISIONS:
        return revision
    if version < VERSION or (version == VERSION and revision < REVISIONS[-1]):
        backup.reject(f"there was never a version {version} with a revision {revision[:40]!a}")
    raise StoreError(
        f"The backup {backup.file} was made by a newer version of this program.",
        advice="Install the newest version.",
    )


def read_rows(backup: BackupFile, tables: MetaData, counts: dict[str, int]) -> Iterator[Row]:
    """Yield the rows behind the first line.

    Rows must not be committed before the last one has come: the end of the file is checked, too.

    Args:
        backup: An open backup whose first line was read.
        tables: Those of its revision.
        counts: Gets the number of rows of each table.

    Raises:
        InputError: The file is damaged or ends too early, has another table or column, a row that cannot be
            read, or other numbers of rows than its end says.
    """
    rows: RowFormat | None = None
    while line := backup.read_line():
        value = _decoded(line)
        try:
            if isinstance(value, list) and rows is not None:
                counts[rows.table.name] += 1
                yield Row(rows.table, rows.unpack(value), backup.line, len(line))
                continue
            match value:
                case {"table": str(name), "columns": list(columns)} if name in tables.tables:
                    rows = RowFormat(tables.tables[name], [str(column) for column in columns])
                    counts.setdefault(name, 0)
                case {"end": end}:
                    if end != counts:
                        backup.reject("the file has other numbers of rows than its end says")
                    if backup.read_line():
                        backup.reject("something follows the end")
                    return
                case {"table": name}:
                    backup.reject(f"there is no table {str(name)[:60]!a} in the backup's revision")
                case _:
                    backup.reject("it is neither a row nor the columns of a table")
        except ValueError as error:
            backup.reject(str(error))
    raise backup.ends_too_early()


def _decoded(line: bytes) -> Any:
    """Return the value of a line; ``None`` where it is not JSON."""
    try:
        return decode(line)
    except (ValueError, RecursionError):
        return None
