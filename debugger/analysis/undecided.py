"""Nodes whose next step the user can decide in place of the built-in rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from debugger.analysis.event_fields import EventFields, node_name_of, node_of, text, values_of
from debugger.analysis.position import Position
from debugger.analysis.steps import MODEL_TYPES
from debugger.analysis.transitions import LEAVING_TYPES, condition_text
from debugger.errors import ExpressionError
from debugger.expressions import Reference, parse
from debugger.expressions.values import shortened
from debugger.graph.checks.context import own_field
from debugger.graph.checks.tools import DEFAULT_RESULT, variables_of_tools
from debugger.graph.checks.variables import names_written_by
from debugger.graph.graph import Graph
from debugger.graph.nesting import may_enter
from debugger.graph.node_types import CONVERSATION_NODES
from debugger.protocol.events import Event
from debugger.protocol.runs import MAIN_THREAD
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import EdgeConfig, NodeConfig

_NO_TOOL = "has no tool_config."
"""The end of the engine's error for a tool node without a tool."""
_NAMES = re.compile(r"[^.\[\]]+(?:\.[^.\[\]]+)*")

Fields = tuple[str, ...]
"""The keys on the way to a value in an answer's structured output."""


@dataclass(frozen=True)
class EdgeExpression:
    """The expression of an edge, and what an answer can set of it."""

    text: str
    before: tuple[str, ...]
    """The expressions of the node's edges that are evaluated before it."""
    answered: Mapping[str, Fields]
    """The variables that the answer sets, by their paths in the expressions."""
    fed: Mapping[str, str] = field(default_factory=dict)
    """The tools that the answer may call and that set a variable, by its path in the expressions."""
    written: frozenset[str] = frozenset()
    """The paths, in the expressions, of variables that the node's run writes without a model."""

    @property
    def tools(self) -> tuple[str, ...]:
        """Return the tools that set a variable of the edge's own expression."""
        paths = dict.fromkeys(reference.path for reference in parse(self.text).references)
        return tuple(dict.fromkeys(self.fed[path] for path in paths if path in self.fed))

    @property
    def is_answered(self) -> bool:
        """Return whether an answer, or a tool that it calls, sets a variable of the edge's own expression."""
        set_by_it = {*self.answered, *self.fed}
        return any(reference.path in set_by_it for reference in parse(self.text).references)


@dataclass(frozen=True)
class Step:
    """A step that the user could choose in place of the built-in rules."""

    label: str
    edge: str
    """The edge's id; empty for the transition to a global node or back from it."""
    node: str
    """The destination."""
    asked: str
    """The node that is answered for."""
    expression: EdgeExpression | None = None
    """``None`` where a model judges the condition."""


@dataclass(frozen=True)
class Undecided:
    """Nodes whose next step was left open."""

    nodes: tuple[str, ...]
    text: str
    """The reason, as a sentence."""
    steps: tuple[Step, ...]
    """The steps that an answer decides; empty where the graph does not show them."""


@dataclass(frozen=True)
class _Answered:
    """A node answered by the built-in rules, or a tool node without a tool."""

    event: Event
    node: str
    thread: str
    has_tool: bool = True


