"""What a database raises, as the errors that a person can act on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy.exc import DBAPIError, InvalidRequestError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoneFreeError

from debugger.errors import InputError, StoreDisconnectedError, StoreError

if TYPE_CHECKING:
    from debugger.store.kinds import Kind


class Fault(NamedTuple):
    """What an error of a database means."""

    what: str
    """Goes on after *The database so-and-so*."""
    advice: str
    error: type[StoreError] | type[InputError] = StoreError


_NO_CONNECTION = Fault(
    "is used by too many at once here",
    "Try again, or allow more connections, as in ?connections=32 in WORKFLOW_DEBUGGER_DATABASE.",
)
_LOST = Fault(
    "ends every connection",
    "Try again in a moment; look at where the run stands first.",
    StoreDisconnectedError,
)
_OTHER = Fault("did not do as asked", "Restore it from a copy, or move it away to begin with an empty one.")
_OF_POOL = (
    (NoneFreeError, _NO_CONNECTION),
    # After one that was lost already, the pool has got two more that were lost at once.
    (InvalidRequestError, _LOST),
)


@contextmanager
def store_errors(kind: Kind) -> Iterator[None]:
    """Turn whatever the database raises inside into an error of `debugger.errors`.

    Args:
        kind: The database's.

    Raises:
        StoreError: The database cannot be opened, read or written.
        InputError: A value cannot be kept in any database.
    """
    try:
        yield
    except Exception as error:
        told = store_error(error, kind)
        if told is None:
            raise
        raise told from error


@contextmanager
def value_errors(place: str) -> Iterator[None]:
    """Turn what a stored value of the wrong kind raises, where it is read, into an error with advice.

    SQLite stores any value in any column: a damaged file, or another program, leaves texts where times were.

    Args:
        place: Where the database is.

    Raises:
        StoreError: A value cannot be read.
    """
    try:
        yield
    except (OverflowError, UnicodeEncodeError):  # an argument, as `store_error` says
        raise
    except (TypeError, ValueError, KeyError) as error:
        raise StoreError(
            f"The database {place} holds a value that cannot be read: {first_line(error)}.",
            advice="It was changed by something else; restore it from a backup.",
        ) from error


def store_error(error: BaseException, kind: Kind) -> StoreError | InputError | None:
    """The error for what a database raised; ``None`` where it was not the database that did.

    Args:
        error: What was raised.
        kind: The database's.
    """
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, kind.errors):
        fault = kind.fault_of(cause)
        if fault.error is InputError:
            return _not_kept(cause)
        return fault.error(
            f"The database {kind.place} {fault.what}: {first_line(cause)}.", advice=fault.advice
        )
    if isinstance(error, SQLAlchemyError):
        fault = next((fault for raised, fault in _OF_POOL if isinstance(error, raised)), _OTHER)
        return fault.error(
            f"The database {kind.place} {fault.what}: {first_line(error)}.", advice=fault.advice
        )
    return _not_kept(error) if isinstance(error, OverflowError | UnicodeEncodeError) else None


def _not_kept(error: BaseException) -> InputError:
    return InputError(
        f"A value cannot be kept in a database: {first_line(error)}.",
        advice="Use numbers below 2^63, and texts without half surrogate pairs and without the character 0.",
    )


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says; a database goes on with values and hints."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].removesuffix(".")
