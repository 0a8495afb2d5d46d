"""The table of an export: a header, and masked rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from debugger.exports.column_values import NamedValue, Words, change_words
from debugger.exports.columns import MASKED, Column, choose_columns
from debugger.exports.masking_rules import Masker, MaskingOptions
from debugger.exports.records import ExportedRun
from debugger.exports.redaction import redact
from debugger.exports.rows import ExportRow, Shape, export_rows
from debugger.exports.scrubbing import Scrubber
from debugger.protocol.json_codec import encode

OFF = "masking off"
"""The value of the column `MASKED` where no rule is on."""


@dataclass(frozen=True)
class TableOptions:
    """The content of a table."""

    shape: Shape = "message"
    columns: tuple[str, ...] = ()
    masking: MaskingOptions = field(default_factory=MaskingOptions)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the columns of the file, which says when nothing is masked."""
        is_told = MASKED in self.columns or not self.masking.is_off
        return self.columns if is_told else (*self.columns, MASKED)


class Table:
    """The rows of an export, run by run.

    Args:
        options: The content.

    Raises:
        InputError: There is no such column, or none was chosen.
    """

    def __init__(self, options: TableOptions) -> None:
        self.options = options
        self.columns: Sequence[Column] = choose_columns(options.names, options.shape)
        self.masker = Masker(options.masking)
        self.row_count = 0
        self._masked_at = next((at for at, each in enumerate(self.columns) if each.name == MASKED), None)
        self._readers = [self._reader(column) for column in self.columns]

    @property
    def header(self) -> list[str]:
        """Return the names of the columns."""
        return [column.name for column in self.columns]

    def rows(self, run: ExportedRun) -> Iterator[list[Any]]:
        """Yield the masked values of a run's rows, JSON not encoded."""
        masker, readers, masked_at = self.masker, self._readers, self._masked_at
        is_off = masker.options.is_off
        learn_run(masker, run)
        for row in export_rows(run, self.options.shape):
            masker.row_rules.clear()
            if row.turn is not None:
                learn_changes(masker, row)
            values = [read(row) for read in readers]
            if masked_at is not None and (is_off or masker.row_rules):
                values[masked_at] = OFF if is_off else ", ".join(sorted(masker.row_rules))
            self.row_count += 1
            yield values

    def _reader(self, column: Column) -> Callable[[ExportRow], Any]:
        read, masker, scrub = column.read, self.masker, Scrubber(self.masker).scrub
        if not column.is_content:
            return read

        def masked(row: ExportRow) -> Any:
            value = read(row)
            kind = value.__class__
            if kind is str:
                return masker.mask(value)
            return scrub(value) if kind is dict else mask_content(masker, value)

        return masked


def mask_content(masker: Masker, value: Any) -> Any:
    """Return a content value without secrets and masked data."""
    if isinstance(value, NamedValue):
        return masker.mask_value(*_redacted(value.name, value.value))
    if isinstance(value, list) and value and isinstance(value[0], dict) and "op" in value[0]:
        changes = [_masked_change(masker, change) for change in value]
        return Words(changes) if isinstance(value, Words) else changes
    return masker.mask_value(redact(value))


def cell_of(value: Any) -> Any:
    """Return a value as text, number, truth value or ``None``."""
    if isinstance(value, Words):
        return change_words(value)
    return encode(value).decode() if isinstance(value, dict | list) else value


def learn_run(masker: Masker, run: ExportedRun) -> None:
    """Learn the values of listed variables, to be masked everywhere."""
    masker.begin_run()
    if not masker.options.listed:
        return
    for turn, log in run.turns():
        masker.learn("", turn.run_input)
        for event in log.events:
            masker.learn("", event.to_wire())


def learn_changes(masker: Masker, row: ExportRow) -> None:
    """Learn the values of a turn's variables that rules mask."""
    if masker.options.is_off or row.turn is None:
        return
    for change in row.turn.changes:
        for value in (change.before, change.after):
            masker.learn(change.path.rpartition(".")[2], value)


def _masked_change(masker: Masker, change: dict[str, Any]) -> dict[str, Any]:
    path = change["path"]
    name = path.rpartition(".")[2]
    values = {
        key: masker.mask_value(*_redacted(name, change[key])) if change[key] is not None else None
        for key in ("before", "after")
    }
    return {**change, **values}


def _redacted(name: str, value: Any) -> tuple[Any, str]:
    found = redact({name: value})
    return found.get(name), name