def undecided_nodes(
    turn: TurnLog, graph: Graph, place: Position, *, is_over: bool = False
) -> Undecided | None:
    """Return the nodes that the built-in rules left without taking an edge; ``None`` where there are none.

    Without one, the tool nodes without a tool: their calls failed, so that an edge was taken or none. Without
    those, where the run is over, the nodes that an expression over the answer of the rules left.

    Args:
        turn: The last turn of the run.
        graph: The workflow.
        place: The position after the turn, for the way back from a global node.
        is_over: Whether the run is over.
    """
    answered: dict[str, _Answered] = {}
    left: dict[str, set[str | None]] = {}
    for event in turn.events:
        node = node_of(event)
        if node is None:
            continue
        has_tool = not _is_without_tool(event)
        if _is_of_rules(event) or not has_tool:
            answered.pop(node, None)
            answered[node] = _Answered(event, node, EventFields(event).thread or MAIN_THREAD, has_tool)
            left.pop(node, None)
        elif event.type in LEAVING_TYPES and text(event, "destination_node_logical_id") != node:
            left.setdefault(node, set()).add(text(event, "edge_logical_id"))
    found = list(answered.values())
    open_nodes = [each for each in found if each.has_tool and each.node not in left]
    without_tool = [each for each in found if not each.has_tool]
    if candidates := _listed(open_nodes, found, graph, left, place):
        return _undecided("The built-in rules chose no edge of {}.", candidates, graph)
    if candidates := _listed(without_tool[-1:], found, graph, left, place):
        return _undecided("{} has no tool.", candidates, graph)
    others = [(each, steps) for each, steps in _listed(found, found, graph, left, place) if steps]
    decided = [(each, [step for step in steps if step.expression]) for each, steps in others[-1:]]
    is_decided = is_over and any(steps for _, steps in decided)
    return _undecided("The built-in rules answered for {}.", decided, graph) if is_decided else None


_Candidates = list[tuple[_Answered, list[Step]]]


def _listed(
    nodes: Sequence[_Answered],
    answered: Sequence[_Answered],
    graph: Graph,
    left: Mapping[str, set[str | None]],
    place: Position,
) -> _Candidates:
    """Return nodes with their possible next steps, without edges already taken.

    Nodes that are not in the graph stay, and those with conditional edges, though they have no step.
    """
    found = []
    for each in nodes:
        config = graph.nodes.get(each.node)
        steps = list(_steps(config, each, answered, graph, place)) if config is not None else []
        taken = left.get(each.node, ())
        steps = [step for step in steps if not step.edge or step.edge not in taken]
        if config is None or steps or graph.conditional(each.node):
            found.append((each, steps))
    return found


def _undecided(sentence: str, candidates: _Candidates, graph: Graph) -> Undecided:
    """Return what is undecided at some nodes: a sentence with their names, and their possible next steps."""
    names = " and ".join(node_name_of(each.event) or each.node for each, _ in candidates)
    steps = [step for _, steps in candidates for step in steps]
    labels = tell_apart([(step.label, step.edge) for step in steps], graph)
    steps = [replace(step, label=label) for step, label in zip(steps, labels, strict=True)]
    return Undecided(tuple(each.node for each, _ in candidates), sentence.format(names), tuple(steps))


_LONGEST_WORDS = 40


def tell_apart(steps: Sequence[tuple[str, str]], graph: Graph) -> list[str]:
    """Return the labels of steps in order.

    Of equal ones each also has its edge's name, else the condition, if any.

    Args:
        steps: The label and the edge's id of each; the id is empty without an edge.
        graph: The workflow.
    """
    labels = [label for label, _ in steps]
    found = []
    for label, edge_id in steps:
        edge = graph.edges.get(edge_id)
        words = (edge.name or condition_text(edge.condition)) if edge is not None else ""
        is_one_of_several = labels.count(label) > 1 and words
        found.append(f"{label} ({shortened(words, _LONGEST_WORDS)})" if is_one_of_several else label)
    return found


def _is_of_rules(event: Event) -> bool:
    return event.type in MODEL_TYPES and values_of(event).llm_usage_info.is_of_built_in_rules


def _is_without_tool(event: Event) -> bool:
    return event.type == "end_node_run" and values_of(event).run_output.error_message.endswith(_NO_TOOL)


def _steps(
    config: NodeConfig, node: _Answered, answered: Sequence[_Answered], graph: Graph, place: Position
) -> Iterator[Step]:
    """Yield the steps that an answer decides, in the order of evaluation."""
    sources = [node, *(each for each in reversed(answered) if each is not node)]
    for edge in graph.conditional(config.logical_id):
        condition, destination = edge.condition, edge.destination_node_logical_id or ""
        label = graph.nodes[destination].label
        if condition is None:
            continue
        if condition.condition_expression:
            yield from _expression_steps(edge, label, node, sources, graph)
        elif condition.condition_freeform:
            yield Step(label, edge.logical_id, destination, config.logical_id)
    for other in graph.global_nodes if config.type in CONVERSATION_NODES else ():
        if other.global_node_config and other.logical_id != config.logical_id and may_enter(config, other):
            yield Step(other.label, "", other.logical_id, config.logical_id)
    for back in place.next_edges if place.current == config.logical_id else ():
        caller = graph.nodes.get(back.destination or "")
        if back.kind == "reverse" and caller is not None:
            yield Step(caller.label, "", caller.logical_id, config.logical_id)


