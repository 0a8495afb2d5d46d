"""What a database raises, as the errors that a person can act on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from debugger.errors import InputError, StoreError


class _Fault(NamedTuple):
    what: str
    advice: str


_ELSEWHERE = "Name another file in WORKFLOW_DEBUGGER_DATABASE"

_FAULTS = {
    sqlite3.SQLITE_BUSY: _Fault("is locked", "Close the other program that writes to it, then try again."),
    sqlite3.SQLITE_LOCKED: _Fault("is locked", "Close the other program that writes to it, then try again."),
    sqlite3.SQLITE_FULL: _Fault("has no room left", "Free some space on its disk, then try again."),
    sqlite3.SQLITE_READONLY: _Fault(
        "may not be written",
        f"Give yourself the right to write the file and its folder. {_ELSEWHERE} if not.",
    ),
    sqlite3.SQLITE_PERM: _Fault(
        "may not be read", f"Give yourself the right to read and write the file. {_ELSEWHERE} if not."
    ),
    sqlite3.SQLITE_CANTOPEN: _Fault(
        "cannot be opened",
        f"See that it is a file, and that it and its folder can be read and written. {_ELSEWHERE} if not.",
    ),
    sqlite3.SQLITE_NOTADB: _Fault(
        "is no database", f"The file holds something else and was left as it is. {_ELSEWHERE}."
    ),
    sqlite3.SQLITE_CORRUPT: _Fault(
        "is damaged", "Restore it from a copy, or move it away to begin with an empty one."
    ),
    sqlite3.SQLITE_IOERR: _Fault("cannot be read or written", "See whether its disk is there and sound."),
    sqlite3.SQLITE_TOOBIG: _Fault("cannot hold a value this large", "Make the document or the turn smaller."),
}

_OTHER = _Fault("did not do as asked", "Restore it from a copy, or move it away to begin with an empty one.")


@contextmanager
def store_errors(place: str) -> Iterator[None]:
    """Turn whatever the database raises inside into an error of `debugger.errors`.

    Args:
        place: Where the database is, for the message.

    Raises:
        StoreError: The database cannot be opened, read or written.
        InputError: A value cannot be kept in any database.
    """
    try:
        yield
    except Exception as error:
        told = store_error(error, place)
        if told is None:
            raise
        raise told from error


def store_error(error: BaseException, place: str) -> StoreError | InputError | None:
    """The error for what a database raised; ``None`` where it was not the database that did.

    Args:
        error: What was raised.
        place: Where the database is, for the message.
    """
    if isinstance(error, SQLAlchemyError | sqlite3.Error):
        return _of_database(error, place)
    if isinstance(error, OverflowError | UnicodeEncodeError):
        return InputError(
            f"A value cannot be kept in a database: {error}.",
            advice="Use numbers below 2^63 and texts without half surrogate pairs.",
        )
    return None


def _of_database(error: Exception, place: str) -> StoreError:
    cause = error.orig if isinstance(error, DBAPIError) else error
    # The low byte is the kind of fault; the rest tells kinds of that kind apart.
    kind = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    fault = _FAULTS.get(kind, _OTHER)
    return StoreError(f"The database {place} {fault.what}: {cause}.", advice=fault.advice)
