"""A problem on one line."""

from __future__ import annotations

from collections.abc import Iterator

from debugger.graph.checks.naming import of_edge, of_node
from debugger.graph.checks.problem import Problem
from debugger.graph.graph import Graph
from debugger.protocol.workflow import Workflow


def problem_line(problem: Problem, workflow: Workflow | Graph) -> str:
    """A problem's level, where it is, what is wrong and what to do about it.

    The excerpt under the message of an expression that does not parse is left out.

    Args:
        problem: What was found.
        workflow: Where; who has many lines to tell gives the graph, so that it is not indexed for each.
    """
    message, _, _ = problem.message.partition("\n")
    graph = workflow if isinstance(workflow, Graph) else Graph(workflow)
    placed = _placed(problem, message, graph)
    # A line break in a name would make two lines of it.
    told = " ".join(f"{placed} {problem.advice}".split())
    return f"{problem.level}  {told}"


def _placed(problem: Problem, message: str, graph: Graph) -> str:
    """The message after the name of what it is about."""
    places = list(_places(problem, graph))
    for place in places:
        if message[:1].lower() + message[1 : len(place)] == place:
            return f"{place}: {message[len(place) :].lstrip(': ')}"
    return f"{places[0]}: {message}" if places else f"workflow: {message}"


def _places(problem: Problem, graph: Graph) -> Iterator[str]:
    edge = graph.edges.get(problem.edge_logical_id or "")
    node = graph.nodes.get(problem.node_logical_id or "")
    if edge is not None:
        described = of_edge(edge)
        yield described[:1].lower() + described[1:]
    if node is not None:
        yield of_node(node, "node")
