"""Tokens of re-runs: given, looked at, amended, redeemed."""

from __future__ import annotations

import time
from math import ceil

from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.forks import RerunEdits, RerunPlan, RerunTarget
from debugger.errors import ConflictError, NotFoundError
from debugger.store import RerunTicket

EXPIRES_AFTER = 900
"""Seconds that a token can be used (``platform/wire.md`` section 7)."""


def mint(engine: EmbeddedBackend, plan: RerunPlan, target: RerunTarget) -> str:
    """A token for a re-run that is possible.

    Raises:
        ConflictError: It is not.
    """
    if plan.refusal is not None:
        raise ConflictError(plan.refusal)
    return engine.store.rerun_tokens.mint(
        RerunTicket(
            run_id=plan.run_id,
            turn_index=plan.turn_index,
            graph_digest=plan.graph_digest,
            expires_at=time.time() + EXPIRES_AFTER,
            # The version is settled now: another one may be active when the token is redeemed.
            target={**target.model_dump(), "target_version_number": plan.version_number},
            edits={},
        )
    )


def find(engine: EmbeddedBackend, run_id: str, turn_index: int, token: str) -> RerunTicket:
    """What a token of a turn stands for.

    Raises:
        NotFoundError: It has expired, was redeemed, or is none of this turn.
    """
    ticket = engine.store.rerun_tokens.find(token)
    if (ticket.run_id, ticket.turn_index) != (run_id, turn_index):
        raise NotFoundError("There is no such re-run token for this turn.")
    return ticket


def plan_of(engine: EmbeddedBackend, ticket: RerunTicket) -> RerunPlan:
    """The re-run that a token stands for, as it would be now.

    Raises:
        NotFoundError: The run or the workflow is not there any more.
        ConflictError: The workflow was changed since the token was given.
    """
    plan = engine.forks.plan(ticket.run_id, ticket.turn_index, RerunTarget.model_validate(ticket.target))
    if plan.graph_digest != ticket.graph_digest:
        raise ConflictError("The workflow was changed since this re-run token was given.")
    return plan


def edits_of(ticket: RerunTicket) -> RerunEdits:
    """What is to be edited before."""
    return RerunEdits.model_validate(ticket.edits)


def seconds_left(ticket: RerunTicket) -> int:
    """How long a token can still be used."""
    return max(0, ceil(ticket.expires_at - time.time()))


def redeem(
    engine: EmbeddedBackend,
    token: str,
    *,
    workflow_id: str | None = None,
    version_number: int | None = None,
    run_by: str | None = None,
) -> str:
    """Make the run that a token stands for; its id. Nobody can redeem the token again.

    Args:
        engine: Has the runs.
        token: The token.
        workflow_id: The workflow that the caller speaks of; ``None`` does not say.
        version_number: The same of the version; a client's 0 may mean that it does not say (2.5).
        run_by: Who redeems it.

    Raises:
        NotFoundError: It has expired, was redeemed, or never was one; or the run is not there any more.
        ConflictError: It is of another workflow or version, or the workflow was changed since.

    Source: ``platform/wire.md`` 6.2, 6.4 (4007).
    """
    ticket = engine.store.rerun_tokens.find(token)
    plan = plan_of(engine, ticket)
    if workflow_id not in (None, plan.workflow_id):
        raise ConflictError(f"This re-run token is of the workflow {plan.workflow_id}.")
    if version_number and version_number != plan.version_number:
        raise ConflictError(f"This re-run token is of version {plan.version_number}.")
    engine.store.rerun_tokens.redeem(token)
    return engine.forks.begin(plan, edits_of(ticket), run_by)
