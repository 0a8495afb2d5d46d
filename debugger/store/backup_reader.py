"""The content of a backup, checked line by line: header, tables, rows, end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from debugger.errors import StoreError
from debugger.protocol.json_codec import decode
from debugger.store.backup_file import BackupFile
from debugger.store.backup_rows import TableRules, rules_of, unpacked_row
from debugger.store.facts import SCHEMA_VERSION_KEY, WORKFLOWS_CREATED_KEY
from debugger.store.migrations import REVISIONS
from debugger.store.schema import meta

FORMAT = "workflow-debugger-backup"
VERSION = 1
"""Raised when a program that knows the one before could not read the file."""

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

    Args:
        backup: The open file.

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

        What has come so far is not to be kept before the last one has: the end of the file is checked too.

        Raises:
            InputError: The file holds anything else than each table of its revision once, whole and in order.
        """
        lines = self._backup.lines()
        if self._header(next(lines, None)) != self.revision:
            self._backup.refuse("the file was changed while it was read")
        counts: dict[str, int] = {}
        facts: set[str] = set()
        rules: TableRules | None = None
        names: list[str] = []
        for line in lines:
            if line.startswith(b"["):
                if rules is None:
                    self._backup.refuse("a row comes before the first table")
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
                    self._backup.refuse("something follows the end")
                return
            rules, names = self._table(value, counts)
            counts[rules.name] = 0
        raise self._backup.ends_too_early()

    def counts(self) -> dict[str, int]:
        """Read the whole file, and return the number of rows in each table.

        Raises:
            InputError: As for `rows`.
        """
        counts = dict.fromkeys(self._rules, 0)
        for row in self.rows():
            counts[row.table] += 1
        return counts

    def _header(self, line: bytes | None) -> str:
        """Return the revision that a header names."""
        value = self._decoded(line or b"null") if len(line or b"") <= _MAX_OBJECT else None
        if not isinstance(value, dict) or value.get("format") != FORMAT:
            raise self._backup.is_none()
        version, revision = value.get("version"), value.get("revision")
        if type(version) is not int or not isinstance(revision, str) or version < VERSION:
            self._backup.refuse("it names no version or no revision")
        if version == VERSION and revision in REVISIONS:
            return revision
        if version == VERSION and revision < REVISIONS[-1]:
            self._backup.refuse(f"there was never a revision {revision[:40]!r}")
        raise StoreError(
            f"The backup {self._backup.file} was made by a newer version of this program.",
            advice="Install the newest version.",
        )

    def _object(self, line: bytes) -> dict[str, Any]:
        if len(line) > _MAX_OBJECT:
            self._backup.refuse("it is neither a row nor the columns of a table")
        value = self._decoded(line)
        if not isinstance(value, dict):
            self._backup.refuse("it is neither a row nor the columns of a table")
        return value

    def _decoded(self, line: bytes) -> Any:
        try:
            return decode(line)
        except (ValueError, RecursionError):
            return None

    def _table(self, value: Mapping[str, Any], counts: Mapping[str, int]) -> tuple[TableRules, list[str]]:
        """Return the rules and the columns of a table that begins."""
        name, names, binary = value.get("table"), value.get("columns"), value.get("binary")
        rules = self._rules.get(name) if isinstance(name, str) else None
        if rules is None:
            self._backup.refuse(f"there is no table {str(name)[:60]!r} in revision {self.revision}")
        if rules.name in counts:
            self._backup.refuse(f"the table {rules.name} comes twice")
        late = sorted(rules.parents - counts.keys())
        if late:
            self._backup.refuse(f"the table {rules.name} comes before {late[0]}, to which its rows refer")
        if not isinstance(names, list) or not _same_names(names, rules.columns):
            self._backup.refuse(f"these are not the columns of {rules.name}: {', '.join(rules.columns)}")
        if not _same_names(binary, rules.binary):
            self._backup.refuse(
                f"the columns of bytes of {rules.name} are {', '.join(rules.binary) or 'none'}"
            )
        return rules, names

    def _row(self, rules: TableRules, names: list[str], line: bytes) -> dict[str, Any]:
        values = self._decoded(line) if _ROW.fullmatch(line) else None
        if not isinstance(values, list):
            self._backup.refuse("it is no list of texts, numbers, true, false and null")
        try:
            return unpacked_row(rules, names, values)
        except ValueError as error:
            self._backup.refuse(f"{rules.name}: {error}")

    def _fact(self, values: Mapping[str, Any]) -> str:
        """Return the key of a fact; the schema version is that of the revision."""
        key, value = values["key"], values["value"]
        if key == SCHEMA_VERSION_KEY and value != self._schema_version:
            self._backup.refuse(f"{key} is {value[:40]!r} and not {self._schema_version}")
        return str(key)

    def _check_end(self, end: Any, counts: Mapping[str, int], facts: set[str]) -> None:
        missing = [name for name in self._rules if name not in counts]
        if missing:
            self._backup.refuse(f"the table {missing[0]} is missing")
        if end != counts:
            self._backup.refuse("the file has other numbers of rows than its end says")
        for key in (SCHEMA_VERSION_KEY, WORKFLOWS_CREATED_KEY):
            if key not in facts:
                self._backup.refuse(f"the table {meta.name} does not say {key}")


def _same_names(names: Any, expected: Mapping[str, Any] | list[str]) -> bool:
    """Return whether a value of a file is a list of the expected names, each once, in any order."""
    return (
        isinstance(names, list)
        and all(isinstance(name, str) for name in names)
        and sorted(names) == sorted(expected)
    )
