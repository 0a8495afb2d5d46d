"""Kinds of breakpoints: one entry of `_facts_of` is all that is known of a kind.

A new kind is a name in `BreakpointKind` and its entry; the form, the list, the graph, the stored format and
the matching follow from it. A kind that looks at more than a `Moment` has adds a field to it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal, assert_never, get_args

from debugger.analysis.event_fields import text, values_of
from debugger.analysis.node_origins import super_nodes_around
from debugger.analysis.trouble import classify_trouble
from debugger.graph import Graph
from debugger.graph.nesting import origin_of
from debugger.protocol.events import EVENT_TYPES, EdgeEvent, Event

BreakpointKind = Literal["before", "after", "edge", "event", "error"]
"""The names of the kinds, as they are stored."""

_NO_TRANSITIONS = frozenset({"self_loop_delay", "self_loop_exhausted", "waiting_condition_matched"})


@dataclass(frozen=True)
class Moment:
    """An event, and what has happened with it."""

    event: Event
    begun: Collection[str] = ()
    """The ids of the nodes that begin; a super node begins with the first of its inner nodes."""
    ended: Collection[str] = ()
    """The id of the node that has ended: its state is reported, which its successors see."""
    edges: Collection[str] = ()
    """The ids of the edges that are taken."""


@dataclass(frozen=True)
class KindFacts:
    """One kind of breakpoint."""

    label: str
    """The kind in the form for new ones."""
    find_targets: Callable[[Moment], Collection[str]]
    """Returns the targets whose breakpoints of this kind an event hits."""
    choices: Callable[[Graph], Mapping[str, str]] | None
    """Returns what the form offers as target, with the words for it; ``None`` of a kind without a target."""
    describe: Callable[[Graph, str], str]
    """Returns the words for a target: ``before Greeting``."""
    explain_unreachable: Callable[[Graph, str], str | None]
    """Returns why a target can never be hit in a workflow, else ``None``."""
    drawn_on: Literal["node", "edge"] | None
    """Element of the graph that shows it. A click on an element sets the first kind that is drawn on it."""


@dataclass
class MomentTracker:
    """The positions of the threads, from which follows what happens with each event.

    Args:
        graph: The version that runs, with or without what is inside its super nodes.
    """

    graph: Graph
    _ended: dict[str | None, str] = field(default_factory=dict)
    """The node that has just ended in each thread, until its state is reported."""
    _around: dict[str | None, list[str]] = field(default_factory=dict)
    """The super nodes around the node that each thread last began."""

    def follow(self, event: Event) -> Moment:
        """Take the next event of the run, none left out; return what happens with it.

        The begun and ended nodes, or the taken edges, of an event that has none of these are empty.
        """
        wire = event.to_wire()
        if event.type == "start_node_run":
            around = values_of(event).super_node_origin
            before = self._around.get(event.origin_thread_id, [])
            self._around[event.origin_thread_id] = around
            started = [wire.get("origin_node_logical_id"), *(one for one in around if one not in before)]
            return Moment(event, begun={str(node_id) for node_id in started})
        if event.type == "end_node_run":
            self._ended[event.origin_thread_id] = str(wire.get("origin_node_logical_id"))
        elif event.type == "workflow_show_state":
            ended = self._ended.pop(text(event, "thread_id"), None)
            return Moment(event, ended={ended} if ended else ())
        elif isinstance(event, EdgeEvent) and event.type not in _NO_TRANSITIONS:
            edges = self._find_edges(event)
            around = self._around.get(event.origin_thread_id, [])
            if (left := wire.get("super_node_exit_origin")) in around:  # it may begin again
                self._around[event.origin_thread_id] = around[: around.index(left)]
            return Moment(event, edges=edges)
        return Moment(event)

    def _find_edges(self, event: EdgeEvent) -> set[str]:
        """Return the ids of the edges that a transition takes.

        They are found by the edge's id in the event, else by the nodes at its ends and the super nodes around
        these. Empty for a transition to a global node that follows no edge.
        """
        if event.edge_logical_id:
            return {event.edge_logical_id}
        destination = self.graph.nodes.get(event.destination_node_logical_id or "")
        is_to_global = destination is not None and destination.is_global
        if event.type == "conditional_edge" and is_to_global and not event.edge_name:
            return set()  # a transition to a global node follows no edge
        # A direct edge is reported without its id, and with the nodes inside the super nodes at its ends
        # (``platform.md#edge-selection``).
        sources = self._with_super_nodes(event.source_node_logical_id)
        destinations = self._with_super_nodes(event.destination_node_logical_id)
        stays_in = set(sources[1:]) & set(destinations[1:])
        return {
            edge.logical_id
            for source in sources
            if source not in stays_in
            for edge in self.graph.find_outgoing_edges(source)
            if edge.destination_node_logical_id in destinations
            and edge.destination_node_logical_id not in stays_in
            and event.type.startswith(str(edge.type))
        }

    def _with_super_nodes(self, node_id: str | None) -> tuple[str, ...]:
        """Return a node's id and those of the super nodes around it; empty for ``None``."""
        if node_id is None:
            return ()
        node = self.graph.nodes.get(node_id)
        around = origin_of(node) if node is not None else super_nodes_around(node_id, self.graph.nodes)
        return (node_id, *around)


