"""The workflows that are embedded in super nodes, as far down as there are any."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from debugger.errors import InputError, WorkflowError
from debugger.graph.checks.naming import cut, of_node
from debugger.graph.checks.problem import Problem
from debugger.graph.checks.subject import Subject, own_field
from debugger.graph.graph import Graph
from debugger.protocol.workflow import NodeConfig, Workflow

_DEEPEST = 100
_MOST_NAMES = 4


@dataclass(frozen=True)
class Embedded:
    """A workflow inside a super node."""

    subject: Subject
    path: tuple[str, ...]
    """The names of the super nodes around it, outermost first."""
    outermost: str
    """The id of the outermost one: the node in which a person finds it."""

    def moved_out(self, problem: Problem) -> Problem:
        """A problem of this workflow as one of the whole: at the outermost super node, after the path."""
        message = f"Inside {_named(self.path)}: {problem.message}"
        return replace(problem, message=message, node_logical_id=self.outermost, edge_logical_id=None)


def embedded_workflows(subject: Subject) -> Iterator[Embedded | Problem]:
    """Every embedded workflow, outer ones first; a problem in the place of one that cannot be read.

    Source: ``platform/engine.md`` 2.11.
    """
    waiting: list[tuple[NodeConfig, tuple[str, ...], str]] = [
        (node, (node.label,), node.logical_id) for node in _holders(subject)
    ]
    for node, path, outermost in waiting:  # grows while it is walked
        try:
            inner = Workflow.from_document(own_field(node, "encapsulated_workflow_config"))
        except (InputError, WorkflowError) as error:
            yield _unreadable(node, path, outermost, error.message)
            continue
        found = Embedded(Subject(Graph(inner), subject.known_node_types), path, outermost)
        yield found
        if len(path) < _DEEPEST:
            waiting += [(deeper, (*path, deeper.label), outermost) for deeper in _holders(found.subject)]


def _holders(subject: Subject) -> list[NodeConfig]:
    return [
        node
        for node in subject.nodes
        if node.type == "super_node" and own_field(node, "encapsulated_workflow_config")
    ]


def _unreadable(node: NodeConfig, path: tuple[str, ...], outermost: str, why: str) -> Problem:
    around = f"Inside {_named(path[:-1])}: " if len(path) > 1 else ""
    return Problem(
        "error",
        "super-node-without-workflow",
        f"{around}{of_node(node)} has an 'encapsulated_workflow_config' that cannot be read: {why}",
        node_logical_id=outermost,
        advice="Embed a fully hydrated workflow, or set 'super_workflow_id'.",
    )


def _named(path: tuple[str, ...]) -> str:
    """The path; of a long one its beginning, how many are left out, and the last name."""
    names = [cut(name) for name in path]
    left_out = len(names) - _MOST_NAMES
    if left_out > 0:
        names = [*names[: _MOST_NAMES - 1], f"({left_out} more)", names[-1]]
    return repr(" > ".join(names))
