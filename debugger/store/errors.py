"""Errors of a database, raised as errors of `debugger.errors`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy.exc import DBAPIError, InvalidRequestError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from debugger.errors import InputError, StoreDisconnectedError, StoreError

if TYPE_CHECKING:
    from debugger.store.dialects import DatabaseDialect


class ErrorKind(NamedTuple):
    """The meaning of a database's error."""

    what: str
    """Continues a sentence that begins with *The database so-and-so*."""
    advice: str
    error: type[StoreError] | type[InputError] = StoreError


_OTHER = ErrorKind(
    "did not do as requested", "Restore it from a copy, or move it away to start with an empty one."
)
_POOL_ERRORS = (
    (
        PoolTimeoutError,
        ErrorKind(
            "is used by too many at once here",
            "Try again, or allow more connections, as in ?connections=32 in WORKFLOW_DEBUGGER_DATABASE.",
        ),
    ),
    # After a lost connection, the pool has replaced it by two more that were lost at once.
    (
        InvalidRequestError,
        ErrorKind(
            "ends every connection",
            "Try again in a moment; look at the run's last turn first.",
            StoreDisconnectedError,
        ),
    ),
)


@contextmanager
def store_errors(dialect: DatabaseDialect) -> Iterator[None]:
    """Translate the database's exceptions inside the block.

    Raises:
        StoreError: The database cannot be opened, read or written.
        InputError: A value cannot be stored in any database.
    """
    try:
        yield
    except Exception as error:
        translated = store_error(error, dialect)
        if translated is None:
            raise
        raise translated from error


@contextmanager
def value_errors(place: str) -> Iterator[None]:
    """Translate errors of stored values of the wrong type.

    SQLite stores any value in any column: a damaged file, or another program, leaves texts where times were.

    Raises:
        StoreError: A value cannot be read.
    """
    try:
        yield
    except (OverflowError, UnicodeEncodeError):  # an argument, see `store_error`
        raise
    except (TypeError, ValueError, KeyError) as error:
        raise StoreError(
            f"The database {place} holds a value that cannot be read: {first_line(error)}.",
            advice="It was changed by something else; restore it from a backup.",
        ) from error


def store_error(error: BaseException, dialect: DatabaseDialect) -> StoreError | InputError | None:
    """Return the translation of a database's error, or ``None``."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, dialect.errors):
        kind = dialect.error_kind(cause)
        if kind.error is InputError:
            return _unstorable(cause)
    elif isinstance(error, SQLAlchemyError):
        cause = error
        kind = next((kind for raised, kind in _POOL_ERRORS if isinstance(error, raised)), _OTHER)
    else:
        return _unstorable(error) if isinstance(error, OverflowError | UnicodeEncodeError) else None
    return kind.error(f"The database {dialect.place} {kind.what}: {first_line(cause)}.", advice=kind.advice)


def _unstorable(error: BaseException) -> InputError:
    return InputError(
        f"A value cannot be stored in a database: {first_line(error)}.",
        advice="Use numbers below 2^63, and texts without half surrogate pairs and without the character 0.",
    )


def first_line(error: BaseException) -> str:
    """Return the first line of a message, before values and hints."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].removesuffix(".")
