"""An open database: transactions for whoever has statements to run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.engine.interfaces import DBAPICursor, Dialect
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

from debugger.store.engines import kind_of
from debugger.store.faults import store_errors, value_errors


class Database:
    """Connections to one database, for any number of threads at once.

    What is raised inside one of its blocks takes the transaction back; what the database itself raises comes
    out as an error of `debugger.errors`.

    Args:
        url: As in ``sqlite:///folder/file.sqlite3`` or ``postgresql://user:password@host/database``;
            ``sqlite://`` is a database in memory.

    Raises:
        StoreError: The URL cannot be used, or the folder cannot be made.
    """

    def __init__(self, url: str) -> None:
        self.kind = kind_of(url)
        """What is done here in the way of one kind of database."""
        self.place = self.kind.place
        self._engine = self.kind.open_engine()
        self._readers = self.kind.readers
        self._writers = self.kind.writers
        self._begin_turn = self.kind.begin_turn
        self._idle = self.kind.idle()
        self.cursor = self.kind.cursor

    @property
    def dialect(self) -> Dialect:
        """How statements are written for this kind of database, parameters by position."""
        return self.kind.dialect(self._engine)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database, whatever is written meanwhile."""
        with self._connection(self._readers) as connection, value_errors(self.place):
            connection.exec_driver_sql(self.kind.begin_reading)
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is kept as a whole at the end of the block; there is one at a time."""
        with self._connection(self._writers) as connection:
            connection.exec_driver_sql(self.kind.begin_writing)
            yield connection
            connection.commit()

    @contextmanager
    def changing_tables(self) -> Iterator[Connection]:
        """The same for who makes, changes or drops tables."""
        with self._connection(self._writers) as connection, self.kind.changing_tables(connection):
            yield connection

    def reading_cursor(self) -> AbstractContextManager[DBAPICursor]:
        """A driver's cursor for one single select: a tenth of the cost of `reading`."""
        return self._cursor(self._readers, None)

    def writing_cursor(self) -> AbstractContextManager[DBAPICursor]:
        """A driver's cursor in a transaction for a turn, at half the cost of `writing`.

        There may be others at the same moment: what it reads and then writes it has to lock, or to compare
        where it writes.
        """
        return self._cursor(self._writers, self._begin_turn)

    def prepare(self) -> None:
        """Bring the database into the mode in which it is used from now on."""
        with self.reading_cursor() as cursor:
            self.kind.prepare(cursor)

    def compact(self) -> None:
        """Give the room of what was deleted back, as far as this kind of database does."""
        with self.reading_cursor() as cursor:
            cursor.execute("VACUUM")

    def close(self) -> None:
        """Let go of the files, once every block has ended."""
        with suppress(IndexError):
            while True:
                self._idle.pop().close()
        self._engine.dispose()

    @contextmanager
    def _connection(self, gate: AbstractContextManager[object]) -> Iterator[Connection]:
        with gate, store_errors(self.kind), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _cursor(self, gate: AbstractContextManager[object], begin: str | None) -> Iterator[DBAPICursor]:
        """Open a driver's cursor for the length of a block.

        Args:
            gate: Admits the block.
            begin: The statement that begins a transaction, committed at the end; ``None`` for none.
        """
        with gate, store_errors(self.kind):
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self._engine.raw_connection()
            try:
                cursor = self.cursor(connection)
                if begin is not None:
                    cursor.execute(begin)
                yield cursor
                if begin is not None:
                    cursor.execute("COMMIT")  # the driver's own commit would be parsed anew each time
                cursor.close()
            except BaseException:
                self.kind.let_go(connection)
                raise
            self._idle.append(connection)


class Prepared:
    """A statement in the words of one kind of database.

    Running it costs what the driver costs, without the work that SQLAlchemy does for every execution.

    Args:
        statement: Its parameters are named like attributes of the records that it will be run with.
        dialect: The kind of database; one whose parameters go by position.
    """

    def __init__(self, statement: ClauseElement, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)
        self._sql = str(compiled)
        names = compiled.positiontup or []
        # Reads a dozen attributes in a third of the time; of a single one it gives no tuple.
        self._values: Callable[[object], tuple[Any, ...]] = (
            attrgetter(*names) if len(names) > 1 else lambda record: tuple(getattr(record, n) for n in names)
        )

    def run(self, cursor: DBAPICursor, record: object) -> None:
        """Execute it with the values that the record's attributes have."""
        cursor.execute(self._sql, self._values(record))
