"""Backups: all that a database holds, in a file that a database of either kind can be made of.

The file is gzip over lines of JSON. The first says what it is; then, for each table, a line names its columns
and a line for each row holds their values, bytes in base64; the last line counts the rows.
"""

from __future__ import annotations

import gzip
import os
import tempfile
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Any

from sqlalchemy import Connection, LargeBinary, MetaData, Table, insert, select

from debugger.errors import ConflictError, InputError, StoreError
from debugger.protocol.json_text import decode, encode
from debugger.store.database import Database
from debugger.store.facts import never_used, revision_of, revisions
from debugger.store.installation import NEWEST, install
from debugger.store.migrations import REVISIONS
from debugger.store.schema import meta
from debugger.store.server_schema import metadata
from debugger.store.times import iso_time
from debugger.store.turn_claims import interrupt_all

FORMAT = "workflow-debugger-backup"
VERSION = 1
"""Raised when a program that knows the one before could not read the file."""

_HASTE = 1
"""What gzip may do: turns are packed already, and what is left to gain is base64."""
_ROWS_AT_ONCE = 20
_BYTES_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class _Header:
    revision: str


def back_up(url: str, file: Path) -> dict[str, int]:
    """Write all that a database holds into a file, as it stood at one moment; others may go on meanwhile.

    The file is there when it is whole, and in the place of one of its name only then. Only you may read it.

    Args:
        url: The database's.
        file: Where to.

    Returns:
        How many rows of each table.

    Raises:
        StoreError: The database cannot be read.
        InputError: The file cannot be written.
    """
    with _open(url) as database, _new_file(file) as lines, database.reading() as connection:
        lines.write(_line(_told_header(connection)))
        counts = {table.name: _write_table(connection, table, lines) for table in metadata.sorted_tables}
        lines.write(_line({"end": counts}))
    return counts


def restore(url: str, file: Path, *, replace: bool = False) -> dict[str, int]:
    """Make a database of what a backup holds: all of it or, where something goes wrong, as it was.

    Args:
        url: The database's; it is made where it is not there.
        file: A backup of a database of any kind.
        replace: Whether what is in the database may go.

    Returns:
        How many rows of each table.

    Raises:
        ConflictError: The database is in use, and is not to be replaced.
        InputError: The file cannot be read, is no backup, or not a whole one.
        StoreError: The database cannot be written.
    """
    with _file_lines(file) as lines:
        header = _header(next(lines, None), file)
        with _open(url) as database, database.changing_tables() as connection:
            if not replace and _holds_something(connection):
                raise ConflictError(
                    f"The database {database.place} holds something already, and was left as it is.",
                    advice="Name an empty one, or say --replace to have the backup in its place.",
                )
            return _take_in(connection, header, lines, database, file)


@contextmanager
def _open(url: str) -> Iterator[Database]:
    database = Database(url)
    try:
        install(database)
        yield database
    finally:
        database.close()


def _holds_something(connection: Connection) -> bool:
    tables = [table for table in metadata.sorted_tables if table is not meta]
    found = (connection.execute(select(table).limit(1)).first() for table in tables)
    return not never_used(connection) or any(row is not None for row in found)


def _told_header(connection: Connection) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "revision": revision_of(connection),
        "made_at": iso_time(time()),
    }


def _write_table(connection: Connection, table: Table, lines: gzip.GzipFile) -> int:
    """Write a table's rows, few of them in memory at once; how many they were."""
    names = [column.name for column in table.c]
    binary = [column.name for column in table.c if isinstance(column.type, LargeBinary)]
    lines.write(_line({"table": table.name, "columns": names, "binary": binary}))
    statement = select(table).order_by(*table.primary_key).execution_options(yield_per=_ROWS_AT_ONCE)
    count = 0
    for row in connection.execute(statement):
        lines.write(_line([_told(value) for value in row]))
        count += 1
    return count


def _told(value: Any) -> Any:
    return b64encode(value).decode() if isinstance(value, bytes) else value


def _line(value: Any) -> bytes:
    return encode(value) + b"\n"


def _take_in(
    connection: Connection, header: _Header, lines: Iterator[bytes], database: Database, file: Path
) -> dict[str, int]:
    from debugger.store.migrations.upgrading import upgrade  # Alembic takes its time to load

    database.kind.keep_out(connection, [table.name for table in metadata.sorted_tables])
    metadata.drop_all(connection)
    revisions.drop(connection)
    # The tables as they were when the backup was made; it then goes the way of any database of that time.
    upgrade(connection, header.revision)
    counts = _read_tables(connection, lines, file)
    upgrade(connection, NEWEST)
    database.kind.number_on(connection)
    interrupt_all(connection)
    return counts


