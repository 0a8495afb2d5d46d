"""The run input while a person edits it: as tables of variables and as JSON, over one object."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import ValidationError

from debugger.errors import InputError, InputJsonError
from debugger.protocol.base import JsonObject, first_problem
from debugger.protocol.messages import human_message
from debugger.protocol.runs import MAIN_THREAD, TurnInput

ValueType = Literal["text", "number", "boolean", "JSON", "null"]
VALUE_TYPES: tuple[ValueType, ...] = ("text", "number", "boolean", "JSON", "null")

Tier = Literal["dynamic_variables", "runtime_variables"]
"""Which of the run input's two tables of variables."""

_TIERS: tuple[Tier, ...] = ("dynamic_variables", "runtime_variables")
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
class RowProblem:
    """Why one row of a table cannot be used."""

    row: int
    """Counts from 1."""
    message: str

    def __str__(self) -> str:
        return f"Row {self.row}: {self.message}"


class RowError(InputError):
    """Rows of a table of variables that cannot be used."""

    def __init__(self, problems: Sequence[RowProblem]) -> None:
        super().__init__(
            " ".join(str(problem) for problem in problems),
            advice="Correct the value or choose another type.",
        )
        self.problems = list(problems)


_NEW_ROW = VariableRow("", "text", "")


def row_from(name: str, value: Any) -> VariableRow:
    """The row of one variable."""
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
    """The variables of a table. A row without name and value is passed over: it has just been added.

    Raises:
        RowError: A name is missing or occurs twice, or a value is not of the type that its row names; all
            such rows are told.
    """
    kept = [(place, row) for place, row in enumerate(rows, start=1) if row.name.strip() or row.value.strip()]
    times = Counter(row.name.strip() for _, row in kept)
    values: JsonObject = {}
    problems: list[RowProblem] = []
    for place, row in kept:
        name = row.name.strip()
        if not name:
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
    """A table after a person's edits.

    Args:
        rows: The table before them.
        edits: What a grid tells: ``edited_rows`` (cells by column, by row from 0), ``deleted_rows`` and
            ``added_rows``. A cell that was emptied counts as an empty text.
    """
    changes = {int(row): cells for row, cells in edits.get("edited_rows", {}).items()}
    deleted = set(edits.get("deleted_rows", ()))
    kept = [
        _with_cells(row, changes.get(place, {})) for place, row in enumerate(rows) if place not in deleted
    ]
    return kept + [_with_cells(_NEW_ROW, cells) for cells in edits.get("added_rows", ())]


def _with_cells(row: VariableRow, cells: Mapping[str, Any]) -> VariableRow:
    texts = {column: "" if cell is None else str(cell) for column, cell in cells.items()}
    kind = texts.get("type") or row.type
    assert kind in VALUE_TYPES
    return VariableRow(texts.get("name", row.name), kind, texts.get("value", row.value))


def value_of(row: VariableRow) -> Any:
    """The value that a row stands for; nothing is guessed from the text.

    Raises:
        InputError: The text is not of the row's type.
    """
    text = row.value.strip()
    if row.type == "text":
        return row.value
    if row.type == "null":
        return None
    if row.type == "boolean":
        if text.lower() not in ("true", "false"):
            raise InputError(f"{row.value!r} is not a boolean; write true or false.")
        return text.lower() == "true"
    if row.type == "number":
        number = json.loads(text) if _NUMBER.fullmatch(text) else math.nan
        if not math.isfinite(number):
            raise InputError(f"{row.value!r} is not a number; write it like 42, -1.5 or 1e3.")
        return number
    return parse_json(row.value, what="the value")


