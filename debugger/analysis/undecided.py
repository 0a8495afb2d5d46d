"""Nodes that a run stayed on, or ended at, because the stand-in chose no edge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from debugger.analysis.event_fields import field, node_name_of, node_of, text
from debugger.analysis.transitions import TRANSITION_TYPES
from debugger.graph.graph import Graph
from debugger.graph.nesting import may_enter
from debugger.protocol.events import Event
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import NodeConfig

STAND_IN = "stand-in"
"""Name in the usage of what answers where there is no model."""
_NO_TOOL = "has no tool_config."
"""The end of the engine's error for a tool node without a tool."""
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
    """A node whose next step was left open."""

    node: str
    text: str
    """The reason, as a sentence."""
    steps: tuple[Step, ...]
    """The steps that a model chooses; empty where the graph does not show them."""


def undecided_node(turn: TurnLog, graph: Graph) -> Undecided | None:
    """Return the last node of a turn that the stand-in left without taking an edge.

    Without one, the last tool node without a tool: its call failed, so that an edge was taken or none.

    Args:
        turn: The turn.
        graph: The workflow.
    """
    open_node = without_tool = None
    for event in turn.events:
        if _is_of_stand_in(event):
            open_node = event
        elif _is_without_tool(event):
            without_tool = event
        elif event.type in TRANSITION_TYPES and open_node is not None:
            source, destination = node_of(event), text(event, "destination_node_logical_id")
            if source == node_of(open_node) and source != destination:
                open_node = None
    last = open_node or without_tool
    node = node_of(last) if last is not None else None
    if last is None or node is None:
        return None
    config = graph.nodes.get(node)
    name = config.label if config is not None else node_name_of(last) or node
    sentence = f"The stand-in chose no edge of {name}." if open_node is not None else f"{name} has no tool."
    if config is None:
        return Undecided(node, sentence, ())
    steps = tuple(_steps(config, graph))
    return Undecided(node, sentence, steps) if steps or graph.conditional(node) else None


def _is_of_stand_in(event: Event) -> bool:
    usage = field(event, "llm_usage_info") if event.type in _MODEL_EVENTS else None
    return isinstance(usage, dict) and usage.get("response_model") == STAND_IN


def _is_without_tool(event: Event) -> bool:
    output = field(event, "run_output") if event.type == "end_node_run" else None
    return isinstance(output, dict) and str(output.get("error_message")).endswith(_NO_TOOL)


def _steps(config: NodeConfig, graph: Graph) -> Iterator[Step]:
    """Yield the steps whose conditions a model judges."""
    for edge in graph.conditional(config.logical_id):
        condition, destination = edge.condition, edge.destination_node_logical_id or ""
        if condition and condition.condition_freeform and not condition.condition_expression:
            yield Step(graph.nodes[destination].label, edge.logical_id, destination)
    for node in graph.global_nodes if config.type in ("say_llm", "worker_llm") else ():
        settings = node.global_node_config
        if settings and node.logical_id != config.logical_id and may_enter(config, node):
            yield Step(node.label, "", node.logical_id)
