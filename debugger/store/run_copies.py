"""Copies of runs up to a turn, made into runs of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Insert, insert, literal, null, select, update

from debugger.protocol.json_codec import encode
from debugger.protocol.runs import ForkRecord, RunStatus
from debugger.store.claims import unknown_run
from debugger.store.copied_usage import CopiedUsage
from debugger.store.forks import keep
from debugger.store.json_text import pack
from debugger.store.schema import runs, turns

OWN_COLUMNS = frozenset({"id", "run_id", "client_turn_id", "claim_id", "owner", "lease_until", "event_count"})
"""Columns of a turn that its copies do not take over."""
_NO_EVENTS = b"[]"
_NO_INPUT = encode({"run_input": {}, "run_output": {}})


@dataclass(frozen=True, kw_only=True)
class RunFork:
    """A run that is to be made out of the first input/output pairs of another."""

    record: ForkRecord
    pair_count: int
    """How many pairs are copied; 0 begins anew."""
    checkpoint: bytes
    """Where the fork stands after them."""
    status: RunStatus
    version_number: int
    version_name: str | None
    usage: CopiedUsage


def copy_run(connection: Connection, fork: RunFork) -> None:
    """Make a run out of the first pairs of another, which is left as it is.

    Raises:
        NotFoundError: There is no such run.
    """
    source = fork.record.source_run_id
    if connection.scalar(select(runs.c.id).where(runs.c.id == source)) is None:
        raise unknown_run(source)
    connection.execute(_copied_run(fork))
    if fork.pair_count:
        connection.execute(_copied_turns(fork))
        last = (turns.c.run_id == fork.record.run_id, turns.c.turn_number == fork.pair_count)
        connection.execute(update(turns).where(*last).values(checkpoint=pack(fork.checkpoint)))
    else:
        connection.execute(_beginning(fork))
    keep(connection, fork.record)


def _copied_run(fork: RunFork) -> Insert:
    record = fork.record
    own = {
        "id": record.run_id,
        "version_number": fork.version_number,
        "version_name": fork.version_name,
        "run_by": record.forked_by or None,
        "status": fork.status,
        "termination_source": None,
        "turn_count": fork.pair_count,
        **fork.usage.columns(),
        "source_workflow_run_id": record.source_run_id,
        "checkpoint_source_turn_index": record.turn_number - 1,
        "created_at": record.created_at,
        "updated_at": record.created_at,
    }
    values = [_literal(own[column.name], column) if column.name in own else column for column in runs.c]
    source = select(*values).where(runs.c.id == record.source_run_id)
    return insert(runs).from_select([column.name for column in runs.c], source)


def _literal(value: object, column: Column[Any]) -> ColumnElement[Any]:
    return null() if value is None else literal(value, column.type)


def _copied_turns(fork: RunFork) -> Insert:
    names = [column.name for column in turns.c if column.name not in OWN_COLUMNS]
    source = (
        select(literal(fork.record.run_id), *(turns.c[name] for name in names))
        .where(turns.c.run_id == fork.record.source_run_id, turns.c.turn_number.between(1, fork.pair_count))
        .order_by(turns.c.turn_number)
    )
    return insert(turns).from_select(["run_id", *names], source)


def _beginning(fork: RunFork) -> Insert:
    """The row of a turn 0: no record shows it, but a run that has not begun stands there."""
    return insert(turns).values(
        run_id=fork.record.run_id,
        turn_number=0,
        status=fork.status,
        started_at=fork.record.created_at,
        finished_at=fork.record.created_at,
        checkpoint=pack(fork.checkpoint),
        pair=_NO_INPUT,
        events=_NO_EVENTS,
    )
