"""Kinds of databases, and the URLs that name a database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from sqlalchemy import URL, Connection, Engine, make_url
from sqlalchemy.engine.interfaces import DBAPICursor, Dialect
from sqlalchemy.exc import ArgumentError

from debugger.errors import StoreError
from debugger.store.errors import ErrorKind

BUSY_SECONDS = 10.0
"""Seconds that a statement waits for another writer, unless ``?timeout=`` in the URL says otherwise."""

_ADVICE = "Write sqlite:////absolute/path.sqlite3, or postgresql://user:password@host/database."


class DatabaseDialect(Protocol):
    """One kind of database, for the database that a URL names."""

    name: str
    place: str
    """The database as users know it; without a password."""
    positional: Dialect
    """Compiles statements whose parameters go by position."""
    begin_reading: str
    """Begins a transaction that reads one snapshot of the database."""
    begin_writing: str
    """Begins a transaction that excludes others of its kind."""
    begin_turn: str
    """Begins a transaction whose statements detect another writer by themselves."""
    readers: AbstractContextManager[object]
    """Admits as many threads at once as may read."""
    writers: AbstractContextManager[object]
    """Admits as many threads at once as may write."""
    errors: tuple[type[Exception], ...]
    """The exceptions of its driver."""
    file: Path | None
    """The database's own file; ``None`` of one on a server or in memory."""
    backs_up: bool
    """True where the database is backed up before it is migrated."""

    def open_engine(self) -> Engine:
        """Return an engine, which connects nothing yet.

        Raises:
            StoreError: The database cannot be opened, as far as that is known without connecting.
        """

    def prepare(self, cursor: DBAPICursor) -> None:
        """Switch a database to the mode in which it is used."""

    def changing_tables(self, connection: Connection) -> AbstractContextManager[None]:
        """Open a transaction in which tables may be made, changed and dropped."""

    def columns(self, connection: Connection) -> dict[str, set[str]]:
        """Return the names of the columns of each table."""

    def triggers(self, connection: Connection) -> list[str]:
        """Return the names of foreign triggers."""

    def free_bytes(self) -> int | None:
        """Return the free bytes for the database, if known."""

    def lock_tables(self, connection: Connection, tables: Sequence[str]) -> None:
        """Lock tables against every other connection.

        Args:
            connection: In a transaction in which tables may be changed.
            tables: In the order in which a turn uses them, so that none waits for the other.
        """

    def reset_numbering(self, connection: Connection) -> None:
        """Number new rows after those that were inserted with their numbers."""

    def empty_log(self, cursor: DBAPICursor) -> bool:
        """Empty the file in which changes are written first.

        Returns:
            ``False`` where another program that reads the database prevents it.
        """

    def error_kind(self, error: Exception) -> ErrorKind:
        """Return the meaning of one of the driver's errors."""


def read_url(text: str) -> URL:
    """Return the parts of a database URL.

    Raises:
        StoreError: It is no URL. The message does not repeat it: it may hold a password.
    """
    try:
        return make_url(text)
    except (ArgumentError, ValueError):
        raise StoreError("The database URL cannot be read.", advice=_ADVICE) from None


def unknown_database(url: URL) -> StoreError:
    """Return the error for a URL of another kind of database."""
    return StoreError(
        f"The database URL begins with {url.drivername!r}, not with sqlite or postgresql.", advice=_ADVICE
    )


def check_options(url: URL, known: Collection[str]) -> None:
    """Reject unknown options in a URL.

    Raises:
        StoreError: There are some, or its timeout is no number.
    """
    unknown = set(url.query) - set(known)
    if unknown:
        raise StoreError(
            f"The database URL asks for {', '.join(sorted(unknown))}.",
            advice=f"The options are {', '.join(sorted(known))}.",
        )
    timeout = url.query.get("timeout", "0")
    if not isinstance(timeout, str) or not timeout.replace(".", "", 1).isdecimal():
        raise StoreError(
            f"The timeout in the database URL is {timeout!r}.", advice="Write seconds, as in ?timeout=2.5"
        )


def backs_up(url: URL) -> bool:
    """Return whether the database is backed up before a migration.

    Raises:
        StoreError: The option is neither on nor off.
    """
    value = url.query.get("backup", "on")
    if value not in ("on", "off"):
        raise StoreError(
            f"The backup in the database URL is {value!r}.", advice="Write ?backup=off, or omit it."
        )
    return value == "on"


def busy_seconds(url: URL) -> float:
    """Return the seconds that a statement waits for another writer."""
    return float(str(url.query.get("timeout", BUSY_SECONDS)))
