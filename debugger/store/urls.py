"""The URL of a database."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from debugger.errors import StoreError

BUSY_SECONDS = 10.0
"""How long a statement waits for another writer, unless ``?timeout=`` in the URL says otherwise."""

_ADVICE = "Write sqlite:////absolute/path.sqlite3, or postgresql://user:password@host/database."


def read_url(text: str) -> URL:
    """The parts of a database URL.

    Raises:
        StoreError: It is no URL. It is left out: it may hold a password.
    """
    try:
        return make_url(text)
    except (ArgumentError, ValueError):
        raise StoreError("The database URL cannot be read.", advice=_ADVICE) from None


def unknown_kind(url: URL) -> StoreError:
    """The error for a URL of a kind of database that this program does not know."""
    return StoreError(
        f"The database URL begins with {url.drivername!r}, not with sqlite or postgresql.", advice=_ADVICE
    )


def check_options(url: URL, known: Collection[str]) -> None:
    """See that a URL asks for nothing that its kind of database does not know.

    Raises:
        StoreError: It does, or its timeout is no number.
    """
    unknown = set(url.query) - set(known)
    if unknown:
        one, many = f"The only option is {min(known)}.", f"The options are {', '.join(sorted(known))}."
        raise StoreError(
            f"The database URL asks for {', '.join(sorted(unknown))}.",
            advice=one if len(known) == 1 else many,
        )
    timeout = url.query.get("timeout", "0")
    if not isinstance(timeout, str) or not timeout.replace(".", "", 1).isdecimal():
        raise StoreError(
            f"The timeout in the database URL is {timeout!r}.", advice="Write seconds, as in ?timeout=2.5"
        )


def backs_up(url: URL) -> bool:
    """Return whether the database is backed up before it is migrated, as it is without ``?backup=off``.

    Raises:
        StoreError: The option is neither on nor off.
    """
    value = url.query.get("backup", "on")
    if value not in ("on", "off"):
        raise StoreError(
            f"The backup in the database URL is {value!r}.", advice="Write ?backup=off, or omit it."
        )
    return value == "on"


def seconds_to_wait(url: URL) -> float:
    """How long a statement waits for another writer."""
    return float(str(url.query.get("timeout", BUSY_SECONDS)))
