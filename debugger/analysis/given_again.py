"""The input of a recorded turn as its caller gave it, so that it can be given again.

A record holds what a turn could see: the workflow's defaults, the system's clock and its random values are
merged into its variables (``platform/engine.md`` 5.4). Sent again as it stands, it would freeze them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from debugger.analysis.supplied import supplied_dynamic, supplied_runtime
from debugger.protocol.base import JsonObject
from debugger.protocol.runs import TurnInput, TurnLog
from debugger.protocol.workflow import Workflow

_ECHO = "input_dynamic_variables"
_ABSENT = object()


def input_again(given: TurnInput, before: Mapping[str, Any]) -> TurnInput:
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


def inputs_again(turns: Sequence[TurnLog], workflow: Workflow) -> list[TurnInput]:
    """The inputs of the user's turns, background work left out.

    Args:
        turns: The run from its first turn on.
        workflow: The version that ran.
    """
    known = default_variables(workflow)
    found: list[TurnInput] = []
    for turn in turns:
        if not turn.is_background:
            found.append(input_again(turn.run_input, known))
            known = {**known, **supplied_dynamic(turn.run_input)}
    return found


def default_variables(workflow: Workflow) -> JsonObject:
    """The dynamic variables that a run of a workflow has when nobody gives it any."""
    return {**workflow.dynamic_variables, **workflow.config.default_dynamic_variables}


def _same(one: Any, other: Any) -> bool:
    return one is other or (one == other and isinstance(one, bool) == isinstance(other, bool))
