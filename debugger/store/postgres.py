"""PostgreSQL: one database for many machines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, cast

import psycopg
from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event, inspect
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine.interfaces import DBAPICursor, Dialect
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.schema import CreateSchema

from debugger.errors import InputError, StoreDisconnectedError, StoreError
from debugger.store.faults import Fault, store_errors
from debugger.store.postgres_cursor import TurnCursor
from debugger.store.urls import backs_up, seconds_to_wait

OPTIONS = frozenset(
    {
        "timeout",
        "connections",
        "backup",
        # What the driver knows, and a person may need.
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
MOST_CONNECTIONS = 16
"""How many connections a process has at most, unless ``?connections=`` says otherwise."""

_PREPARED = "prepared for turns"
_USUAL_SCHEMA = "public"
_LONGEST_NAME = 63
"""Bytes of a name that the server keeps."""
_URL_ADVICE = "Write postgresql://user:password@host/database."
_ENCODING = "UTF8"
_LOCK = 0x776F726B
"""The number of the lock that whoever changes tables, or reads before writing, takes for the length of a
transaction. Nothing else in a database of our own takes it."""
_IDLE_MINUTES = 10
"""After which the server ends a transaction that nothing comes in any more, so that its locks are free."""

_COLUMNS = """
SELECT tables.relname, columns.attname FROM pg_class AS tables
JOIN pg_namespace AS schemas ON schemas.oid = tables.relnamespace
JOIN pg_attribute AS columns ON columns.attrelid = tables.oid
WHERE schemas.nspname = current_schema() AND tables.relkind IN ('r', 'p')
AND columns.attnum > 0 AND NOT columns.attisdropped
"""

_ARGUMENTS = {
    # Transactions are begun by name: the driver then begins none by itself.
    "autocommit": True,
    # What runs with every turn is prepared by our own cursor. What the driver has prepared it forgets, and
    # lets the server forget all, with every transaction that is taken back.
    "prepare_threshold": None,
    "connect_timeout": 10,
    "fallback_application_name": "workflow-debugger",
    # A machine that is gone without a word is noticed after about a minute, not after two hours.
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}

_ELSEWHERE = "or name another database in WORKFLOW_DEBUGGER_DATABASE"
_LOST = Fault(
    "has ended the connection",
    "Try again in a moment; look at where the run stands first.",
    StoreDisconnectedError,
)
_BUSY = Fault("is locked", "Somebody else writes to the same rows for long; try again.")
_OVERTAKEN = Fault("has let somebody else go first", "Try again.")
_NOT_KEPT = Fault("", "", InputError)
_FORBIDDEN = Fault(
    "may not be used so", f"Let its owner give the user the right to make and change tables, {_ELSEWHERE}."
)
_UNREACHABLE = Fault(
    "cannot be reached",
    "See that PostgreSQL runs there, and that host, port, database, user and password in "
    "WORKFLOW_DEBUGGER_DATABASE are right.",
    StoreDisconnectedError,
)
_OTHER = Fault("did not do as asked", f"Ask whoever looks after it, {_ELSEWHERE}.")

_FAULTS = {
    "22": _NOT_KEPT,
    "08": _LOST,
    "25006": Fault(
        "may not be written", f"It is read-only, as a standby is; name its primary, {_ELSEWHERE}."
    ),
    "25P03": _LOST,
    "28": _UNREACHABLE,
    "3D000": _UNREACHABLE,
    "40": _OVERTAKEN,
    "42501": _FORBIDDEN,
    "53100": Fault("has no room left", "Free some space on its disk, then try again."),
    "53300": Fault(
        "takes no more connections",
        "Try again, raise its max_connections, or give each process fewer, as in ?connections=8.",
    ),
    "53": Fault("is short of what it needs", "Try again; look at the memory and the disk of its machine."),
    "54": Fault("cannot hold a value this large", "Make the document or the turn smaller."),
    "55P03": _BUSY,
    "57014": _BUSY,
    "57P": _LOST,
    "58": Fault("cannot be read or written", "See whether its disk is there and sound."),
    "XX001": Fault("is damaged", "Restore it from a backup."),
    "XX002": Fault("is damaged", "Restore it from a backup."),
}
"""By the server's codes, or by what they begin with."""


