"""The dialect of SQLite: a file, or a database in memory."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

from sqlalchemy import URL, Connection, Engine, QueuePool, StaticPool, create_engine, event
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine.interfaces import DBAPICursor, Dialect

from debugger.errors import StoreDamagedError, StoreError, StoreFileError
from debugger.store.dialects import DatabaseDialect, ErrorKind

URL_ADVICE = "Write sqlite:///relative/path.sqlite3, or sqlite:////absolute/path.sqlite3 with four slashes."

_COLUMNS = """
SELECT tables.name, columns.name FROM sqlite_master AS tables, pragma_table_xinfo(tables.name) AS columns
WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite~_%' ESCAPE '~'
"""

_Value = str | bytes | int | float | None

_OWNER_FOLDER = 0o700
_OWNER_FILE = 0o600
_POLL_SECONDS = 0.02
_SMALLEST = 512
"""Bytes of the smallest database that is not empty: one page."""
_RESERVED_BYTES = 256 * 1024
"""Bytes kept for the record of a turn that cannot be stored: a dozen pages, and as many in the log."""
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
_ELSEWHERE = "Name another file in WORKFLOW_DEBUGGER_DATABASE"

_LOCKED_ADVICE = "Close the other program that writes to it, then try again."
_RESTORE_ADVICE = "Restore it from a copy, or move it away to start with an empty one."

_ERRORS = {
    sqlite3.SQLITE_BUSY: ErrorKind("is locked", _LOCKED_ADVICE),
    sqlite3.SQLITE_LOCKED: ErrorKind("is locked", _LOCKED_ADVICE),
    sqlite3.SQLITE_FULL: ErrorKind("has no space left", "Free some space on its disk, then try again."),
    sqlite3.SQLITE_READONLY: ErrorKind(
        "may not be written",
        f"Give yourself the right to write the file and its folder. {_ELSEWHERE} if not.",
    ),
    sqlite3.SQLITE_PERM: ErrorKind(
        "may not be read", f"Give yourself the right to read and write the file. {_ELSEWHERE} if not."
    ),
    sqlite3.SQLITE_CANTOPEN: ErrorKind(
        "cannot be opened",
        f"Check that it is a file, and that it and its folder can be read and written. {_ELSEWHERE} if not.",
    ),
    sqlite3.SQLITE_NOTADB: ErrorKind(
        "is not a database", f"The file contains something else and was left as it is. {_ELSEWHERE}."
    ),
    sqlite3.SQLITE_CORRUPT: ErrorKind(
        "has a damaged page",
        "Save what can be read with: workflow-debugger backup FILE (a new name). Then move the database "
        "away, and restore that backup or an earlier one.",
        StoreDamagedError,
    ),
    sqlite3.SQLITE_IOERR: ErrorKind(
        "cannot be read or written", "Check that its disk is available and intact."
    ),
    sqlite3.SQLITE_TOOBIG: ErrorKind(
        "cannot hold a value this large", "Make the document or the turn smaller."
    ),
}
_OTHER = ErrorKind("did not do as requested", _RESTORE_ADVICE)


class Sqlite(DatabaseDialect):
    """A SQLite file, or a database in memory.

    Args:
        url: Begins with ``sqlite:``.

    Raises:
        StoreError: The URL names no file, or has an option that is not known or means nothing.
    """

    name = "sqlite"
    options = frozenset({"timeout", "backup"})
    begin_reading = "BEGIN"
    # Takes the write lock at once: a transaction that reads first and writes later can be refused half-way.
    begin_writing = begin_turn = "BEGIN IMMEDIATE"
    positional = cast(Dialect, SQLiteDialect_pysqlite(paramstyle="qmark"))
    columns_query = _COLUMNS
    # The driver fails to decode its own message where that repeats a damaged schema.
    errors = (sqlite3.Error, UnicodeDecodeError)

    def __init__(self, url: URL) -> None:
        super().__init__(url)
        if url.host or url.username or "\0" in str(url.database):
            raise StoreError("The database URL names no file.", advice=URL_ADVICE)
        is_in_memory = url.database in {None, "", ":memory:"}
        self.place = "in memory" if is_in_memory else str(url.database)
        self.file = None if is_in_memory else Path(str(url.database)).absolute()
        self._path = str(self.file)
        self._target = self.file.resolve() if self.file is not None else None
        """The file itself where its path is a link, which may be on another disk."""
        self._reserve = "" if self._target is None else str(_beside(self._target, "reserve"))
        self._identity: tuple[int, int] | None = None
        """Device and inode of the file, once it is open.

        They are read by its path: to open the file and close it again would release the locks on it.
        """
        self._log: str | None = None
        """The path of the write-ahead log, where there is one."""
        self.writers = _OneWriter(self.place, self._seconds)
        if is_in_memory:
            # There is only one connection, and one transaction at a time on it.
            self.readers = self.writers = threading.RLock()

    def open_engine(self) -> Engine:
        """Return an engine; make the folder, and restrict the permissions of the files that exist.

        The file itself is made by the first connection. In memory there is one connection for all threads.

        Raises:
            StoreError: The folder cannot be made, or the file is too small for a database.
        """
        # No isolation level: Python then begins no transaction by itself.
        arguments = {"check_same_thread": False, "isolation_level": None, "timeout": self._seconds}
        if self.file is None:
            url = self._url.set(query={})
            engine = create_engine(url, connect_args=arguments, poolclass=StaticPool)
        else:
            _make_folder(self.file.parent)
            _check_size(self.file)
            _restrict(self.file.resolve())
            engine = create_engine(
                self._url.set(query={}, database=self._path),
                connect_args=arguments,
                # Without a limit: a connection is cheap, and waiting for one could only end in an error.
                poolclass=QueuePool,
                pool_size=8,
                max_overflow=-1,
                pool_use_lifo=True,
            )
            event.listen(engine, "do_connect", self._before_opening)
            event.listen(engine, "connect", lambda *_: self.check_file())
        event.listen(engine, "connect", _set_up)
        return engine

    def prepare(self, cursor: DBAPICursor) -> None:
        """Switch the file to WAL, for readers beside a writer; try until the time-out while it is locked.

        The switch needs the file alone and, unlike other statements, does not wait for it: two programs that
        make one database at the same moment would collide here.

        Raises:
            sqlite3.OperationalError: The file stayed locked for the time-out, or another error.
        """
        deadline = time.monotonic() + self._seconds
        while True:
            try:
                cursor.execute("PRAGMA journal_mode=WAL")
                row = cursor.fetchone()
                if self.file is not None and row is not None and row[0] == "wal":
                    self._log = str(_beside(self.file.resolve(), "wal"))
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
            time.sleep(_POLL_SECONDS)

    def check_file(self, *, and_log: bool = False) -> None:
        """See `DatabaseDialect.check_file`; a database in memory passes. 4 µs within a turn (2026-11).

        SQLite itself would go on writing into a file that has no name any more, without an error.

        Raises:
            StoreFileError: The file, or with ``and_log`` its write-ahead log, was deleted, moved or replaced.
        """
        if self._identity is None:
            return
        try:
            present = os.stat(self._path)  # noqa: PTH116 - a `Path` takes twice as long
        except OSError as error:
            raise self._file_error("was deleted or moved away while it was open") from error
        if (present.st_dev, present.st_ino) != self._identity:
            raise self._file_error("was replaced by another file while it was open")
        # It exists while a transaction is open; the last connection that is closed deletes it.
        if and_log and self._log is not None and not os.access(self._log, os.F_OK):
            raise self._file_error("has lost its write-ahead log, which was deleted while it was open")

    def _before_opening(self, *_: object) -> None:
        """Create the file for the first connection and note its identity; a later one must not open another.

        Raises:
            StoreFileError: The file was deleted, moved or replaced since the first connection.
        """
        if self._identity is None:
            _create(Path(self._path).resolve())  # of a link, the file that SQLite creates
            with suppress(OSError):  # a folder that may not be entered, which SQLite reports
                found = Path(self._path).stat()
                self._identity = (found.st_dev, found.st_ino)
        self.check_file()

    def _file_error(self, what: str) -> StoreFileError:
        return StoreFileError(
            f"The database {self.place} {what}: nothing is stored in it any more.",
            advice="Export what you need from here, or put the file back; then restart this program.",
        )

    @contextmanager
    def changing_tables(self, connection: Connection) -> Iterator[None]:
        """Open a transaction in which tables may be made, changed and dropped; commit it at the end.

        To change a table is to copy it and drop the old one, which would delete the rows that refer to it:
        references are checked at the end.

        Raises:
            StoreError: Rows would refer to nothing; nothing was changed.
        """
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        try:
            connection.exec_driver_sql(self.begin_writing)
            yield
            lost = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            if lost:
                raise StoreError(
                    f"The database {self.place} was left as it is: {len(lost)} rows would refer to nothing, "
                    f"the first one of {lost[0][0]}.",
                    advice="Restore it from another backup.",
                )
            connection.commit()
        finally:
            connection.rollback()
            connection.exec_driver_sql("PRAGMA foreign_keys=ON")

    def triggers(self, connection: Connection) -> list[str]:
        """Return the names of all triggers, for this program makes none."""
        found = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        return sorted(str(name) for name in found.scalars())

    def free_bytes(self) -> int | None:
        """Return the free bytes on the file's disk."""
        return None if self._target is None else shutil.disk_usage(self._target.parent).free

    def reserve_space(self) -> None:
        """Make a file beside the database whose space is released when its disk is full, unless it is there.

        Nothing happens for a database in memory, nor where the folder takes no file.

        Raises:
            StoreError: The disk has no space for it.
        """
        if self._target is None:
            return
        with suppress(OSError):
            if os.stat(self._reserve).st_size >= _RESERVED_BYTES:  # noqa: PTH116 - at the start of each turn
                return
        try:
            descriptor = os.open(self._reserve, os.O_CREAT | os.O_WRONLY, _OWNER_FILE)
            with os.fdopen(descriptor, "wb") as file:
                file.write(os.urandom(_RESERVED_BYTES))  # zeros take no space on a disk that compresses
        except OSError as error:
            if error.errno not in _NO_SPACE:
                return  # the folder takes no file: the database itself says so
            with suppress(OSError):
                Path(self._reserve).unlink()
            kind = _ERRORS[sqlite3.SQLITE_FULL]
            raise StoreError(f"The database {self.place} {kind.what}.", advice=kind.advice) from error

    def release_space(self) -> None:
        """Delete the file of `reserve_space` where the disk is full."""
        free = self.free_bytes()
        if free is not None and free <= _RESERVED_BYTES:
            with suppress(OSError):
                Path(self._reserve).unlink()

    def empty_log(self, cursor: DBAPICursor) -> bool:
        """Move the write-ahead log into the file, and truncate it.

        Returns:
            ``False`` where another program that uses the database prevents it.
        """
        if self.file is None:
            return True
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        row = cursor.fetchone()
        return row is not None and row[0] == 0

    def error_kind(self, error: Exception) -> ErrorKind:
        """Return the meaning of one of SQLite's errors by its primary code; a general one if it is unknown.

        A file that was a database when it was opened, and is none any more, counts as damaged.
        """
        if isinstance(error, UnicodeDecodeError):
            return _ERRORS[sqlite3.SQLITE_CORRUPT]
        # The low byte is the kind of error; the rest is a finer distinction.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_NOTADB and self._log is not None:
            code = sqlite3.SQLITE_CORRUPT  # it was a database when it was opened
        return _ERRORS.get(code, _OTHER)


