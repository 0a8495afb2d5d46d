"""Nodes that a run stayed on, or ended at, because the stand-in took no edge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from debugger.analysis.event_fields import field, node_name_of, node_of, text
from debugger.analysis.transitions import TRANSITION_TYPES
from debugger.graph.graph import Graph
from debugger.protocol.events import Event
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import NodeConfig

STAND_IN = "stand-in"
"""What answered, as usage names it, where no model is at hand."""
_MODEL_EVENTS = frozenset({"say_llm", "worker_llm", "condition_evaluator_llm"})


@dataclass(frozen=True)
class Step:
    """A step that the user could choose in the stand-in's place."""

    label: str
    edge: str
    """The edge's id; empty for the transition to a global node."""
    node: str
    """The destination."""


@dataclass(frozen=True)
class Undecided:
    """A node whose next step the stand-in left open."""

    node: str
    name: str
    steps: tuple[Step, ...]
    """The steps that a model chooses; empty where the graph does not show them."""


def undecided_node(turn: TurnLog, graph: Graph) -> Undecided | None:
    """Return the last node of a turn that the stand-in left without taking an edge.

    A tool node without a tool is one, too: nothing at hand gives its result.

    Args:
        turn: The turn.
        graph: The workflow.
    """
    node = name = None
    for event in turn.events:
        if _is_of_stand_in(event) or _is_without_tool(event, graph):
            node, name = node_of(event), node_name_of(event)
        elif event.type in TRANSITION_TYPES and text(event, "destination_node_logical_id") != node:
            node = None if text(event, "source_node_logical_id") == node else node
    if node is None:
        return None
    config = graph.nodes.get(node)
    if config is None:  # inside a super node
        return Undecided(node, name or node, ())
    steps = tuple(_steps(config, graph))
    can_leave = steps or graph.conditional(node)
    return Undecided(node, config.label, steps) if can_leave else None


def _is_of_stand_in(event: Event) -> bool:
    usage = field(event, "llm_usage_info") if event.type in _MODEL_EVENTS else None
    return isinstance(usage, dict) and usage.get("response_model") == STAND_IN


def _is_without_tool(event: Event, graph: Graph) -> bool:
    config = graph.nodes.get(node_of(event) or "") if event.type == "end_node_run" else None
    return config is not None and config.type == "tool_node" and not config.to_wire().get("tool_config")


def _steps(config: NodeConfig, graph: Graph) -> Iterator[Step]:
    """Yield the steps whose conditions a model judges."""
    for edge in graph.conditional(config.logical_id):
        condition, destination = edge.condition, edge.destination_node_logical_id or ""
        if condition and condition.condition_freeform and not condition.condition_expression:
            yield Step(graph.nodes[destination].label, edge.logical_id, destination)
    for node in graph.global_nodes if config.type in ("say_llm", "worker_llm") else ():
        settings = node.global_node_config
        if settings and node.logical_id != config.logical_id:
            yield Step(node.label, "", node.logical_id)