def _read_tables(connection: Connection, lines: Iterator[bytes], file: Path) -> dict[str, int]:
    tables = MetaData()
    tables.reflect(connection)
    counts: dict[str, int] = {}
    filling: _Filling | None = None
    for line in lines:
        value = _value(line, file)
        if isinstance(value, list) and filling is not None:
            filling.add(value, len(line))
            continue
        if filling is not None:
            counts[filling.table.name] = filling.finish()
            filling = None
        if isinstance(value, dict) and "end" in value:
            if value["end"] != counts:
                raise _not_whole(file)
            return counts
        filling = _begin_filling(connection, tables, value, file)
    raise _not_whole(file)


def _begin_filling(connection: Connection, tables: MetaData, value: Any, file: Path) -> _Filling:
    try:
        table = tables.tables[value["table"]]
        names, binary = [table.c[name].name for name in value["columns"]], set(value["binary"])
    except (KeyError, TypeError) as error:
        raise _unreadable(file, "it names a table or a column that there was not in its time") from error
    return _Filling(connection, table, names, binary)


class _Filling:
    """Rows on their way into a table, some at a time."""

    def __init__(self, connection: Connection, table: Table, names: Sequence[str], binary: set[str]) -> None:
        self.table = table
        self._connection = connection
        self._names = names
        self._binary = [name for name in names if name in binary]
        self._rows: list[dict[str, Any]] = []
        self._bytes = self._count = 0

    def add(self, values: Sequence[Any], size: int) -> None:
        """Put a row in, given as it stands in the file."""
        row = dict(zip(self._names, values, strict=True))
        for name in self._binary:
            if row[name] is not None:
                row[name] = b64decode(row[name])
        self._rows.append(row)
        self._count += 1
        self._bytes += size
        if self._bytes > _BYTES_AT_ONCE:
            self._flush()

    def finish(self) -> int:
        """Put the last ones in; how many there were."""
        self._flush()
        return self._count

    def _flush(self) -> None:
        if self._rows:
            self._connection.execute(insert(self.table), self._rows)
        self._rows, self._bytes = [], 0


@contextmanager
def _new_file(file: Path) -> Iterator[gzip.GzipFile]:
    """A file that bears its name when it is whole.

    Raises:
        InputError: It cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        try:
            with os.fdopen(handle, "wb") as raw:
                with gzip.GzipFile("", "wb", _HASTE, raw) as lines:
                    yield lines
                raw.flush()
                os.fsync(raw.fileno())
            Path(name).replace(file)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(
            f"The backup {file} cannot be written: {error.strerror}.",
            advice="See that its folder is there and may be written, and that there is room.",
        ) from error


@contextmanager
def _file_lines(file: Path) -> Iterator[Iterator[bytes]]:
    """A backup's lines.

    Raises:
        InputError: The file cannot be read, or is no backup, or was damaged.
    """
    try:
        with gzip.GzipFile(file, "rb") as lines:
            yield iter(lines)
    except EOFError as error:
        raise _not_whole(file) from error
    except gzip.BadGzipFile as error:
        raise _no_backup(file) from error
    except (OSError, zlib.error) as error:
        raise _unreadable(file, str(getattr(error, "strerror", None) or error)) from error


def _header(line: bytes | None, file: Path) -> _Header:
    value = _value(line or b"null", file)
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise _no_backup(file)
    if value.get("version") != VERSION or value.get("revision") not in REVISIONS:
        raise StoreError(
            f"The backup {file} was made by a newer version of this program.",
            advice="Install the newest version.",
        )
    return _Header(value["revision"])


def _value(line: bytes, file: Path) -> Any:
    try:
        return decode(line)
    except ValueError as error:
        raise _no_backup(file) from error


def _no_backup(file: Path) -> InputError:
    return InputError(
        f"The file {file} is no backup.", advice="Name one that `python -m debugger backup` has written."
    )


def _not_whole(file: Path) -> InputError:
    return InputError(
        f"The backup {file} ends too early.", advice="Use another one; the database was left as it is."
    )


def _unreadable(file: Path, reason: str) -> InputError:
    return InputError(f"The backup {file} cannot be read: {reason}.", advice="Is the path right?")
