"""Locations of events: nodes, edges, event types and errors at which a breakpoint can be set."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from debugger.analysis.node_origins import super_nodes_around
from debugger.graph import Graph
from debugger.graph.nesting import origin_of
from debugger.protocol.events import EdgeEvent, Event

BreakpointKind = Literal["before", "after", "edge", "event", "error"]
"""Before or after a node runs, when an edge is taken, when an event of a type comes, when something fails."""

_NO_TRANSITIONS = frozenset({"self_loop_delay", "self_loop_exhausted", "waiting_condition_matched"})


class Location(NamedTuple):
    """A place at which a breakpoint can be set."""

    kind: BreakpointKind
    target: str
    """The node's or edge's logical id, or the event type; nothing for ``error``."""


@dataclass
class LocationTracker:
    """The position of each thread of a run, by which the locations of an event are found.

    Args:
        graph: The version that runs, with or without what is inside its super nodes.
    """

    graph: Graph
    _ended: dict[str | None, str] = field(default_factory=dict)
    """The node that has just ended in each thread, until its state is reported."""
    _around: dict[str | None, list[str]] = field(default_factory=dict)
    """The super nodes around the node that each thread last began."""

    def find(self, event: Event) -> set[Location]:
        """Return the locations of an event.

        A node has ended once its state is reported, because its successors see that state. A super node
        begins with the first of its inner nodes.

        Args:
            event: The next event of the run; none may be left out.
        """
        found = {Location("event", event.type)}
        if event.is_failure:
            found.add(Location("error", ""))
        wire = event.to_wire()
        if event.type == "start_node_run":
            around = list(wire.get("super_node_origin") or ())
            before = self._around.get(event.origin_thread_id, [])
            self._around[event.origin_thread_id] = around
            started = [wire.get("origin_node_logical_id"), *(one for one in around if one not in before)]
            found |= {Location("before", str(node_id)) for node_id in started}
        elif event.type == "end_node_run":
            self._ended[event.origin_thread_id] = str(wire.get("origin_node_logical_id"))
        elif event.type == "workflow_show_state":
            ended = self._ended.pop(wire.get("thread_id"), None)
            found |= {Location("after", ended)} if ended else set()
        elif isinstance(event, EdgeEvent) and event.type not in _NO_TRANSITIONS:
            found |= self._find_edges(event)
        return found

    def _find_edges(self, event: EdgeEvent) -> set[Location]:
        if event.edge_logical_id:
            return {Location("edge", event.edge_logical_id)}
        # A direct edge is reported without its id, and with the nodes inside the super nodes at its ends
        # (``platform.md#edge-selection``).
        sources = self._with_super_nodes(event.source_node_logical_id)
        destinations = self._with_super_nodes(event.destination_node_logical_id)
        stays_in = set(sources[1:]) & set(destinations[1:])
        return {
            Location("edge", edge.logical_id)
            for source in sources
            if source not in stays_in
            for edge in self.graph.find_outgoing_edges(source)
            if edge.destination_node_logical_id in destinations
            and edge.destination_node_logical_id not in stays_in
            and event.type.startswith(str(edge.type))
        }

    def _with_super_nodes(self, node_id: str | None) -> tuple[str, ...]:
        """Return a node and the super nodes around it."""
        if node_id is None:
            return ()
        node = self.graph.nodes.get(node_id)
        around = origin_of(node) if node is not None else super_nodes_around(node_id, self.graph.nodes)
        return (node_id, *around)
