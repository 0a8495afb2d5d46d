"""What is known of workflows besides their graphs: who made them, who likes them, their limits."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update

from debugger.store.schema import runs, workflows
from debugger.store.server_schema import favorites, workflow_facts
from debugger.store.workflows import summarize_workflow

ACTIVE_STATUSES = ("started", "running", "waiting_for_user_input")
"""Runs that count against a workflow's limit (``platform/wire.md`` 2.6)."""

_MOST_AT_ONCE = 500
"""Ids in one statement."""


@dataclass(frozen=True)
class WorkflowFacts:
    """What is known of one workflow."""

    created_by: str | None = None
    updated_by: str | None = None
    max_concurrent_runs: int | None = None


@dataclass(frozen=True)
class RunRule:
    """What a new run of a workflow must heed."""

    changed_at: float
    """When the workflow or one of its versions was last changed, in seconds since 1970."""
    max_concurrent_runs: int | None


NOTHING_KNOWN = WorkflowFacts()


def read_facts(connection: Connection, workflow_ids: Collection[str]) -> dict[str, WorkflowFacts]:
    """What is known of those of the workflows of which something is."""
    return {
        row.workflow_id: WorkflowFacts(row.created_by, row.updated_by, row.max_concurrent_runs)
        for some in _portions(workflow_ids)
        for row in connection.execute(select(workflow_facts).where(workflow_facts.c.workflow_id.in_(some)))
    }


def read_rule(connection: Connection, workflow_id: str) -> RunRule | None:
    """What a new run of a workflow must heed; ``None`` where the workflow is not there."""
    found = select(workflows.c.updated_at, workflow_facts.c.max_concurrent_runs).outerjoin_from(
        workflows, workflow_facts, workflow_facts.c.workflow_id == workflows.c.id
    )
    row = connection.execute(found.where(workflows.c.id == workflow_id)).one_or_none()
    return None if row is None else RunRule(row.updated_at, row.max_concurrent_runs)


def note(connection: Connection, workflow_id: str, **values: str | int | None) -> None:
    """Note facts on a workflow; those that are left out stay.

    Raises:
        NotFoundError: There is no such workflow.
    """
    ours = workflow_facts.c.workflow_id == workflow_id
    if not connection.execute(update(workflow_facts).where(ours).values(**values)).rowcount:
        summarize_workflow(connection, workflow_id)
        connection.execute(insert(workflow_facts), {"workflow_id": workflow_id, **values})


def favor(connection: Connection, workflow_id: str, user_id: str, *, is_favorite: bool) -> None:
    """Mark a workflow for somebody, or take the mark away.

    Raises:
        NotFoundError: There is no such workflow.
    """
    summarize_workflow(connection, workflow_id)
    connection.execute(
        delete(favorites).where(favorites.c.workflow_id == workflow_id, favorites.c.user_id == user_id)
    )
    if is_favorite:
        connection.execute(insert(favorites), {"workflow_id": workflow_id, "user_id": user_id})


def favorites_of(connection: Connection, user_id: str) -> frozenset[str]:
    """The ids of the workflows that somebody has marked."""
    found = select(favorites.c.workflow_id).where(favorites.c.user_id == user_id)
    return frozenset(connection.scalars(found))


def count_active_runs(connection: Connection, workflow_id: str) -> int:
    """How many runs of a workflow are under way."""
    counted = select(func.count()).select_from(runs)
    ours = (runs.c.workflow_id == workflow_id, runs.c.status.in_(ACTIVE_STATUSES))
    return connection.scalar(counted.where(*ours)) or 0


def _portions(ids: Collection[str]) -> Iterator[list[str]]:
    wanted = list(ids)
    return (wanted[at : at + _MOST_AT_ONCE] for at in range(0, len(wanted), _MOST_AT_ONCE))
