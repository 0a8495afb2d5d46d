"""A workflow as answers show it (``platform/wire.md`` 4.2, 4.3)."""

from __future__ import annotations

from debugger.protocol import urls
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import Workflow, WorkflowSummary
from debugger.store import NOTHING_KNOWN, WorkflowFacts


def workflow_row(summary: WorkflowSummary, facts: WorkflowFacts = NOTHING_KNOWN) -> JsonObject:
    """A workflow as lists show it: the bare record, without a graph."""
    return {
        "_id": summary.id,
        "team_id": None,
        "created_by": facts.created_by,
        "updated_by": facts.updated_by,
        "created_at": summary.created_at,
        "updated_at": summary.updated_at,
        "active_version_number": summary.active_version_number,
        "max_concurrent_runs": facts.max_concurrent_runs,
        "workflow_config": {"name": summary.name, "description": summary.description},
    }


def workflow_record(row: JsonObject, graph: Workflow) -> JsonObject:
    """A workflow without its graph: its settings, and the ids of its nodes and edges."""
    settings = graph.to_wire().get("workflow_config") or {}
    ids = {
        "nodes": [node.logical_id for node in graph.node_configs],
        "edges": [edge.logical_id for edge in graph.edge_configs],
    }
    return {**row, "workflow_config": {**settings, **row["workflow_config"], **ids}}


def hydrated_record(row: JsonObject, graph: Workflow) -> JsonObject:
    """A workflow with the whole graph of a version, two levels deep (``platform/wire.md`` 4.3)."""
    return {**row, "workflow_config": graph.to_wire()}


def workflow_answer(record: JsonObject, base_url: str) -> JsonObject:
    """The answer around a workflow: with the address at which it is executed."""
    path = urls.BASE_PATH + urls.EXECUTE.format(workflow_id=record["_id"])
    return {"workflow": record, "execution_url": base_url.rstrip("/") + path}
