"""Turns from their claim to their end: claimed, renewed, finished, released, lapsed."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, delete, select, update
from sqlalchemy.engine.interfaces import DBAPICursor

from debugger.errors import ConflictError, StoreDisconnectedError
from debugger.protocol.json_codec import encode
from debugger.protocol.runs import RunStatus
from debugger.store.claims import (
    ClaimStatements,
    Progress,
    RunPosition,
    TurnClaim,
    unknown_run,
)
from debugger.store.database import Database
from debugger.store.json_text import read_json
from debugger.store.notebook_schema import unfinished_turns
from debugger.store.schema import IN_PROGRESS, runs, turns
from debugger.store.turns import FinishedTurn, TurnStatements
from debugger.store.upserts import insert

_SECONDS_TO_RETURN = 10.0
"""How long a turn waits for a database that does not answer any more."""
_POLL_SECONDS = 0.1

STALE = "stale_run_reaper"
"""The ``termination_source`` of a run whose first turn was interrupted."""


class ClientTurn(NamedTuple):
    """A turn that a client named, claimed or finished."""

    run_id: str
    workflow_id: str
    turn_number: int
    """The number of the pair in the record."""
    user_turn_number: int | None
    """The number of the user's turn."""
    is_in_progress: bool


class TurnClaims:
    """Claims of turns. Every method is one transaction and may raise `StoreError`.

    Args:
        database: The store's.
        turns: Stores results.
    """

    def __init__(self, database: Database, turns: TurnStatements) -> None:
        self._database = database
        self._turns = turns
        self._claims = ClaimStatements(database.dialect)

    def take(self, claim: TurnClaim) -> None:
        """Claim a turn; it is committed when this returns.

        Raises:
            ConflictError: The run does not stand right before this turn, the turn is claimed already, or a
                turn with its client turn id is.
        """
        self._write(partial(self._claims.take, claim=claim), partial(self._claims.is_held, claim=claim))

    def finish(self, turn: FinishedTurn, *, clears_unfinished: bool = False) -> None:
        """Store the result of a claimed turn.

        It is on the disk when this returns and survives the end of the process, however sudden.

        Args:
            turn: The result.
            clears_unfinished: The run has an interrupted turn, which this one follows.

        Raises:
            ConflictError: The claim has lapsed; nothing is stored.
            NotFoundError: The run was deleted meanwhile.
        """
        finish = partial(self._turns.finish, turn=turn, clears_unfinished=clears_unfinished)
        self._write(finish, partial(self._turns.is_stored, turn=turn))

    def append(self, turn: FinishedTurn) -> None:
        """Claim and store a turn that was executed elsewhere.

        Raises:
            ConflictError: The run does not stand right before this turn.
        """
        claim = turn.as_claim()

        def append(cursor: DBAPICursor) -> None:
            self._claims.take(cursor, claim)
            self._turns.finish(cursor, turn)

        self._write(append, partial(self._turns.is_stored, turn=turn))

    def release(self, claim: TurnClaim, *, checkpoint: bytes | None = None) -> None:
        """Delete a claim and restore the status of its run; a run that began with it is deleted.

        Args:
            claim: The claim; nothing happens where it is not held any more.
            checkpoint: Replaces the one of the turn before, for what is to be remembered but is no turn.
        """
        with self._database.writing_cursor() as cursor:
            if self._claims.release(cursor, claim) and checkpoint is not None:
                self._turns.renew_checkpoint(cursor, claim.run_id, claim.turn_number - 1, checkpoint)

    def renew(self, progress: Progress, *, with_events: bool, is_first: bool) -> bool:
        """Extend a claim's lease, and store its events so far; return whether it was still held."""
        with self._database.writing_cursor() as cursor:
            return self._claims.renew(cursor, progress, with_events=with_events, is_first=is_first)

    def request_stop(self, run_id: str) -> None:
        """Ask the owner of a run's turn in progress to cancel it; nothing happens where there is none."""
        with self._database.writing_cursor() as cursor:
            self._claims.request_stop(cursor, run_id)

    def stop_requested(self) -> set[str]:
        """Return the ids of claims whose turns are to be stopped."""
        with self._database.reading_cursor() as cursor:
            return self._claims.stop_requested(cursor)

    def position(self, run_id: str) -> RunPosition:
        """Return the state of a run in its record.

        Raises:
            NotFoundError: There is no such run.
        """
        with self._database.reading_cursor() as cursor:
            position = self._claims.position(cursor, run_id)
        if position is None:
            raise unknown_run(run_id)
        return position

    def find(self, client_turn_id: str) -> ClientTurn | None:
        """Return the turn that a client has named so."""
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

    def lapse(self, run_id: str | None = None, *, but_for: Collection[str] = ()) -> int:
        """Interrupt turns whose owner has ended or has not renewed the lease in time.

        Each goes to the journal of unfinished turns with its events so far, and its run stands again after
        its last finished turn. A run without one is ``failed``.

        Args:
            run_id: Of this run alone.
            but_for: The ids of claims that are surely renewed.

        Returns:
            How many turns were interrupted.
        """
        with self._database.reading_cursor() as cursor:
            claimed = self._claims.in_progress(cursor, run_id)
        lapsed = [turn for turn in claimed if turn.claim_id not in but_for and turn.has_lapsed]
        if not lapsed:
            return 0
        with self._database.writing() as connection:
            return sum(
                _interrupt(connection, turn.run_id, turn.claim_id, turn.lease_until) for turn in lapsed
            )

    def _write(self, work: Callable[[DBAPICursor], None], is_done: Callable[[DBAPICursor], bool]) -> None:
        """Run a transaction, again while the connection is lost, until it is known to be done.

        A database that restarts is back soon; a client that gets an error sends the turn again.

        Args:
            work: The statements; raises `ConflictError` where they were committed already.
            is_done: Reads whether they were.

        Raises:
            ConflictError: Another client was first.
            StoreLostError: The database did not come back in time.
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


def interrupt_all(connection: Connection) -> None:
    """Interrupt every turn in progress: in a restored database none of them is being executed."""
    for row in connection.execute(select(turns).where(IN_PROGRESS)).all():
        _interrupt(connection, row.run_id, row.claim_id, row.lease_until)


def _interrupt(connection: Connection, run_id: str, claim_id: str, lease_until: float) -> bool:
    """Move a claimed turn to the journal; return whether its claim was still as it was read."""
    run = connection.execute(select(runs).where(runs.c.id == run_id).with_for_update()).one_or_none()
    same_claim: tuple[ColumnElement[bool], ...] = (
        turns.c.run_id == run_id,
        turns.c.claim_id == claim_id,
        turns.c.lease_until == lease_until,
    )
    turn = connection.execute(select(turns).where(*same_claim).with_for_update()).one_or_none()
    if run is None or turn is None:
        return False
    connection.execute(delete(turns).where(turns.c.id == turn.id))
    if turn.user_turn_number is not None:  # background work is done again by itself
        _enter(connection, run, turn)
    connection.execute(update(runs).where(runs.c.id == run.id).values(**_restored(connection, run)))
    return True


def _enter(connection: Connection, run: Row[Any], turn: Row[Any]) -> None:
    pair = read_json(turn.pair, f"run input of turn {turn.turn_number} of run {run.id}")
    values = {
        "workflow_id": run.workflow_id,
        "version_number": run.version_number,
        "began_at": turn.started_at,
        "input_json": encode(pair["run_input"]),
        "events_json": turn.events,
    }
    entry = insert(unfinished_turns).values(run_id=run.id, **values)
    connection.execute(entry.on_conflict_do_update(index_elements=["run_id"], set_=values))


def _restored(connection: Connection, run: Row[Any]) -> dict[str, Any]:
    last = select(turns.c.status).where(turns.c.run_id == run.id, turns.c.turn_number == run.turn_count)
    status: RunStatus | None = connection.scalar(last)
    if status is None:
        return {"status": "failed", "termination_source": STALE}
    return {"status": status}
