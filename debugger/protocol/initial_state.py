"""The initial state of a run: ``run_input.initial_state``.

The platform does not publish its own shape (``platform.md#state``), so this is ours: what
`debugger.analysis.exported_state` reads out of any recorded turn and what the embedded engine takes. Any
part of it is enough; a key that is not below is refused by name, so that nothing is dropped unseen. ::

    {"threads": {"0": {"node_logical_id": "node_order",
                       "runtime_variables": {"tea": "Assam"},
                       "chat_history": [{"type": "ai", "content": "Which tea?"}]}},
     "workflow_runtime_variables": {"attempts": 2},
     "dynamic_variables": {"shop": "Leaf & Co"}}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from debugger.errors import InputError
from debugger.protocol.base import JsonObject, first_problem
from debugger.protocol.messages import Message


class ThreadSnapshot(BaseModel):
    """A thread's node and its memory."""

    model_config = ConfigDict(extra="forbid")

    node_logical_id: str | None = None
    """The node to go on at; ``None`` means the workflow's start node."""
    runtime_variables: JsonObject = Field(default_factory=dict)
    chat_history: list[Message] = Field(default_factory=list)


class StateSnapshot(BaseModel):
    """The part of a run's state that a new run can take."""

    model_config = ConfigDict(extra="forbid")

    threads: dict[str, ThreadSnapshot] = Field(default_factory=dict)
    workflow_runtime_variables: JsonObject = Field(default_factory=dict)
    dynamic_variables: JsonObject = Field(default_factory=dict)


def read_state(data: Mapping[str, Any]) -> StateSnapshot:
    """Read an initial state.

    Raises:
        InputError: It holds a key that is not known here, or a value of the wrong kind; the message names it.
    """
    try:
        return StateSnapshot.model_validate(data)
    except ValidationError as error:
        raise InputError(
            f"initial_state cannot be used: {first_problem(error)}.",
            advice="It takes threads (node_logical_id, runtime_variables, chat_history), "
            "workflow_runtime_variables and dynamic_variables.",
        ) from error
