"""What one kind of database does in its own way; all else is the same for every kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.engine.interfaces import DBAPICursor, Dialect
from sqlalchemy.pool import PoolProxiedConnection

from debugger.store.faults import Fault


class Idle(Protocol):
    """Where a connection waits between two blocks."""

    def pop(self) -> PoolProxiedConnection:
        """Take one out.

        Raises:
            IndexError: None is waiting.
        """

    def append(self, connection: PoolProxiedConnection) -> None:
        """Put one in."""


class Kind(Protocol):
    """One kind of database, for one that a URL names. It is chosen once, when the database is opened."""

    place: str
    """Where the database is, as a person knows it; without a password."""
    begin_reading: str
    """Begins a transaction that sees one state of the database, whatever is written meanwhile."""
    begin_writing: str
    """Begins a transaction beside which there is no other of its like."""
    begin_turn: str
    """Begins a transaction that knows by itself whether another has overtaken it."""
    readers: AbstractContextManager[object]
    """Lets in as many threads at once as may read."""
    writers: AbstractContextManager[object]
    """The same for those that write."""
    errors: tuple[type[Exception], ...]
    """What its driver raises."""
    file: Path | None
    """The database's own file; ``None`` of one on a server or in memory."""
    backs_up: bool
    """Whether the database is backed up before it is migrated."""

    @property
    def cursor(self) -> Callable[[PoolProxiedConnection], DBAPICursor]:
        """Gives a cursor for statements that run with every turn."""

    def open_engine(self) -> Engine:
        """An engine whose connections every thread may use; nothing is connected yet.

        Raises:
            StoreError: It cannot be opened, as one can tell without connecting.
        """

    def beside(self, team: str) -> URL:
        """Where the store of a team is that has its data beside those of this database.

        Args:
            team: A name that was checked. What the store needs on a server is made.

        Raises:
            StoreError: The server cannot be reached, or does not let it be made.
        """

    def idle(self) -> Idle:
        """Where connections wait."""

    def dialect(self, engine: Engine) -> Dialect:
        """How statements are written whose parameters go by position."""

    def prepare(self, cursor: DBAPICursor) -> None:
        """Bring a database into the mode in which it is used from now on; outside any transaction."""

    def changing_tables(self, connection: Connection) -> AbstractContextManager[None]:
        """A transaction in which tables may be made, changed and dropped, kept as a whole at the end."""

    def columns(self, connection: Connection) -> dict[str, set[str]]:
        """Return the names of the columns of each table."""

    def triggers(self, connection: Connection) -> list[str]:
        """Return the names of triggers, where whoever made the database may have hidden any in it."""

    def free_bytes(self) -> int | None:
        """Return the bytes free for the database; ``None`` where they are not known."""

    def keep_out(self, connection: Connection, tables: Sequence[str]) -> None:
        """Let nobody else into tables until the end of the transaction.

        Args:
            connection: In a transaction in which tables may be changed.
            tables: In the order in which a turn uses them, so that none waits for the other.
        """

    def number_on(self, connection: Connection) -> None:
        """Number the rows to come after those that were put in with their numbers."""

    def let_go(self, connection: PoolProxiedConnection) -> None:
        """Give a connection back after something went wrong; what was begun on it is taken back."""

    def fault_of(self, error: Exception) -> Fault:
        """What one of the driver's errors means."""
