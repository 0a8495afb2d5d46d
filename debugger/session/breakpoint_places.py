"""Which places of a workflow an event stands for, as breakpoints name them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from debugger.graph import Graph
from debugger.protocol.base import JsonObject
from debugger.protocol.events import EdgeEvent, Event

PlaceKind = Literal["before", "after", "edge", "event", "error"]

_NO_HOPS = frozenset({"self_loop_delay", "self_loop_exhausted", "waiting_condition_matched"})


class Place(NamedTuple):
    """A place that a breakpoint can be set at."""

    kind: PlaceKind
    target: str
    """The node's or edge's logical id, or the event type; nothing for ``error``."""


@dataclass
class Places:
    """Follows the events of a run, and tells the places that each stands for.

    Args:
        graph: The version that runs.
    """

    graph: Graph
    _ended: dict[str | None, str] = field(default_factory=dict)
    """The node that has just ended in each thread, until its state is told."""
    _around: dict[str | None, list[str]] = field(default_factory=dict)
    """The super nodes around the node that each thread last began."""

    def of(self, event: Event) -> set[Place]:
        """The places of an event.

        A node counts as over once its state has been told, since that is what its successors see. A super
        node is come to with the first of its inner nodes.
        """
        found = {Place("event", event.type)}
        if event.is_failure:
            found.add(Place("error", ""))
        wire = event.to_wire()
        if event.type == "start_node_run":
            found |= self._begun(event, wire)
        elif event.type == "end_node_run":
            self._ended[event.origin_thread_id] = str(wire.get("origin_node_logical_id"))
        elif event.type == "workflow_show_state":
            ended = self._ended.pop(wire.get("thread_id"), None)
            found |= {Place("after", ended)} if ended else set()
        elif isinstance(event, EdgeEvent) and event.type not in _NO_HOPS:
            found |= self._taken(event)
        return found

    def _begun(self, event: Event, wire: JsonObject) -> set[Place]:
        around = list(wire.get("super_node_origin") or ())
        before = self._around.get(event.origin_thread_id, [])
        self._around[event.origin_thread_id] = around
        entered = [node_id for node_id in around if node_id not in before]
        return {Place("before", node_id) for node_id in (str(wire.get("origin_node_logical_id")), *entered)}

    def _taken(self, event: EdgeEvent) -> set[Place]:
        if event.edge_logical_id:
            return {Place("edge", event.edge_logical_id)}
        # A direct edge is told without its id (``platform/engine.md`` 3.3).
        leaving = self.graph.leaving(event.source_node_logical_id or "")
        return {
            Place("edge", edge.logical_id)
            for edge in leaving
            if edge.destination_node_logical_id == event.destination_node_logical_id
            and event.type.startswith(str(edge.type))
        }
