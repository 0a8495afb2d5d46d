"""The content of a backup, checked line by line."""

from __future__ import annotations

import math
import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, Column, Float, Integer, LargeBinary, MetaData

from debugger.errors import StoreError
from debugger.protocol.json_codec import decode
from debugger.store.backup_file import BackupFile
from debugger.store.keys import Role
from debugger.store.migrations import REVISIONS
from debugger.store.schema import SCHEMA_VERSION_KEY, WORKFLOWS_CREATED_KEY, api_keys, meta
from debugger.telemetry.progress import report_progress

FORMAT = "workflow-debugger-backup"
VERSION = 1
"""Raised when a program that knows the one before could not read the file."""

ROWS_PER_REPORT = 100
"""Rows between two reports of progress."""
_MAX_OBJECT = 100_000
"""Bytes of a line that is no row: a header, the columns of a table, the end."""

# A row is a flat list. Looked at before it is decoded, so that no line can nest deeply or make millions of
# values; every repetition is possessive, so that no line takes more than one pass.
_VALUE = (
    rb'(?:"(?:[^"\\\x00-\x1f]++|\\.)*+"'
    rb"|-?[0-9]{1,25}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,4})?"
    rb"|true|false|null)"
)
_ROW = re.compile(rb"\[%b(?:, ?%b){0,63}+\]\r?\n?" % (_VALUE, _VALUE))


_INT64 = range(-(2**63), 2**63)
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Row:
    """A row of a backup, as it is inserted."""

    table: str
    values: dict[str, Any]
    line: int
    size: int
    """Bytes of its line."""


class BackupReader:
    """The rows of a backup, each checked; reads the header at once.

    Raises:
        InputError: The file is no backup, or cannot be read.
        StoreError: A newer version of this program has made it.
    """

    def __init__(self, backup: BackupFile) -> None:
        from debugger.store.migrations.upgrading import tables_at  # Alembic takes its time to load

        self._backup = backup
        self.revision = self._header(next(backup.lines(), None))
        tables, self._schema_version = tables_at(self.revision)
        self._rules = rules_of(tables)

    def rows(self) -> Iterator[Row]:
        """Yield all rows from the first one on.

        Rows must not be committed before the last one has come: the end of the file is checked too.

        Raises:
            InputError: The file holds anything else than each table of its revision once, whole and in order.
        """
        lines = self._backup.lines()
        if self._header(next(lines, None)) != self.revision:
            self._backup.reject("the file was changed while it was read")
        counts: dict[str, int] = {}
        facts: set[str] = set()
        rules: TableRules | None = None
        names: list[str] = []
        for line in lines:
            if line.startswith(b"["):
                if rules is None:
                    self._backup.reject("a row comes before the first table")
                row = Row(rules.name, self._row(rules, names, line), self._backup.line, len(line))
                if row.table == meta.name:
                    facts.add(self._fact(row.values))
                counts[row.table] += 1
                yield row
                continue
            value = self._object(line)
            if "end" in value:
                self._check_end(value["end"], counts, facts)
                if next(lines, None) is not None:
                    self._backup.reject("something follows the end")
                return
            rules, names = self._table(value, counts)
            counts[rules.name] = 0
        raise self._backup.ends_too_early()

    def counts(self) -> dict[str, int]:
        """Read the whole file; return the number of rows per table.

        Raises:
            InputError: As for `rows`.
        """
        counts = dict.fromkeys(self._rules, 0)
        for number, row in enumerate(self.rows(), start=1):
            counts[row.table] += 1
            if number % ROWS_PER_REPORT == 0:
                report_progress("Checking rows", number)
        return counts

    def _header(self, line: bytes | None) -> str:
        value = self._decoded(line or b"null") if len(line or b"") <= _MAX_OBJECT else None
        if not isinstance(value, dict) or value.get("format") != FORMAT:
            raise self._backup.no_backup()
        version, revision = value.get("version"), value.get("revision")
        if type(version) is not int or not isinstance(revision, str) or version < VERSION:
            self._backup.reject("it names no version or no revision")
        if version == VERSION and revision in REVISIONS:
            return revision
        if version == VERSION and revision < REVISIONS[-1]:
            self._backup.reject(f"there was never a revision {revision[:40]!r}")
        raise StoreError(
            f"The backup {self._backup.file} was made by a newer version of this program.",
            advice="Install the newest version.",
        )

    def _object(self, line: bytes) -> dict[str, Any]:
        value = self._decoded(line) if len(line) <= _MAX_OBJECT else None
        if not isinstance(value, dict):
            self._backup.reject("it is neither a row nor the columns of a table")
        return value

    def _decoded(self, line: bytes) -> Any:
        try:
            return decode(line)
        except (ValueError, RecursionError):
            return None

    def _table(self, value: Mapping[str, Any], counts: Mapping[str, int]) -> tuple[TableRules, list[str]]:
        name, names, binary = value.get("table"), value.get("columns"), value.get("binary")
        rules = self._rules.get(name) if isinstance(name, str) else None
        if rules is None:
            self._backup.reject(f"there is no table {str(name)[:60]!r} in revision {self.revision}")
        if rules.name in counts:
            self._backup.reject(f"the table {rules.name} comes twice")
        late = sorted(rules.parents - counts.keys())
        if late:
            self._backup.reject(f"the table {rules.name} comes before {late[0]}, to which its rows refer")
        if not isinstance(names, list) or not _same_names(names, rules.columns):
            self._backup.reject(f"these are not the columns of {rules.name}: {', '.join(rules.columns)}")
        if not _same_names(binary, rules.binary):
            self._backup.reject(
                f"the columns of bytes of {rules.name} are {', '.join(rules.binary) or 'none'}"
            )
        return rules, names

    def _row(self, rules: TableRules, names: list[str], line: bytes) -> dict[str, Any]:
        values = self._decoded(line) if _ROW.fullmatch(line) else None
        if not isinstance(values, list):
            self._backup.reject("it is not a list of texts, numbers, true, false and null")
        try:
            return unpacked_row(rules, names, values)
        except ValueError as error:
            self._backup.reject(f"{rules.name}: {error}")

    def _fact(self, values: Mapping[str, Any]) -> str:
        """Return the key of a fact, whose schema version is checked."""
        key, value = values["key"], values["value"]
        if key == SCHEMA_VERSION_KEY and value != self._schema_version:
            self._backup.reject(f"{key} is {value[:40]!r} and not {self._schema_version}")
        return str(key)

    def _check_end(self, end: Any, counts: Mapping[str, int], facts: set[str]) -> None:
        missing = [name for name in self._rules if name not in counts]
        if missing:
            self._backup.reject(f"the table {missing[0]} is missing")
        if end != counts:
            self._backup.reject("the file has other numbers of rows than its end says")
        for key in (SCHEMA_VERSION_KEY, WORKFLOWS_CREATED_KEY):
            if key not in facts:
                self._backup.reject(f"the table {meta.name} does not say {key}")


