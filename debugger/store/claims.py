"""Claims of turns: one row per turn that is being executed, written before its first node runs."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from sqlalchemy import and_, bindparam, delete, exists, func, literal_column, select, update
from sqlalchemy.engine.interfaces import DBAPICursor, Dialect

from debugger.errors import ConflictError, NotFoundError
from debugger.protocol.runs import RunStatus
from debugger.store.database import Prepared
from debugger.store.json_text import pack
from debugger.store.owners import has_ended
from debugger.store.schema import IN_PROGRESS, runs, turns
from debugger.store.upserts import insert

new_claim_id = partial(secrets.token_hex, 12)
"""Returns a random id, by which the result of a turn is stored by the owner of its claim alone."""


@dataclass(slots=True, kw_only=True)
class TurnClaim:
    """A turn that is about to be executed."""

    run_id: str
    turn_number: int
    """The number of the input/output pair in the record: background work counts."""
    workflow_id: str
    version_number: int
    begins_run: bool
    """The run's row is inserted with the claim; otherwise it is there already."""
    run_status: RunStatus
    """The status of the run while the turn is executed."""
    started_at: float
    """Seconds since 1970, like ``lease_until``."""
    owner: str
    lease_until: float
    pair: bytes
    """The run input, as JSON ``{"run_input": {...}}``; no secrets."""
    client_turn_id: str | None = None
    user_turn_number: int | None = None
    """The number of the user's turn; ``None`` of background work."""

    version_name: str | None = None
    """Read on the first turn of a run, like the next."""
    workflow_name: str | None = None
    run_by: str | None = None
    source_workflow_run_id: str | None = None
    checkpoint_source_turn_index: int | None = None

    claim_id: str = field(default_factory=new_claim_id)
    no_checkpoint: bytes = field(default=b"", init=False)
    no_events: bytes = field(default=b"[]", init=False)


class ClaimedTurn(NamedTuple):
    """A turn in progress, as its row says."""

    run_id: str
    turn_number: int
    claim_id: str
    owner: str
    lease_until: float
    user_turn_number: int | None
    event_count: int

    @property
    def has_lapsed(self) -> bool:
        """Return whether its owner has ended, or has not renewed the lease in time."""
        return self.lease_until < time.time() or has_ended(self.owner)


class RunPosition(NamedTuple):
    """The state of a run in its record."""

    status: RunStatus
    turn_count: int
    """Finished input/output pairs."""
    claimed: ClaimedTurn | None
    """The turn in progress."""


class Progress(NamedTuple):
    """The renewal of a claim, with the events so far where some were added."""

    run_id: str
    turn_number: int
    claim_id: str
    lease_until: float
    events: bytes
    """Packed JSON."""
    event_count: int

    @classmethod
    def of(cls, claim: TurnClaim, lease_until: float, events_json: bytes, event_count: int) -> Progress:
        """Return the renewal of a claim."""
        key = (claim.run_id, claim.turn_number, claim.claim_id)
        return cls(*key, lease_until, pack(events_json), event_count)


_INSERT_RUN = (
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

# The count is compared where the row is changed, which also locks it: every transaction on a turn locks the
# run first and the turn second.
_UPDATE_RUN = (
    update(runs)
    .where(
        runs.c.id == bindparam("run_id"), runs.c.turn_count + literal_column("1") == bindparam("turn_number")
    )
    .values(status=bindparam("run_status"))
)

_INSERT_TURN = (
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
        lease_until=bindparam("lease_until"),
        event_count=literal_column("0"),
    )
    # Of both unique keys: the number in the run, and the client turn id.
    .on_conflict_do_nothing()
    .inline()
)

_CLAIMED = and_(
    turns.c.run_id == bindparam("run_id"),
    turns.c.turn_number == bindparam("turn_number"),
    turns.c.claim_id == bindparam("claim_id"),
    IN_PROGRESS,
)

_DELETE_TURN = delete(turns).where(_CLAIMED)
_DELETE_RUN = delete(runs).where(runs.c.id == bindparam("run_id"), runs.c.turn_count == literal_column("0"))

_stored = turns.alias()
_STORED_STATUS = (
    select(_stored.c.status)
    .where(_stored.c.run_id == runs.c.id, _stored.c.turn_number == runs.c.turn_count)
    .scalar_subquery()
)
_RESTORED_STATUS = func.coalesce(_STORED_STATUS, runs.c.status)
"""The status that a run has after its last finished turn; a fork that has not begun has a turn 0."""
# Where the claim is not held any more, the status is that of another turn.
_RESTORE_RUN = (
    update(runs)
    .where(runs.c.id == bindparam("run_id"), exists().where(_CLAIMED))
    .values(status=_RESTORED_STATUS)
)

_BEGIN_RUNNING = (
    update(runs)
    .where(runs.c.id == bindparam("run_id"), runs.c.status == literal_column("'started'"))
    .values(status=literal_column("'running'"))
)
_RENEW = update(turns).where(_CLAIMED).values(lease_until=bindparam("lease_until"))
_SNAPSHOT = _RENEW.values(events=bindparam("events"), event_count=bindparam("event_count"))

_REQUEST_STOP = (
    update(turns)
    .where(turns.c.run_id == bindparam("run_id"), IN_PROGRESS)
    .values(stop_requested_at=bindparam("stop_requested_at"))
)
_STOP_REQUESTED = select(turns.c.claim_id).where(IN_PROGRESS, turns.c.stop_requested_at.is_not(None))

_HELD = select(turns.c.turn_number).where(_CLAIMED)

_CLAIMED_COLUMNS = (
    turns.c.run_id,
    turns.c.turn_number,
    turns.c.claim_id,
    turns.c.owner,
    turns.c.lease_until,
    turns.c.user_turn_number,
    turns.c.event_count,
)

