"""A cursor for the statements that run with every turn, right on PostgreSQL's own library."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any, cast

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGresult

_DONE = frozenset({ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK})

_READ: dict[int, Callable[[bytes], Any]] = {
    17: bytes,  # bytea
    20: lambda data: struct.unpack("!q", data)[0],  # bigint
    23: lambda data: struct.unpack("!i", data)[0],  # integer
    25: bytes.decode,  # text
    701: lambda data: struct.unpack("!d", data)[0],  # double precision
    1043: bytes.decode,  # varchar
}
"""By the number of a type, how its values are read."""


class TurnCursor:
    """Runs statements for a third of what the driver's own cursor costs.

    It does what a turn needs and no more: each statement is prepared once on each connection, and knows of
    texts, numbers and bytes only.

    Args:
        connection: Nobody else uses it meanwhile.
        prepared: The names of what was prepared on it, by statement.
    """

    __slots__ = ("_connection", "_prepared", "_result", "_row", "rowcount")

    def __init__(self, connection: psycopg.Connection[Any], prepared: dict[str, bytes]) -> None:
        self._connection = connection.pgconn
        self._prepared = prepared
        self._result: PGresult | None = None
        self._row = 0
        self.rowcount = -1

    def execute(self, statement: str, values: Sequence[Any] | None = None) -> None:
        """Run a statement; without values it is not prepared, as what begins and ends a transaction.

        Args:
            statement: Its parameters are written ``%s``.
            values: One for each of them.

        Raises:
            psycopg.Error: The server, or the connection to it, did not do as asked.
        """
        if values is None:
            result = self._connection.exec_(statement.encode())
        else:
            name = self._prepared.get(statement) or self._prepare(statement)
            formats = [Format.BINARY if type(value) is bytes else Format.TEXT for value in values]
            # The driver's types do not tell that a null may be among them.
            written = cast(Sequence[bytes], [_written(value) for value in values])
            result = self._connection.exec_prepared(name, written, formats, Format.BINARY)
        self._keep(result)

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row that was selected; ``None`` after the last one."""
        result = self._result
        if result is None or self._row >= result.ntuples:
            return None
        row, self._row = self._row, self._row + 1
        return tuple(_read(result, row, column) for column in range(result.nfields))

    def close(self) -> None:
        """Let go of what was selected."""
        self._result = None

    def _prepare(self, statement: str) -> bytes:
        name = b"turn_%d" % len(self._prepared)
        parts = statement.split("%s")
        numbered = "".join(f"{part}${number}" for number, part in enumerate(parts[:-1], 1)) + parts[-1]
        self._keep(self._connection.prepare(name, numbered.replace("%%", "%").encode()))
        self._prepared[statement] = name
        return name

    def _keep(self, result: PGresult) -> None:
        if result.status not in _DONE:
            if self._connection.status != psycopg.pq.ConnStatus.OK:
                raise psycopg.OperationalError(self._connection.get_error_message())
            raise error_from_result(result)
        self._result, self._row = result, 0
        self.rowcount = result.command_tuples or 0


def _written(value: Any) -> bytes | None:
    """A value as the server reads it.

    Raises:
        psycopg.DataError: It is a text that the server's own library would cut off.
    """
    if value is None or type(value) is bytes:
        return value
    if "\0" in (text := str(value)):
        raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
    return text.encode()


def _read(result: PGresult, row: int, column: int) -> Any:
    data = result.get_value(row, column)
    return None if data is None else _READ[result.ftype(column)](data)
