"""The run input under edit, as tables of variables and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import ValidationError

from debugger.errors import InputError, InputJsonError
from debugger.protocol.base import JsonObject, first_problem
from debugger.protocol.messages import human_message
from debugger.protocol.runs import MAIN_THREAD, TurnInput
from debugger.session.json_input import parse_object, place_of, to_json
from debugger.session.variable_rows import (
    RowError,
    SourcedRow,
    VariableRow,
    rows_from,
    sourced_rows,
    variables_from,
)

Tier = Literal["dynamic_variables", "runtime_variables"]
"""Which of the run input's two tables of variables."""

Origin = Literal["default", "preset", "carried"]
"""Source of values: the workflow, a preset, or another run."""

JsonKey = Literal["initial_state", "miscellaneous", "thread_to_node_inputs"]
JSON_KEYS: dict[JsonKey, str] = {
    "initial_state": "The initial state",
    "miscellaneous": "Miscellaneous",
    "thread_to_node_inputs": "The inputs of threads",
}
"""Keys of the run input whose object is edited as JSON, and their names in errors."""

_TIERS: tuple[Tier, ...] = ("dynamic_variables", "runtime_variables")


@dataclass
class RunInputModel:
    """A run input under edit; ``value`` is the last valid one.

    An unusable draft stays as typed, is listed in `problems`, and blocks `turn_input` until it is
    corrected or withdrawn.
    """

    value: JsonObject = field(default_factory=dict)
    origin: Origin = "default"
    """What the editing began with."""
    original: JsonObject = field(init=False)
    """The input that the editing began with."""
    draft: str | None = None
    """The text of the whole as typed, while it cannot be used."""
    draft_error: InputJsonError | None = None
    draft_rows: dict[Tier, list[VariableRow]] = field(default_factory=dict)
    row_errors: dict[Tier, RowError] = field(default_factory=dict)
    draft_objects: dict[JsonKey, str] = field(default_factory=dict)
    """The unusable texts of keys that are edited as JSON."""
    object_errors: dict[JsonKey, InputError] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.original = self.value

    @property
    def text(self) -> str:
        """Return the whole as JSON, or the unusable draft."""
        return self.draft if self.draft is not None else to_json(self.value)

    @property
    def problems(self) -> list[str]:
        """Return the reasons why the input cannot be sent, one sentence each; empty if it can."""
        found = [error.message for error in (self.draft_error, *self.object_errors.values()) if error]
        for tier in _TIERS:
            if tier in self.row_errors:
                label = tier.replace("_", " ").capitalize()
                found += [f"{label}, row {p.row}: {p.message}" for p in self.row_errors[tier].problems]
        return found

    def rows(self, tier: Tier) -> list[VariableRow]:
        """Return the table of one kind of variables, or its unusable draft."""
        return self.draft_rows.get(tier) or rows_from(self.value.get(tier) or {})

    def sourced_rows(self, tier: Tier) -> list[SourcedRow]:
        """Return the table of one kind of variables with the sources of their values."""
        return sourced_rows(self.value.get(tier) or {}, self.original.get(tier) or {})

    def revert(self, tier: Tier, name: str | None = None) -> None:
        """Reset a variable, or all of one kind, to the original value; discard the table's unusable draft.

        A variable that was not there then is taken out.
        """
        original = self.original.get(tier) or {}
        others = {} if name is None else self.value.get(tier) or {}
        reverted = {key: value for key, value in original.items() if name in (None, key)}
        kept = {key: value for key, value in others.items() if key != name or key in original}
        self._forget_rows(tier)
        self.set_key(tier, {**kept, **reverted})

    def set_rows(self, tier: Tier, rows: Sequence[VariableRow]) -> None:
        """Store the rows of a table as variables of a tier; with a row error, keep them as a draft."""
        try:
            variables = variables_from(rows)
        except RowError as error:
            self.draft_rows[tier], self.row_errors[tier] = list(rows), error
            return
        self._forget_rows(tier)
        self.value = {**self.value, tier: variables}

    def set_text(self, text: str) -> None:
        """Take over the whole as JSON, and discard all drafts; keep an unusable text as the draft instead."""
        try:
            value = parse_object(text, what="The run input")
            _check_shape(text)
        except InputJsonError as error:
            self.draft, self.draft_error = text, error
            return
        self.value = value
        self.discard_drafts()

    def object_text(self, key: JsonKey) -> str:
        """Return an object of the input as JSON; empty when there is none."""
        if key in self.draft_objects:
            return self.draft_objects[key]
        value = self.value.get(key)
        return to_json(value) if value else ""

    def set_object_text(self, key: JsonKey, text: str) -> None:
        """Take over an object of the input as JSON.

        An empty text means none. Keep an unusable one as a draft.
        """
        try:
            value = parse_object(text, what=JSON_KEYS[key]) if text.strip() else None
            if value is not None:
                TurnInput.from_wire({key: value})
        except InputError as error:
            self.draft_objects[key] = text
            self.object_errors[key] = error
            return
        self._forget_object(key)
        self.set_key(key, value)

    def set_key(self, key: str, value: Any) -> None:
        """Set one key of the run input; ``None`` takes it out."""
        rest = {name: old for name, old in self.value.items() if name != key}
        self.value = rest if value is None else {**rest, key: value}

    def discard_drafts(self) -> None:
        """Discard all drafts and their errors; `value`, the last usable input, stays."""
        self.draft = self.draft_error = None
        for key in JSON_KEYS:
            self._forget_object(key)
        for tier in _TIERS:
            self._forget_rows(tier)

    def turn_input(self, message: str | None = None) -> TurnInput:
        """Return the input to send; without a message and threads it names the main thread.

        Args:
            message: What the user says in the main thread, besides what the input holds already.

        Raises:
            InputError: Something in it cannot be used.
        """
        if self.problems:
            raise InputError(self.problems[0], advice="Correct the run input, or discard the change.")
        value = self.value if message is None else with_message(self.value, message)
        if message is None and not value.get("thread_to_node_inputs"):
            # The platform refuses a first turn that names no thread (``platform.md#execute-input``).
            value = {**value, "thread_to_node_inputs": {MAIN_THREAD: {"node_run_inputs": []}}}
        return TurnInput.from_wire(value)

    def _forget_object(self, key: JsonKey) -> None:
        self.draft_objects.pop(key, None)
        self.object_errors.pop(key, None)

    def _forget_rows(self, tier: Tier) -> None:
        self.draft_rows.pop(tier, None)
        self.row_errors.pop(tier, None)


