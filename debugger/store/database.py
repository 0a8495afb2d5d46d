"""An open database: transactions for whoever has statements to run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from sqlalchemy import Connection
from sqlalchemy.engine.interfaces import DBAPICursor, Dialect
from sqlalchemy.pool import PoolProxiedConnection

from debugger.store.engines import (
    BEGIN_READING,
    BEGIN_WRITING,
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
        self._turnstile = threading.RLock() if in_memory(parsed) else nullcontext()
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
        return self._lent()

    def writing_cursor(self) -> AbstractContextManager[DBAPICursor]:
        """A driver's cursor in a transaction like that of `writing`, at half its cost."""
        return self._lent(BEGIN_WRITING)

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
        with self._turnstile, store_errors(self.place), self._engine.connect() as connection:
            connection.exec_driver_sql(begin)
            yield connection

    @contextmanager
    def _lent(self, begin: str | None = None) -> Iterator[DBAPICursor]:
        """A cursor of a connection that is kept here for the next block.

        To take it from the pool and give it back, which rolls it back every time, is a tenth of what a turn
        costs; that all is done in one place, another twentieth.

        Args:
            begin: Begins the transaction that is kept at the end; ``None`` where there is nothing to keep.
        """
        connection: PoolProxiedConnection | None = None
        with self._turnstile:
            try:
                connection = self._take()
                cursor = connection.cursor()
                if begin is not None:
                    cursor.execute(begin)
                yield cursor
                cursor.close()
                if begin is not None:
                    connection.commit()
            except BaseException as error:
                if connection is not None:
                    connection.close()  # the pool rolls back what was begun
                told = store_error(error, self.place)
                if told is None:
                    raise
                raise told from error
            self._idle.append(connection)

    def _take(self) -> PoolProxiedConnection:
        try:
            return self._idle.pop()
        except IndexError:
            return self._engine.raw_connection()
