"""Claims of turns, written before the first node of a turn runs."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    update,
)

from debugger.errors import ConflictError, NotFoundError, RateLimitError
from debugger.protocol.json_codec import encode
from debugger.protocol.runs import RunStatus
from debugger.store.compression import read_json
from debugger.store.database import PreparedStatement, StatementCursor
from debugger.store.schema import IN_PROGRESS, IS_SHOWN, runs, turns, unfinished_turns, workflow_facts
from debugger.store.sql_helpers import database_time, has_passed, insert, upsert

new_claim_id = partial(secrets.token_hex, 12)
"""Returns a random id: only the owner of a claim stores the result of its turn."""

STALE = "stale_run_reaper"
"""The ``termination_source`` of a run whose first turn was interrupted."""


@dataclass(slots=True, kw_only=True)
class TurnClaim:
    """A turn that is about to be executed."""

    run_id: str
    turn_number: int
    """The number of the input/output pair in the record: background work counts."""
    workflow_id: str
    version_number: int
    begins_run: bool
    """The run's row is inserted with the claim; otherwise it exists already."""
    run_status: RunStatus
    """The status of the run while the turn is executed."""
    started_at: float
    """Seconds since 1970."""
    owner: str
    lease_seconds: float
    """How long the claim is held without being renewed."""
    pair: bytes
    """The run input, as JSON ``{"run_input": {...}}``; no secrets."""
    client_turn_id: str | None = None
    user_turn_number: int | None = None
    """The number of the user's turn; ``None`` of background work."""
    is_limited: bool = False
    """The turn is the first one of a run that counts against its workflow's limit."""

    version_name: str | None = None
    """Read on the first turn of a run, like the next."""
    workflow_name: str | None = None
    run_by: str | None = None
    source_workflow_run_id: str | None = None
    checkpoint_source_turn_index: int | None = None

    claim_id: str = field(default_factory=new_claim_id)


class ClaimedTurn(NamedTuple):
    """A turn in progress, as its row says."""

    run_id: str
    turn_number: int
    claim_id: str
    owner: str
    lease_until: float
    """Changes with each renewal; compared with another time by the database alone, see `is_late`."""
    lease_seconds: float
    user_turn_number: int | None
    event_count: int
    is_late: bool
    """The lease has passed by the clock of the database, where it has one."""


class RunPosition(NamedTuple):
    """The state of a run in its record."""

    status: RunStatus
    turn_count: int
    """Finished input/output pairs."""
    claimed: ClaimedTurn | None
    """The turn in progress."""


_INSERT_RUN = PreparedStatement(
    insert(runs)
    .values(
        id=bindparam("run_id"),
        workflow_id=bindparam("workflow_id"),
        version_number=bindparam("version_number"),
        version_name=bindparam("version_name"),
        workflow_name=bindparam("workflow_name"),
        run_by=bindparam("run_by"),
        status=bindparam("run_status"),
        turn_count=literal_column("0"),
        source_workflow_run_id=bindparam("source_workflow_run_id"),
        checkpoint_source_turn_index=bindparam("checkpoint_source_turn_index"),
        created_at=bindparam("started_at"),
        updated_at=bindparam("started_at"),
    )
    # An error would end the whole transaction in PostgreSQL.
    .on_conflict_do_nothing(index_elements=["id"])
)

IS_NEXT_TURN = and_(
    runs.c.id == bindparam("run_id"), runs.c.turn_count + literal_column("1") == bindparam("turn_number")
)
"""The condition for the run's row while its next turn has a number.

It is compared where the row is changed, which also locks it: every transaction on a turn locks the run first
and the turn second, and of two writers of one turn the second changes no row.
"""

_UPDATE_RUN = PreparedStatement(update(runs).where(IS_NEXT_TURN).values(status=bindparam("run_status")))

RENEWED_LEASE = {
    "lease_until": database_time() + bindparam("lease_seconds"),
    "lease_seconds": bindparam("lease_seconds"),
}
"""The columns of a lease that begins now."""

