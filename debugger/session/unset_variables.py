"""Variables without a value where a run ended, and the steps they open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from debugger.analysis.undecided import edge_expression
from debugger.engine.variables import VariableEdit
from debugger.errors import ExpressionError
from debugger.expressions import Scope, unresolved_placeholders
from debugger.expressions.solutions import Values, solution
from debugger.graph.graph import Graph
from debugger.protocol.workflow import SYSTEM_NAMES, NodeConfig


@dataclass(frozen=True)
class OpenedStep:
    """A step that a run would have taken with other values."""

    label: str
    edge: str
    edits: tuple[VariableEdit, ...]


@dataclass(frozen=True)
class UnsetVariables:
    """Variables without a value at a node, and the steps that values open."""

    paths: tuple[str, ...]
    """Dynamic variables that the node or its edges use; an empty text counts as no value."""
    steps: tuple[OpenedStep, ...]

    @property
    def names(self) -> list[str]:
        """Return the variables to set: of a path into an object, the object."""
        roots = (path.partition(".")[0].partition("[")[0] for path in self.paths)
        return [name for name in dict.fromkeys(roots) if name.isidentifier()]


def unset_variables(node: NodeConfig, graph: Graph, scope: Scope) -> UnsetVariables:
    """Return the missing variables of a node, and the steps they open.

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
    return UnsetVariables(tuple(paths), tuple(_steps(node, graph, scope)))


def _steps(node: NodeConfig, graph: Graph, scope: Scope) -> Iterator[OpenedStep]:
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
