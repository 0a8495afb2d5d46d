"""An open database and its transactions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from typing import Any

from sqlalchemy import Connection, make_url
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidRequestError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

from debugger.errors import InputError, StoreDamagedError, StoreDisconnectedError, StoreError, extra_advice
from debugger.store import sqlite
from debugger.store.dialects import DatabaseDialect, ErrorKind

_URL_ADVICE = "Write sqlite:////absolute/path.sqlite3, or postgresql://user:password@host/database."


def dialect_of(text: str) -> DatabaseDialect:
    """Return the dialect, SQLite or PostgreSQL, of the database that a URL names; connect nothing.

    Raises:
        StoreError: The URL cannot be used, or what PostgreSQL needs is not installed.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # The text is not repeated: it may hold a password.
        raise StoreError("The database URL cannot be read.", advice=_URL_ADVICE) from None
    if url.drivername in {"sqlite", "sqlite+pysqlite"}:
        return sqlite.Sqlite(url)
    if url.drivername not in {"postgresql", "postgresql+psycopg"}:
        raise StoreError(
            f"The database URL begins with {url.drivername!r}, not with sqlite or postgresql.",
            advice=_URL_ADVICE,
        )
    if find_spec("psycopg") is None:
        raise StoreError(
            "A PostgreSQL database needs the package psycopg, which is not installed.",
            advice=extra_advice("postgres"),
        )
    from debugger.store import postgres  # its driver is an optional dependency

    return postgres.Postgres(url)


class PreparedStatement:
    """A statement that is compiled once for each kind of database.

    Args:
        statement: Its bind parameters are filled in by name, see `StatementCursor.run`.
    """

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._compiled: dict[str, tuple[str, Sequence[str]]] = {}

    def compiled(self, dialect: DatabaseDialect) -> tuple[str, Sequence[str]]:
        """Return the SQL for a kind of database and the names of its parameters in order; compile it once."""
        found = self._compiled.get(dialect.name)
        if found is None:
            compiled = self._statement.compile(dialect=dialect.positional)
            assert isinstance(compiled, SQLCompiler)
            found = self._compiled[dialect.name] = (str(compiled), compiled.positiontup or [])
        return found


class StatementCursor:
    """The driver's cursor for statements that run with every turn.

    SQLAlchemy's own execution made a chat turn on SQLite 1.4 to 2.4 times as expensive (bench W1, 2026-11).
    """

    def __init__(self, cursor: DBAPICursor, dialect: DatabaseDialect) -> None:
        self.raw = cursor
        """The driver's own."""
        self._dialect = dialect

    def run(self, statement: PreparedStatement, record: object = None, **values: Any) -> int:
        """Execute a statement; return the number of rows that it changed.

        Args:
            statement: The statement.
            record: Its attributes are the parameters of the same names.
            **values: Other parameters.
        """
        sql, names = statement.compiled(self._dialect)
        self.raw.execute(sql, [values[name] if name in values else getattr(record, name) for name in names])
        return self.raw.rowcount

    def row(self, statement: PreparedStatement, record: object = None, **values: Any) -> Any:
        """Execute a select; return its first row or ``None``."""
        self.run(statement, record, **values)
        return self.raw.fetchone()

    def rows(self, statement: PreparedStatement, **values: Any) -> Sequence[Any]:
        """Execute a select; return all its rows."""
        self.run(statement, **values)
        return self.raw.fetchall()


