"""Warnings about keys of a run input that have no effect on a turn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from debugger.protocol.base import JsonObject
from debugger.protocol.runs import BACKGROUND, CLIENT_TURN_ID, TurnInput
from debugger.protocol.workflow import Workflow

KNOWN_KEYS = frozenset(TurnInput.model_fields)
LATE_KEYS = {
    "run_by": "the run has its label since its first turn",
    "version_number": "a run stays on the version of its first turn",
    "start_node_logical_id": "only a first turn starts at a chosen node",
    "initial_state": "only a first turn restores a state",
    "welcome_message": "only a first turn adds a welcome message",
}
"""Keys without effect on a later turn, and why (``platform.md#execute-input``)."""
KEY_HINTS = {
    "dynamic_variables": ("object", "Replace {{name}} placeholders"),
    "runtime_variables": ("object", "Replace [[name]] placeholders; the run can change them"),
    "thread_to_node_inputs": ("object", 'By thread, as "0": {"node_run_inputs": [...]}, with messages'),
    "start_node_logical_id": ("text", "The node where the run starts"),
    "initial_state": ("object", "The state that the run starts with: threads and variables"),
    "welcome_message": ("text", "The first message of the agent"),
    "miscellaneous": ("object", "Anything, stored with the turn"),
    "run_by": ("text", "A label of the run"),
    "version_number": ("number", "The version of the workflow; chosen above"),
    "team_id": ("text", "The server sets it by the key"),
    "command": ("text", "start, data, resume, pause or stop"),
    "workflow_id": ("text", "The workflow; chosen above"),
    "workflow_run_id": ("text", "The backend sets it"),
}
"""The type of each key of a run input, and its meaning."""
_RESERVED_FLAGS = {
    BACKGROUND: "It marks the turn as background work, which no user has sent.",
    CLIENT_TURN_ID: "It names the turn: another turn of the same name is not executed again.",
}


@dataclass(frozen=True)
class InputWarning:
    """A part of a run input without the effect that it suggests."""

    key: str
    """The key of the run input, with those inside it after dots."""
    text: str
    """What happens instead, as a sentence."""


def input_warnings(
    value: JsonObject,
    workflow: Workflow,
    *,
    workflow_id: str,
    version_number: int | None,
    is_first_turn: bool,
) -> list[InputWarning]:
    """Return the warnings about a run input.

    Args:
        value: The run input.
        workflow: The workflow that it is for.
        workflow_id: The id of that workflow.
        version_number: The chosen version; ``None`` leaves the choice to the input.
        is_first_turn: Whether it starts a run.
    """
    return [
        *_unknown_keys(value),
        *_identity(value, workflow_id, version_number),
        *([] if is_first_turn else _late_keys(value)),
        *(_start_node(value, workflow) if is_first_turn else []),
        *_thread_inputs(value, workflow),
        *_reserved(value),
    ]


def _unknown_keys(value: JsonObject) -> Iterator[InputWarning]:
    for key in value:
        if key in KNOWN_KEYS:
            continue
        near = get_close_matches(key, KNOWN_KEYS, n=1, cutoff=0.5)
        hint = f" Did you mean “{near[0]}”?" if near else ""
        yield InputWarning(key, f"The run input has no key “{key}”: it is stored and has no effect.{hint}")


def _identity(value: JsonObject, workflow_id: str, version_number: int | None) -> Iterator[InputWarning]:
    named = value.get("workflow_id")
    if named and named != workflow_id:
        text = f"It names workflow {named}; the run uses the workflow on view, {workflow_id}."
        yield InputWarning("workflow_id", text)
    version = value.get("version_number")
    if version and version_number is not None and version != version_number:
        text = f"It names version {version}; the run uses version {version_number}, as chosen above."
        yield InputWarning("version_number", text)
    if value.get("workflow_run_id"):
        yield InputWarning("workflow_run_id", "The backend sets the id of a run: no effect.")
    if value.get("team_id"):
        yield InputWarning("team_id", "The server sets the team by the key: this one has no effect.")


def _late_keys(value: JsonObject) -> Iterator[InputWarning]:
    for key, reason in LATE_KEYS.items():
        if value.get(key):
            yield InputWarning(key, f"No effect on this turn: {reason}.")


def _start_node(value: JsonObject, workflow: Workflow) -> Iterator[InputWarning]:
    named = value.get("start_node_logical_id")
    if named and named not in _node_ids(workflow):
        yield InputWarning(
            "start_node_logical_id", f"This version has no node {named}: the run would be refused."
        )


def _thread_inputs(value: JsonObject, workflow: Workflow) -> Iterator[InputWarning]:
    threads = value.get("thread_to_node_inputs")
    for thread_id, thread in threads.items() if isinstance(threads, dict) else ():
        inputs = thread.get("node_run_inputs") if isinstance(thread, dict) else None
        for place, node_input in enumerate(inputs if isinstance(inputs, list) else ()):
            named = node_input.get("node_logical_id") if isinstance(node_input, dict) else None
            if named and named not in _node_ids(workflow):
                key = f"thread_to_node_inputs.{thread_id}.node_run_inputs.{place}.node_logical_id"
                yield InputWarning(key, f"This version has no node {named}.")


def _reserved(value: JsonObject) -> Iterator[InputWarning]:
    flags: Any = value.get("miscellaneous")
    for key, text in _RESERVED_FLAGS.items() if isinstance(flags, dict) else ():
        if key in flags:
            yield InputWarning(f"miscellaneous.{key}", text)


def _node_ids(workflow: Workflow) -> set[str]:
    return {node.logical_id for node in workflow.node_configs}
