"""The interface of the kinds of databases."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.engine.interfaces import DBAPICursor, Dialect

from debugger.errors import InputError, StoreDamagedError, StoreError

BUSY_SECONDS = 10.0
"""Seconds that a statement waits for another writer, unless ``?timeout=`` in the URL says otherwise."""


class ErrorKind(NamedTuple):
    """The meaning of a database's error."""

    what: str
    """Continues a sentence that begins with *The database so-and-so*."""
    advice: str
    error: type[StoreError] | type[InputError] = StoreError


class DatabaseDialect(ABC):
    """One kind of database, for the database that a URL names.

    Args:
        url: Its URL.

    Raises:
        StoreError: An option is not known, or has a value that means nothing.
    """

    name: str
    options: frozenset[str]
    """The names of the options in its URLs."""
    place: str
    """The database as users know it; without a password."""
    positional: Dialect
    """Compiles statements whose parameters go by position."""
    begin_reading: str
    """Begins a transaction that reads one snapshot of the database."""
    await_tables: str | None = None
    """Waits for one who replaces all tables; run in a reading transaction before its snapshot is taken.

    Without it, who had waited would read the new tables by the old snapshot, in which they are empty.
    """
    begin_writing: str
    """Begins a transaction that excludes others of its kind."""
    begin_turn: str
    """Begins a transaction whose statements detect another writer by themselves."""
    errors: tuple[type[Exception], ...]
    """The exceptions of its driver."""
    columns_query: str
    """Selects the names of all tables and columns."""
    file: Path | None = None
    """The database's own file; ``None`` of one on a server or in memory."""

    def __init__(self, url: URL) -> None:
        unknown = set(url.query) - self.options
        if unknown:
            raise StoreError(
                f"The database URL asks for {', '.join(sorted(unknown))}.",
                advice=f"The options are {', '.join(sorted(self.options))}.",
            )
        timeout = url.query.get("timeout", str(BUSY_SECONDS))
        if not isinstance(timeout, str) or not timeout.replace(".", "", 1).isdecimal():
            raise StoreError(
                f"The timeout in the database URL is {timeout!r}.", advice="Write seconds, as in ?timeout=2.5"
            )
        backup = url.query.get("backup", "on")
        if backup not in ("on", "off"):
            raise StoreError(
                f"The backup in the database URL is {backup!r}.", advice="Write ?backup=off, or omit it."
            )
        self._url = url
        self._seconds = float(timeout)
        """Seconds that a statement waits for another writer."""
        self.backs_up = backup == "on"
        """True where the database is backed up before it is migrated."""
        self.damage: StoreDamagedError | None = None
        """The last damage that a statement met."""
        self.readers: AbstractContextManager[object] = nullcontext()
        """Admits as many threads at once as may read."""
        self.writers: AbstractContextManager[object] = nullcontext()
        """Admits as many threads at once as may write."""

    @abstractmethod
    def open_engine(self) -> Engine:
        """Return an engine with its pool; no connection is opened yet. Every call gives a new one.

        A SQLite file's folder is made, and its permissions are restricted, here already.

        Raises:
            StoreError: The database cannot be opened, as far as that is known without connecting.
        """

    @abstractmethod
    def error_kind(self, error: Exception) -> ErrorKind:
        """Return the meaning of one of the driver's errors."""

    def prepare(self, cursor: DBAPICursor) -> None:  # noqa: B027
        """Switch a database to the mode in which it is used."""

    def check_file(self, *, and_log: bool = False) -> None:  # noqa: B027
        """Check that what is open is what others find; called inside a transaction.

        Args:
            and_log: Also the file in which changes are written first, which would cost each turn another 1 %.

        Raises:
            StoreFileError: The database's file was deleted, moved or replaced while it was open.
        """

    @contextmanager
    def changing_tables(self, connection: Connection) -> Iterator[None]:
        """Open a transaction in which tables may be made, changed and dropped."""
        connection.exec_driver_sql(self.begin_writing)
        yield
        connection.commit()

    def columns(self, connection: Connection) -> dict[str, set[str]]:
        """Return the names of the columns of each table."""
        found: dict[str, set[str]] = {}
        for table, column in connection.exec_driver_sql(self.columns_query):
            found.setdefault(table, set()).add(column)
        return found

    def triggers(self, connection: Connection) -> list[str]:
        """Return the names of foreign triggers; those on a server are its administrator's."""
        return []

    def free_bytes(self) -> int | None:
        """Return the free bytes for the database; ``None`` where they are not known."""
        return None

    def reserve_space(self) -> None:  # noqa: B027
        """Reserve the space in which a turn that cannot be stored is put on record.

        Raises:
            StoreError: There is none.
        """

    def release_space(self) -> None:  # noqa: B027
        """Release the reserved space where the disk is full.

        Called in the transaction that needs it: no other one may write, so none takes it.
        """

    def lock_tables(self, connection: Connection, tables: Sequence[str]) -> None:  # noqa: B027
        """Lock tables against every other connection.

        Args:
            connection: In a transaction in which tables may be changed.
            tables: In the order in which a turn uses them, so that none waits for the other.
        """

    def reset_numbering(self, connection: Connection) -> None:  # noqa: B027
        """Number new rows after those that were inserted with their numbers."""

    def empty_log(self, cursor: DBAPICursor) -> bool:
        """Empty the file in which changes are written first.

        Returns:
            ``False`` where another program that reads the database prevents it.
        """
        return True
