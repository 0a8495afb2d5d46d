"""What a caller supplied with a run input, without what the platform adds to a recorded one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from debugger.errors import InputError
from debugger.protocol.base import JsonObject
from debugger.protocol.runs import NodeInput, TurnInput
from debugger.protocol.states import StateSnapshot, read_state

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
