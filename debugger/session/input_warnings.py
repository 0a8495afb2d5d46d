"""Warnings about keys of a run input that have no effect on a turn, or for which it is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from debugger.engine.run_input_check import ANYWHERE, find_problems
from debugger.errors import InputError
from debugger.graph import Graph
from debugger.protocol.base import JsonObject
from debugger.protocol.first_turn_keys import FIRST_TURN_KEYS, WELCOME
from debugger.protocol.runs import BACKGROUND, CLIENT_TURN_ID, OVER_SOCKET, TurnInput

KNOWN_KEYS = frozenset(TurnInput.model_fields)
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
    OVER_SOCKET: "It marks a run that the WebSocket has started, for the server's rule of re-runs.",
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
    graph: Graph,
    *,
    workflow_id: str,
    version_number: int | None,
    is_first_turn: bool,
    position: str = ANYWHERE,
) -> list[InputWarning]:
    """Return the warnings about a run input, empty without any; it changes and refuses nothing.

    Args:
        value: The run input.
        graph: The version of the workflow that it is for.
        workflow_id: The id of that workflow.
        version_number: The chosen version; ``None`` leaves the choice to the input.
        is_first_turn: Whether it starts a run.
        position: The id of the node at which a later turn finds the conversation.
    """
    return [
        *_unknown_keys(value),
        *_identity(value, workflow_id, version_number),
        *([] if is_first_turn else _late_keys(value)),
        *(_first_keys(value) if is_first_turn else []),
        *_refusals(value, graph, is_first_turn=is_first_turn, position=position),
        *_reserved(value),
    ]


def _unknown_keys(value: JsonObject) -> Iterator[InputWarning]:
    """Yield a warning for each key that no run input has, with the most similar known key if there is one."""
    for key in value:
        if key in KNOWN_KEYS:
            continue
        near = get_close_matches(key, KNOWN_KEYS, n=1, cutoff=0.5)
        hint = f" Did you mean “{near[0]}”?" if near else ""
        yield InputWarning(key, f"The run input has no key “{key}”: it is stored and has no effect.{hint}")


def _identity(value: JsonObject, workflow_id: str, version_number: int | None) -> Iterator[InputWarning]:
    """Yield a warning for each id in the input that is not used: workflow, version, run and team."""
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
    for key, reason in FIRST_TURN_KEYS.items():
        if value.get(key):
            yield InputWarning(key, f"No effect on this turn: {reason}.")


def _first_keys(value: JsonObject) -> Iterator[InputWarning]:
    if value.get("welcome_message"):
        yield InputWarning("welcome_message", WELCOME)


def _refusals(
    value: JsonObject, graph: Graph, *, is_first_turn: bool, position: str
) -> Iterator[InputWarning]:
    """Yield the reasons why the turn would be refused: an unreadable input, or problems with the graph."""
    try:
        turn_input = TurnInput.from_wire(value)
    except InputError as error:
        yield InputWarning("", str(error))
        return
    for problem in find_problems(turn_input, graph, is_first_turn=is_first_turn, position=position):
        text = f"{problem.what} {problem.advice}".strip()
        yield InputWarning(problem.key or "run_input", text[:1].upper() + text[1:])


def _reserved(value: JsonObject) -> Iterator[InputWarning]:
    flags: Any = value.get("miscellaneous")
    for key, text in _RESERVED_FLAGS.items() if isinstance(flags, dict) else ():
        if key in flags:
            yield InputWarning(f"miscellaneous.{key}", text)
