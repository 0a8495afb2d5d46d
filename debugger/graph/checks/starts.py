"""Rules about where a run begins."""

from __future__ import annotations

from collections.abc import Iterator

from debugger.graph.checks.naming import of_node
from debugger.graph.checks.problem import Problem
from debugger.graph.checks.subject import Subject


def no_nodes(subject: Subject) -> Iterator[Problem]:
    """A workflow without nodes can be stored but not run.

    Source: ``platform/engine.md`` 1.1.
    """
    if not subject.graph.nodes:
        yield Problem(
            "error", "no-nodes", "The workflow has no nodes, so no run can start.", advice="Add a start node."
        )


def no_start_node(subject: Subject) -> Iterator[Problem]:
    """A run needs a node to start at."""
    if not subject.graph.nodes or subject.graph.start_nodes:
        return
    flagged = [node for node in subject.graph.nodes.values() if node.is_start]
    why = (
        f"{of_node(flagged[0])} is flagged as the start and disabled" if flagged else "no node has 'is_start'"
    )
    yield Problem(
        "error",
        "no-start-node",
        f"No run can start: {why}.",
        node_logical_id=flagged[0].logical_id if flagged else None,
        advice="Set 'is_start' on one enabled node.",
    )


def several_start_nodes(subject: Subject) -> Iterator[Problem]:
    """Of several start nodes only the first is ever started at."""
    first, *others = subject.graph.start_nodes or (None,)
    for node in others:
        if node is not None and first is not None:
            yield Problem(
                "warning",
                "several-start-nodes",
                f"{of_node(node)} is flagged as the start, but runs start at {of_node(first, 'node')}.",
                node_logical_id=node.logical_id,
                advice="Leave 'is_start' set on one node.",
            )
