"""Turns from their claim to their stored result."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from sqlalchemy import bindparam, case, delete, exists, func, literal_column, null, select, update

from debugger.errors import ConflictError, NotFoundError, StoreDisconnectedError
from debugger.protocol.runs import RunStatus
from debugger.store.claims import (
    CLAIMED_COLUMNS,
    HAS_CLAIM,
    IS_CLAIMED,
    IS_NEXT_TURN,
    RENEWED_LEASE,
    ClaimedTurn,
    RunPosition,
    TurnClaim,
    abandon,
    interrupt,
    read_position,
    take_claim,
    unknown_run,
)
from debugger.store.compression import compress, read_text
from debugger.store.database import Database, PreparedStatement, Repository, StatementCursor
from debugger.store.lease_watch import LeaseWatch
from debugger.store.process_identity import has_ended
from debugger.store.schema import FINISHED, IN_PROGRESS, runs, turns, unfinished_turns

_SECONDS_TO_RETURN = 10.0
"""Seconds that a turn waits for a database that does not answer any more."""
_POLL_SECONDS = 0.1


@dataclass(slots=True, kw_only=True)
class FinishedTurn:
    """The result of a turn, with JSON that is returned byte by byte."""

    run_id: str
    turn_number: int
    """Counts from 1."""
    status: RunStatus
    """The status of the run after the turn."""
    checkpoint: bytes
    """The engine's state, in a form of its choice."""
    finished_at: float
    """Seconds since 1970."""
    events_json: bytes = b"[]"
    """The turn's events as one array."""
    pair_json: bytes | None = None
    """The turn's input/output pair but for the events (``platform.md#run-record``).

    ``None`` where the closing event has it, which is then not stored twice: it is as much again as all else
    but the events.
    """
    termination_source: str | None = None
    token_usage_json: bytes | None = None
    """Of the run so far, like the next: each turn's replaces the last one's."""
    latency_stats_json: bytes | None = None
    claim_id: str
    """The claim of the turn."""

    events: bytes = field(init=False)
    """The compressed events. Compressed here, before the transaction, for whose end others wait."""
    packed_checkpoint: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.events = compress(self.events_json)
        self.packed_checkpoint = compress(self.checkpoint)


class Checkpoint(NamedTuple):
    """The state of a run after one of its turns."""

    run_id: str
    workflow_id: str
    version_number: int
    status: RunStatus
    """The status of the run after that turn."""
    turn_number: int
    checkpoint: bytes
    has_unfinished: int = 0
    """1 where the run has an interrupted turn in the journal."""


class ClientTurn(NamedTuple):
    """A turn that a client named, claimed or finished."""

    run_id: str
    workflow_id: str
    turn_number: int
    """The number of the pair in the record."""
    user_turn_number: int | None
    """The number of the user's turn."""
    is_in_progress: bool


_UPDATE_RUN = PreparedStatement(
    update(runs)
    .where(IS_NEXT_TURN)
    .values(
        status=bindparam("status"),
        termination_source=bindparam("termination_source"),
        turn_count=bindparam("turn_number"),
        token_usage=bindparam("token_usage_json"),
        latency_stats=bindparam("latency_stats_json"),
        updated_at=bindparam("finished_at"),
    )
)

_UPDATE_TURN = PreparedStatement(
    update(turns)
    .where(IS_CLAIMED)
    .values(
        status=bindparam("status"),
        finished_at=bindparam("finished_at"),
        checkpoint=bindparam("packed_checkpoint"),
        pair=bindparam("pair_json"),
        events=bindparam("events"),
        calls=null(),
        owner=null(),
        lease_until=null(),
        lease_seconds=null(),
        event_count=null(),
    )
)

_STORED = PreparedStatement(select(turns.c.turn_number).where(HAS_CLAIM, FINISHED))

_DELETE_TURN = PreparedStatement(delete(turns).where(IS_CLAIMED))
_DELETE_RUN = PreparedStatement(
    delete(runs).where(runs.c.id == bindparam("run_id"), runs.c.turn_count == literal_column("0"))
)

_finished = turns.alias()
_STORED_STATUS = (
    select(_finished.c.status)
    .where(_finished.c.run_id == runs.c.id, _finished.c.turn_number == runs.c.turn_count)
    .scalar_subquery()
)
_RESTORE_RUN = PreparedStatement(
    update(runs)
    # Where the claim is not held any more, the status is that of another turn.
    .where(runs.c.id == bindparam("run_id"), exists().where(IS_CLAIMED))
    # The status after its last finished turn; a fork that has not started has a turn 0.
    .values(status=func.coalesce(_STORED_STATUS, runs.c.status))
)

