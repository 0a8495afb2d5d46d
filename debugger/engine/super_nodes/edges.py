"""Edges into and out of super nodes, and their entries' flags.

Source: ``platform.md#super-nodes`` and ``platform.md#edges``.
"""

from __future__ import annotations

from collections.abc import Iterator

from debugger.engine.super_nodes.levels import InlinedWorkflow, Ports
from debugger.engine.super_nodes.references import TRIGGERS
from debugger.errors import RunError
from debugger.graph.nesting import ENTRY, EXIT_ORIGIN, REVERSE_EDGES
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import as_bool

WAITING = "evaluate_while_waiting_config"


def joined_edges(level: InlinedWorkflow, ports_by_id: dict[str, Ports]) -> Iterator[JsonObject]:
    """Yield the edges of one level, each from and to real nodes.

    An edge to a super node leads to the start inside it. A direct edge out of it leaves from every inner node
    where the inner workflow ends; a conditional one also from every inner node that calls a model, so that it
    can be taken before the end; a companion edge from the nodes that call a model.

    Raises:
        RunError: An edge out of a super node is judged in a wait, or a companion edge leads to several nodes.
    """
    for edge in level.edges:
        source, destination = edge.get("source_node_logical_id"), edge.get("destination_node_logical_id")
        if destination in ports_by_id:
            _refuse_several_beside(edge, ports_by_id[destination])
        led = _led_in(edge, ports_by_id)
        if source not in ports_by_id:
            yield led
            continue
        _refuse_waiting(edge, ports_by_id[source])
        yield from _copies(led, source, ports_by_id[source])


def missing_exits(level: InlinedWorkflow, ports_by_id: dict[str, Ports]) -> Iterator[str]:
    """Yield a warning for each direct edge that no inner end takes."""
    for edge in level.edges:
        source = edge.get("source_node_logical_id")
        if source in ports_by_id and edge["type"] == "direct" and not ports_by_id[source].terminals:
            yield (
                f"The direct edge {edge['logical_id']!r} out of the super node {source!r} is never taken: no "
                "node of the workflow inside is its end."
            )


def _led_in(edge: JsonObject, ports_by_id: dict[str, Ports]) -> JsonObject:
    led, destination = edge, edge.get("destination_node_logical_id")
    if destination in ports_by_id:
        led = {**led, "destination_node_logical_id": ports_by_id[destination].entry}
    waiting = edge.get(WAITING)
    if isinstance(waiting, dict) and any(name in ports_by_id for name in waiting.get(TRIGGERS) or ()):
        led = {**led, WAITING: {**waiting, TRIGGERS: _ends(waiting[TRIGGERS], ports_by_id)}}
    return led


def _ends(triggers: list[str], ports_by_id: dict[str, Ports]) -> list[str]:
    """Return trigger nodes: a super node completes when a node at its end does."""
    found = list[str]()
    for name in dict.fromkeys(triggers):
        found += ports_by_id[name].terminals if name in ports_by_id else [name]
    return found


def _copies(edge: JsonObject, super_node_id: str, ports: Ports) -> Iterator[JsonObject]:
    by_type = {"direct": ports.terminals, "conditional": ports.exits, "companion": ports.models}
    for node_id in by_type[edge["type"]]:
        yield {
            **edge,
            "logical_id": f"{edge['logical_id']}@{node_id}",
            "source_node_logical_id": node_id,
            EXIT_ORIGIN: super_node_id,
        }


def _refuse_waiting(edge: JsonObject, ports: Ports) -> None:
    if _is_on(edge) and as_bool((edge.get(WAITING) or {}).get("enabled"), False):
        raise RunError(
            f"{ports.super_node} is left by the edge {edge['logical_id']!r}, which must not "
            f"have {WAITING!r} enabled.",
            advice="Put the edge into the workflow inside the super node.",
        )


def _refuse_several_beside(edge: JsonObject, ports: Ports) -> None:
    if _is_on(edge) and edge["type"] == "companion" and ports.entry not in ports.terminals:
        raise RunError(
            f"{ports.super_node} stands for several nodes, and the companion edge {edge['logical_id']!r} "
            "that leads to it runs one node beside another.",
            advice="Lead it to one worker node, or fork a companion thread by a direct edge.",
        )


def _is_on(edge: JsonObject) -> bool:
    return not as_bool(edge.get("disabled"), False)


_SETTINGS = "global_node_config"
_BACK = "reverse_conditional_edge"


def move_entry_flags(ports: Ports, nodes: dict[str, JsonObject]) -> Iterator[str]:
    """Give a super node's entry the super node's own flags.

    It becomes the global or the guardrail node that the super node is; the way back from a global one goes
    to the inner nodes that ``reverse_edge_scope`` names.

    Args:
        ports: The super node, and where one comes into it and leaves it.
        nodes: The inner nodes by their id; changed in place.

    Yields:
        A warning for each flag that cannot be moved.

    Source: ``platform.md#super-nodes``, ``platform.md#global-nodes`` and ``platform.md#guardrails``.
    """
    super_node, entry = ports.super_node, nodes[ports.entry]
    if as_bool(super_node.wire.get("is_guardrail_node"), False):
        entry["is_guardrail_node"] = True
    if as_bool((super_node.wire.get("self_loop_config") or {}).get("enabled"), False):
        yield f"{super_node}: its bounded retry is ignored; a workflow is not run again as a whole."
    settings = super_node.wire.get(_SETTINGS) or {}
    if as_bool(settings.get("is_global"), False):
        if as_bool((entry.get(_SETTINGS) or {}).get("is_global"), False):
            yield (
                f"{super_node} is global, and so is {entry['logical_id']!r}, the start inside it; the super "
                "node's condition is the one that counts."
            )
        entry[_SETTINGS] = {**settings, _BACK: None, ENTRY: super_node.id}
        yield from _project_way_back(ports, nodes)


def _project_way_back(ports: Ports, nodes: dict[str, JsonObject]) -> Iterator[str]:
    super_node = ports.super_node
    condition = super_node.wire[_SETTINGS].get(_BACK)
    if condition is None:
        return
    scope = ports.models
    if super_node.wire.get("reverse_edge_scope") == "terminal_nodes":
        terminals = set(ports.terminals)
        scope = [node_id for node_id in scope if node_id in terminals]
    back = {
        "super_node_logical_id": super_node.id,
        "entered_node_logical_id": ports.entry,
        "condition": condition,
    }
    for node_id in scope:
        nodes[node_id][REVERSE_EDGES] = [*nodes[node_id].get(REVERSE_EDGES, ()), back]
    if not scope:
        yield f"{super_node}: no inner node calls a model that could choose the reverse edge."
