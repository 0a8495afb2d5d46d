"""What a super node's own flags say, moved to the nodes inside it."""

from __future__ import annotations

from collections.abc import Iterator

from debugger.engine.super_nodes.levels import Gate
from debugger.graph.nesting import ENTRY, REVERSE_EDGES
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import as_bool

_SETTINGS = "global_node_config"
_BACK = "reverse_conditional_edge"


def move_flags(gate: Gate, nodes: dict[str, JsonObject]) -> Iterator[str]:
    """Give the node by which one comes into a super node what holds for the super node.

    It becomes the global or the guardrail node that the super node is; the way back from a global one goes
    to the inner nodes that ``reverse_edge_scope`` names.

    Args:
        gate: The super node, and where one comes into it and leaves it.
        nodes: The inner nodes by their id; changed in place.

    Yields:
        A warning for each flag that cannot be moved.

    Source: ``platform/engine.md`` 2.11, 3.6, 3.8.
    """
    placeholder, entry = gate.placeholder, nodes[gate.entry]
    if as_bool(placeholder.field("is_guardrail_node"), False):
        entry["is_guardrail_node"] = True
    if as_bool((placeholder.field("self_loop_config") or {}).get("enabled"), False):
        yield f"{placeholder}: its bounded retry is not done; a workflow is not tried again as a whole."
    settings = placeholder.field(_SETTINGS) or {}
    if as_bool(settings.get("is_global"), False):
        if as_bool((entry.get(_SETTINGS) or {}).get("is_global"), False):
            yield (
                f"{placeholder} is global, and so is {entry['logical_id']!r}, the start inside it; the super "
                "node's condition is the one that counts."
            )
        entry[_SETTINGS] = {**settings, _BACK: None, ENTRY: placeholder.id}
        yield from _project_way_back(gate, nodes)


def _project_way_back(gate: Gate, nodes: dict[str, JsonObject]) -> Iterator[str]:
    placeholder = gate.placeholder
    condition = placeholder.field(_SETTINGS).get(_BACK)
    if condition is None:
        return
    scope = gate.models
    if placeholder.field("reverse_edge_scope") == "terminal_nodes":
        terminals = set(gate.terminals)
        scope = [node_id for node_id in scope if node_id in terminals]
    back = {
        "super_node_logical_id": placeholder.id,
        "entered_node_logical_id": gate.entry,
        "condition": condition,
    }
    for node_id in scope:
        nodes[node_id][REVERSE_EDGES] = [*nodes[node_id].get(REVERSE_EDGES, ()), back]
    if not scope:
        yield f"{placeholder}: no inner node calls a model that could choose the way back."