class Postgres:
    """A database on a PostgreSQL server.

    Args:
        url: Begins with ``postgresql:``; its options are known ones.

    Raises:
        StoreError: The URL names no database, or an option has a value that means nothing.
    """

    begin_reading = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    begin_writing = f"BEGIN; SELECT pg_advisory_xact_lock({_LOCK})"
    # A turn locks its run's row, where it also sees whether it comes too late: turns of many runs go on side
    # by side.
    begin_turn = "BEGIN"
    errors: tuple[type[Exception], ...] = (psycopg.Error,)
    file: Path | None = None

    def __init__(self, url: URL) -> None:
        if not url.database:
            raise StoreError("The database URL names no database.", advice=_URL_ADVICE)
        self._url = url.set(drivername="postgresql+psycopg").difference_update_query(
            ["timeout", "connections", "backup"]
        )
        self._given = url
        self._seconds = seconds_to_wait(url)
        self._connections = _connections(url)
        self.backs_up = backs_up(url)
        self.place = f"{url.database} on {_host(url)}"
        self.readers: AbstractContextManager[object] = nullcontext()
        self.writers: AbstractContextManager[object] = nullcontext()

    def cursor(self, connection: PoolProxiedConnection) -> DBAPICursor:
        """A cursor for statements that run with every turn."""
        driver = cast("psycopg.Connection[Any]", connection.dbapi_connection)
        return cast(DBAPICursor, TurnCursor(driver, connection.info.setdefault(_PREPARED, {})))

    def open_engine(self) -> Engine:
        """An engine; nothing is connected yet."""
        given = self._url.query
        engine = create_engine(
            self._url,
            connect_args={name: value for name, value in _ARGUMENTS.items() if name not in given},
            poolclass=QueuePool,
            pool_size=self._connections,
            max_overflow=0,
            pool_timeout=self._seconds,
            pool_use_lifo=True,
            use_native_hstore=False,
        )
        # Before SQLAlchemy asks for anything itself.
        event.listen(engine, "connect", self._set_up, insert=True)
        event.listen(engine, "checkout", _refuse_lost)
        return engine

    def beside(self, team: str) -> URL:
        """The schema of a team in the same database, which is made where it is not there.

        Whoever makes it holds the lock of those who change tables: two servers that do so at the same moment
        would meet in the server's catalogue.
        """
        engine = self.open_engine()
        try:
            with store_errors(self), engine.connect() as connection, self.changing_tables(connection):
                schema = _schema_of(str(connection.exec_driver_sql("SELECT current_schema()").scalar()), team)
                # To make one takes a right that whoever uses one need not have.
                if not inspect(connection).has_schema(schema):
                    connection.execute(CreateSchema(schema))
        finally:
            engine.dispose()
        # Of two paths the later one counts.
        given = self._given.query.get("options", "")
        path = re.sub(r"([\\\s])", r"\\\1", '"{}"'.format(schema.replace('"', '""')))
        return self._given.update_query_dict({"options": f"{given} -csearch_path={path}".lstrip()})

    def idle(self) -> _InPool:
        """Where connections wait: in the pool, so that no more are open than there may be."""
        return _InPool()

    def dialect(self, engine: Engine) -> Dialect:
        """How statements are written whose parameters go by position."""
        dialect: Dialect = PGDialect_psycopg(paramstyle="format")  # type: ignore[no-untyped-call]
        return dialect

    def prepare(self, cursor: DBAPICursor) -> None:
        """Nothing: a server is in the mode that whoever looks after it has chosen."""

    @contextmanager
    def changing_tables(self, connection: Connection) -> Iterator[None]:
        """A transaction in which tables may be made, changed and dropped."""
        connection.exec_driver_sql(self.begin_writing)
        yield
        connection.commit()

    def columns(self, connection: Connection) -> dict[str, set[str]]:
        """Return the names of the columns of each table in the schema."""
        found: dict[str, set[str]] = {}
        for table, column in connection.exec_driver_sql(_COLUMNS):
            found.setdefault(table, set()).add(column)
        return found

    def triggers(self, connection: Connection) -> list[str]:
        """Return none: those on a server are its administrator's."""
        return []

    def free_bytes(self) -> int | None:
        """Return ``None``: the server's disk is not known here."""
        return None

    def keep_out(self, connection: Connection, tables: Sequence[str]) -> None:
        """Let nobody else into tables until the end of the transaction."""
        connection.exec_driver_sql(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")

    def number_on(self, connection: Connection) -> None:
        """Number the rows to come after those that were put in with their numbers."""
        connection.exec_driver_sql(
            "SELECT setval(pg_get_serial_sequence('turns', 'id'), coalesce(max(id), 0) + 1, false) FROM turns"
        )

    def let_go(self, connection: PoolProxiedConnection) -> None:
        """Give a connection back; one that is lost is replaced on the next use."""
        driver = connection.dbapi_connection
        if driver is None or driver.closed:
            connection.invalidate()
        connection.close()

    def fault_of(self, error: Exception) -> Fault:
        """What one of the driver's errors means."""
        code = getattr(error, "sqlstate", None)
        if code is None:
            return self._without_code(error)
        found = (_FAULTS.get(code[:length]) for length in (5, 3, 2))
        return next((fault for fault in found if fault is not None), _OTHER)

    def _without_code(self, error: Exception) -> Fault:
        """What the driver says by itself."""
        if isinstance(error, psycopg.DataError):
            return _NOT_KEPT
        # Whoever is refused gets no connection at all, and from the driver only what the server said.
        if isinstance(error, psycopg.OperationalError) and "connection failed" not in str(error):
            return _UNREACHABLE if "resolve" in str(error) or "timeout" in str(error) else _LOST
        return _UNREACHABLE if isinstance(error, psycopg.OperationalError) else _OTHER

    def _set_up(self, connection: psycopg.Connection, _record: object) -> None:
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != _ENCODING:
            raise StoreError(
                f"The database {self.place} keeps its texts in {encoding}, which has not every character.",
                advice="Make one that does: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0.",
            )
        connection.execute(f"SET lock_timeout = {int(self._seconds * 1000) or 1}")
        connection.execute(f"SET idle_in_transaction_session_timeout = '{_IDLE_MINUTES}min'")


class _InPool:
    """No connection waits anywhere else than in the pool."""

    def pop(self) -> PoolProxiedConnection:
        """There is none here."""
        raise IndexError

    def append(self, connection: PoolProxiedConnection) -> None:
        """Give it back to the pool."""
        connection.close()


def _refuse_lost(connection: psycopg.Connection, _record: object, _proxy: object) -> None:
    """Keep a connection from being used that the server has ended meanwhile.

    Looks at what has come in, which asks the server nothing: its farewell, then the end.
    """
    try:
        connection.pgconn.consume_input()
        connection.pgconn.consume_input()
    except psycopg.OperationalError as error:
        raise DisconnectionError from error


def _schema_of(main: str, team: str) -> str:
    """The schema of a team, named after the one of the main store.

    Raises:
        StoreError: The server would cut the name, and so might take one team for another.
    """
    # A team's name has single hyphens only: what comes after the last two low lines is its name for sure.
    name = f"{'' if main == _USUAL_SCHEMA else main + '__'}team_{team.replace('-', '_')}"
    if len(name.encode()) > _LONGEST_NAME:
        raise StoreError(
            f"The schema {name!r} of the team has a name of more than {_LONGEST_NAME} bytes.",
            advice="Give the team a shorter name.",
        )
    return name


def _connections(url: URL) -> int:
    text = url.query.get("connections", str(MOST_CONNECTIONS))
    if not isinstance(text, str) or not text.isdecimal() or int(text) < 1:
        raise StoreError(
            f"The number of connections in the database URL is {text!r}.", advice="Write 1 or more."
        )
    return int(text)


def _host(url: URL) -> str:
    host = url.host or url.query.get("host") or "this machine"
    named = host if isinstance(host, str) else ",".join(host)
    return f"{named}:{url.port}" if url.port else named