class _OneWriter:
    """A lock for one writing thread at a time.

    A thread that finds the file locked sleeps for longer and longer in SQLite, while later ones find it free:
    of 16 threads that write at once, one turn in a hundred would take a quarter of a second.
    """

    def __init__(self, place: str, seconds: float) -> None:
        self._place = place
        self._seconds = seconds
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        """Wait for the lock.

        Raises:
            StoreError: It was not free within the time-out.
        """
        if not self._lock.acquire(timeout=self._seconds):
            raise StoreError(
                f"The database {self._place} is locked: others here have written to it for "
                f"{self._seconds:g} s.",
                advice="Try again.",
            )

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _make_folder(folder: Path) -> None:
    """Make a folder and its missing parents, which only their owner may enter; present ones stay as they are.

    Raises:
        StoreError: It cannot be made.
    """
    try:
        for missing in reversed([part for part in (folder, *folder.parents) if not part.exists()]):
            missing.mkdir(mode=_OWNER_FOLDER, exist_ok=True)
        folder.mkdir(exist_ok=True)  # raises where it is a file
    except OSError as error:
        raise StoreError(
            f"The database's folder {folder} cannot be made: {error.strerror}.",
            advice="Give yourself the right to make it, or name another file in WORKFLOW_DEBUGGER_DATABASE.",
        ) from error


