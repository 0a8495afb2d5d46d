"""The rules for rows of a backup: the values that a column takes, and the keys that make sense."""

from __future__ import annotations

import math
import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, Column, Float, Integer, LargeBinary, MetaData, Table

from debugger.store.api_keys import Role
from debugger.store.facts import WORKFLOWS_CREATED_KEY
from debugger.store.schema import meta
from debugger.store.server_schema import api_keys

_INT64 = range(-(2**63), 2**63)
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class TableRules:
    """A table of a revision: its columns in order, and what their values may be."""

    name: str
    columns: Mapping[str, Column[Any]]
    parents: frozenset[str]
    """The tables that its rows refer to."""

    @property
    def binary(self) -> list[str]:
        """Return the names of the columns that hold bytes."""
        return [name for name, column in self.columns.items() if isinstance(column.type, LargeBinary)]


def rules_of(tables: MetaData) -> dict[str, TableRules]:
    """Return the rules of each table, parents before the tables that refer to them."""
    return {table.name: _rules(table) for table in tables.sorted_tables}


def _rules(table: Table) -> TableRules:
    parents = frozenset(key.column.table.name for key in table.foreign_keys)
    return TableRules(table.name, dict(table.columns.items()), parents)


def value_problem(column: Column[Any], value: Any) -> str | None:
    """Return why a column cannot hold a value, or ``None`` where it can."""
    if value is None:
        return None if column.nullable else "it has no value"
    if not _fits(column, value):
        return f"{_kind_name(value)} is no value for it"
    return None


def _fits(column: Column[Any], value: Any) -> bool:
    kind, found = column.type, type(value)
    if isinstance(kind, Boolean):
        return found is bool
    if isinstance(kind, Float):
        return found in (int, float) and math.isfinite(value)
    if isinstance(kind, Integer):
        return found is int and value in _INT64
    if isinstance(kind, LargeBinary):
        return found is bytes
    return found is str and _is_unicode(value)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _kind_name(value: Any) -> str:
    if type(value) is int and value not in _INT64:
        return "an integer beyond 64 bits"
    names = {bool: "true or false", int: "an integer", float: "a number", bytes: "a row of bytes"}
    return names.get(type(value), "this text")


def packed_row(rules: TableRules, values: Sequence[Any]) -> list[Any]:
    """Return a row as it is written: bytes in base64.

    Raises:
        ValueError: A value does not fit its column, so that the row could not be restored.
    """
    for column, value in zip(rules.columns.values(), values, strict=True):
        problem = value_problem(column, value)
        if problem is not None:
            raise ValueError(f"column {column.name}: {problem}")
    _check_row(rules, dict(zip(rules.columns, values, strict=True)))
    return [b64encode(value).decode() if isinstance(value, bytes) else value for value in values]


def unpacked_row(rules: TableRules, names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    """Return a row as it is inserted, from the values of a line.

    Raises:
        ValueError: A value does not fit its column, or the row makes no sense.
    """
    if len(values) != len(names):
        raise ValueError(f"a row of {rules.name} has {len(names)} values and this one {len(values)}")
    row = dict(zip(names, values, strict=True))
    for name in rules.binary:
        if row[name] is not None:
            row[name] = _bytes(name, row[name])
    for name, column in rules.columns.items():
        problem = value_problem(column, row[name])
        if problem is not None:
            raise ValueError(f"column {name}: {problem}")
    _check_row(rules, row)
    return row


def _bytes(name: str, value: Any) -> bytes:
    try:
        return b64decode(value, validate=True)
    except (Base64Error, TypeError, ValueError) as error:
        raise ValueError(f"column {name}: this is not base64") from error


def _check_row(rules: TableRules, row: Mapping[str, Any]) -> None:
    """See that a row makes sense which decides who may enter, or whether there are samples to load."""
    if rules.name == api_keys.name:
        if row["role"] not in list(Role):
            raise ValueError(f"the role {row['role'][:40]!r} of a key is none of {', '.join(Role)}")
        if not _DIGEST.fullmatch(row["digest"]):
            raise ValueError("the digest of a key is not 64 hexadecimal digits")
    elif (
        rules.name == meta.name and row["key"] == WORKFLOWS_CREATED_KEY and row["value"] not in ("yes", "no")
    ):
        raise ValueError(f"{row['key']} is {row['value'][:40]!r} and not yes or no")
