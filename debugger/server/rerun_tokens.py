"""Tokens of re-runs: minted, read and redeemed (``platform.md#re-runs``)."""

from __future__ import annotations

import time

from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.forks import RerunEdits, RerunPlan, RerunTarget
from debugger.errors import ConflictError, NotFoundError
from debugger.store import RerunTicket

EXPIRES_AFTER_SECONDS = 900


def mint(engine: EmbeddedBackend, plan: RerunPlan, target: RerunTarget) -> str:
    """Return a token for a re-run, which is stored and valid for `EXPIRES_AFTER_SECONDS`.

    It is of the version that is active when it is minted, unless the target names one.

    Raises:
        ConflictError: The re-run is not possible.
    """
    if plan.refusal is not None:
        raise ConflictError(plan.refusal)
    return engine.store.rerun_tokens.mint(
        RerunTicket(
            run_id=plan.run_id,
            turn_index=plan.turn_index,
            graph_digest=plan.graph_digest,
            expires_at=time.time() + EXPIRES_AFTER_SECONDS,
            # The version is fixed now: another one may be active when the token is redeemed.
            target={**target.model_dump(), "target_version_number": plan.version_number},
            edits={},
        )
    )


def find(engine: EmbeddedBackend, run_id: str, turn_index: int, token: str) -> RerunTicket:
    """Return the ticket of a token.

    Raises:
        NotFoundError: It has expired, was redeemed, or is not one of this turn.
    """
    ticket = engine.store.rerun_tokens.find(token)
    if (ticket.run_id, ticket.turn_index) != (run_id, turn_index):
        raise NotFoundError("There is no such re-run token for this turn.")
    return ticket


def plan_of(engine: EmbeddedBackend, ticket: RerunTicket) -> RerunPlan:
    """Return the re-run of a ticket, as it would be now.

    Raises:
        NotFoundError: The run or the workflow does not exist any more.
        ConflictError: The workflow was changed since the token was minted, or the run cannot be re-run any
            more.
        InputError: The target names nodes that are not there.
    """
    plan = engine.forks.plan(ticket.run_id, ticket.turn_index, RerunTarget.model_validate(ticket.target))
    if plan.graph_digest != ticket.graph_digest:
        raise ConflictError("The workflow was changed since this re-run token was issued.")
    return plan


def redeem(
    engine: EmbeddedBackend,
    token: str,
    *,
    workflow_id: str | None = None,
    version_number: int | None = None,
    run_by: str | None = None,
    is_limited: bool = False,
) -> str:
    """Start the re-run of a token, and return the run's id.

    The start uses the token up; an error leaves it as it is.

    Args:
        engine: The backend.
        token: The token.
        workflow_id: The workflow that the caller expects; ``None`` expects none.
        version_number: The version that the caller expects; a client's 0 may mean none.
        run_by: The user.
        is_limited: The run counts against its workflow's limit.

    Raises:
        NotFoundError: It has expired, was redeemed, or never was one; or the run does not exist any more.
        ConflictError: It is of another workflow or version, or the workflow was changed since.
        InputError: An edit of it cannot be made.
        RateLimitError: The run is limited, and the limit of its workflow is reached.

    Source: ``platform.md#start-frame`` and ``platform.md#close-codes`` (4007).
    """
    ticket = engine.store.rerun_tokens.find(token)
    plan = plan_of(engine, ticket)
    if workflow_id not in (None, plan.workflow_id):
        raise ConflictError(f"This re-run token is of the workflow {plan.workflow_id}.")
    if version_number and version_number != plan.version_number:
        raise ConflictError(f"This re-run token is of version {plan.version_number}.")
    edits = RerunEdits.model_validate(ticket.edits)
    return engine.forks.begin(plan, edits, run_by, is_limited=is_limited, token=token)
