"""The rows of a backup: lists of JSON values, bytes in base64."""

from __future__ import annotations

import math
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Boolean, Column, Float, Integer, LargeBinary, Table

from debugger.store.keys import Role, is_team_name, is_user_name
from debugger.store.schema import api_keys

ROWS_PER_REPORT = 100
"""Rows between two reports of progress."""

_KEY_ID = re.compile(r"[0-9A-Za-z_-]{1,24}")
_KINDS: tuple[tuple[type, tuple[type, ...]], ...] = (
    (Boolean, (bool,)),
    (Float, (int, float)),
    (Integer, (int,)),
    (LargeBinary, (bytes,)),
)
"""Types of columns with the types of their values; all others hold texts."""
_WORDS = {bool: "true or false", int: "an integer", float: "a number", bytes: "bytes", str: "a text"}


class RowFormat:
    """The rows of one table, as they are written into a backup and read from it.

    SQLite stores a value of any kind in any column; PostgreSQL does not. A row passes the same check where it
    is written and where it is read, so that what was backed up can be restored into both.

    Args:
        table: Of the revision of the backup.
        columns: The names of its columns in the order of the values; all of them by default.

    Raises:
        ValueError: The table has other columns.
    """

    def __init__(self, table: Table, columns: Sequence[str] | None = None) -> None:
        self.table = table
        self.columns = list(table.columns.keys() if columns is None else columns)
        unknown = [name for name in self.columns if name not in table.columns]
        if unknown:
            raise ValueError(f"the table {table.name} has no column {unknown[0][:60]!a}")
        if sorted(self.columns) != sorted(table.columns.keys()):
            raise ValueError(f"the table {table.name} has the columns {', '.join(table.columns.keys())}")
        self._kinds = [(name, *_kinds(table.columns[name])) for name in self.columns]
        self.binary = [name for name, kinds, _ in self._kinds if bytes in kinds]
        """The names of the columns that hold bytes."""

    def pack(self, values: Sequence[Any]) -> list[Any]:
        """Return a row as it is written.

        The character 0, which SQLite stores and PostgreSQL refuses, becomes U+FFFD.

        Raises:
            ValueError: A value does not fit its column, so that the row could not be restored.
        """
        self._check(dict(zip(self.columns, values, strict=True)))
        return [_written(value) for value in values]

    def unpack(self, values: Sequence[Any]) -> dict[str, Any]:
        """Return a row to insert, by column, with its bytes decoded from base64.

        Raises:
            ValueError: It has another number of values than columns, or a value does not fit its column.
        """
        if len(values) != len(self.columns):
            raise ValueError(f"it has {len(values)} values for {len(self.columns)} columns")
        row = dict(zip(self.columns, values, strict=True))
        for name in self.binary:
            if isinstance(row[name], str):
                try:
                    row[name] = b64decode(row[name], validate=True)
                except ValueError as error:
                    raise ValueError(f"column {name}: this is not base64") from error
        self._check(row)
        return row

    def _check(self, row: Mapping[str, Any]) -> None:
        """Check that each value of a row has a type of its column, and the names of an API key.

        Raises:
            ValueError: A value has another type, is missing in a column that needs one, or is not finite.
        """
        for name, kinds, is_nullable in self._kinds:
            value = row[name]
            if value is None and is_nullable:
                continue
            if type(value) not in kinds:
                found = "no value" if value is None else _WORDS.get(type(value), "a list or an object")
                raise ValueError(f"column {name}: {found} in the place of {_WORDS[kinds[-1]]}")
            if type(value) is float and not math.isfinite(value):
                raise ValueError(f"column {name}: a number that is not finite")
        if self.table.name == api_keys.name:
            _check_key(row)


def _kinds(column: Column[Any]) -> tuple[tuple[type, ...], bool]:
    kinds = next((kinds for kind, kinds in _KINDS if isinstance(column.type, kind)), (str,))
    return kinds, bool(column.nullable)


def _written(value: Any) -> Any:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


def _check_key(row: Mapping[str, Any]) -> None:
    """Check the names of a key: they stand for users, and are part of printed commands and of paths.

    Raises:
        ValueError: Its id, role, user name or team name is not valid.
    """
    if not _KEY_ID.fullmatch(row["id"]):
        raise ValueError(f"{row['id'][:40]!a} is no id of a key")
    if row["role"] not in list(Role):
        raise ValueError(f"the role {row['role'][:40]!a} of a key is none of {', '.join(Role)}")
    if not is_user_name(row["person"]):
        raise ValueError(f"no user can have the name {row['person'][:40]!a}")
    if row["team"] is not None and not is_team_name(row["team"]):
        raise ValueError(f"no team can have the name {row['team'][:40]!a}")