def parse_json(text: str, *, what: str = "The text") -> Any:
    """Read JSON that a person typed.

    Args:
        text: What was typed.
        what: How the message calls it.

    Raises:
        InputJsonError: It is not JSON; line and column say where.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise InputJsonError(f"{what} is nested too deeply.", line=1, column=1) from error
    except json.JSONDecodeError as error:
        raise InputJsonError(
            f"{what} is not JSON: line {error.lineno}, column {error.colno}: {_reason(error)}.",
            line=error.lineno,
            column=error.colno,
            advice="Correct it there; what you typed is kept.",
        ) from error
    except _ConstantError as error:
        line, column = _place_of(text, error.constant)
        raise InputJsonError(
            f"{what} is not JSON: line {line}, column {column}: {error.constant} is not a JSON number.",
            line=line,
            column=column,
            advice="Use null or a text instead.",
        ) from error


def parse_object(text: str, *, what: str = "The text") -> JsonObject:
    """Read a JSON object that a person typed.

    Raises:
        InputJsonError: It is not JSON, or it is JSON of another kind.
    """
    data = parse_json(text, what=what)
    if not isinstance(data, dict):
        raise InputJsonError(
            f"{what} must be a JSON object, and it is {_kind(data)}.",
            line=1,
            column=1,
            advice="Begin with { and end with }.",
        )
    return data


@dataclass
class RunInputModel:
    """A run input under edit. ``value`` is always the last one that was sound.

    What cannot be used is kept as it was typed, told by `problems`, and holds `turn_input` back until it is
    corrected or withdrawn.
    """

    value: JsonObject = field(default_factory=dict)
    draft: str | None = None
    """The text of the whole as typed, while it cannot be used."""
    draft_error: InputJsonError | None = None
    draft_rows: dict[Tier, list[VariableRow]] = field(default_factory=dict)
    row_errors: dict[Tier, RowError] = field(default_factory=dict)
    draft_state: str | None = None
    state_error: InputJsonError | None = None

    @property
    def text(self) -> str:
        """The whole as JSON: as typed while it cannot be used, else what the object is."""
        return self.draft if self.draft is not None else to_json(self.value)

    @property
    def problems(self) -> list[str]:
        """Why it cannot be sent as it stands, one sentence each."""
        found = [error.message for error in (self.draft_error, self.state_error) if error]
        for tier in _TIERS:
            if tier in self.row_errors:
                label = tier.replace("_", " ").capitalize()
                found += [f"{label}, row {p.row}: {p.message}" for p in self.row_errors[tier].problems]
        return found

    def rows(self, tier: Tier) -> list[VariableRow]:
        """The table of one kind of variables, as typed while it cannot be used."""
        return self.draft_rows.get(tier) or rows_from(self.value.get(tier) or {})

    def set_rows(self, tier: Tier, rows: Sequence[VariableRow]) -> None:
        """Take over a table."""
        try:
            variables = variables_from(rows)
        except RowError as error:
            self.draft_rows[tier], self.row_errors[tier] = list(rows), error
            return
        self._forget_rows(tier)
        self.value = {**self.value, tier: variables}

    def set_text(self, text: str) -> None:
        """Take over the whole as JSON."""
        try:
            value = parse_object(text, what="The run input")
            _check_shape(text)
        except InputJsonError as error:
            self.draft, self.draft_error = text, error
            return
        self.value = value
        self.discard_drafts()

    @property
    def state_text(self) -> str:
        """The initial state as JSON; empty when there is none."""
        if self.draft_state is not None:
            return self.draft_state
        state = self.value.get("initial_state")
        return to_json(state) if state is not None else ""

    def set_state_text(self, text: str) -> None:
        """Take over the initial state as JSON; an empty text means none."""
        try:
            state = parse_object(text, what="The initial state") if text.strip() else None
        except InputJsonError as error:
            self.draft_state, self.state_error = text, error
            return
        self.draft_state = self.state_error = None
        self.set_key("initial_state", state)

    def set_key(self, key: str, value: Any) -> None:
        """Set one key of the run input; ``None`` takes it out."""
        rest = {name: old for name, old in self.value.items() if name != key}
        self.value = rest if value is None else {**rest, key: value}

    def discard_drafts(self) -> None:
        """Go back to the last sound input."""
        self.draft = self.draft_error = self.draft_state = self.state_error = None
        for tier in _TIERS:
            self._forget_rows(tier)

    def turn_input(self, message: str | None = None) -> TurnInput:
        """The input to send.

        Args:
            message: What the user says in the main thread, besides what the input holds already.

        Raises:
            InputError: Something in it cannot be used.
        """
        if self.problems:
            raise InputError(self.problems[0], advice="Correct the run input, or discard the change.")
        value = self.value if message is None else with_message(self.value, message)
        if message is None and not value.get("thread_to_node_inputs"):
            # The platform refuses a first turn that names no thread (platform/wire.md 2.2).
            value = {**value, "thread_to_node_inputs": {MAIN_THREAD: {"node_run_inputs": []}}}
        return TurnInput.from_wire(value)

    def _forget_rows(self, tier: Tier) -> None:
        self.draft_rows.pop(tier, None)
        self.row_errors.pop(tier, None)


def with_message(value: JsonObject, text: str) -> JsonObject:
    """A run input that also says something in the main thread; messages already there stay before it."""
    threads = dict(value.get("thread_to_node_inputs") or {})
    main = dict(threads.get(MAIN_THREAD) or {})
    inputs = list(main.get("node_run_inputs") or [])
    said = human_message(text)
    if inputs:
        first = {**inputs[0], "messages": [*(inputs[0].get("messages") or []), said]}
        inputs = [first, *inputs[1:]]
    else:
        inputs = [{"type": "llm", "messages": [said]}]
    return {**value, "thread_to_node_inputs": {**threads, MAIN_THREAD: {**main, "node_run_inputs": inputs}}}


def to_json(value: Any) -> str:
    """JSON as people read it."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def _check_shape(text: str) -> None:
    """Refuse a key whose value no run input can have there."""
    try:
        TurnInput.model_validate_json(text)
    except ValidationError as error:
        path = error.errors()[0]["loc"]
        line, column = _place_of(text, json.dumps(path[0])) if path else (1, 1)
        raise InputJsonError(
            f"The run input cannot be used: line {line}, column {column}: {first_problem(error)}.",
            line=line,
            column=column,
            advice="Correct it there; what you typed is kept.",
        ) from error


class _ConstantError(ValueError):
    def __init__(self, constant: str) -> None:
        super().__init__(constant)
        self.constant = constant


def _refuse_constant(constant: str) -> None:
    raise _ConstantError(constant)


def _place_of(text: str, part: str) -> tuple[int, int]:
    """Line and column of the first occurrence, both from 1."""
    offset = max(text.find(part), 0)
    return text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1


def _reason(error: json.JSONDecodeError) -> str:
    return error.msg[0].lower() + error.msg[1:]


def _kind(data: Any) -> str:
    if data is None:
        return "null"
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "a boolean"}
    return kinds.get(type(data), "a number")
