"""Turns of a run in a line or two."""

from __future__ import annotations

from typing import Any

from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog

Json = dict[str, Any]


def turn(number: int, said: str | None, *events: Json, **fields: Any) -> TurnLog:
    """A turn with what the user says, and its events."""
    return TurnLog(number, TurnInput.with_message(said, **fields), [parse_event(event) for event in events])


def at(node: str, kind: str = "start_node_run", **fields: Any) -> Json:
    """Return a node's event; the node is named after its id."""
    return {"type": kind, "origin_node_logical_id": node, "origin_node_name": node.capitalize(), **fields}


def speaks(node: str, words: str) -> Json:
    """Return the event of a message to the user."""
    return at(node, "assistant_response", content=words)


def hears(node: str, words: str) -> Json:
    """Return the event of the user's message."""
    return at(node, "user_messages", messages=[{"type": "human", "content": words}])


def transition(
    source: str, destination: str, name: str | None = None, kind: str = "conditional_edge"
) -> Json:
    """Return the event of a transition."""
    return {
        "type": kind,
        "edge_name": name,
        "edge_logical_id": f"edge_{source}_{destination}",
        "source_node_logical_id": source,
        "source_node_name": source.capitalize(),
        "destination_node_logical_id": destination,
        "destination_node_name": destination.capitalize(),
    }


def shows(**variables: Any) -> Json:
    """The state of the main thread."""
    return {"type": "workflow_show_state", "thread_id": "0", "runtime_variables": variables}
