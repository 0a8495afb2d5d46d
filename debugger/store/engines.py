"""The kind of database that a URL names."""

from __future__ import annotations

from importlib.util import find_spec

from sqlalchemy import URL

from debugger.errors import StoreError
from debugger.store import sqlite
from debugger.store.kinds import Kind
from debugger.store.urls import check_options, read_url, unknown_kind


def kind_of(text: str) -> Kind:
    """The kind of database that a URL names; nothing is opened yet.

    Raises:
        StoreError: The URL cannot be used, or what PostgreSQL needs is not installed.
    """
    url = read_url(text)
    for names, open_kind in _KINDS:
        if url.drivername in names:
            return open_kind(url)
    raise unknown_kind(url)


def _sqlite(url: URL) -> Kind:
    check_options(url, sqlite.OPTIONS)
    return sqlite.Sqlite(url)


def _postgres(url: URL) -> Kind:
    if find_spec("psycopg") is None:
        raise StoreError(
            "A PostgreSQL database needs the package psycopg, which is not installed.",
            advice="Install it: pip install 'workflow-debugger[postgres]'.",
        )
    from debugger.store import postgres  # only who has such a database has its driver

    check_options(url, postgres.OPTIONS)
    return postgres.Postgres(url)


_KINDS = (
    ({"sqlite", "sqlite+pysqlite"}, _sqlite),
    ({"postgresql", "postgresql+psycopg"}, _postgres),
)