def _expression_steps(
    edge: EdgeConfig, label: str, node: _Answered, sources: Sequence[_Answered], graph: Graph
) -> Iterator[Step]:
    """Yield the step along an edge for the first node whose answer sets a variable of its expression."""
    for source in sources:
        config = graph.nodes.get(source.node)
        thread = source.thread if source.thread != node.thread else None
        expression = edge_expression(edge, graph, config, thread) if config is not None else None
        if expression is not None and expression.is_answered:
            destination = edge.destination_node_logical_id or ""
            yield Step(label, edge.logical_id, destination, source.node, expression)
            return


def edge_expression(
    edge: EdgeConfig, graph: Graph, source: NodeConfig, thread: str | None = None
) -> EdgeExpression | None:
    """Return the expression of an edge with the variables that an answer sets.

    ``None`` where no expression decides, or none that can be read.

    Args:
        edge: The edge.
        graph: The workflow.
        source: The node that is answered for.
        thread: The reference id of its thread, where that may not be the edge's.
    """
    node_id = edge.source_node_logical_id or ""
    own = graph.conditional(node_id)
    text = _expression(edge)
    if not text or edge not in own or graph.main_direct(node_id) is not None:
        return None
    before = tuple(filter(None, map(_expression, own[: own.index(edge)])))
    answered: dict[str, Fields] = {}
    fed: dict[str, str] = {}
    written: set[str] = set()
    tools, own_names = variables_of_tools(source, graph.workflow.config), names_written_by(source)
    try:
        references: list[Reference] = [each for one in (text, *before) for each in parse(one).references]
    except ExpressionError:
        return None
    for reference in references:
        path = reference.path
        if thread is not None and not path.startswith(f"thread_{thread}."):
            continue
        own_path = path.removeprefix(f"thread_{thread}.")
        keys, tool = answered_field(source, own_path), tools.get(_root(source, own_path))
        if reference.namespace == "runtime" and keys is not None:
            answered[path] = keys
        elif reference.namespace == "runtime" and tool:
            fed[path] = tool
        elif reference.namespace == "runtime" and _root(source, own_path) in own_names:
            written.add(path)
    return EdgeExpression(text, before, answered, fed, frozenset(written))


def _root(node: NodeConfig, path: str) -> str:
    """Return the variable of a path, which may begin with the node that has set it."""
    for label in (node.logical_id, node.name):
        path = path.removeprefix(f"{label}.")
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def answered_field(node: NodeConfig, path: str) -> Fields | None:
    """Return the place of a runtime variable in a node's answer.

    ``None`` where its answer does not set it.
    """
    for label in (node.logical_id, node.name):
        path = path.removeprefix(f"{label}.")
    if not _NAMES.fullmatch(path):
        return None
    first, *rest = path.split(".")
    if node.type == "tool_node":
        name = own_field(node, "result_runtime_variable_name") or DEFAULT_RESULT
        is_answered = not own_field(node, "tool_config") and first in (name, f"{name}_success")
        return (("success",) if first != name else ("result", *rest)) if is_answered else None
    schema = own_field(node, "structured_output_schema")
    inner = schema.get("input_schema", schema) if isinstance(schema, dict) else None
    properties = inner.get("properties") if isinstance(inner, dict) else None
    if not isinstance(properties, dict):
        return None
    if node.type == "workflow_run_evaluator":
        is_own = first == own_field(node, "output_runtime_variable_name") and bool(rest)
        return tuple(rest) if is_own and rest[0] in properties else None
    return (first, *rest) if first in properties else None


def _expression(edge: EdgeConfig) -> str:
    return (edge.condition.condition_expression if edge.condition else None) or ""
