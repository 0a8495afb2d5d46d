"""Finished turns: stored in the row of their claim, and read back one by one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import bindparam, case, delete, exists, literal_column, null, select, update
from sqlalchemy.engine.interfaces import DBAPICursor, Dialect

from debugger.errors import ConflictError, NotFoundError
from debugger.protocol.runs import RunStatus
from debugger.store.claims import TurnClaim, new_claim_id, unknown_run
from debugger.store.database import Prepared
from debugger.store.json_text import pack, read_text
from debugger.store.notebook_schema import unfinished_turns
from debugger.store.schema import FINISHED, IN_PROGRESS, runs, turns


@dataclass(slots=True, kw_only=True)
class FinishedTurn:
    """All that is kept of one turn. The JSON is written by the caller and comes back as it was given."""

    run_id: str
    turn_number: int
    """Counts from 1; turn 1 begins the run's record."""
    status: RunStatus
    """How the run stands after the turn."""
    checkpoint: bytes
    """What the engine needs to go on, in whatever form it likes."""
    started_at: float
    """Seconds since 1970, like the next."""
    finished_at: float
    events_json: bytes = b"[]"
    """The turn's events as one array."""
    pair_json: bytes | None = None
    """The turn's input/output pair but for the events (``platform/wire.md`` 5.2). ``None`` where the closing
    event tells it, which is then not kept twice: it is as much again as all else but the events."""
    termination_source: str | None = None
    token_usage_json: bytes | None = None
    """Of the run so far, like the next: each turn's replaces the last one's."""
    latency_stats_json: bytes | None = None

    workflow_id: str
    """What the rest says is kept from turn 1 and passed over in every later turn."""
    version_number: int
    version_name: str | None = None
    workflow_name: str | None = None
    run_by: str | None = None
    source_workflow_run_id: str | None = None
    checkpoint_source_turn_index: int | None = None
    claim_id: str = field(default_factory=new_claim_id)
    """The claim of the turn; a new one for a turn that was not claimed before."""

    events: bytes = field(init=False)
    """The events as they are kept. Packed here, before the transaction, for whose end others wait."""
    packed_checkpoint: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.events = pack(self.events_json)
        self.packed_checkpoint = pack(self.checkpoint)

    def as_claim(self) -> TurnClaim:
        """Return the claim of a turn that was executed without one."""
        return TurnClaim(
            run_id=self.run_id,
            turn_number=self.turn_number,
            workflow_id=self.workflow_id,
            version_number=self.version_number,
            version_name=self.version_name,
            workflow_name=self.workflow_name,
            run_by=self.run_by,
            source_workflow_run_id=self.source_workflow_run_id,
            checkpoint_source_turn_index=self.checkpoint_source_turn_index,
            begins_run=self.turn_number == 1,
            run_status=self.status,
            started_at=self.started_at,
            owner="",
            lease_until=0.0,
            pair=b"",
            claim_id=self.claim_id,
        )


class Checkpoint(NamedTuple):
    """Where a run stood after one of its turns."""

    run_id: str
    workflow_id: str
    version_number: int
    status: RunStatus
    """How the run stood after that turn."""
    turn_number: int
    checkpoint: bytes
    has_unfinished: int = 0
    """1 where the run has an interrupted turn in the journal."""


class _Place(NamedTuple):
    """A turn of a run, as a record that statements take their parameters from."""

    run_id: str
    turn_number: int


# The count is compared where it is changed: of two writers of one turn the second changes no row.
_UPDATE_RUN = (
    update(runs)
    .where(
        runs.c.id == bindparam("run_id"), runs.c.turn_count + literal_column("1") == bindparam("turn_number")
    )
    .values(
        status=bindparam("status"),
        termination_source=bindparam("termination_source"),
        turn_count=bindparam("turn_number"),
        token_usage=bindparam("token_usage_json"),
        latency_stats=bindparam("latency_stats_json"),
        updated_at=bindparam("finished_at"),
    )
)

# The claim is compared where the row is changed: a result is stored by the owner of the claim alone.
_UPDATE_TURN = (
    update(turns)
    .where(
        turns.c.run_id == bindparam("run_id"),
        turns.c.turn_number == bindparam("turn_number"),
        turns.c.claim_id == bindparam("claim_id"),
        IN_PROGRESS,
    )
    .values(
        status=bindparam("status"),
        finished_at=bindparam("finished_at"),
        checkpoint=bindparam("packed_checkpoint"),
        pair=bindparam("pair_json"),
        events=bindparam("events"),
        owner=null(),
        lease_until=null(),
        event_count=null(),
    )
)