def _facts_of(kind: BreakpointKind) -> KindFacts:
    """Return all that is known of a kind of breakpoint: words, targets, reasons against it, its place."""
    match kind:
        case "before":
            return KindFacts(
                label="Before a node",
                find_targets=lambda moment: moment.begun,
                choices=lambda graph: graph.names,
                describe=lambda graph, target: f"before {_label(graph, target)}",
                explain_unreachable=_explain_node,
                drawn_on="node",
            )
        case "after":
            return KindFacts(
                label="After a node",
                find_targets=lambda moment: moment.ended,
                choices=lambda graph: graph.names,
                describe=lambda graph, target: f"after {_label(graph, target)}",
                explain_unreachable=_explain_end,
                drawn_on="node",
            )
        case "edge":
            return KindFacts(
                label="On an edge",
                find_targets=lambda moment: moment.edges,
                choices=_edge_choices,
                describe=lambda graph, target: f"on {_edge_ends(graph, target)}",
                explain_unreachable=_explain_edge,
                drawn_on="edge",
            )
        case "event":
            return KindFacts(
                label="On an event type",
                find_targets=lambda moment: (moment.event.type,),
                choices=lambda _: {name: name for name in sorted(EVENT_TYPES)},
                describe=lambda _, target: f"on {target}",
                explain_unreachable=lambda _, target: (
                    None if target in EVENT_TYPES else "There is no such event type."
                ),
                drawn_on=None,
            )
        case "error":
            return KindFacts(
                label="On any error",
                find_targets=lambda moment: ("",) if _is_failure(moment.event) else (),
                choices=None,
                describe=lambda _graph, _target: "on any error",
                explain_unreachable=lambda _graph, _target: None,
                drawn_on=None,
            )
        case _:
            assert_never(kind)


def kinds_drawn_on(element: Literal["node", "edge"]) -> tuple[BreakpointKind, ...]:
    """Return the kinds that the graph shows on a node or on an edge."""
    return tuple(kind for kind, facts in KINDS.items() if facts.drawn_on == element)


def _is_failure(event: Event) -> bool:
    trouble = classify_trouble(event)
    return trouble is not None and trouble.is_failure


def _explain_node(graph: Graph, target: str) -> str | None:
    """Return why a node never runs, as a sentence: it is missing or disabled; else ``None``."""
    node = graph.nodes.get(target)
    if node is None:
        return "This version of the workflow has no such node."
    return "The node is disabled, so it never runs." if node.disabled else None


def _explain_end(graph: Graph, target: str) -> str | None:
    """Return why no end of a node is reported: it never runs or is a super node; else ``None``."""
    reason = _explain_node(graph, target)
    if reason is None and graph.nodes[target].type == "super_node":
        return "Its inner nodes end one by one; set it on the edge that leaves the super node."
    return reason


def _explain_edge(graph: Graph, target: str) -> str | None:
    """Return why an edge is never taken, as a sentence: it is missing or disabled; else ``None``."""
    edge = graph.edges.get(target)
    if edge is None:
        return "This version of the workflow has no such edge."
    return "The edge is disabled, so it is never taken." if edge.disabled else None


def _edge_choices(graph: Graph) -> dict[str, str]:
    return {
        edge.logical_id: _edge_ends(graph, edge.logical_id) + (f" ({edge.name})" if edge.name else "")
        for edge in graph.edges.values()
    }


def _edge_ends(graph: Graph, target: str) -> str:
    """Return the labels of an edge's nodes with an arrow; ``edge`` and its id for an unknown one."""
    edge = graph.edges.get(target)
    if edge is None:
        return f"edge {target}"
    ends = (edge.source_node_logical_id, edge.destination_node_logical_id)
    return " → ".join(_label(graph, end or "") for end in ends)


def _label(graph: Graph, node_id: str) -> str:
    node = graph.nodes.get(node_id)
    names = [graph.nodes[each].label for each in origin_of(node) if each in graph.nodes] if node else []
    return " › ".join([*names, node.label]) if node else node_id


KINDS: dict[BreakpointKind, KindFacts] = {kind: _facts_of(kind) for kind in get_args(BreakpointKind)}
"""Every kind, in the order of the form."""
