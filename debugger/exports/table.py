"""The table of an export: a header, and masked rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from debugger.analysis.timeline import shorten
from debugger.boundary import Boundary, Kind, MaskingOptions, own_names
from debugger.exports.column_values import (
    NamedParts,
    NamedValue,
    Words,
    change_words,
    expected_of,
    value_words,
)
from debugger.exports.columns import CHECK, MASKED, Column, choose_columns
from debugger.exports.records import ExportedRun
from debugger.exports.rows import ExportRow, Shape, export_rows
from debugger.protocol.json_codec import encode
from debugger.protocol.scenario_runs import ScenarioCheck

OFF = "masking off"
"""The value of the column `MASKED` where no rule is on."""
_VARIABLES = frozenset({"dynamic_variables", "runtime_variables", "workflow_runtime_variables"})
"""Objects of variables in events."""


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
        boundary: The boundary, instead of one of the options.

    Raises:
        InputError: There is no such column, or none was chosen.
    """

    def __init__(self, options: TableOptions, boundary: Boundary | None = None) -> None:
        """Choose the columns and how each is read and released.

        Without a boundary one is made from the options.
        """
        self.options = options
        self.columns: Sequence[Column] = choose_columns(options.names, options.shape)
        self.boundary = boundary or Boundary(options.masking)
        self._masked_at = next((at for at, each in enumerate(self.columns) if each.name == MASKED), None)
        self._readers = [self._reader(column) for column in self.columns]
        self._short_at = [at for at, each in enumerate(self.columns) if each.is_short]
        self._release = self.boundary.row_releaser(
            {at: each.kind for at, each in enumerate(self.columns) if each.kind is not Kind.VALUE}
        )

    @property
    def header(self) -> list[str]:
        """Return the names of the columns; in those of checks personal data is masked."""
        names = [column.name for column in self.columns]
        checks = release_names((each for each in names if each.startswith(CHECK)), self.boundary)
        return [checks.get(each, each) for each in names]

    def rows(self, run: ExportedRun) -> Iterator[list[Any]]:
        """Yield the masked values of a run's rows, JSON not encoded.

        The run is registered at the boundary first. The column `MASKED` names the rules that masked something
        in the row.
        """
        boundary, readers, masked_at = self.boundary, self._readers, self._masked_at
        is_off = boundary.options.is_off
        register_run(boundary, run)
        for row in export_rows(run, self.options.shape):
            boundary.row_rules.clear()
            values = [read(row) for read in readers]
            self._release(values)
            for at in self._short_at:
                values[at] = shorten(values[at])
            if masked_at is not None and (is_off or boundary.row_rules):
                values[masked_at] = OFF if is_off else ", ".join(sorted(boundary.row_rules))
            yield values

    def _reader(self, column: Column) -> Callable[[ExportRow], Any]:
        """Return the function that reads a column.

        Of variables and checks it releases the values by name, too.
        """
        read = column.read
        if column.kind is Kind.VALUE:
            return lambda row: _variable(self.boundary, read(row))
        if read is expected_of:
            return lambda row: "\n".join(_check_words(self.boundary, each) for each in expected_of(row))
        return read


def _variable(boundary: Boundary, value: NamedValue | NamedParts | None) -> Any:
    """Return the released value of a variable, or its parts in words, one a line; ``None`` without either."""
    if isinstance(value, NamedValue):
        return boundary.release(Kind.VALUE, value.value, value.name)
    if isinstance(value, NamedParts):
        parts = ((each.name.removeprefix(value.name).removeprefix("."), each) for each in value.parts)
        released = ((rest, boundary.release(Kind.VALUE, each.value, each.name)) for rest, each in parts)
        return "\n".join(f"{boundary.release_path(rest)}: {value_words(own)}" for rest, own in released)
    return None


def _check_words(boundary: Boundary, check: ScenarioCheck) -> str:
    """Return what a check expects, and what a failed one found; of a masked variable neither."""
    parts = [check.expected] if check.passed else [check.expected, check.got]
    return "; got ".join(str(boundary.release(Kind.VALUE, each, check.variable)) for each in parts)


def cell_of(value: Any) -> Any:
    """Return a value as text, number, truth value or ``None``."""
    if isinstance(value, Words):
        return change_words(value)
    return encode(value).decode() if isinstance(value, dict | list) else value


def register_run(boundary: Boundary, run: ExportedRun) -> None:
    """Begin the next run at the boundary, with all values that rules mask by the names of variables."""
    boundary.begin_run(own_names(run.workflow))
    register_values(boundary, run)


def register_values(boundary: Boundary, run: ExportedRun) -> None:
    """Register the values of a run's variables that rules mask by their names.

    They are masked everywhere, also in what was said before a variable had them, and in remarks on the whole
    run; so all turns are read where a rule is on. Listed variables are looked for in every field of an event,
    others in its variables alone: in an HTTP answer ``email`` may be the name of a status or a template.
    """
    options = boundary.options
    if options.is_off:
        return
    for read in run.record.turns:
        turn = read()
        boundary.register("", turn.run_input)
        for wire in turn.run_output.events:
            if options.listed:
                boundary.register("", wire)
            else:
                for name in _VARIABLES & wire.keys():
                    boundary.register("", wire[name])


def release_names(names: Iterable[str], boundary: Boundary, limit: int | None = None) -> dict[str, str]:
    """Return masked names by what they were; those that masking makes equal are numbered from the second.

    Args:
        names: The names, in an order that stays.
        boundary: Masks them.
        limit: The most characters of a name.
    """
    found: dict[str, str] = {}
    taken = set[str]()
    for name in dict.fromkeys(names):
        masked = released = boundary.release(Kind.TEXT, name)[:limit]
        number = 1
        while released in taken:
            number += 1
            mark = f" {number}"
            released = masked[: None if limit is None else limit - len(mark)] + mark
        taken.add(released)
        found[name] = released
    return found
