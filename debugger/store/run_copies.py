"""Copies of runs up to a turn, made into runs of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, insert, literal, select, update

from debugger.protocol.json_codec import encode
from debugger.protocol.runs import ForkRecord, RunStatus
from debugger.store.claims import unknown_run
from debugger.store.copied_usage import CopiedUsage
from debugger.store.forks import keep
from debugger.store.json_text import pack
from debugger.store.schema import runs, turns

_OWN_COLUMNS = frozenset(
    {"id", "run_id", "client_turn_id", "claim_id", "owner", "lease_until", "event_count"}
)
"""Columns of a turn that its copies do not take over."""
_NO_EVENTS = b"[]"
_NO_INPUT = encode({"run_input": {}, "run_output": {}})


@dataclass(frozen=True)
class WrittenPair:
    """An input/output pair to be stored, in JSON."""

    pair: bytes
    """The pair without its events."""
    events: bytes


@dataclass(frozen=True, kw_only=True)
class RunFork:
    """A run that is to be made out of the first input/output pairs of another."""

    record: ForkRecord
    pair_count: int
    """Pairs that are copied; 0 starts anew."""
    checkpoint: bytes
    """The state of the fork after them."""
    status: RunStatus
    version_number: int
    version_name: str | None
    usage: CopiedUsage
    workflow_id: str | None = None
    """The workflow, where it is not the source's."""
    workflow_name: str | None = None
    turn_index: int | None = None
    """The turn that a re-run names, from 0; by default the turn that the fork starts with."""
    written: Mapping[int, WrittenPair] = field(default_factory=dict)
    """Pairs that replace those of the source by number, or follow those that are copied."""


def copy_run(connection: Connection, fork: RunFork) -> None:
    """Make a run out of the first pairs of another, which is left as it is.

    Raises:
        NotFoundError: There is no such run.
    """
    record = fork.record
    question = select(runs.c.workflow_id, runs.c.workflow_name).where(runs.c.id == record.source_run_id)
    source = connection.execute(question).one_or_none()
    if source is None:
        raise unknown_run(record.source_run_id)
    last = max((fork.pair_count, *fork.written))
    connection.execute(
        insert(runs).values(
            id=record.run_id,
            workflow_id=fork.workflow_id or source.workflow_id,
            workflow_name=fork.workflow_name if fork.workflow_id else source.workflow_name,
            version_number=fork.version_number,
            version_name=fork.version_name,
            run_by=record.forked_by or None,
            status=fork.status,
            turn_count=last,
            **fork.usage.columns(),
            source_workflow_run_id=record.source_run_id,
            checkpoint_source_turn_index=(
                record.turn_number - 1 if fork.turn_index is None else fork.turn_index
            ),
            created_at=record.created_at,
            updated_at=record.created_at,
        )
    )
    _copy_turns(connection, fork)
    for number, pair in fork.written.items():
        own = {"pair": pair.pair, "events": pack(pair.events)}
        if number <= fork.pair_count:
            connection.execute(update(turns).where(*_place(fork, number)).values(**own))
        else:
            _add_turn(connection, fork, number, **own)
    if not last:  # no record shows a turn 0: it is the state of a run that has not started
        _add_turn(connection, fork, 0, pair=_NO_INPUT, events=_NO_EVENTS)
    end = {"checkpoint": pack(fork.checkpoint), "status": fork.status}
    connection.execute(update(turns).where(*_place(fork, last)).values(**end))
    keep(connection, record)


def _copy_turns(connection: Connection, fork: RunFork) -> None:
    names = [column.name for column in turns.c if column.name not in _OWN_COLUMNS]
    source = (
        select(literal(fork.record.run_id), *(turns.c[name] for name in names))
        .where(turns.c.run_id == fork.record.source_run_id, turns.c.turn_number.between(1, fork.pair_count))
        .order_by(turns.c.turn_number)
    )
    connection.execute(insert(turns).from_select(["run_id", *names], source))


def _add_turn(connection: Connection, fork: RunFork, number: int, *, pair: bytes, events: bytes) -> None:
    moment = fork.record.created_at
    connection.execute(
        insert(turns).values(
            run_id=fork.record.run_id,
            turn_number=number,
            status=fork.status,
            started_at=moment,
            finished_at=moment,
            checkpoint=pack(fork.checkpoint),
            pair=pair,
            events=events,
        )
    )


def _place(fork: RunFork, number: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return turns.c.run_id == fork.record.run_id, turns.c.turn_number == number
