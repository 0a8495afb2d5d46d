"""Records read together: a workflow with what is known of it, a run with what was said about it."""

from __future__ import annotations

from collections.abc import Sequence

from debugger.backends.base import Backend
from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import VersionSummary, WorkflowSummary
from debugger.server.shapes.feedback import Remarks
from debugger.server.shapes.versions import version_row
from debugger.server.shapes.workflows import (
    hydrated_record,
    workflow_answer,
    workflow_record,
    workflow_row,
)
from debugger.store import NOTHING_KNOWN


def read_rows(backend: Backend, summaries: Sequence[WorkflowSummary]) -> list[JsonObject]:
    """Workflows as lists show them."""
    known = {}
    if isinstance(backend, EmbeddedBackend):
        known = backend.store.catalogue.facts([summary.id for summary in summaries])
    return [workflow_row(summary, known.get(summary.id, NOTHING_KNOWN)) for summary in summaries]


def read_workflow(
    backend: Backend, workflow_id: str, base_url: str, *, fully_hydrate: bool = False
) -> JsonObject:
    """The answer with one workflow, with its active version's whole graph if asked for.

    Raises:
        NotFoundError: There is no such workflow.
    """
    row = read_rows(backend, [backend.workflow_summary(workflow_id)])[0]
    shape = hydrated_record if fully_hydrate else workflow_record
    return workflow_answer(shape(row, backend.workflow(workflow_id)), base_url)


def sign(backend: Backend, workflow_id: str, person: str) -> None:
    """Note who made a workflow, where it is kept here."""
    if isinstance(backend, EmbeddedBackend):
        backend.store.catalogue.note(workflow_id, created_by=person, updated_by=person)


def read_version(backend: Backend, workflow_id: str, version: VersionSummary) -> JsonObject:
    """A version with its graph.

    Raises:
        NotFoundError: There is no such workflow or version.
    """
    return version_row(workflow_id, version, backend.workflow(workflow_id, version.version_number).to_wire())


def read_remarks(backend: Backend, run_id: str) -> Remarks:
    """What was said about a run; nothing where it is kept elsewhere."""
    return backend.store.feedback.of(run_id) if isinstance(backend, EmbeddedBackend) else ([], [])
