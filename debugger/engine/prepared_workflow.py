"""Workflows as they run: super nodes replaced, saved models written in, and what is odd about them."""

from __future__ import annotations

from dataclasses import dataclass

from debugger.engine.run_notes import RunNote, run_notes
from debugger.engine.super_nodes import LoadWorkflow, expand
from debugger.graph.saved_models import with_known_models
from debugger.protocol.workflow import Workflow


@dataclass(frozen=True)
class PreparedWorkflow:
    """A workflow that an interpreter takes, with what its runs are warned of."""

    workflow: Workflow
    notes: tuple[RunNote, ...]
    inner_ids: frozenset[str]
    """The ids of the stored workflows that it contains."""


def prepare(workflow: Workflow, load_workflow: LoadWorkflow) -> PreparedWorkflow:
    """Return a workflow as it runs, with notes: super nodes are replaced, saved models written in.

    The ids of the stored workflows that were written in are given besides, those inside others too. Without
    super nodes and saved models the runnable workflow equals the author's.

    Args:
        workflow: What the author wrote; it is not changed.
        load_workflow: Gives the stored workflow of a super node by id and version.

    Raises:
        RunError: A super node cannot be replaced by its workflow.
    """
    expansion = expand(workflow, load_workflow)
    runnable = with_known_models(expansion.workflow)
    return PreparedWorkflow(
        runnable,
        run_notes(workflow, runnable, expansion.warnings),
        frozenset(inner_id for inner_id, _ in expansion.loaded),
    )