def _check_size(file: Path) -> None:
    """Reject a tiny file, which SQLite would overwrite; an empty or missing one passes.

    The file is not opened: to close it again would release the locks that this process has on it.

    Raises:
        StoreError: The file is too small for a database.
    """
    with suppress(OSError):
        if 0 < file.stat().st_size < _SMALLEST:
            kind = _ERRORS[sqlite3.SQLITE_NOTADB]
            raise StoreError(f"The database {file} {kind.what}: it is too small.", advice=kind.advice)


def _create(file: Path) -> None:
    """Create a database's file for its owner alone."""
    # Never opens an existing file: to close it would release the locks that this process has on it.
    with suppress(OSError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _OWNER_FILE))


def _beside(file: Path, suffix: str) -> Path:
    """Return the path of a file that SQLite makes beside a database."""
    return file.with_name(f"{file.name}-{suffix}")


def _restrict(file: Path) -> None:
    """Take the rights of other users from a database's files."""
    for part in (file, *(_beside(file, suffix) for suffix in ("wal", "shm", "journal"))):
        with suppress(OSError):  # not there, or another user's
            if part.is_file() and part.stat().st_mode & 0o077:
                part.chmod(_OWNER_FILE)


def _set_up(connection: sqlite3.Connection, _record: object) -> None:
    # Of a new file. A turn fills over half a page of 4 KiB: 3.4 kB a turn, not 4.6 (bench W3, 2026-11).
    """Set the pragmas of a new connection, and its function ``lower`` for letters of all alphabets."""
    connection.execute("PRAGMA page_size=8192")
    # Pages of the log before they are moved to the file: 4 MB, as by default with pages of 4 KiB.
    connection.execute("PRAGMA wal_autocheckpoint=500")
    # A commit survives the process; only a crash of the machine can lose the last ones.
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")
    # A file may come from anywhere: its schema runs no function, and its pages are checked.
    connection.execute("PRAGMA trusted_schema=OFF")
    connection.execute("PRAGMA cell_size_check=ON")
    # Kibibytes of pages, four times the default: a server continues one of very many runs after another.
    connection.execute("PRAGMA cache_size=-8000")
    # SQLite's own knows 26 letters only, and a search for ärger should find Ärger.
    connection.create_function("lower", 1, _lower, deterministic=True)


def _lower(text: _Value) -> _Value:
    return text.lower() if isinstance(text, str) else text