class Database:
    """Connections to one database, for any number of threads at once.

    An exception inside one of its blocks rolls the transaction back; errors of the database itself are raised
    as errors of `debugger.errors`.

    Args:
        url: As in ``sqlite:///folder/file.sqlite3`` or ``postgresql://user:password@host/database``;
            ``sqlite://`` is a database in memory.

    Raises:
        StoreError: The URL cannot be used, or the folder cannot be made.
    """

    def __init__(self, url: str) -> None:
        self.dialect = dialect_of(url)
        self.place = self.dialect.place
        self._engine = self.dialect.open_engine()
        self._errors = StoreErrors(self.dialect)
        self._is_closed = False
        self.has_tables = False
        """Set once the tables were seen, or made; they stay, or are replaced by others of the same names."""

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that sees one state of the database."""
        with self._connection(self.dialect.readers) as connection, value_errors(self.place):
            begin, await_tables = self.dialect.begin_reading, self.dialect.await_tables
            waits = self.has_tables and await_tables is not None
            connection.exec_driver_sql(f"{begin}; {await_tables}" if waits else begin)
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open the one transaction that may write, committed at the end."""
        with self._connection(self.dialect.writers) as connection:
            connection.exec_driver_sql(self.dialect.begin_writing)
            self.dialect.check_file(and_log=True)
            yield connection
            connection.commit()

    @contextmanager
    def changing_tables(self) -> Iterator[Connection]:
        """Open the same for statements that make, change or drop tables."""
        with self._connection(self.dialect.writers) as connection, self.dialect.changing_tables(connection):
            yield connection

    def check(self) -> None:
        """Check that others find what is written, and that no damage was met since this was opened.

        Called inside a transaction that has read.

        Raises:
            StoreFileError: The file was deleted, moved or replaced.
            StoreDamagedError: A page is damaged.
        """
        self.dialect.check_file(and_log=True)
        if self.dialect.damage is not None:
            raise self.dialect.damage

    def reading_cursor(self) -> AbstractContextManager[StatementCursor]:
        """Open a cursor for a single select outside any transaction."""
        return self._cursor(self.dialect.readers)

    def writing_cursor(self) -> AbstractContextManager[StatementCursor]:
        """Open a cursor in a transaction of a turn.

        There may be others at the same moment: a row that the turn depends on must be locked or compared in
        the statement that changes it.
        """
        return self._cursor(self.dialect.writers, self.dialect.begin_turn)

    def prepare(self) -> None:
        """Switch the database to the mode in which it is used."""
        with self._cursor(self.dialect.readers) as cursor:
            self.dialect.prepare(cursor.raw)

    def compact(self) -> None:
        """Return the space of deleted rows to the system."""
        with self._cursor(self.dialect.readers) as cursor:
            cursor.raw.execute("VACUUM")

    def erase_deleted(self) -> bool:
        """Remove what deleted rows have left in the database's files.

        Returns:
            ``False`` where another program that reads the database prevents it.
        """
        self.compact()
        with self._cursor(self.dialect.readers) as cursor:
            return self.dialect.empty_log(cursor.raw)

    def close(self) -> None:
        """Close the connections.

        A turn that is still executed is stored all the same; its connection is closed after each use.
        """
        self._is_closed = True
        self._engine.dispose()

    @contextmanager
    def _connection(self, gate: AbstractContextManager[object]) -> Iterator[Connection]:
        with gate, self._errors, self._engine.connect() as connection:
            try:
                yield connection
            finally:
                if self._is_closed and not connection.invalidated:
                    connection.detach()

    @contextmanager
    def _cursor(
        self, gate: AbstractContextManager[object], begin: str | None = None
    ) -> Iterator[StatementCursor]:
        """Yield a cursor on a connection of its own; with ``begin``, in a transaction that is committed.

        An exception rolls the transaction back. A connection that the server has ended is removed from the
        pool.
        """
        with gate, self._errors:
            connection = self._engine.raw_connection()
            try:
                cursor = connection.cursor()
                if begin is not None:
                    cursor.execute(begin)
                    self.dialect.check_file()
                yield StatementCursor(cursor, self.dialect)
                if begin is not None:
                    cursor.execute("COMMIT")  # the driver's own commit would be parsed anew each time
                cursor.close()
            except BaseException:
                if getattr(connection.dbapi_connection, "closed", False):
                    connection.invalidate()  # the server has ended it; the pool opens another one
                raise
            finally:
                if self._is_closed and connection.is_valid:
                    connection.detach()
                connection.close()  # rolls back an open transaction


_OTHER = ErrorKind(
    "did not do as requested", "Restore it from a copy, or move it away to start with an empty one."
)
_POOL_ERRORS = (
    (
        PoolTimeoutError,
        ErrorKind(
            "has all its connections in use",
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


class StoreErrors:
    """A block that translates the database's exceptions; may be entered by many threads at once.

    A class, since a generator would take three times as long, with every statement of a turn.

    Raises:
        StoreError: The database cannot be opened, read or written.
        InputError: A value cannot be stored in any database.
    """

    def __init__(self, dialect: DatabaseDialect) -> None:
        self._dialect = dialect

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Raise the translation of a database's exception, if it has one; record damage in the dialect."""
        translated = store_error(error, self._dialect) if isinstance(error, Exception) else None
        if translated is None:
            return
        if isinstance(translated, StoreDamagedError):
            self._dialect.damage = translated
        raise translated from error


@contextmanager
def value_errors(place: str) -> Iterator[None]:
    """Translate `TypeError`, `ValueError` and `KeyError` inside the block: errors of stored values.

    SQLite stores any value in any column: a damaged file, or another program, leaves texts where times were.
    An `OverflowError` or a `UnicodeEncodeError` passes: it is one of an argument.

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
    """Return the translation of an error of the driver, of SQLAlchemy, or of a value that cannot be stored.

    Returns:
        ``None`` for any other exception.
    """
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


class Repository:
    """Rows of one subject.

    Every method is one transaction and may raise `StoreError`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