_BEGIN_RUNNING = PreparedStatement(
    update(runs)
    .where(runs.c.id == bindparam("run_id"), runs.c.status == literal_column("'started'"))
    .values(status=literal_column("'running'"))
)
_renew = update(turns).where(IS_CLAIMED).values(RENEWED_LEASE)
_RENEW = PreparedStatement(_renew)
_RENEW_WITH_EVENTS = PreparedStatement(
    _renew.values(events=bindparam("events"), event_count=bindparam("event_count"), calls=bindparam("calls"))
)
_ANNOUNCE = PreparedStatement(update(turns).where(IS_CLAIMED).values(calls=bindparam("calls")))

_REQUEST_STOP = PreparedStatement(
    update(turns)
    .where(turns.c.run_id == bindparam("run_id"), IN_PROGRESS)
    .values(stop_requested_at=bindparam("stop_requested_at"))
)
_STOP_REQUESTED = PreparedStatement(
    select(turns.c.claim_id).where(IN_PROGRESS, turns.c.stop_requested_at.is_not(None))
)

_HELD = PreparedStatement(select(turns.c.turn_number).where(IS_CLAIMED))

_claimed = select(*CLAIMED_COLUMNS).where(IN_PROGRESS)
_CLAIMED = PreparedStatement(_claimed)
_CLAIMED_OF_RUN = PreparedStatement(_claimed.where(turns.c.run_id == bindparam("run_id")))

_has_unfinished = exists().where(unfinished_turns.c.run_id == bindparam("run_id"))
_checkpoint = (
    select(
        runs.c.id,
        runs.c.workflow_id,
        runs.c.version_number,
        turns.c.status,
        turns.c.turn_number,
        turns.c.checkpoint,
        case((_has_unfinished, literal_column("1")), else_=literal_column("0")),
    )
    .join(turns, turns.c.run_id == runs.c.id)
    .where(runs.c.id == bindparam("run_id"), FINISHED)
)
_LATEST = PreparedStatement(_checkpoint.where(turns.c.turn_number == runs.c.turn_count))
_EARLIER = PreparedStatement(_checkpoint.where(turns.c.turn_number == bindparam("turn_number")))

_REPLACE_CHECKPOINT = PreparedStatement(
    update(turns)
    .where(turns.c.run_id == bindparam("in_run"), turns.c.turn_number == bindparam("in_turn"))
    .values(checkpoint=bindparam("checkpoint"))
)
_TURN_COUNT = PreparedStatement(select(runs.c.turn_count).where(runs.c.id == bindparam("run_id")))
_FORGET_UNFINISHED = PreparedStatement(
    delete(unfinished_turns).where(
        unfinished_turns.c.run_id == bindparam("run_id"), unfinished_turns.c.calls_json.is_(None)
    )
)


class CheckpointReader(Repository):
    """The states of runs after their turns."""

    def checkpoint(self, run_id: str, turn_number: int | None = None) -> Checkpoint:
        """Return the state of a run after a finished turn, by default the last.

        Raises:
            NotFoundError: There is no such run, or it has no such turn.
            StoreError: The state was changed by another program.
        """
        statement = _LATEST if turn_number is None else _EARLIER
        with self._database.reading_cursor() as cursor:
            row = cursor.row(statement, run_id=run_id, turn_number=turn_number)
            if row is not None:
                found = Checkpoint(*row)
                return found._replace(checkpoint=read_text(found.checkpoint, "state of the run"))
            count = _turn_count(cursor, run_id)
        if count == 0:
            raise NotFoundError(
                f"Run {run_id!r} has no finished turn.",
                advice="Wait for its first turn, or start a new run.",
            )
        raise NotFoundError(
            f"Run {run_id!r} has no turn {turn_number}.", advice=f"It has turns 1 to {count}."
        )


def _turn_count(cursor: StatementCursor, run_id: str) -> int:
    row = cursor.row(_TURN_COUNT, run_id=run_id)
    if row is None:
        raise unknown_run(run_id)
    return int(row[0])


