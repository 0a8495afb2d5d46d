"""An open database: transactions for whoever has statements to run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from types import TracebackType

from sqlalchemy import Connection
from sqlalchemy.engine.interfaces import DBAPICursor, Dialect
from sqlalchemy.pool import PoolProxiedConnection

from debugger.store.engines import kind_of
from debugger.store.faults import store_error, store_errors, value_errors


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
        return _Loan(self, self._readers, None)

    def writing_cursor(self) -> AbstractContextManager[DBAPICursor]:
        """A driver's cursor in a transaction for a turn, at half the cost of `writing`.

        There may be others at the same moment: what it reads and then writes it has to lock, or to compare
        where it writes.
        """
        return _Loan(self, self._writers, self._begin_turn)

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

    def take(self) -> PoolProxiedConnection:
        """A connection that is kept here between two blocks, or a new one."""
        try:
            return self._idle.pop()
        except IndexError:
            return self._engine.raw_connection()

    def keep(self, connection: PoolProxiedConnection) -> None:
        """Take a connection back for the next block."""
        self._idle.append(connection)


class _Loan:
    """A driver's cursor for the length of a block.

    Written out, and not as a generator: the two of a turn would be a thirtieth of what it costs.

    Args:
        database: Has the connection.
        gate: Lets the block in.
        begin: Begins the transaction that is kept at the end; ``None`` where there is nothing to keep.
    """

    __slots__ = ("_begin", "_connection", "_cursor", "_database", "_gate")

    def __init__(self, database: Database, gate: AbstractContextManager[object], begin: str | None) -> None:
        self._database = database
        self._gate = gate
        self._begin = begin
        self._connection: PoolProxiedConnection | None = None

    def __enter__(self) -> DBAPICursor:
        self._gate.__enter__()
        try:
            self._connection = self._database.take()
            self._cursor = self._database.cursor(self._connection)
            if self._begin is not None:
                self._cursor.execute(self._begin)
        except BaseException as error:
            self._fail(error)
            raise
        return self._cursor

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            try:
                self._end()
            except BaseException as failure:
                self._fail(failure)
                raise
            self._gate.__exit__(None, None, None)
        else:
            self._fail(error)

    def _end(self) -> None:
        assert self._connection is not None
        if self._begin is not None:
            self._cursor.execute("COMMIT")  # the driver's own commit would be parsed anew each time
        self._cursor.close()
        self._database.keep(self._connection)

    def _fail(self, error: BaseException) -> None:
        """Take back what was begun; what the database raised comes out as an error of `debugger.errors`."""
        try:
            if self._connection is not None:
                self._database.kind.let_go(self._connection)
        finally:
            self._gate.__exit__(type(error), error, error.__traceback__)
        told = store_error(error, self._database.kind)
        if told is not None:
            raise told from error