@dataclass(frozen=True)
class TableRules:
    """A table of a revision, with the rules for its values."""

    name: str
    columns: Mapping[str, Column[Any]]
    parents: frozenset[str]
    """The tables that its rows refer to."""

    @property
    def binary(self) -> list[str]:
        """Return the names of the columns that hold bytes."""
        return [name for name, column in self.columns.items() if isinstance(column.type, LargeBinary)]


def rules_of(tables: MetaData) -> dict[str, TableRules]:
    """Return the rules of each table, referenced tables first."""
    found: dict[str, TableRules] = {}
    for table in tables.sorted_tables:
        parents = frozenset(key.column.table.name for key in table.foreign_keys)
        found[table.name] = TableRules(table.name, dict(table.columns.items()), parents)
    return found


def value_problem(column: Column[Any], value: Any) -> str | None:
    """Return the reason that a column cannot hold a value, or ``None``."""
    if value is None:
        return None if column.nullable else "it has no value"
    if not _fits(column, value):
        return f"{_kind_name(value)} is not a value for it"
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

    The character 0, which SQLite stores and PostgreSQL refuses, becomes U+FFFD.

    Raises:
        ValueError: A value does not fit its column, so that the row could not be restored.
    """
    _check_row(rules, dict(zip(rules.columns, values, strict=True)))
    return [_written(value) for value in values]


def _written(value: Any) -> Any:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


def unpacked_row(rules: TableRules, names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    """Return the values of a line as a row to insert.

    Raises:
        ValueError: A value does not fit its column, or the row is not allowed.
    """
    if len(values) != len(names):
        raise ValueError(f"a row of {rules.name} has {len(names)} values and this one {len(values)}")
    row = dict(zip(names, values, strict=True))
    for name in rules.binary:
        if row[name] is not None:
            row[name] = _bytes(name, row[name])
    _check_row(rules, row)
    return row


def _bytes(name: str, value: Any) -> bytes:
    try:
        return b64decode(value, validate=True)
    except (Base64Error, TypeError, ValueError) as error:
        raise ValueError(f"column {name}: this is not base64") from error


def _check_row(rules: TableRules, row: Mapping[str, Any]) -> None:
    """Check values, and the rows that decide on users or on loading samples."""
    for name, column in rules.columns.items():
        problem = value_problem(column, row[name])
        if problem is not None:
            raise ValueError(f"column {name}: {problem}")
    if rules.name == api_keys.name:
        if row["role"] not in list(Role):
            raise ValueError(f"the role {row['role'][:40]!r} of a key is none of {', '.join(Role)}")
        if not _DIGEST.fullmatch(row["digest"]):
            raise ValueError("the digest of a key is not 64 hexadecimal digits")
    elif (
        rules.name == meta.name and row["key"] == WORKFLOWS_CREATED_KEY and row["value"] not in ("yes", "no")
    ):
        raise ValueError(f"{row['key']} is {row['value'][:40]!r} and not yes or no")


def _same_names(names: Any, expected: Mapping[str, Any] | list[str]) -> bool:
    """Return whether a value lists exactly the expected names."""
    return (
        isinstance(names, list)
        and all(isinstance(name, str) for name in names)
        and sorted(names) == sorted(expected)
    )
