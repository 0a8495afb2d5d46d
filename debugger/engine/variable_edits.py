"""Edits of a run's variables by the user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from debugger.engine.state import RunState
from debugger.errors import InputError
from debugger.protocol.base import JsonObject
from debugger.protocol.runs import MAIN_THREAD

EditedScope = Literal["dynamic", "runtime", "workflow"]


@dataclass(frozen=True)
class VariableEdit:
    """A variable's new value, or its removal."""

    scope: EditedScope
    """Fills ``{{name}}``; or ``[[name]]`` in one thread; or ``[[name]]`` in all threads that have none."""
    name: str
    value: Any = None
    """Any JSON value."""
    is_removal: bool = False
    """Whether the variable is taken away instead."""
    thread_id: str = MAIN_THREAD
    """The thread of a runtime variable."""

    def describe(self, before: Mapping[str, Any]) -> JsonObject:
        """The edit as an event tells it.

        Args:
            before: The variables of its scope before it.
        """
        found: JsonObject = {"scope": self.scope, "name": self.name}
        if self.scope == "runtime":
            found["thread_id"] = self.thread_id
        if self.name in before:
            found["before"] = before[self.name]
        return found if self.is_removal else {**found, "after": self.value}


def with_edit(variables: Mapping[str, Any], edit: VariableEdit) -> JsonObject:
    """Return a copy of a scope's variables with an edit applied.

    Events refer to the old variables.
    """
    rest = {name: value for name, value in variables.items() if name != edit.name or not edit.is_removal}
    return rest if edit.is_removal else {**rest, edit.name: edit.value}


def apply_edit(edit: VariableEdit, state: RunState) -> JsonObject:
    """Change a state; return the edit as an event reports it.

    Raises:
        InputError: The name is empty, or there is no such thread.
    """
    variables = variables_of(edit, state)
    changes = edit.describe(variables)
    if edit.is_removal:
        variables.pop(edit.name, None)
    else:
        variables[edit.name] = edit.value
    return changes


def variables_of(edit: VariableEdit, state: RunState) -> JsonObject:
    """Return the state's variables that an edit belongs to.

    Raises:
        InputError: The name is empty, or there is no such thread.
    """
    if not edit.name.strip():
        raise InputError("A variable without a name cannot be set.", advice="Give it a name.")
    if edit.scope == "dynamic":
        return state.dynamic_variables
    if edit.scope == "workflow":
        return state.workflow_variables
    thread = state.threads.get(edit.thread_id)
    if thread is None:
        raise InputError(
            f"The run has no thread {edit.thread_id!r}; it has {', '.join(sorted(state.threads))}.",
            advice="Choose one of these.",
        )
    return thread.runtime_variables
