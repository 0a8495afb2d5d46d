"""An open database: transactions for whoever has statements to run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import TracebackType

from sqlalchemy import Connection
from sqlalchemy.engine.interfaces import DBAPICursor, Dialect
from sqlalchemy.pool import PoolProxiedConnection

from debugger.store.engines import (
    BEGIN_READING,
    BEGIN_WRITING,
    COMMIT,
    busy_seconds,
    in_memory,
    open_engine,
    place_of,
    read_url,
    use_write_ahead_log,
)
from debugger.store.faults import store_error, store_errors


class Database:
    """Connections to one database, for any number of threads at once.

    What is raised inside one of its blocks takes the transaction back; what the database itself raises comes
    out as an error of `debugger.errors`.

    Args:
        url: As in ``sqlite:///folder/file.sqlite3``; ``sqlite://`` is a database in memory.

    Raises:
        StoreError: The URL cannot be used, or the folder cannot be made.
    """

    def __init__(self, url: str) -> None:
        parsed = read_url(url)
        self.place = place_of(parsed)
        self._busy_seconds = busy_seconds(parsed)
        self._engine = open_engine(parsed)
        # In memory there is one connection only, and one transaction at a time on it.
        self.turnstile = threading.RLock() if in_memory(parsed) else nullcontext()
        self._idle: list[PoolProxiedConnection] = []

    @property
    def dialect(self) -> Dialect:
        """How statements are written for this kind of database."""
        return self._engine.dialect

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database, whatever is written meanwhile."""
        with self._connection(BEGIN_READING) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is kept as a whole at the end of the block."""
        with self._connection(BEGIN_WRITING) as connection:
            yield connection
            connection.commit()

    def reading_cursor(self) -> AbstractContextManager[DBAPICursor]:
        """A driver's cursor for one single select: a tenth of the cost of `reading`."""
        return _Loan(self, None)

    def writing_cursor(self) -> AbstractContextManager[DBAPICursor]:
        """A driver's cursor in a transaction like that of `writing`, at half its cost."""
        return _Loan(self, BEGIN_WRITING)

    def prepare(self) -> None:
        """Bring the database into the mode in which it is used from now on."""
        with self.reading_cursor() as cursor:
            use_write_ahead_log(cursor, self._busy_seconds)

    def close(self) -> None:
        """Let go of the files, once every block has ended."""
        while self._idle:
            self._idle.pop().close()
        self._engine.dispose()

    @contextmanager
    def _connection(self, begin: str) -> Iterator[Connection]:
        with self.turnstile, store_errors(self.place), self._engine.connect() as connection:
            connection.exec_driver_sql(begin)
            yield connection

    def take(self) -> PoolProxiedConnection:
        """A connection that is kept here between two blocks, or a new one."""
        try:
            return self._idle.pop()
        except IndexError:
            return self._engine.raw_connection()

    def keep(self, connection: PoolProxiedConnection) -> None:
        """Take a connection back for the next block.

        To take one from the pool and give it back, which rolls it back every time, is a tenth of what a turn
        costs.
        """
        self._idle.append(connection)


class _Loan:
    """A driver's cursor for the length of a block.

    Written out, and not as a generator: the two of a turn would be a thirtieth of what it costs.

    Args:
        database: Has the connection.
        begin: Begins the transaction that is kept at the end; ``None`` where there is nothing to keep.
    """

    __slots__ = ("_begin", "_connection", "_cursor", "_database")

    def __init__(self, database: Database, begin: str | None) -> None:
        self._database = database
        self._begin = begin
        self._connection: PoolProxiedConnection | None = None

    def __enter__(self) -> DBAPICursor:
        self._database.turnstile.__enter__()
        try:
            self._connection = self._database.take()
            # The driver's own connection: the pool's proxy would look at each call once more.
            driver = self._connection.dbapi_connection
            assert driver is not None, "it comes fresh from the pool, or was kept whole"
            self._cursor = driver.cursor()
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
            self._database.turnstile.__exit__(None, None, None)
        else:
            self._fail(error)

    def _end(self) -> None:
        assert self._connection is not None
        if self._begin is not None:
            self._cursor.execute(COMMIT)  # the driver's own commit would be parsed anew each time
        self._cursor.close()
        self._database.keep(self._connection)

    def _fail(self, error: BaseException) -> None:
        """Take back what was begun; what the database raised comes out as an error of `debugger.errors`."""
        try:
            if self._connection is not None:
                self._connection.close()  # the pool rolls back what was begun
        finally:
            self._database.turnstile.__exit__(type(error), error, error.__traceback__)
        told = store_error(error, self._database.place)
        if told is not None:
            raise told from error
