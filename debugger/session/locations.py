"""Locations of events: nodes, edges, event types and errors at which a breakpoint can be set."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from debugger.graph import Graph
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
        graph: The version that runs.
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
        # A direct edge is reported without its id (``platform.md#edge-selection``).
        leaving = self.graph.leaving(event.source_node_logical_id or "")
        return {
            Location("edge", edge.logical_id)
            for edge in leaving
            if edge.destination_node_logical_id == event.destination_node_logical_id
            and event.type.startswith(str(edge.type))
        }