_INSERT_TURN = PreparedStatement(
    insert(turns)
    .values(
        run_id=bindparam("run_id"),
        turn_number=bindparam("turn_number"),
        status=literal_column("'started'"),
        started_at=bindparam("started_at"),
        finished_at=bindparam("started_at"),
        checkpoint=bindparam("no_checkpoint"),
        pair=bindparam("pair"),
        events=bindparam("no_events"),
        client_turn_id=bindparam("client_turn_id"),
        user_turn_number=bindparam("user_turn_number"),
        claim_id=bindparam("claim_id"),
        owner=bindparam("owner"),
        **RENEWED_LEASE,
        event_count=literal_column("0"),
    )
    # Of both unique keys: the number in the run, and the client turn id.
    .on_conflict_do_nothing()
    .inline()
)

HAS_CLAIM = and_(
    turns.c.run_id == bindparam("run_id"),
    turns.c.turn_number == bindparam("turn_number"),
    turns.c.claim_id == bindparam("claim_id"),
)
"""The condition for the row of a turn of a claim, executed or being executed."""
IS_CLAIMED = and_(HAS_CLAIM, IN_PROGRESS)
"""The condition for a turn's row while its claim is held."""

_LONGEST_RENEWAL = 10_800.0
"""Seconds for a claim by a program of before revision 0011, which stored no length: thrice its longest time
between two renewals."""

CLAIMED_COLUMNS = [
    turns.c.run_id,
    turns.c.turn_number,
    turns.c.claim_id,
    turns.c.owner,
    turns.c.lease_until,
    func.coalesce(turns.c.lease_seconds, literal_column(str(_LONGEST_RENEWAL))),
    turns.c.user_turn_number,
    turns.c.event_count,
    has_passed(turns.c.lease_until),
]
"""The columns of `ClaimedTurn`."""
_POSITION = PreparedStatement(
    select(runs.c.status, runs.c.turn_count, *CLAIMED_COLUMNS)
    .select_from(runs.outerjoin(turns, and_(turns.c.run_id == runs.c.id, IN_PROGRESS)))
    .where(runs.c.id == bindparam("run_id"))
)

_LIMIT = PreparedStatement(
    select(workflow_facts.c.max_concurrent_runs)
    .where(workflow_facts.c.workflow_id == bindparam("workflow_id"))
    .with_for_update()
)

ACTIVE_STATUSES = ("started", "running", "waiting_for_user_input")
"""Statuses of runs that count against a workflow's limit (``platform.md#run-status``)."""

ACTIVE_RUNS = PreparedStatement(
    select(func.count())
    .select_from(runs)
    .where(
        runs.c.workflow_id == bindparam("workflow_id"),
        runs.c.id != bindparam("run_id"),
        runs.c.status.in_([literal_column(f"'{status}'") for status in ACTIVE_STATUSES]),
        IS_SHOWN,
    )
)
"""The number of a workflow's active runs besides one."""


def take_claim(cursor: StatementCursor, claim: TurnClaim) -> None:
    """Store a turn as claimed, and its run if the claim begins it.

    After an error, the caller must roll back: the run may have been written already.

    Raises:
        ConflictError: The turn is not the run's next one, it is claimed already, or a turn with its client
            turn id is.
        NotFoundError: There is no such run, and the claim does not begin it.
        RateLimitError: The claim is limited, and the limit of its workflow is reached.
    """
    changed = cursor.run(_INSERT_RUN, claim) if claim.begins_run else 0
    changed = changed or cursor.run(_UPDATE_RUN, claim)
    if changed and cursor.run(_INSERT_TURN, claim, no_checkpoint=b"", no_events=b"[]"):
        if claim.is_limited:
            check_limit(cursor, claim.workflow_id, claim.run_id)
        return
    if not claim.begins_run and read_position(cursor, claim.run_id) is None:
        raise unknown_run(claim.run_id)
    raise ConflictError(
        f"Turn {claim.turn_number} of run {claim.run_id!r} cannot be claimed: "
        "another client is executing it, or has executed it already.",
        advice="Load the run and continue from its last turn.",
    )