_STORED = select(turns.c.turn_number).where(
    turns.c.run_id == bindparam("run_id"),
    turns.c.turn_number == bindparam("turn_number"),
    turns.c.claim_id == bindparam("claim_id"),
    FINISHED,
)

_has_unfinished = exists().where(unfinished_turns.c.run_id == bindparam("run_id"))

_CHECKPOINT = (
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

_RENEW_CHECKPOINT = (
    update(turns)
    .where(turns.c.run_id == bindparam("in_run"), turns.c.turn_number == bindparam("in_turn"))
    .values(checkpoint=bindparam("checkpoint"))
)

_TURN_COUNT = select(runs.c.turn_count).where(runs.c.id == bindparam("run_id"))
_FORGET_UNFINISHED = delete(unfinished_turns).where(unfinished_turns.c.run_id == bindparam("run_id"))


class _Renewal(NamedTuple):
    """A checkpoint for a turn that is kept, as a record that statements take their parameters from."""

    in_run: str
    in_turn: int
    checkpoint: bytes


class TurnStatements:
    """The statements that run with every turn but for its claim, for one kind of database."""

    def __init__(self, dialect: Dialect) -> None:
        self._update_run = Prepared(_UPDATE_RUN, dialect)
        self._update_turn = Prepared(_UPDATE_TURN, dialect)
        self._forget_unfinished = Prepared(_FORGET_UNFINISHED, dialect)
        self._latest = Prepared(_CHECKPOINT.where(turns.c.turn_number == runs.c.turn_count), dialect)
        self._earlier = Prepared(_CHECKPOINT.where(turns.c.turn_number == bindparam("turn_number")), dialect)
        self._turn_count = Prepared(_TURN_COUNT, dialect)
        self._stored = Prepared(_STORED, dialect)
        self._renew = Prepared(_RENEW_CHECKPOINT, dialect)

    def finish(self, cursor: DBAPICursor, turn: FinishedTurn, *, clears_unfinished: bool = False) -> None:
        """Store the result of a claimed turn, and bring its run's row up to it.

        Args:
            cursor: In a transaction.
            turn: The result.
            clears_unfinished: The run has an interrupted turn, which this one follows.

        Raises:
            ConflictError: The claim is not held any more.
            NotFoundError: The run was deleted meanwhile.
        """
        self._update_run.run(cursor, turn)
        if cursor.rowcount:
            self._update_turn.run(cursor, turn)
        if not cursor.rowcount:
            raise ConflictError(
                f"Turn {turn.turn_number} of run {turn.run_id!r} cannot be stored: its claim has lapsed, "
                f"and the run is at turn {self.count(cursor, turn.run_id)}.",
                advice="Load the run and continue from its last turn.",
            )
        if clears_unfinished:
            self._forget_unfinished.run(cursor, turn)

    def is_stored(self, cursor: DBAPICursor, turn: FinishedTurn) -> bool:
        """Return whether this very result is stored, and not another of its number."""
        self._stored.run(cursor, turn)
        return cursor.fetchone() is not None

    def checkpoint(self, cursor: DBAPICursor, run_id: str, turn_number: int | None) -> Checkpoint:
        """Where a run stands, or stood after one of its turns.

        Raises:
            NotFoundError: There is no such run, or it has no such turn.
        """
        if turn_number is None:
            self._latest.run(cursor, _Place(run_id, 0))
        else:
            self._earlier.run(cursor, _Place(run_id, turn_number))
        row = cursor.fetchone()
        if row is None:
            raise self._no_checkpoint(run_id, turn_number, self.count(cursor, run_id))
        found = Checkpoint(*row)
        return found._replace(checkpoint=read_text(found.checkpoint, "state of the run"))

    def renew_checkpoint(self, cursor: DBAPICursor, run_id: str, turn_number: int, checkpoint: bytes) -> None:
        """Put another checkpoint in the place of a turn's."""
        self._renew.run(cursor, _Renewal(run_id, turn_number, pack(checkpoint)))

    def _no_checkpoint(self, run_id: str, turn_number: int | None, count: int) -> NotFoundError:
        if count == 0:
            return NotFoundError(
                f"Run {run_id!r} has no finished turn.", advice="Wait for its first turn, or start a new run."
            )
        return NotFoundError(
            f"Run {run_id!r} has no turn {turn_number}.", advice=f"It has turns 1 to {count}."
        )

    def count(self, cursor: DBAPICursor, run_id: str) -> int:
        """How many turns a run has.

        Raises:
            NotFoundError: There is no such run.
        """
        self._turn_count.run(cursor, _Place(run_id, 0))
        row = cursor.fetchone()
        if row is None:
            raise unknown_run(run_id)
        return int(row[0])