def _finish(cursor: StatementCursor, turn: FinishedTurn, clears_unfinished: bool) -> None:
    """Store a finished turn in its claimed row, and its run; on request clear interrupted turns.

    Raises:
        ConflictError: The claim has expired.
        NotFoundError: The run is not there any more.
    """
    if not (cursor.run(_UPDATE_RUN, turn) and cursor.run(_UPDATE_TURN, turn)):
        _turn_count(cursor, turn.run_id)  # raises where the run is not there any more
        raise ConflictError(
            f"Turn {turn.turn_number} of run {turn.run_id!r} cannot be stored: its claim has lapsed.",
            advice="Load the run and continue from its last turn.",
        )
    if clears_unfinished:
        cursor.run(_FORGET_UNFINISHED, turn)


def _is_stored(cursor: StatementCursor, turn: FinishedTurn) -> bool:
    return cursor.row(_STORED, turn) is not None


class TurnClaims(Repository):
    """Turns that are being executed."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._watch = LeaseWatch()

    def take(self, claim: TurnClaim) -> None:
        """Claim a turn; it is committed when this returns.

        Raises:
            ConflictError: The turn is not the run's next one, it is claimed already, or a turn with its
                client turn id is.
            RateLimitError: The claim is limited, and the limit of its workflow is reached.
            StoreError: There is no space to store what becomes of the turn.
        """
        self._database.dialect.reserve_space()
        take = partial(take_claim, claim=claim)
        self._write(take, lambda cursor: cursor.row(_HELD, claim) is not None)

    def finish(self, turn: FinishedTurn, *, clears_unfinished: bool = False) -> None:
        """Store the result of a claimed turn.

        It is on the disk when this returns and survives the end of the process, however sudden.

        Args:
            turn: The result.
            clears_unfinished: The run has interrupted turns, which this one follows: those that have called
                nothing are deleted.

        Raises:
            ConflictError: The claim has lapsed; nothing is stored.
            NotFoundError: The run was deleted meanwhile.
        """
        finish = partial(_finish, turn=turn, clears_unfinished=clears_unfinished)
        self._write(finish, partial(_is_stored, turn=turn))

    def release(self, claim: TurnClaim, *, checkpoint: bytes | None = None) -> None:
        """Delete a claim with its turn; give its run the status of the turn before, or delete a new run.

        Args:
            claim: The claim; nothing happens where it is not held any more.
            checkpoint: Replaces the one of the turn before, for changes of the state that are no turn.
        """
        with self._database.writing_cursor() as cursor:
            self._database.dialect.release_space()
            if claim.user_turn_number is not None and not cursor.run(_RESTORE_RUN, claim):
                return
            is_held = bool(cursor.run(_DELETE_TURN, claim))
            if is_held and claim.begins_run:
                cursor.run(_DELETE_RUN, claim)
            if is_held and checkpoint is not None:
                cursor.run(
                    _REPLACE_CHECKPOINT,
                    in_run=claim.run_id,
                    in_turn=claim.turn_number - 1,
                    checkpoint=compress(checkpoint),
                )

    def renew(
        self,
        claim: TurnClaim,
        lease_seconds: float,
        *,
        is_first: bool,
        events_json: bytes = b"",
        event_count: int = 0,
        calls_json: bytes | None = None,
    ) -> bool:
        """Extend a claim's lease, store the turn's events and calls so far; return whether it was held.

        With events, the first renewal changes the status of a run from ``started`` to ``running``.

        Args:
            claim: The claim.
            lease_seconds: Its length from now on; 0 ends it.
            is_first: The run may still be ``started``.
            events_json: The turn's events so far as one array; empty leaves those that are stored.
            event_count: Their number.
            calls_json: Its calls to the outside so far, stored with the events and not without.
        """
        events, calls = compress(events_json), None if calls_json is None else compress(calls_json)
        with self._database.writing_cursor() as cursor:
            if not events_json:
                return bool(cursor.run(_RENEW, claim, lease_seconds=lease_seconds))
            if is_first:
                cursor.run(_BEGIN_RUNNING, claim)
            values = {
                "lease_seconds": lease_seconds,
                "events": events,
                "event_count": event_count,
                "calls": calls,
            }
            return bool(cursor.run(_RENEW_WITH_EVENTS, claim, **values))

    def announce(self, claim: TurnClaim, calls_json: bytes) -> None:
        """Store the calls of a turn, the one included that is about to be made.

        A call is then in the journal whatever becomes of its process, and none is made under a lost claim.

        Raises:
            ConflictError: The claim has lapsed.
        """
        calls = compress(calls_json)

        def announce(cursor: StatementCursor) -> None:
            """Store the calls in the claimed row, or raise the error for a lapsed claim."""
            if not cursor.run(_ANNOUNCE, claim, calls=calls):
                raise ConflictError(
                    f"The turn of run {claim.run_id} was interrupted: its claim has lapsed.",
                    advice="Load the run and continue from its last turn.",
                )

        self._write(announce, lambda cursor: False)

    def abandon(self, claim: TurnClaim, calls_json: bytes) -> None:
        """Move a turn that ran and cannot be stored to the journal.

        Its run has the status after its last finished turn again. Where the claim has lapsed, the entry of
        the journal gets the calls.

        Args:
            claim: The claim.
            calls_json: The calls of the turn.
        """
        with self._database.writing() as connection:
            self._database.dialect.release_space()
            abandon(connection, claim, compress(calls_json))

    def request_stop(self, run_id: str) -> None:
        """Request the owner of a run's turn in progress to cancel it."""
        with self._database.writing_cursor() as cursor:
            cursor.run(_REQUEST_STOP, run_id=run_id, stop_requested_at=time.time())

    def stop_requested(self) -> set[str]:
        """Return the ids of claims whose turns are to be stopped."""
        with self._database.reading_cursor() as cursor:
            return {claim_id for (claim_id,) in cursor.rows(_STOP_REQUESTED)}

    def position(self, run_id: str) -> RunPosition:
        """Return the status of a run, the number of its finished turns and its turn in progress.

        Raises:
            NotFoundError: There is no such run.
        """
        with self._database.reading_cursor() as cursor:
            position = read_position(cursor, run_id)
        if position is None:
            raise unknown_run(run_id)
        return position

    def find(self, client_turn_id: str) -> ClientTurn | None:
        """Return the turn with a client turn id, claimed or finished; ``None`` where there is none."""
        statement = (
            select(
                turns.c.run_id, runs.c.workflow_id, turns.c.turn_number, turns.c.user_turn_number, IN_PROGRESS
            )
            .join(runs, runs.c.id == turns.c.run_id)
            .where(turns.c.client_turn_id == client_turn_id)
        )
        with self._database.reading() as connection:
            row = connection.execute(statement).one_or_none()
        return None if row is None else ClientTurn(*row)

    def interrupt_expired(self, run_id: str | None = None, *, but_for: Collection[str] = ()) -> int:
        """Interrupt turns whose owner has ended or is late.

        An owner is late by the clock of PostgreSQL, or when this store has seen its claim unrenewed for the
        length of the lease; clocks of two processes are never compared.

        Each is moved to the journal of unfinished turns with its events so far, and its run has the status
        after its last finished turn again. A run without one is ``failed``.

        Args:
            run_id: Of this run alone.
            but_for: The ids of claims that are surely renewed.

        Returns:
            The number of interrupted turns.
        """
        asked_at = time.monotonic()
        with self._database.reading_cursor() as cursor:
            rows = cursor.rows(_CLAIMED if run_id is None else _CLAIMED_OF_RUN, run_id=run_id)
        claimed = [ClaimedTurn(*row) for row in rows]
        unrenewed = self._watch.find_unrenewed(claimed, asked_at, time.monotonic(), run_id=run_id)
        lapsed = [
            turn
            for turn in claimed
            if turn.claim_id not in but_for
            and (turn.is_late or turn.claim_id in unrenewed or has_ended(turn.owner))
        ]
        if not lapsed:
            return 0
        with self._database.writing() as connection:
            return sum(interrupt(connection, turn) for turn in lapsed)

    def _write(
        self, work: Callable[[StatementCursor], None], is_done: Callable[[StatementCursor], bool]
    ) -> None:
        """Run a transaction, again after a lost connection for up to `_SECONDS_TO_RETURN`, until it is done.

        A database that restarts is back soon; a client that gets an error sends the turn again.

        Args:
            work: The statements; raises `ConflictError` where they were committed already.
            is_done: Reads whether they were.

        Raises:
            ConflictError: Another client was first.
            StoreDisconnectedError: The database did not come back in time.
        """
        deadline: float | None = None  # set once the connection is lost
        while True:
            try:
                try:
                    with self._database.writing_cursor() as cursor:
                        work(cursor)
                except ConflictError:
                    if deadline is None:
                        raise
                    with self._database.reading_cursor() as cursor:
                        if not is_done(cursor):
                            raise
                return
            except StoreDisconnectedError:
                deadline = deadline or time.monotonic() + _SECONDS_TO_RETURN
                if time.monotonic() > deadline:
                    raise
            time.sleep(_POLL_SECONDS)
