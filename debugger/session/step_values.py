"""Values with which a step is taken: of a structured output, or of unset variables."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from debugger.analysis.event_fields import node_of, text, values_of
from debugger.analysis.undecided import EdgeExpression, Fields, edge_expression, tell_apart
from debugger.engine.json_schema import schema_error
from debugger.engine.mocks import Pin, Target
from debugger.engine.variables import VariableEdit
from debugger.errors import ExpressionError
from debugger.expressions import ABSENT, Scope, lookup, parse, unresolved_placeholders
from debugger.expressions.solutions import Name, Values, solution, with_values
from debugger.graph.checks.tools import tool_of_node
from debugger.graph.checks.variables import names_written_by
from debugger.graph.graph import Graph
from debugger.protocol.base import JsonObject
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import SYSTEM_NAMES, NodeConfig


def answer_fields(
    expression: EdgeExpression, fields: JsonObject, schema: JsonObject | None, scope: Scope
) -> JsonObject | None:
    """Return a structured output with which an edge is taken, and none before it.

    As few values as possible are changed. ``None`` where no such output is found.

    Args:
        expression: The expression, and what the output sets of it.
        fields: The output to change; it stays as it is.
        schema: The schema that the output must fit.
        scope: The variables of the run besides it.
    """
    paths: dict[Name, Fields] = {("runtime", path): keys for path, keys in expression.answered.items()}
    known = {name: value for name, keys in paths.items() if (value := _at(fields, keys)) is not ABSENT}

    def is_allowed(values: Mapping[Name, Any]) -> bool:
        if not values.keys() <= paths.keys():
            return False
        return schema is None or schema_error(_filled(fields, paths, values), schema) is None

    found = solution(
        expression.text,
        with_values(scope, known),
        others=expression.before,
        values={name: _named_values(schema, keys) for name, keys in paths.items()},
        is_allowed=is_allowed,
    )
    return None if found is None else _filled(fields, paths, found)


def _named_values(schema: JsonObject | None, keys: Fields) -> Sequence[Any]:
    """Return the ``enum`` of a field in a schema; empty where it names none, or has no such field."""
    place: Any = schema
    for key in keys:
        properties = place.get("properties") if isinstance(place, dict) else None
        place = properties.get(key) if isinstance(properties, dict) else None
    found = place.get("enum") if isinstance(place, dict) else None
    return found if isinstance(found, list) else ()


def edits_for(values: Values, scope: Scope) -> tuple[VariableEdit, ...] | None:
    """Return the edits that set values; of a path into an object, the object with the value in it.

    ``None`` where no variable can be named, as for a place in a list, or where another one would be read.
    """
    edits: dict[Name, VariableEdit] = {}
    for (kind, path), value in values.items():
        root, *keys = path.split(".")
        is_of_thread = bool(keys) and root.startswith("thread_")
        if is_of_thread or not all(key.isidentifier() for key in (root, *keys)):
            return None
        if keys:
            known = edits[kind, root].value if (kind, root) in edits else getattr(scope, kind).get(root)
            value = _filled({root: known}, {(kind, path): (root, *keys)}, {(kind, path): value})[root]
        edits[kind, root] = VariableEdit(kind, root, value)
    changed = with_values(scope, {name: edit.value for name, edit in edits.items()})
    are_read = all(lookup(changed, kind, path) == value for (kind, path), value in values.items())
    return tuple(edits.values()) if are_read else None


def pinned_output(expression: EdgeExpression, node: NodeConfig, scope: Scope) -> JsonObject | None:
    """Return the output of a pin for a node so that an edge is taken, and none before it.

    It is a success with an empty result, with as few other values as possible. ``None`` where the node's
    variables do not decide.

    Args:
        expression: The expression of the edge.
        node: The node that it leaves.
        scope: The variables of the run before the node.
    """
    names = names_written_by(node)
    endings: JsonObject = {"_success": True, "_error": None}
    results = [name for name in names if all(f"{name}{ending}" in names for ending in endings)]
    first: JsonObject = {}
    for name in sorted(results):
        first |= {name: {}, **{f"{name}{ending}": value for ending, value in endings.items()}}
    before = with_values(scope, {("runtime", name): value for name, value in first.items()})
    values = solution(
        expression.text,
        before,
        others=expression.before,
        is_allowed=lambda found: all(name in expression.written for _, name in found),
    )
    edits = edits_for(values, before) if values is not None else None
    if edits is None or not all(edit.name in names for edit in edits):
        return None
    return {"variables": {**first, **{edit.name: edit.value for edit in edits}}}


def needed_for(expression: EdgeExpression) -> str:
    """Return what must change so that an expression holds, as a sentence on tools or variables."""
    references = {reference.text: reference.path for reference in parse(expression.text).references}
    set_by_it = {*expression.answered, *expression.fed}
    others = [text for text, path in references.items() if path not in set_by_it]
    if expression.tools and not others:
        return f"It needs {expression.text}, which a call of {' and '.join(expression.tools)} decides."
    if not others:
        return f"Type values with which {expression.text} holds."
    return (
        f"It needs {expression.text}, and {' and '.join(others)} must be set elsewhere: "
        "in the run input, or while the run is paused."
    )


def _filled(fields: JsonObject, paths: Mapping[Name, Fields], values: Mapping[Name, Any]) -> JsonObject:
    """Return a copy of fields with values set at their paths; what is no object on the way is replaced."""
    filled = copy.deepcopy(fields)
    for name, value in values.items():
        *outer, last = paths[name]
        place = filled
        for key in outer:
            if not isinstance(place.get(key), dict):
                place[key] = {}
            place = place[key]
        place[last] = value
    return filled


def _at(fields: Any, keys: Fields) -> Any:
    for key in keys:
        if not isinstance(fields, dict) or key not in fields:
            return ABSENT
        fields = fields[key]
    return fields


@dataclass(frozen=True)
class OpenedStep:
    """A step that a run would have taken with other values."""

    label: str
    edge: str
    edits: tuple[VariableEdit, ...]
    pin: Pin | None = None
    """The answer with which a node that has failed takes it."""


@dataclass(frozen=True)
class UnsetVariables:
    """Variables without a value at a node, and the steps that values open."""

    paths: tuple[str, ...]
    """Dynamic variables that the node or its edges use; an empty text counts as no value."""
    steps: tuple[OpenedStep, ...]

    @property
    def names(self) -> list[str]:
        """Return the variables to set: of a path into an object, the object."""
        bare = (path.removeprefix("global.") for path in self.paths)
        roots = (path.partition(".")[0].partition("[")[0] for path in bare)
        return [name for name in dict.fromkeys(roots) if name.isidentifier()]


@dataclass(frozen=True)
class FailedCalls:
    """Nodes of a turn whose calls failed, and the steps that other answers open."""

    names: tuple[str, ...]
    steps: tuple[OpenedStep, ...]


def failed_calls(turn: TurnLog, graph: Graph, scope: Scope) -> FailedCalls | None:
    """Return the nodes of a turn whose last call failed, and the steps that other answers open.

    ``None`` where none opens a step. Edges that the turn has taken are left out.

    Args:
        turn: The turn.
        graph: The workflow.
        scope: The variables of the main thread.
    """
    failed: dict[str, NodeConfig] = {}
    passed: set[str | None] = set()
    for event in turn.events:
        node = graph.nodes.get(node_of(event) or "")
        passed.add(text(event, "edge_logical_id"))
        if node is not None and event.type == "end_node_run":
            failed.pop(node.logical_id, None)
            is_answered_by_form = node.type == "tool_node" and tool_of_node(node) is None
            if values_of(event).run_output.success is False and not is_answered_by_form:
                failed[node.logical_id] = node
    names, steps = [], []
    for node in failed.values():
        opened = [step for step in _pinned_steps(node, graph, scope) if step.edge not in passed]
        names += [node.label] if opened else []
        steps += opened
    labels = tell_apart([(step.label, step.edge) for step in steps], graph)
    labelled = [replace(step, label=label) for step, label in zip(steps, labels, strict=True)]
    return FailedCalls(tuple(names), tuple(labelled)) if labelled else None


def _pinned_steps(node: NodeConfig, graph: Graph, scope: Scope) -> Iterator[OpenedStep]:
    """Yield a step for each edge of a node that another answer takes, with the pin of that answer."""
    for edge in graph.conditional(node.logical_id):
        expression = edge_expression(edge, graph, node)
        if expression is None or not expression.written:
            continue
        output = pinned_output(expression, node, scope)
        if output is not None:
            label = graph.nodes[edge.destination_node_logical_id or ""].label
            yield OpenedStep(label, edge.logical_id, (), Pin(Target("node", node.logical_id), output))


def unset_variables(node: NodeConfig, graph: Graph, scope: Scope) -> UnsetVariables:
    """Return the unset dynamic variables that a node or its edges use, and the steps they open.

    Both may be empty.

    Args:
        node: The node where the run ended.
        graph: The workflow.
        scope: The variables of the main thread at the end.
    """
    edges = graph.conditional(node.logical_id)
    used = {
        "workflow_config": {},
        "node_configs": [node.to_wire()],
        "edge_configs": [edge.to_wire() for edge in edges],
    }
    paths = unresolved_placeholders(used, _without_blanks(scope.dynamic), system=SYSTEM_NAMES)
    steps = list(_steps(node, graph, scope))
    labels = tell_apart([(step.label, step.edge) for step in steps], graph)
    labelled = (replace(step, label=label) for step, label in zip(steps, labels, strict=True))
    return UnsetVariables(tuple(paths), tuple(labelled))


def _steps(node: NodeConfig, graph: Graph, scope: Scope) -> Iterator[OpenedStep]:
    """Yield a step for each edge of a node that values of unset variables take, with the edits that set them.

    An expression that does not parse, and variables that a node has written, are left out.
    """

    def can_set(values: Values) -> bool:
        # What a node has written wins over a value that is set before the turn.
        return all(name.isidentifier() and (kind, name) not in written for kind, name in values)

    written = {("runtime", name) for name in scope.runtime}
    for edge in graph.conditional(node.logical_id):
        expression = edge_expression(edge, graph, node)
        if expression is None:
            continue
        try:
            values = solution(expression.text, scope, others=expression.before, is_allowed=can_set)
        except ExpressionError:
            continue
        destination = graph.nodes[edge.destination_node_logical_id or ""]
        if values:
            edits = tuple(VariableEdit(kind, name, value) for (kind, name), value in values.items())
            yield OpenedStep(destination.label, edge.logical_id, edits)


def _without_blanks(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables but empty texts: a run input has unfilled ones."""
    return {
        name: _without_blanks(value) if isinstance(value, Mapping) else value
        for name, value in values.items()
        if value != ""
    }