_POSITION = (
    select(runs.c.status, runs.c.turn_count, *_CLAIMED_COLUMNS)
    .select_from(runs.outerjoin(turns, and_(turns.c.run_id == runs.c.id, IN_PROGRESS)))
    .where(runs.c.id == bindparam("run_id"))
)

_IN_PROGRESS = select(*_CLAIMED_COLUMNS).where(IN_PROGRESS)
_IN_PROGRESS_OF_RUN = _IN_PROGRESS.where(turns.c.run_id == bindparam("run_id"))


class _RunKey(NamedTuple):
    """A run, as a record that statements take their parameters from."""

    run_id: str


class _StopRequest(NamedTuple):
    """The request to stop a run, as a record that statements take their parameters from."""

    run_id: str
    stop_requested_at: float


class ClaimStatements:
    """The statements on claims that run with every turn, for one kind of database."""

    def __init__(self, dialect: Dialect) -> None:
        self._insert_run = Prepared(_INSERT_RUN, dialect)
        self._update_run = Prepared(_UPDATE_RUN, dialect)
        self._insert_turn = Prepared(_INSERT_TURN, dialect)
        self._delete_turn = Prepared(_DELETE_TURN, dialect)
        self._delete_run = Prepared(_DELETE_RUN, dialect)
        self._restore_run = Prepared(_RESTORE_RUN, dialect)
        self._begin_running = Prepared(_BEGIN_RUNNING, dialect)
        self._renew = Prepared(_RENEW, dialect)
        self._snapshot = Prepared(_SNAPSHOT, dialect)
        self._request_stop = Prepared(_REQUEST_STOP, dialect)
        self._stop_requested = Prepared(_STOP_REQUESTED, dialect)
        self._held = Prepared(_HELD, dialect)
        self._position = Prepared(_POSITION, dialect)
        self._in_progress = Prepared(_IN_PROGRESS, dialect)
        self._in_progress_of_run = Prepared(_IN_PROGRESS_OF_RUN, dialect)

    def take(self, cursor: DBAPICursor, claim: TurnClaim) -> None:
        """Claim a turn.

        Raises:
            ConflictError: The run does not stand right before this turn, the turn is claimed already, or a
                turn with its client turn id is.
            NotFoundError: There is no such run, and the claim does not begin it.
        """
        if claim.begins_run:
            self._insert_run.run(cursor, claim)
        if not claim.begins_run or cursor.rowcount == 0:
            self._update_run.run(cursor, claim)
        if cursor.rowcount:
            self._insert_turn.run(cursor, claim)
        if not cursor.rowcount:
            if not claim.begins_run and self.position(cursor, claim.run_id) is None:
                raise unknown_run(claim.run_id)
            raise ConflictError(
                f"Turn {claim.turn_number} of run {claim.run_id!r} cannot be claimed: "
                "another client is executing it, or has executed it already.",
                advice="Load the run and continue from its last turn.",
            )

    def release(self, cursor: DBAPICursor, claim: TurnClaim) -> bool:
        """Delete a claim and restore the status of its run; return whether it was still held."""
        if claim.user_turn_number is not None:
            self._restore_run.run(cursor, claim)
        if claim.user_turn_number is None or cursor.rowcount:
            self._delete_turn.run(cursor, claim)
        is_held = bool(cursor.rowcount)
        if is_held and claim.begins_run:
            self._delete_run.run(cursor, _RunKey(claim.run_id))
        return is_held

    def renew(self, cursor: DBAPICursor, progress: Progress, *, with_events: bool, is_first: bool) -> bool:
        """Extend a claim's lease; return whether it was still held.

        Args:
            cursor: In a transaction.
            progress: What is stored.
            with_events: Store the events so far, too.
            is_first: The run may still be ``started``.
        """
        if with_events and is_first:
            self._begin_running.run(cursor, _RunKey(progress.run_id))
        (self._snapshot if with_events else self._renew).run(cursor, progress)
        return bool(cursor.rowcount)

    def request_stop(self, cursor: DBAPICursor, run_id: str) -> None:
        """Mark the turn in progress of a run as one to be stopped."""
        self._request_stop.run(cursor, _StopRequest(run_id, time.time()))

    def stop_requested(self, cursor: DBAPICursor) -> set[str]:
        """Return the ids of claims whose turns are to be stopped."""
        self._stop_requested.run(cursor, None)
        found: set[str] = set()
        while (row := cursor.fetchone()) is not None:
            found.add(row[0])
        return found

    def is_held(self, cursor: DBAPICursor, claim: TurnClaim) -> bool:
        """Return whether this very claim is stored."""
        self._held.run(cursor, claim)
        return cursor.fetchone() is not None

    def in_progress(self, cursor: DBAPICursor, run_id: str | None) -> list[ClaimedTurn]:
        """Return the claimed turns, of every run or of one."""
        statement = self._in_progress if run_id is None else self._in_progress_of_run
        statement.run(cursor, _RunKey(run_id or ""))
        found: list[ClaimedTurn] = []
        while (row := cursor.fetchone()) is not None:
            found.append(ClaimedTurn(*row))
        return found

    def position(self, cursor: DBAPICursor, run_id: str) -> RunPosition | None:
        """Return the state of a run in its record; ``None`` where there is no such run."""
        self._position.run(cursor, _RunKey(run_id))
        row = cursor.fetchone()
        if row is None:
            return None
        return RunPosition(row[0], row[1], None if row[2] is None else ClaimedTurn(*row[2:]))


def unknown_run(run_id: str) -> NotFoundError:
    """Return the error for an id that no run has."""
    return NotFoundError(f"There is no run {run_id!r}.", advice="Copy an id from the list of runs.")
