"""The rows of a damaged SQLite file that can still be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, MetaData, Table, literal_column, select
from sqlalchemy.exc import DBAPIError

from debugger.store.backup_rows import RowFormat
from debugger.store.schema import SCHEMA_VERSION_KEY, WORKFLOWS_CREATED_KEY, meta, revision_of
from debugger.store.schema_setup import NEWEST

_UNREADABLE = (DBAPIError, UnicodeDecodeError, OverflowError, ValueError, TypeError)
"""What a damaged page or value raises where it is read."""


def readable_revision(connection: Connection) -> str:
    """Return the revision of a damaged database; the newest where its record is lost."""
    try:
        return revision_of(connection) or NEWEST
    except DBAPIError:
        return NEWEST


class ReadableRows:
    """The readable rows of each table, referenced tables first.

    A scan ends at the first damaged page. Rows before it are found from the first on, those behind it from
    the last back, and those between two damaged pages by the indexes; then each is read alone.

    Args:
        connection: In a transaction that sees one state of the database.
        tables: Those of the database's revision.
        schema_version: The one of that revision.
    """

    def __init__(self, connection: Connection, tables: MetaData, schema_version: str) -> None:
        self.lost: list[str] = []
        """Each row that cannot be read, in words."""
        self._connection = connection
        self._tables = tables
        self._facts = {SCHEMA_VERSION_KEY: schema_version, WORKFLOWS_CREATED_KEY: "yes"}
        keys = [key.column for table in tables.sorted_tables for key in table.foreign_keys]
        self._saved: dict[tuple[str, str], set[Any]] = {
            (column.table.name, column.name): set() for column in keys
        }
        """The values of columns that other tables refer to."""

    def packed(self, rows: RowFormat) -> Iterator[list[Any]]:
        """Yield the readable rows of a table by key, as they are written; see `RowFormat.pack`.

        A row that cannot be read or packed, or that refers to a row that was not saved, is described in
        `lost` instead: tables must be taken in the order of their references. The facts without which no
        backup can be restored are added to the table ``meta`` where they are missing.
        """
        table = rows.table
        name = self._key_name(table)
        known: set[Any] = set()
        for key, words in sorted(self._keys(table, name).items()):
            row = self._row(table, name, key)
            orphan = row and self._missing_parent(table, row)
            if row is None or orphan:
                reason = f", for its row of {orphan} cannot be read" if orphan else ""
                self.lost.append(f"{table.name}: {words}{reason}")
                continue
            try:
                values = rows.pack([row[column] for column in rows.columns])
            except ValueError as error:
                self.lost.append(f"{table.name}: {words}, {error}")
                continue
            for (parent, column), saved in self._saved.items():
                if parent == table.name:
                    saved.add(row[column])
            known.add(row.get("key"))
            yield values
        if table.name == meta.name:
            # Without these facts the backup could not be restored.
            for fact, value in self._facts.items():
                if fact not in known:
                    yield [{"key": fact, "value": value}[column] for column in rows.columns]

    def _key_name(self, table: Table) -> str:
        """Return the column by which one row is read: the number of the row where the table has it."""
        listed = self._connection.exec_driver_sql(
            "SELECT wr FROM pragma_table_list WHERE name = ? AND schema = 'main'", (table.name,)
        )
        [primary, *_] = table.primary_key.columns.keys()
        return str(primary) if listed.scalar() else "rowid"

    def _keys(self, table: Table, name: str) -> dict[Any, str]:
        """Return the keys of all rows that a scan or an index lists, with words for each.

        A scan that meets damage counts up to there. Where none reached its end, `lost` gets a line on the
        table.
        """
        found: dict[Any, str] = {}
        scans: dict[str, list[str]] = {
            f'SELECT {name} FROM "{table.name}" ORDER BY {name} {order}': [] for order in ("ASC", "DESC")
        }
        for index, is_unique in self._indexes(table):
            columns = self._index_columns(index) if is_unique else []
            listed = ", ".join([name, *(f'"{column}"' for column in columns)])
            scans[f'SELECT {listed} FROM "{table.name}" INDEXED BY "{index}"'] = columns
        is_whole = False
        for statement, columns in scans.items():
            try:
                for key, *values in self._connection.exec_driver_sql(statement):
                    if values or key not in found:
                        pairs = [f"{column} {value}" for column, value in zip(columns, values, strict=True)]
                        found[key] = ", ".join(pairs) or f"row {key}"
                is_whole = True
            except _UNREADABLE:
                continue
        if not is_whole:
            self.lost.append(f"{table.name}: perhaps other rows, whose number is not known")
        return found

    def _indexes(self, table: Table) -> list[tuple[str, bool]]:
        """Return name and uniqueness of the indexes that list every row."""
        query = "SELECT name, [unique] FROM pragma_index_list(?) WHERE NOT partial"
        return [(row[0], bool(row[1])) for row in self._connection.exec_driver_sql(query, (table.name,))]

    def _index_columns(self, index: str) -> list[str]:
        query = "SELECT name FROM pragma_index_info(?) ORDER BY seqno"
        return [str(row[0]) for row in self._connection.exec_driver_sql(query, (index,))]

    def _row(self, table: Table, name: str, key: Any) -> dict[str, Any] | None:
        """Return the row with a key by column; ``None`` where it cannot be read or is not there."""
        statement = select(table).where(literal_column(name) == key)
        try:
            row = self._connection.execute(statement).one_or_none()
        except _UNREADABLE:
            return None
        return None if row is None else dict(row._mapping)

    def _missing_parent(self, table: Table, row: dict[str, Any]) -> str | None:
        """Return the name of a table that has no saved row for a reference."""
        for key in table.foreign_keys:
            value, parent = row[key.parent.name], key.column
            if value is not None and value not in self._saved[parent.table.name, parent.name]:
                return str(parent.table.name)
        return None
