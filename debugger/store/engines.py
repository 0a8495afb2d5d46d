"""The engine behind a database URL: how SQLite is opened, pooled and locked."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, QueuePool, StaticPool, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import ArgumentError

from debugger.errors import StoreError

BUSY_SECONDS = 10.0
"""How long a statement waits for another writer, unless ``?timeout=`` in the URL says otherwise."""

BEGIN_READING = "BEGIN"
COMMIT = "COMMIT"
BEGIN_WRITING = "BEGIN IMMEDIATE"
"""Takes the write lock at once: a transaction that reads first and writes later can be refused half-way."""

_Value = str | bytes | int | float | None

_POLL_SECONDS = 0.02
_URL_ADVICE = "Write sqlite:///relative/path.sqlite3, or sqlite:////absolute/path.sqlite3 with four slashes."


def read_url(text: str) -> URL:
    """The parts of a database URL.

    Raises:
        StoreError: It is no URL, or not one of a SQLite file. The URL is left out: it may hold a password.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise StoreError("The database URL cannot be read.", advice=_URL_ADVICE) from None
    if url.drivername not in {"sqlite", "sqlite+pysqlite"}:
        raise StoreError(
            f"The database URL begins with {url.drivername!r}, not with sqlite.", advice=_URL_ADVICE
        )
    if url.host or url.username or "\0" in str(url.database):
        raise StoreError("The database URL names no file.", advice=_URL_ADVICE)
    _check_query(url)
    return url


def in_memory(url: URL) -> bool:
    """Whether the database has no file, so that all threads have to share one connection."""
    return url.database in {None, "", ":memory:"}


def place_of(url: URL) -> str:
    """Where the database is, as a person knows it."""
    return "in memory" if in_memory(url) else str(url.database)


def busy_seconds(url: URL) -> float:
    """How long a statement waits for another writer."""
    return float(str(url.query.get("timeout", BUSY_SECONDS)))


def open_engine(url: URL) -> Engine:
    """An engine whose connections every thread may use; nothing is connected yet but the folder is made.

    Raises:
        StoreError: The folder cannot be made.
    """
    if not in_memory(url):
        _make_folder(Path(str(url.database)).parent)
    engine = create_engine(url, connect_args=_connect_arguments(url), **_pool(url))
    event.listen(engine, "connect", _set_up)
    return engine


def _check_query(url: URL) -> None:
    unknown = set(url.query) - {"timeout"}
    if unknown:
        raise StoreError(
            f"The database URL asks for {', '.join(sorted(unknown))}.", advice="The only option is timeout."
        )
    timeout = url.query.get("timeout", "0")
    if not isinstance(timeout, str) or not timeout.replace(".", "", 1).isdecimal():
        raise StoreError(
            f"The timeout in the database URL is {timeout!r}.", advice="Write seconds, as in ?timeout=2.5"
        )


def _pool(url: URL) -> dict[str, Any]:
    if in_memory(url):
        return {"poolclass": StaticPool}
    # Without a limit: a connection is cheap, and waiting for one could only end in an error.
    return {"poolclass": QueuePool, "pool_size": 8, "max_overflow": -1, "pool_use_lifo": True}


def _connect_arguments(url: URL) -> dict[str, Any]:
    # No isolation level: Python then begins no transaction by itself.
    return {"check_same_thread": False, "isolation_level": None, "timeout": busy_seconds(url)}


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"The database's folder {folder} cannot be made: {error.strerror}.",
            advice="Give yourself the right to make it, or name another file in WORKFLOW_DEBUGGER_DATABASE.",
        ) from error


def use_write_ahead_log(cursor: DBAPICursor, seconds: float) -> None:
    """Let readers and a writer work side by side; the file remembers it.

    The switch needs the file alone and, unlike all else, does not wait for it: two programs that make one
    database at the same moment would meet here.

    Args:
        cursor: Outside any transaction.
        seconds: How long to wait for others.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(_POLL_SECONDS)


def _set_up(connection: sqlite3.Connection, _record: object) -> None:
    # A commit survives the process; only a crash of the machine can lose the last ones.
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")
    # Kibibytes of pages, four times the usual: a server goes on with one run after another of very many.
    connection.execute("PRAGMA cache_size=-8000")
    # SQLite's own knows the 26 letters only, and a search should find Ärger under ärger.
    connection.create_function("lower", 1, _lower, deterministic=True)


def _lower(text: _Value) -> _Value:
    return text.lower() if isinstance(text, str) else text
