"""The dialect of PostgreSQL: one database for many processes and machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import psycopg
from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.exc import DisconnectionError

from debugger.errors import InputError, StoreDamagedError, StoreDisconnectedError, StoreError
from debugger.store.dialects import DatabaseDialect, ErrorKind
from debugger.store.schema import meta

_OPTIONS = frozenset(
    {
        "timeout",
        "connections",
        "backup",
        # Options of the driver.
        "application_name",
        "channel_binding",
        "connect_timeout",
        "gssencmode",
        "host",
        "options",
        "sslcert",
        "sslkey",
        "sslmode",
        "sslrootcert",
        "target_session_attrs",
    }
)
MAX_CONNECTIONS = 16
"""Connections of a process, unless ``?connections=`` says otherwise."""

_URL_ADVICE = "Write postgresql://user:password@host/database."
_ENCODING = "UTF8"
_LOCK = 0x776F726B
"""The number of the lock of a transaction that changes tables, or reads before it writes."""
_IDLE_MINUTES = 10
"""Minutes after which the server ends a transaction without statements, so that its locks are free."""

_COLUMNS = """
SELECT tables.relname, columns.attname FROM pg_class AS tables
JOIN pg_namespace AS schemas ON schemas.oid = tables.relnamespace
JOIN pg_attribute AS columns ON columns.attrelid = tables.oid
WHERE schemas.nspname = current_schema() AND tables.relkind IN ('r', 'p')
AND columns.attnum > 0 AND NOT columns.attisdropped
"""

_ARGUMENTS = {
    # Statements begin transactions; the driver begins none by itself.
    "autocommit": True,
    "connect_timeout": 10,
    "fallback_application_name": "workflow-debugger",
    # A machine that has vanished is noticed after about a minute, not after two hours.
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}

_ELSEWHERE = "or name another database in WORKFLOW_DEBUGGER_DATABASE"
_LOST = ErrorKind(
    "has ended the connection",
    "Try again in a moment; look at the run's last turn first.",
    StoreDisconnectedError,
)
_BUSY = ErrorKind("is locked", "Another client writes to the same rows for long; try again.")
_OVERTAKEN = ErrorKind("has rolled back for another client", "Try again.")
_UNSTORABLE = ErrorKind("", "", InputError)
_DAMAGED = ErrorKind("has a damaged page", "Restore it from a backup.", StoreDamagedError)
_FORBIDDEN = ErrorKind(
    "may not be used so",
    f"Ask its owner to grant the user the right to create and change tables, {_ELSEWHERE}.",
)
_UNREACHABLE = ErrorKind(
    "cannot be reached",
    "Check that PostgreSQL runs there, and that host, port, database, user and password in "
    "WORKFLOW_DEBUGGER_DATABASE are right.",
    StoreDisconnectedError,
)
_OTHER = ErrorKind("did not do as requested", f"Ask its administrator, {_ELSEWHERE}.")

_ERRORS = {
    "22": _UNSTORABLE,
    "08": _LOST,
    "25006": ErrorKind(
        "may not be written", f"It is read-only, as a standby is; name its primary, {_ELSEWHERE}."
    ),
    "25P03": _LOST,
    "28": _UNREACHABLE,
    "3D000": _UNREACHABLE,
    "40": _OVERTAKEN,
    "42501": _FORBIDDEN,
    "53100": ErrorKind("has no space left", "Free some space on its disk, then try again."),
    "53300": ErrorKind(
        "takes no more connections",
        "Try again, raise its max_connections, or give each process fewer, as in ?connections=8.",
    ),
    "53": ErrorKind("is short of resources", "Try again; look at the memory and the disk of its machine."),
    "54": ErrorKind("cannot hold a value this large", "Make the document or the turn smaller."),
    "55P03": _BUSY,
    "57014": _BUSY,
    "57P": _LOST,
    "58": ErrorKind("cannot be read or written", "Check that its disk is available and intact."),
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
}
"""By the server's codes, or by the first characters of codes."""


