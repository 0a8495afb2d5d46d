"""Finished turns: kept with the run they belong to, and read back one by one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import bindparam, literal_column, select, update
from sqlalchemy.engine.interfaces import DBAPICursor, Dialect

from debugger.errors import ConflictError, NotFoundError
from debugger.protocol.runs import RunStatus
from debugger.store.json_text import read_text
from debugger.store.packing import pack
from debugger.store.prepared import Prepared
from debugger.store.schema import runs, turns
from debugger.store.upserts import insert


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

    events: bytes = field(init=False)
    """The events as they are kept. Packed here, before the transaction, for whose end others wait."""
    packed_checkpoint: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.events = pack(self.events_json)
        self.packed_checkpoint = pack(self.checkpoint)


class Checkpoint(NamedTuple):
    """Where a run stood after one of its turns."""

    run_id: str
    workflow_id: str
    version_number: int
    status: RunStatus
    """How the run stood after that turn."""
    turn_number: int
    checkpoint: bytes


class _Place(NamedTuple):
    """A turn of a run, as a record that statements take their parameters from."""

    run_id: str
    turn_number: int


_INSERT_RUN = insert(runs).values(
    id=bindparam("run_id"),
    workflow_id=bindparam("workflow_id"),
    version_number=bindparam("version_number"),
    version_name=bindparam("version_name"),
    workflow_name=bindparam("workflow_name"),
    run_by=bindparam("run_by"),
    status=bindparam("status"),
    termination_source=bindparam("termination_source"),
    turn_count=bindparam("turn_number"),
    token_usage=bindparam("token_usage_json"),
    latency_stats=bindparam("latency_stats_json"),
    source_workflow_run_id=bindparam("source_workflow_run_id"),
    checkpoint_source_turn_index=bindparam("checkpoint_source_turn_index"),
    created_at=bindparam("started_at"),
    updated_at=bindparam("finished_at"),
)
# An error would end the whole transaction in PostgreSQL.
_BEGIN_RUN = _INSERT_RUN.on_conflict_do_nothing(index_elements=["id"])

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

_INSERT_TURN = insert(turns).values(
    run_id=bindparam("run_id"),
    turn_number=bindparam("turn_number"),
    status=bindparam("status"),
    started_at=bindparam("started_at"),
    finished_at=bindparam("finished_at"),
    checkpoint=bindparam("packed_checkpoint"),
    pair=bindparam("pair_json"),
    events=bindparam("events"),
)
_ADD_TURN = _INSERT_TURN.inline()  # nobody asks for the number of its row

_KEPT_TURN = select(turns.c.turn_number).where(
    turns.c.run_id == bindparam("run_id"),
    turns.c.turn_number == bindparam("turn_number"),
    turns.c.finished_at == bindparam("finished_at"),
    turns.c.events == bindparam("events"),
)

_CHECKPOINT = (
    select(
        runs.c.id,
        runs.c.workflow_id,
        runs.c.version_number,
        turns.c.status,
        turns.c.turn_number,
        turns.c.checkpoint,
    )
    .join(turns, turns.c.run_id == runs.c.id)
    .where(runs.c.id == bindparam("run_id"))
)

_RENEW_CHECKPOINT = (
    update(turns)
    .where(turns.c.run_id == bindparam("in_run"), turns.c.turn_number == bindparam("in_turn"))
    .values(checkpoint=bindparam("checkpoint"))
)

_TURN_COUNT = select(runs.c.turn_count).where(runs.c.id == bindparam("run_id"))


class _Renewal(NamedTuple):
    """A checkpoint for a turn that is kept, as a record that statements take their parameters from."""

    in_run: str
    in_turn: int
    checkpoint: bytes


class TurnStatements:
    """Everything that is asked of the tables turn by turn, for one kind of database."""

    def __init__(self, dialect: Dialect) -> None:
        self._insert_run = Prepared(_BEGIN_RUN, dialect)
        self._update_run = Prepared(_UPDATE_RUN, dialect)
        self._insert_turn = Prepared(_ADD_TURN, dialect)
        self._latest = Prepared(_CHECKPOINT.where(turns.c.turn_number == runs.c.turn_count), dialect)
        self._earlier = Prepared(_CHECKPOINT.where(turns.c.turn_number == bindparam("turn_number")), dialect)
        self._turn_count = Prepared(_TURN_COUNT, dialect)
        self._kept_turn = Prepared(_KEPT_TURN, dialect)
        self._renew = Prepared(_RENEW_CHECKPOINT, dialect)

    def append(self, cursor: DBAPICursor, turn: FinishedTurn) -> None:
        """Add a turn, and bring its run's row up to it.

        Raises:
            ConflictError: The run does not stand right before this turn.
            NotFoundError: There is no such run, and this is not its first turn.
        """
        if turn.turn_number == 1:
            self._begin(cursor, turn)
        else:
            self._go_on(cursor, turn)
        self._insert_turn.run(cursor, turn)

    def holds(self, cursor: DBAPICursor, turn: FinishedTurn) -> bool:
        """Whether this very turn is kept, and not another of its number."""
        self._kept_turn.run(cursor, turn)
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
            count = self.count(cursor, run_id)
            raise NotFoundError(
                f"Run {run_id!r} has no turn {turn_number}.", advice=f"It has turns 1 to {count}."
            )
        found = Checkpoint(*row)
        return found._replace(checkpoint=read_text(found.checkpoint, "state of the run"))

    def renew_checkpoint(self, cursor: DBAPICursor, run_id: str, turn_number: int, checkpoint: bytes) -> None:
        """Put another checkpoint in the place of a turn's."""
        self._renew.run(cursor, _Renewal(run_id, turn_number, pack(checkpoint)))

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

    def _begin(self, cursor: DBAPICursor, turn: FinishedTurn) -> None:
        self._insert_run.run(cursor, turn)
        if cursor.rowcount == 0:
            # The fork of a first turn is there before that turn.
            self._update_run.run(cursor, turn)
        if cursor.rowcount == 0:
            raise ConflictError(
                f"Run {turn.run_id!r} has begun already: its turn 1 was kept by someone else.",
                advice="Load the run and go on from where it stands.",
            )

    def _go_on(self, cursor: DBAPICursor, turn: FinishedTurn) -> None:
        self._update_run.run(cursor, turn)
        if cursor.rowcount == 0:
            raise ConflictError(
                f"Turn {turn.turn_number} of run {turn.run_id!r} cannot be kept: "
                f"the run stands at turn {self.count(cursor, turn.run_id)}.",
                advice="Load the run and go on from where it stands.",
            )


def unknown_run(run_id: str) -> NotFoundError:
    """The error for an id that no run has."""
    return NotFoundError(f"There is no run {run_id!r}.", advice="Copy an id from the list of runs.")