def with_message(value: JsonObject, text: str) -> JsonObject:
    """Return a copy of a run input with one more message in the main thread.

    It goes to the first input that has messages or is for the current node, else to a new one.
    """
    threads = dict(value.get("thread_to_node_inputs") or {})
    main = dict(threads.get(MAIN_THREAD) or {})
    inputs = list(main.get("node_run_inputs") or [])
    said = human_message(text)
    # An input of another type, or for a named node, may not take messages.
    places = (at for at, one in enumerate(inputs) if one.get("messages") or _is_for_current_node(one))
    place = next(places, None)
    if place is None:
        inputs.append({"type": "llm", "messages": [said]})
    else:
        inputs[place] = {**inputs[place], "messages": [*(inputs[place].get("messages") or []), said]}
    return {**value, "thread_to_node_inputs": {**threads, MAIN_THREAD: {**main, "node_run_inputs": inputs}}}


def _is_for_current_node(node_input: JsonObject) -> bool:
    return node_input.get("type", "llm") == "llm" and node_input.get("node_logical_id") is None


def _check_shape(text: str) -> None:
    """Check that a JSON text has the shape of a run input.

    Raises:
        InputJsonError: A key has a value that no run input can have there; line and column say where.
    """
    try:
        TurnInput.model_validate_json(text)
    except ValidationError as error:
        path = error.errors()[0]["loc"]
        line, column = place_of(text, *(json.dumps(key) for key in path if isinstance(key, str)))
        raise InputJsonError(
            f"The run input cannot be used: line {line}, column {column}: {first_problem(error)}.",
            line=line,
            column=column,
            advice="Correct it there; what you typed is kept.",
        ) from error
