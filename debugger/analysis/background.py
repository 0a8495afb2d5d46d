"""Background work that a run has left, as far as its events tell."""

from __future__ import annotations

from collections.abc import Iterator

from debugger.analysis.origins import author_node_id
from debugger.analysis.standing import Standing
from debugger.protocol.workflow import EdgeConfig, Workflow

_UNDER_WAY = frozenset({"started", "running", "waiting_for_user_input"})


def may_go_on(standing: Standing, workflow: Workflow, status: str) -> bool:
    """Whether a recorded run may go on without its user: a record does not say it, only a backend knows.

    Args:
        standing: Where its threads stand.
        workflow: The workflow that ran.
        status: The run's status.

    Source: companion threads and armed waiting edges, ``platform/engine.md`` 7.4.
    """
    if status not in _UNDER_WAY:
        return False
    waits_at = standing.main.node if standing.main.waiting else None
    return bool(standing.companions) or any(
        _is_judged_while_waiting(edge) for edge in _edges_of(waits_at or "", workflow)
    )


def _edges_of(node_id: str, workflow: Workflow) -> Iterator[EdgeConfig]:
    """The edges that leave a node, also one inside of super nodes as far as the workflow holds them.

    The edges that leave a super node itself are never judged while waiting (``platform/engine.md`` 2.11).
    """
    nodes = {node.logical_id: node for node in workflow.node_configs}
    own = author_node_id(node_id, nodes)
    if own == node_id:
        yield from (edge for edge in workflow.edge_configs if edge.source_node_logical_id == node_id)
    elif isinstance(inside := nodes[own].to_wire().get("encapsulated_workflow_config"), dict):
        yield from _edges_of(node_id.removeprefix(f"{own}/"), Workflow.from_document(inside))


def _is_judged_while_waiting(edge: EdgeConfig) -> bool:
    config = edge.evaluate_while_waiting_config
    return config is not None and config.enabled
