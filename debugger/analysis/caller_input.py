"""Run inputs as their caller sent them.

A recorded input also has what the platform adds: the workflow's defaults, the system's clock and its random
values are merged into its variables (``platform.md#framework-variables``). Sent again as it is, it would
freeze them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from debugger.analysis.differences import is_same
from debugger.errors import InputError
from debugger.protocol.base import JsonObject
from debugger.protocol.initial_state import StateSnapshot, read_state
from debugger.protocol.runs import NodeInput, TurnInput
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import SYSTEM_NAMES, Workflow

NAMESPACE = "global"
"""``{{global.name}}`` and ``{{name}}`` are the same (``platform.md#contradictions``, 21)."""
_INPUT_ECHO = "input_dynamic_variables"
_ECHOES = frozenset({_INPUT_ECHO, "all_dynamic_variables", "workflow_invoke_count"})


def supplied_dynamic(run_input: TurnInput) -> JsonObject:
    """Return the caller's dynamic variables as a new object, those of single nodes among them.

    A recorded input may be an echo in which the system's variables are merged already; it then carries the
    plain ones apart, and these alone are returned. Of equal names that of the later node counts.

    Source: ``platform.md#framework-variables``.
    """
    echo = run_input.runtime_variables.get(_INPUT_ECHO)
    if isinstance(echo, Mapping):
        return dict(echo)
    found = dict(run_input.dynamic_variables)
    for node_input in _node_inputs(run_input):
        found |= node_input.dynamic_variables
    return found


def added_by_system(run_input: TurnInput) -> JsonObject:
    """Return the system's variables of a turn, which only a recorded input has."""
    supplied = run_input.runtime_variables.get(_INPUT_ECHO)
    if not isinstance(supplied, Mapping):
        return {}
    names = SYSTEM_NAMES - supplied.keys()
    return {name: value for name, value in run_input.dynamic_variables.items() if name in names}


def supplied_runtime(run_input: TurnInput) -> JsonObject:
    """Return the caller's runtime variables, those of single nodes among them."""
    found = {key: value for key, value in run_input.runtime_variables.items() if key not in _ECHOES}
    for node_input in _node_inputs(run_input):
        found |= node_input.runtime_variables
    return found


def supplied_state(run_input: TurnInput) -> StateSnapshot:
    """Return the initial state, empty if missing or unknown."""
    try:
        return read_state(run_input.initial_state or {})
    except InputError:
        # Another backend's own shape: its variables show in the run's state events soon enough.
        return StateSnapshot()


def _node_inputs(run_input: TurnInput) -> Iterator[NodeInput]:
    return (each for thread in run_input.thread_to_node_inputs.values() for each in thread.node_run_inputs)


def original_input(run_input: TurnInput, before: Mapping[str, Any]) -> TurnInput:
    """Return the input of one turn as its caller sent it; the given one is not changed.

    The client's id of the turn is always removed. Any other input than an echo, which has the caller's
    variables apart, else stays as it is. Of an echo the run's id and the echoed variables go; its dynamic
    variables are those that are new or differ from before, its runtime variables those of the caller, those
    of single nodes among them.

    Args:
        run_input: The input, as recorded or as it was sent.
        before: The dynamic variables that the run had without it, the workflow's defaults among them.
    """
    run_input = run_input.with_client_turn_id(None)
    if _INPUT_ECHO not in run_input.runtime_variables:
        return run_input
    known = supplied_dynamic(run_input).items()
    brought = {name: value for name, value in known if name not in before or not is_same(before[name], value)}
    own = {**run_input.to_wire(), "workflow_run_id": None}
    return TurnInput.from_record(
        {**own, "dynamic_variables": brought, "runtime_variables": supplied_runtime(run_input)}
    )


def original_inputs(turns: Sequence[TurnLog], workflow: Workflow) -> list[TurnInput]:
    """Return the inputs of the user's turns as their caller sent them, in order, without background work.

    Each can be sent: what a record had that no request may have is left out.
    """
    known = default_variables(workflow)
    if turns:
        known = {**globals_at_start(turns[0].run_input), **known}
    found: list[TurnInput] = []
    for turn in turns:
        if not turn.is_background:
            found.append(TurnInput.from_wire(original_input(turn.run_input, known).to_request()))
            known = {**known, **supplied_dynamic(turn.run_input)}
    return found


def default_variables(workflow: Workflow) -> JsonObject:
    """Return the dynamic variables of a run without any input."""
    return {**workflow.dynamic_variables, **workflow.config.default_dynamic_variables}


def globals_at_start(recorded: TurnInput) -> JsonObject:
    """Return the global variables that a run started with, under `NAMESPACE` and by their names.

    It is empty without any. They may have changed since.

    Args:
        recorded: The input of its first turn, as the record has it. One of the caller's own, or a default,
            stood in the way of the variable of its name and is not among them.
    """
    supplied = supplied_dynamic(recorded)
    found = supplied.get(NAMESPACE)
    if not isinstance(found, Mapping):
        return {}
    return {
        NAMESPACE: found,
        **{name: value for name, value in found.items() if name in supplied and supplied[name] == value},
    }