def check_limit(cursor: StatementCursor, workflow_id: str, run_id: str) -> None:
    """Reject a run where as many others of its workflow are active as may be; a workflow may have no limit.

    The limit's row stays locked until the transaction ends, so that each run is stored before the next is
    counted.

    Raises:
        RateLimitError: The limit is reached.
    """
    row = cursor.row(_LIMIT, workflow_id=workflow_id)
    limit = None if row is None else row[0]
    if limit is not None and cursor.row(ACTIVE_RUNS, workflow_id=workflow_id, run_id=run_id)[0] >= limit:
        raise RateLimitError(
            f"{limit} runs of this workflow are active, and no more may be.",
            advice="Wait until one has ended, or raise the limit.",
        )


def read_position(cursor: StatementCursor, run_id: str) -> RunPosition | None:
    """Return the state of a run, or ``None``."""
    row = cursor.row(_POSITION, run_id=run_id)
    if row is None:
        return None
    return RunPosition(row[0], row[1], None if row[2] is None else ClaimedTurn(*row[2:]))


def interrupt_all(connection: Connection) -> None:
    """Interrupt every turn in progress, for a restored database."""
    for row in connection.execute(select(turns).where(IN_PROGRESS)).all():
        interrupt(connection, row)


def interrupt(connection: Connection, claimed: ClaimedTurn | Row[Any]) -> bool:
    """Move a claimed turn to the journal, and set its run back to the turn before.

    Returns:
        ``False``, with nothing changed, where its claim was renewed or has ended, or the run is gone.
    """
    run = connection.execute(select(runs).where(runs.c.id == claimed.run_id).with_for_update()).one_or_none()
    same_claim: tuple[ColumnElement[bool], ...] = (
        turns.c.run_id == claimed.run_id,
        turns.c.claim_id == claimed.claim_id,
        turns.c.lease_until == claimed.lease_until,
    )
    turn = connection.execute(select(turns).where(*same_claim).with_for_update()).one_or_none()
    if run is None or turn is None:
        return False
    _move_to_journal(connection, run, turn, turn.calls)
    return True


def abandon(connection: Connection, claim: TurnClaim, calls: bytes) -> None:
    """Move the turn of a claim to the journal, with all its calls, and set its run back to the turn before.

    Where the claim was taken away, the journal entry that was made then, if any, gets the calls instead.
    """
    run = connection.execute(select(runs).where(runs.c.id == claim.run_id).with_for_update()).one_or_none()
    of_claim = turns.c.run_id == claim.run_id, turns.c.claim_id == claim.claim_id, IN_PROGRESS
    turn = connection.execute(select(turns).where(*of_claim).with_for_update()).one_or_none()
    if run is not None and turn is not None:
        _move_to_journal(connection, run, turn, calls)
        return
    entry = update(unfinished_turns).where(unfinished_turns.c.claim_id == claim.claim_id)
    connection.execute(entry.values(calls_json=calls))


def _move_to_journal(connection: Connection, run: Row[Any], turn: Row[Any], calls: bytes | None) -> None:
    """Move a locked turn to the journal, and give its run the status of the turn before.

    Background work without calls is deleted instead. A run without an earlier turn becomes ``failed``, with
    the termination source `STALE`.

    Raises:
        StoreError: The stored run input cannot be read.
    """
    # Before anything is written: a full database then has the space that the turn took.
    connection.execute(delete(turns).where(turns.c.id == turn.id))
    # Background work is done again by itself, unless it has called something.
    if turn.user_turn_number is not None or calls is not None:
        pair = read_json(turn.pair, f"run input of turn {turn.turn_number} of run {run.id}")
        values = {
            "workflow_id": run.workflow_id,
            "version_number": run.version_number,
            "began_at": turn.started_at,
            "input_json": encode(pair["run_input"]),
            "events_json": turn.events,
            "client_turn_id": turn.client_turn_id,
            "calls_json": calls,
        }
        key = {"claim_id": turn.claim_id}
        connection.execute(upsert(unfinished_turns, key, {"run_id": run.id, **values}))
    last = select(turns.c.status).where(turns.c.run_id == run.id, turns.c.turn_number == run.turn_count)
    status: RunStatus | None = connection.scalar(last)
    restored = {"status": "failed", "termination_source": STALE} if status is None else {"status": status}
    connection.execute(update(runs).where(runs.c.id == run.id).values(**restored))


def unknown_run(run_id: str) -> NotFoundError:
    """Return the error for an id that no run has."""
    return NotFoundError(f"There is no run {run_id!r}.", advice="Copy an id from the list of runs.")
