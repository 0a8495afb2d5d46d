"""What a caller supplied with a run input, without what the platform adds to a recorded one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from debugger.errors import InputError
from debugger.protocol.base import JsonObject
from debugger.protocol.initial_state import StateSnapshot, read_state
from debugger.protocol.runs import NodeInput, TurnInput
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import Workflow

_INPUT_ECHO = "input_dynamic_variables"
_ECHOES = frozenset({_INPUT_ECHO, "all_dynamic_variables", "workflow_invoke_count"})


def supplied_dynamic(given: TurnInput) -> JsonObject:
    """The dynamic variables, those of single nodes among them.

    A recorded input may be an echo in which the system's variables are merged already; it then carries the
    plain ones apart.

    Source: ``platform/engine.md`` 5.4.
    """
    echo = given.runtime_variables.get(_INPUT_ECHO)
    if isinstance(echo, Mapping):
        return dict(echo)
    found = dict(given.dynamic_variables)
    for node_input in _node_inputs(given):
        found |= node_input.dynamic_variables
    return found


def supplied_runtime(given: TurnInput) -> JsonObject:
    """The runtime variables, those of single nodes among them."""
    found = {key: value for key, value in given.runtime_variables.items() if key not in _ECHOES}
    for node_input in _node_inputs(given):
        found |= node_input.runtime_variables
    return found


def supplied_state(given: TurnInput) -> StateSnapshot:
    """The state to begin with; an empty one where there is none, or none in the shape that we know."""
    try:
        return read_state(given.initial_state or {})
    except InputError:
        # Another backend's own shape: its variables show in the run's state events soon enough.
        return StateSnapshot()


def _node_inputs(given: TurnInput) -> Iterator[NodeInput]:
    return (each for thread in given.thread_to_node_inputs.values() for each in thread.node_run_inputs)


_ECHO = "input_dynamic_variables"
_ABSENT = object()


def original_input(given: TurnInput, before: Mapping[str, Any]) -> TurnInput:
    """One turn's input.

    Args:
        given: The input, as recorded or as it was sent.
        before: The dynamic variables that the run had without it, the workflow's defaults among them.
    """
    given = given.with_client_turn_id(None)
    if _ECHO not in given.runtime_variables:
        return given
    known = supplied_dynamic(given).items()
    brought = {name: value for name, value in known if not _same(before.get(name, _ABSENT), value)}
    own = {**given.to_wire(), "workflow_run_id": None}
    return TurnInput.from_wire(
        {**own, "dynamic_variables": brought, "runtime_variables": supplied_runtime(given)}
    )


def original_inputs(turns: Sequence[TurnLog], workflow: Workflow) -> list[TurnInput]:
    """The inputs of the user's turns, background work left out.

    Args:
        turns: The run from its first turn on.
        workflow: The version that ran.
    """
    known = default_variables(workflow)
    found: list[TurnInput] = []
    for turn in turns:
        if not turn.is_background:
            found.append(original_input(turn.run_input, known))
            known = {**known, **supplied_dynamic(turn.run_input)}
    return found


def default_variables(workflow: Workflow) -> JsonObject:
    """The dynamic variables that a run of a workflow has when nobody gives it any."""
    return {**workflow.dynamic_variables, **workflow.config.default_dynamic_variables}


def _same(one: Any, other: Any) -> bool:
    return one is other or (one == other and isinstance(one, bool) == isinstance(other, bool))
