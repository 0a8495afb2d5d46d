"""Bodies of the hosted API (``platform.md#execute`` and ``platform.md#workflow-routes``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from debugger.errors import WorkflowError
from debugger.protocol.base import AnswerModel, JsonObject, without_secret_variables
from debugger.protocol.runs import MAIN_THREAD, RunSearch, TurnInput, TurnResult
from debugger.protocol.workflow import VersionSummary, Workflow, WorkflowSummary, unwrap_document

PAGE_SIZE = 100
GRAPH_KEYS = ("config", "workflow_config")
"""Where a version may carry its graph (``platform.md#version-answer``)."""


def execute_body(turn_input: TurnInput, run_id: str | None, version: int | None) -> JsonObject:
    """Return the body of the request for one turn.

    Args:
        turn_input: The input of the turn; secrets in it stay here.
        run_id: The run to go on with.
        version: The version that a new run begins with.
    """
    run_input = dict(turn_input.to_wire())
    # A recorded input may name its run: a server could continue that one.
    if run_input.get("workflow_run_id") is not None:
        run_input["workflow_run_id"] = None
    # The API refuses an input without any thread (``platform.md#execute-input``).
    if not run_input.get("thread_to_node_inputs"):
        run_input["thread_to_node_inputs"] = {MAIN_THREAD: {"node_run_inputs": []}}
    if version is not None:
        run_input["version_number"] = version
    return {"run_input": run_input} if run_id is None else {"run_input": run_input, "run_id": run_id}


def live_input(
    workflow_id: str, turn_input: TurnInput, run_id: str | None, version: int | None
) -> JsonObject:
    """Return the frame for one turn: an input that names its run.

    Args:
        workflow_id: The workflow.
        turn_input: The input of the turn; secrets in it stay here.
        run_id: The run to go on with.
        version: The version that a new run begins with.

    Source: ``platform.md#start-frame``.
    """
    run_input: JsonObject = execute_body(turn_input, None, version)["run_input"]
    run_input["workflow_id"] = workflow_id
    if run_id is not None:
        run_input["workflow_run_id"] = run_id
    return run_input


def new_workflow_body(document: JsonObject, name: str | None) -> JsonObject:
    """Return the body that creates a workflow.

    It is the graph, with name and description where the API reads them.

    Raises:
        WorkflowError: The document is no workflow.
        InputError: A node or an edge in it lacks what every one of them needs.

    Source: ``platform.md#create-workflow``.
    """
    workflow = Workflow.from_document(document)
    body = without_secret_variables(unwrap_document(document))
    body["name"] = body.get("name") or name or workflow.name
    description = body.get("description") or workflow.config.description
    return {**body, "description": description} if description else body


def turn_result(body: JsonObject) -> TurnResult:
    """Return a turn's result; a missing status follows from the flags.

    Raises:
        InputError: It is none.

    Source: answers without a status in ``platform.md#contradictions``.
    """
    if body.get("status") is not None:
        return TurnResult.from_wire(body)
    flags = _Flags.from_wire(body)
    over = "failed" if body.get("error") else "completed"
    going = "waiting_for_user_input" if flags.is_waiting_for_input else "running"
    return TurnResult.from_wire({**body, "status": over if flags.is_completed else going})


class _Flags(AnswerModel):
    """The flags of an answer that has no status."""

    is_waiting_for_input: bool = False
    is_completed: bool = False


def search_query(search: RunSearch) -> dict[str, str]:
    """Return a search for runs as the API's query (``platform.md#run-list``).

    It has times, text and source run; empty ones are left out, and all other fields of the search are
    ignored.
    """
    query = {
        "start": search.since.isoformat() if search.since else "",
        "end": search.until.isoformat() if search.until else "",
        "search": " ".join(search.text.split()),
        "source_workflow_run_id": search.source_workflow_run_id or "",
    }
    return {key: value for key, value in query.items() if value}


def has_more(body: JsonObject, rows: int, seen: int) -> bool:
    """Return whether another page follows, by any sign in the list.

    Args:
        body: The answer.
        rows: How many rows it has.
        seen: How many different rows have come so far.

    Source: ``platform.md#paging``.
    """
    paging = Paging.from_wire(body)
    if paging.has_next is not None:
        return paging.has_next
    return seen < paging.total if paging.total is not None else rows >= PAGE_SIZE


class Paging(AnswerModel):
    """The paging of a list (``platform.md#paging``)."""

    total: int | None = None
    """Number of rows on all pages."""
    has_next: bool | None = None


def workflow_summary(body: JsonObject) -> WorkflowSummary:
    """Return the row of the workflow that an answer is about.

    Raises:
        InputError: It has no id.
    """
    return WorkflowSummary.from_row(inner_object(body, "workflow"))


def version_summary(row: JsonObject) -> VersionSummary:
    """Return a version without its graph.

    Raises:
        InputError: It has no number.
    """
    return VersionSummary.from_wire({key: value for key, value in row.items() if key not in GRAPH_KEYS})


def version_graph(row: Mapping[str, Any]) -> JsonObject | None:
    """Return the graph that a version carries, unwrapped, else ``None``.

    It is under the first of `GRAPH_KEYS` that holds a workflow.
    """
    for key in GRAPH_KEYS:
        try:
            return dict(unwrap_document(row.get(key)))
        except WorkflowError:
            continue
    return None


def inner_object(body: JsonObject, key: str) -> JsonObject:
    """Return the object under a key, or the unwrapped body."""
    inner = body.get(key)
    return inner if isinstance(inner, dict) else body


def workflow_named(workflow_id: str) -> str:
    """Return the name of a workflow in errors."""
    return f"workflow {workflow_id!r}"


def run_named(run_id: str) -> str:
    """Return the name of a run in errors."""
    return f"run {run_id!r}"
