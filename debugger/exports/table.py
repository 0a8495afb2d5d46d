"""The table of an export: a header, and masked rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from debugger.exports.column_values import NamedParts, NamedValue, Words, change_words, value_words
from debugger.exports.columns import MASKED, Column, choose_columns
from debugger.exports.masking_rules import UNMASKED_FIELDS, Masker, MaskingOptions, is_identifier
from debugger.exports.records import ExportedRun
from debugger.exports.redaction import is_plain_name, names_in, redact, redact_at, redact_text
from debugger.exports.rows import ExportRow, Shape, export_rows
from debugger.protocol.json_codec import encode

OFF = "masking off"
"""The value of the column `MASKED` where no rule is on."""
_NUMBERS = frozenset({int, float})
_NEVER_MASKED = frozenset({bool, type(None)})
_SMALL = 10**12
"""A number below it is no card number."""
_MAX_NAMES = 20_000


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
        masker: The masker, instead of one of the options.

    Raises:
        InputError: There is no such column, or none was chosen.
    """

    def __init__(self, options: TableOptions, masker: Masker | None = None) -> None:
        self.options = options
        self.columns: Sequence[Column] = choose_columns(options.names, options.shape)
        self.masker = masker or Masker(options.masking)
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
            yield values

    def _reader(self, column: Column) -> Callable[[ExportRow], Any]:
        read, masker, scrub = column.read, self.masker, Scrubber(self.masker).scrub
        if not column.is_content:
            return read

        def masked(row: ExportRow) -> Any:
            value = read(row)
            kind = value.__class__
            if kind is str:
                return mask_text(masker, value)
            return scrub(value) if kind is dict else mask_content(masker, value)

        return masked


def mask_text(masker: Masker, text: str) -> str:
    """Return a text without secrets and masked data."""
    return masker.mask(redact_text(text))


def mask_content(masker: Masker, value: Any) -> Any:
    """Return a content value without secrets and masked data."""
    if isinstance(value, NamedValue):
        return mask_named(masker, value.name, value.value)
    if isinstance(value, NamedParts):
        parts = ((each.name.removeprefix(value.name).removeprefix("."), each) for each in value.parts)
        return "\n".join(
            f"{mask_path(masker, rest)}: {value_words(mask_named(masker, each.name, each.value))}"
            for rest, each in parts
        )
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
    """Learn the values of listed variables of the next run, to be masked everywhere."""
    masker.begin_run()
    learn_listed(masker, run)


def learn_listed(masker: Masker, run: ExportedRun) -> None:
    """Learn the values of listed variables besides those that are known."""
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
            masker.learn(masker.telling_name(names_in(_below_scope(change.path))), value)


def _masked_change(masker: Masker, change: dict[str, Any]) -> dict[str, Any]:
    scope, dot, path = change["path"].partition(".")
    values = {
        key: mask_named(masker, path or scope, change[key]) if change[key] is not None else None
        for key in ("before", "after")
    }
    return {**change, "path": f"{scope}{dot}{mask_path(masker, path)}", **values}


def mask_named(masker: Masker, path: str, value: Any) -> Any:
    """Return the value at a dotted path without secrets and masked data."""
    return masker.mask_value(redact_at(path, value), masker.telling_name(names_in(path)))


def mask_path(masker: Masker, path: str) -> str:
    """Return a dotted path with masked keys."""
    return ".".join(map(masker.mask_key, str(masker.mask_key(path)).split(".")))


def _below_scope(path: str) -> str:
    return path.partition(".")[2] or path


class Scrubber:
    """Removes secrets and masked data from JSON values.

    What it returns equals ``masker.mask_value(redact(value))``. Most fields hold values that were seen
    before, and are passed on without a copy.

    Args:
        masker: The rules, and the texts that are known to be clean.
    """

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._names: set[str] = set()
        """Names of fields that mean nothing to secrets and rules."""

    def scrub(self, value: Any) -> Any:
        """Return a value without secrets and masked data, copied if changed."""
        if self._masker.options.is_off:
            return redact(value)
        kind = value.__class__
        if kind is dict:
            return self._dict(value)
        if kind is list:
            return self._list(value)
        return self._text(value) if kind is str else self._masker.mask_value(redact(value))

    def _dict(self, value: dict[str, Any]) -> dict[str, Any]:
        names, clean, has_values = self._names, self._masker.clean, self._masker.has_values
        harmless = _NEVER_MASKED if has_values else _NEVER_MASKED | {float}
        changed: dict[str, Any] = {}
        if not value.keys() <= self._masker.plain_keys and any(
            self._masker.mask_key(key) != key for key in value
        ):
            masked: dict[str, Any] = self._masker.mask_value(redact(value))
            return masked
        for key, inner in value.items():
            kind = inner.__class__
            if key not in names:
                if key in UNMASKED_FIELDS and (kind in _NUMBERS or (kind is str and "://" not in inner)):
                    continue
                new = self._field(key, inner)
            elif kind is str:
                if inner in clean:
                    continue
                new = self._text(inner)
            elif not inner and not has_values:
                continue
            elif kind is dict:
                new = self._dict(inner)
            elif kind is list:
                new = self._list(inner)
            elif kind in harmless or (kind is int and not has_values and -_SMALL < inner < _SMALL):
                continue
            else:
                new = self._masker.mask_value(redact(inner))
            if new is not inner:
                changed[key] = new
        if not changed:
            return value
        return {key: inner for key, inner in (value | changed).items() if inner is not _DROPPED}

    def _list(self, value: list[Any]) -> list[Any]:
        items = [self.scrub(inner) for inner in value]
        is_same = all(new is old for new, old in zip(items, value, strict=True))
        return value if is_same else items

    def _text(self, value: str) -> str:
        return mask_text(self._masker, value)

    def _field(self, key: str, value: Any) -> Any:
        """Return the value of a field of an unknown or telling name."""
        if key not in UNMASKED_FIELDS and is_plain_name(key) and not self._masker.is_masked_name(key):
            if len(self._names) < _MAX_NAMES and is_identifier(key):
                self._names.add(key)
            return self.scrub(value)
        kept = redact({key: value})
        return self._masker.mask_value(kept)[key] if kept else _DROPPED


_DROPPED = object()