class Postgres(DatabaseDialect):
    """A database on a PostgreSQL server.

    Args:
        url: Begins with ``postgresql:``.

    Raises:
        StoreError: The URL names no database, or has an option that is not known or means nothing.
    """

    name = "postgresql"
    options = _OPTIONS
    positional = cast(Dialect, PGDialect_psycopg(paramstyle="format"))  # type: ignore[no-untyped-call]
    begin_reading = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    begin_writing = f"BEGIN; SELECT pg_advisory_xact_lock({_LOCK})"
    await_tables = f"LOCK TABLE {meta.name} IN ACCESS SHARE MODE"
    # A turn locks its run's row, where it also detects that it comes too late: turns of many runs proceed
    # side by side.
    begin_turn = "BEGIN"
    columns_query = _COLUMNS
    errors = (psycopg.Error,)

    def __init__(self, url: URL) -> None:
        super().__init__(url)
        if not url.database:
            raise StoreError("The database URL names no database.", advice=_URL_ADVICE)
        self._url = url.set(drivername="postgresql+psycopg").difference_update_query(
            ["timeout", "connections", "backup"]
        )
        self._connections = _connections(url)
        host = url.host or url.query.get("host") or "this machine"
        named = host if isinstance(host, str) else ",".join(host)
        self.place = f"{url.database} on {named}:{url.port}" if url.port else f"{url.database} on {named}"

    def open_engine(self) -> Engine:
        """Return an engine with a pool of connections; nothing is connected yet, so that nothing can fail.

        The URL was checked when the dialect was made. A thread that finds all connections in use waits as
        long as a statement does. Each new connection is set up, and one that the server has ended is replaced
        when it is taken from the pool.
        """
        engine = create_engine(
            self._url,
            connect_args={name: value for name, value in _ARGUMENTS.items() if name not in self._url.query},
            poolclass=QueuePool,
            pool_size=self._connections,
            max_overflow=0,
            pool_timeout=self._seconds,
            pool_use_lifo=True,
            use_native_hstore=False,
        )
        # Before SQLAlchemy's own first statement.
        event.listen(engine, "connect", self._set_up, insert=True)
        event.listen(engine, "checkout", _refuse_lost)
        return engine

    def lock_tables(self, connection: Connection, tables: Sequence[str]) -> None:
        """Lock tables against every other connection."""
        # That of `await_tables` first: who waits for it has locked no other.
        names = ", ".join(sorted(tables, key=lambda name: name != meta.name))
        connection.exec_driver_sql(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")

    def reset_numbering(self, connection: Connection) -> None:
        """Number new rows after those that were inserted with their numbers."""
        connection.exec_driver_sql(
            "SELECT setval(pg_get_serial_sequence('turns', 'id'), coalesce(max(id), 0) + 1, false) FROM turns"
        )

    def error_kind(self, error: Exception) -> ErrorKind:
        """Return the meaning of a driver's error by its SQLSTATE; a general one if that is unknown."""
        code = getattr(error, "sqlstate", None)
        if code is None:
            return self._without_code(error)
        found = (_ERRORS.get(code[:length]) for length in (5, 3, 2))
        return next((kind for kind in found if kind is not None), _OTHER)

    def _without_code(self, error: Exception) -> ErrorKind:
        """Return the meaning of an error without SQLSTATE: unstorable, unreachable, lost or general."""
        if isinstance(error, psycopg.DataError):
            return _UNSTORABLE
        # A client that is refused gets no connection, and from the driver only the server's message.
        if isinstance(error, psycopg.OperationalError) and "connection failed" not in str(error):
            return _UNREACHABLE if "resolve" in str(error) or "timeout" in str(error) else _LOST
        return _UNREACHABLE if isinstance(error, psycopg.OperationalError) else _OTHER

    def _set_up(self, connection: psycopg.Connection, _record: object) -> None:
        """Set the time-outs of a new connection, for locks and for idle transactions.

        Raises:
            StoreError: The database's encoding is not UTF-8.
        """
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != _ENCODING:
            raise StoreError(
                f"The database {self.place} stores its texts in {encoding}, which has not every character.",
                advice="Make one that does: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0.",
            )
        connection.execute(f"SET lock_timeout = {int(self._seconds * 1000) or 1}")
        connection.execute(f"SET idle_in_transaction_session_timeout = '{_IDLE_MINUTES}min'")


def _refuse_lost(connection: psycopg.Connection, _record: object, _proxy: object) -> None:
    """Reject a connection that the server has ended meanwhile, so that the pool opens another one.

    Only reads what has arrived, without a round trip: the server's last message, then the end.

    Raises:
        DisconnectionError: The server has ended it.
    """
    try:
        connection.pgconn.consume_input()
        connection.pgconn.consume_input()
    except psycopg.OperationalError as error:
        raise DisconnectionError from error


def _connections(url: URL) -> int:
    """Return the number of connections that a URL asks for, `MAX_CONNECTIONS` by default.

    Raises:
        StoreError: It is no whole number from 1.
    """
    text = url.query.get("connections", str(MAX_CONNECTIONS))
    if not isinstance(text, str) or not text.isdecimal() or int(text) < 1:
        raise StoreError(
            f"The number of connections in the database URL is {text!r}.", advice="Write 1 or more."
        )
    return int(text)
