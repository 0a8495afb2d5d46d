"""An open database and its transactions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

from debugger.errors import StoreError
from debugger.store import sqlite
from debugger.store.dialects import DatabaseDialect, check_options, read_url, unknown_database
from debugger.store.errors import store_errors, value_errors


def dialect_of(text: str) -> DatabaseDialect:
    """Return the dialect of the database that a URL names.

    Raises:
        StoreError: The URL cannot be used, or what PostgreSQL needs is not installed.
    """
    url = read_url(text)
    if url.drivername in {"sqlite", "sqlite+pysqlite"}:
        check_options(url, sqlite.OPTIONS)
        return sqlite.Sqlite(url)
    if url.drivername not in {"postgresql", "postgresql+psycopg"}:
        raise unknown_database(url)
    if find_spec("psycopg") is None:
        raise StoreError(
            "A PostgreSQL database needs the package psycopg, which is not installed.",
            advice="Install it: pip install 'workflow-debugger[postgres]'.",
        )
    from debugger.store import postgres  # its driver is an optional dependency

    check_options(url, postgres.OPTIONS)
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
        """Return the SQL, and the names of its parameters in order."""
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

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that sees one state of the database."""
        with self._connection(self.dialect.readers) as connection, value_errors(self.place):
            connection.exec_driver_sql(self.dialect.begin_reading)
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open the one transaction that may write, committed at the end."""
        with self._connection(self.dialect.writers) as connection:
            connection.exec_driver_sql(self.dialect.begin_writing)
            yield connection
            connection.commit()

    @contextmanager
    def changing_tables(self) -> Iterator[Connection]:
        """Open the same for statements that make, change or drop tables."""
        with self._connection(self.dialect.writers) as connection, self.dialect.changing_tables(connection):
            yield connection

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

    def scrub(self) -> bool:
        """Remove what deleted rows have left in the database's files.

        Returns:
            ``False`` where another program that reads the database prevents it.
        """
        self.compact()
        with self._cursor(self.dialect.readers) as cursor:
            return self.dialect.empty_log(cursor.raw)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    @contextmanager
    def _connection(self, gate: AbstractContextManager[object]) -> Iterator[Connection]:
        with gate, store_errors(self.dialect), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _cursor(
        self, gate: AbstractContextManager[object], begin: str | None = None
    ) -> Iterator[StatementCursor]:
        with gate, store_errors(self.dialect):
            connection = self._engine.raw_connection()
            try:
                cursor = connection.cursor()
                if begin is not None:
                    cursor.execute(begin)
                yield StatementCursor(cursor, self.dialect)
                if begin is not None:
                    cursor.execute("COMMIT")  # the driver's own commit would be parsed anew each time
                cursor.close()
            except BaseException:
                if getattr(connection.dbapi_connection, "closed", False):
                    connection.invalidate()  # the server has ended it; the pool opens another one
                raise
            finally:
                connection.close()  # rolls back an open transaction


class Repository:
    """Rows of one subject.

    Every method is one transaction and may raise `StoreError`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
