"""Helpers for statements: ids, times, pages, portions, upserts, functions."""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Double, Integer, Select, Table, and_, func

# SQLite has adopted the clause ``ON CONFLICT`` of PostgreSQL, and SQLAlchemy writes this one for both.
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.dialects.postgresql import insert as insert
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from debugger.errors import InputError

DAY = 86_400
_MAX_IDS = 500
"""Ids in one statement; SQLite takes some thousands."""


def new_id() -> str:
    """Return a new id: 24 lower-case hex digits, eight of them the time.

    Ids made in different seconds sort by time, like the platform's own (``platform.md#identifiers``).
    """
    return f"{int(time.time()):08x}{secrets.token_hex(8)}"


def iso_time(seconds: float) -> str:
    """Return a time as ISO 8601 text in UTC: ``2026-07-01T10:00:00.000Z``."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def seconds_of(text: str) -> float:
    """Return the time of an ISO 8601 text in seconds since 1970; without a time zone it is UTC.

    A text that is no time, or one not within the years 1 to 9999 of UTC, counts as the present.
    """
    try:
        moment = datetime.fromisoformat(text)
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        iso_time(seconds)
    except (ValueError, OverflowError):
        return time.time()
    return seconds


def page_of(statement: Select[Any], page: int, size: int) -> Select[Any]:
    """Limit a select to one page.

    Args:
        statement: Selects the whole list.
        page: Counts from 1.
        size: Rows on a page.

    Raises:
        InputError: Page or size is below 1.
    """
    if page < 1 or size < 1:
        raise InputError(
            f"There is no page {page} of {size} rows.", advice="Pages count from 1 and have 1 row or more."
        )
    return statement.limit(size).offset((page - 1) * size)


def split_ids(ids: Collection[str]) -> Iterator[list[str]]:
    """Yield ids in lists that fit into one statement."""
    wanted = list(ids)
    return (wanted[at : at + _MAX_IDS] for at in range(0, len(wanted), _MAX_IDS))


def upsert(table: Table, key: dict[str, Any], values: dict[str, Any]) -> Insert:
    """Return the statement that inserts or changes a row."""
    fresh = insert(table).values(**key, **values)
    return fresh.on_conflict_do_update(index_elements=list(key), set_=values)


def has_key(table: Table, key: Mapping[str, Any]) -> ColumnElement[bool]:
    """Return the condition for the row with a key."""
    return and_(*(table.c[name] == value for name, value in key.items()))


def contains(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    """Return the condition for rows with a text in a column, in any case.

    A pattern of ``LIKE`` has a limit of 50,000 bytes in SQLite; this has none.
    """
    return place_in(func.lower(column), func.lower(text)) > 0


class place_in(GenericFunction[int]):
    """The position of one text in another from 1, or 0."""

    type = Integer()
    inherit_cache = True


@compiles(place_in, "sqlite")
def _in_sqlite(element: place_in, compiler: SQLCompiler, **options: Any) -> str:
    return f"instr({compiler.process(element.clauses, **options)})"


@compiles(place_in, "postgresql")
def _in_postgres(element: place_in, compiler: SQLCompiler, **options: Any) -> str:
    return f"strpos({compiler.process(element.clauses, **options)})"


class byte_count(GenericFunction[int]):
    """The number of bytes of a text in UTF-8; ``length`` counts characters."""

    type = Integer()
    inherit_cache = True


@compiles(byte_count, "sqlite")
def _bytes_in_sqlite(element: byte_count, compiler: SQLCompiler, **options: Any) -> str:
    return f"length(CAST({compiler.process(element.clauses, **options)} AS BLOB))"


@compiles(byte_count, "postgresql")
def _bytes_in_postgres(element: byte_count, compiler: SQLCompiler, **options: Any) -> str:
    return f"octet_length({compiler.process(element.clauses, **options)})"


_POSTGRES_TIME = "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"
"""Not ``now()``, the time at which the transaction began: it may have waited for a lock since."""


class database_time(GenericFunction[float]):
    """The present in seconds since 1970, by the clock of the database.

    SQLite has none but that of the process that writes.
    """

    type = Double()
    inherit_cache = True


@compiles(database_time, "sqlite")
def _time_in_sqlite(element: database_time, compiler: SQLCompiler, **options: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(database_time, "postgresql")
def _time_in_postgres(element: database_time, compiler: SQLCompiler, **options: Any) -> str:
    return _POSTGRES_TIME


class has_passed(GenericFunction[bool]):
    """The condition that a time has passed by the clock of the database; false where it has none."""

    type = Boolean()
    inherit_cache = True


@compiles(has_passed, "sqlite")
def _passed_in_sqlite(element: has_passed, compiler: SQLCompiler, **options: Any) -> str:
    return "0"


@compiles(has_passed, "postgresql")
def _passed_in_postgres(element: has_passed, compiler: SQLCompiler, **options: Any) -> str:
    return f"({compiler.process(element.clauses, **options)} <= {_POSTGRES_TIME})"
