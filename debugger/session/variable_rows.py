"""Variables as rows of a table, and edits to them."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from debugger.analysis.differences import Difference, differences
from debugger.engine.variables import EditedScope, VariableEdit
from debugger.errors import InputError
from debugger.protocol.base import JsonObject
from debugger.protocol.events import reference_id
from debugger.session.json_input import parse_json

ValueType = Literal["text", "number", "boolean", "JSON", "null"]
VALUE_TYPES: tuple[ValueType, ...] = ("text", "number", "boolean", "JSON", "null")

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")


@dataclass(frozen=True)
class VariableRow:
    """One variable as a table shows it.

    What the value is depends on the chosen type alone: ``42`` is two characters where the type says text.
    """

    name: str
    type: ValueType
    value: str


@dataclass(frozen=True)
class SourcedRow:
    """One variable with where its value comes from."""

    row: VariableRow
    is_edited: bool
    """Whether its value is not the one that the editing began with."""
    is_removed: bool = False
    original: VariableRow | None = None
    """The variable before the editing; ``None`` where there was none."""


def sourced_rows(variables: JsonObject, origin: JsonObject) -> list[SourcedRow]:
    """Return the table of variables beside the original ones, in their order; removed ones are last."""
    originals = {row.name: row for row in rows_from(origin)}
    # Rows are compared, not values: true is not 1.
    rows = [
        SourcedRow(row, row != originals.get(row.name), original=originals.get(row.name))
        for row in rows_from(variables)
    ]
    removed = [row for name, row in originals.items() if name not in variables]
    return rows + [SourcedRow(row, is_edited=True, is_removed=True, original=row) for row in removed]


@dataclass(frozen=True)
class RowProblem:
    """The reason why one row of a table cannot be used."""

    row: int
    """Counts from 1."""
    message: str

    def __str__(self) -> str:
        return f"Row {self.row}: {self.message}"


class RowError(InputError):
    """Rows of a table of variables that cannot be used."""

    def __init__(self, problems: Sequence[RowProblem]) -> None:
        """Make the error of some rows, whose message joins those of all of them."""
        super().__init__(
            " ".join(str(problem) for problem in problems),
            advice="Correct the value or choose another type.",
        )
        self.problems = list(problems)


_NEW_ROW = VariableRow("", "text", "")


def row_from(name: str, value: Any) -> VariableRow:
    """Return the row of one variable, with the type of its value and that as text.

    Lists and objects are JSON.
    """
    if value is None:
        return VariableRow(name, "null", "")
    if isinstance(value, bool):
        return VariableRow(name, "boolean", "true" if value else "false")
    if isinstance(value, (int, float)):
        return VariableRow(name, "number", json.dumps(value))
    if isinstance(value, str):
        return VariableRow(name, "text", value)
    return VariableRow(name, "JSON", json.dumps(value, ensure_ascii=False))


def rows_from(variables: Mapping[str, Any]) -> list[VariableRow]:
    """The table of some variables, in their order."""
    return [row_from(name, value) for name, value in variables.items()]


def variables_from(rows: Iterable[VariableRow]) -> JsonObject:
    """Return the variables of a table by name; rows with blank name and value are ignored.

    Raises:
        RowError: A name is missing or occurs twice, or a value is not of the type that its row names; all
            such rows are reported.
    """
    used = [(place, row) for place, row in enumerate(rows, start=1) if row.name.strip() or row.value.strip()]
    times = Counter(row.name for _, row in used)
    values: JsonObject = {}
    problems: list[RowProblem] = []
    for place, row in used:
        name = row.name
        if not name.strip():
            problems.append(RowProblem(place, "the name is missing."))
        elif times[name] > 1:
            problems.append(RowProblem(place, f"the name {name!r} occurs {times[name]} times."))
        else:
            try:
                values[name] = value_of(row)
            except InputError as error:
                problems.append(RowProblem(place, f"{name}: {error.message}"))
    if problems:
        raise RowError(problems)
    return values


def edited(rows: Sequence[VariableRow], edits: Mapping[str, Any]) -> list[VariableRow]:
    """Return a table after a person's edits: changed rows, without deleted ones, then new ones.

    Args:
        rows: The table before them.
        edits: The grid's report: ``edited_rows`` (cells by column, by row from 0), ``deleted_rows`` and
            ``added_rows``. A cell that was emptied counts as an empty text.
    """
    changes = {int(row): cells for row, cells in edits.get("edited_rows", {}).items()}
    deleted = set(edits.get("deleted_rows", ()))
    used = [
        _with_cells(row, changes.get(place, {})) for place, row in enumerate(rows) if place not in deleted
    ]
    return used + [_with_cells(_NEW_ROW, cells) for cells in edits.get("added_rows", ())]


def _with_cells(row: VariableRow, cells: Mapping[str, Any]) -> VariableRow:
    """Return a row with changed cells; a new name loses outer white space, and null has an empty value."""
    texts = {column: "" if cell is None else str(cell) for column, cell in cells.items()}
    kind = texts.get("type") or row.type
    assert kind in VALUE_TYPES
    name = texts["name"].strip() if "name" in texts else row.name  # one of a run may have blanks around it
    value = "" if texts.get("type") == "null" else texts.get("value", row.value)
    return VariableRow(name, kind, value)


def value_of(row: VariableRow) -> Any:
    """Return the value of a row; nothing is guessed from the text, and only a text keeps outer white space.

    Raises:
        InputError: The text is not of the row's type.
    """
    text = row.value.strip()
    if row.type == "text":
        return row.value
    if row.type == "null":
        if text:
            raise InputError(f"{row.value!r} is not null; choose the type of the value.")
        return None
    if row.type == "boolean":
        if text.lower() not in ("true", "false"):
            raise InputError(f"{row.value!r} is not a boolean; write true or false.")
        return text.lower() == "true"
    if row.type == "number":
        number = _number_in(text)
        if number is None:
            raise InputError(f"{row.value!r} is not a number; write it like 42, -1.5 or 1e3.")
        return number
    return parse_json(row.value, what="the value")


def _number_in(text: str) -> int | float | None:
    """Return the finite number that a text in the form of JSON is, else ``None``."""
    if not _NUMBER.fullmatch(text):
        return None
    try:
        number: int | float = json.loads(text)
    except ValueError:  # more digits than Python reads
        return None
    return None if isinstance(number, float) and not math.isfinite(number) else number


@dataclass(frozen=True)
class VariableScope:
    """One set of variables that can be edited."""

    scope: EditedScope
    thread_id: str = "0"
    """Whose they are, of runtime variables."""


@dataclass
class PendingEdits:
    """Edits that were not applied yet.

    Args:
        shown: The variables as they stand, by tier.
    """

    shown: Mapping[VariableScope, JsonObject]
    _wanted: dict[VariableScope, JsonObject] = field(default_factory=dict)
    _errors: dict[VariableScope, RowError] = field(default_factory=dict)

    @property
    def problems(self) -> list[str]:
        """Return the reasons why the edits cannot be applied, one sentence each."""
        return [f"{problem}" for error in self._errors.values() for problem in error.problems]

    @property
    def edits(self) -> list[VariableEdit]:
        """Return the edits."""
        return [edit for tier in self._wanted for edit in self._of(tier)]

    @property
    def differences(self) -> list[Difference]:
        """Return the differences that the edits make, path by path.

        Those of other threads begin with ``thread_``.
        """
        found: list[Difference] = []
        for tier, wanted in self._wanted.items():
            is_main = tier.scope != "runtime" or tier.thread_id == "0"
            lead = tier.scope if is_main else f"thread_{reference_id(tier.thread_id)}"
            found += differences(self.shown[tier], wanted, lead)
        return found

    def rows(self, tier: VariableScope) -> list[VariableRow]:
        """The table of a tier, as its edits would leave it."""
        return rows_from(self._wanted.get(tier, self.shown[tier]))

    def set_rows(self, tier: VariableScope, rows: Sequence[VariableRow]) -> None:
        """Take over an edited table; `problems` reports unusable rows, and the table before stays then."""
        try:
            self._wanted[tier] = variables_from(rows)
            self._errors.pop(tier, None)
        except RowError as error:
            self._errors[tier] = error

    def set_values(self, edits: Iterable[VariableEdit]) -> None:
        """Set variables beside those that were edited before."""
        for edit in edits:
            tier = VariableScope(edit.scope, edit.thread_id)
            self._wanted[tier] = {**self._wanted.get(tier, self.shown[tier]), edit.name: edit.value}

    def _of(self, tier: VariableScope) -> list[VariableEdit]:
        """Return the edits of one tier: removals first, then new and changed values."""
        shown, wanted = self.shown[tier], self._wanted[tier]
        gone = [
            VariableEdit(tier.scope, name, is_removal=True, thread_id=tier.thread_id)
            for name in shown
            if name not in wanted
        ]
        # Not by equality alone: true is not 1.
        return gone + [
            VariableEdit(tier.scope, name, value, thread_id=tier.thread_id)
            for name, value in wanted.items()
            if name not in shown or differences(shown[name], value)
        ]
