"""Runs as they are read: one with its turns, or many without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select

from debugger.errors import NotFoundError
from debugger.protocol.base import JsonObject
from debugger.protocol.runs import IN_PROGRESS as IN_PROGRESS_KEY
from debugger.protocol.runs import Run, Turn
from debugger.protocol.turn_logs import LazyRun
from debugger.store.claims import unknown_run
from debugger.store.json_text import read_json
from debugger.store.paging import page_of
from debugger.store.schema import FINISHED, IN_PROGRESS, runs, turns
from debugger.store.times import iso_time

# The row of a turn 0 holds only where a fork of a first turn stands.
_ALL_TURNS = (
    select(turns.c.turn_number, turns.c.pair, turns.c.events, IN_PROGRESS.label("is_in_progress"))
    .where(turns.c.turn_number > 0)
    .order_by(turns.c.turn_number)
)
_TURNS = _ALL_TURNS.where(FINISHED)

_CLOSING = "end_workflow_iteration"

_NEWEST_FIRST = select(runs).order_by(runs.c.created_at.desc(), runs.c.id.desc())


def read_run(connection: Connection, run_id: str) -> Run:
    """Return one run with its turns; one that is being executed comes last, with its events so far.

    Raises:
        NotFoundError: There is no such run.
        StoreError: What was kept of it was changed by something else.
    """
    row = _row(connection, run_id)
    pairs = [_pair(turn, run_id) for turn in connection.execute(_ALL_TURNS.where(turns.c.run_id == run_id))]
    return Run.from_wire(_record(row, pairs))


def read_record(connection: Connection, run_id: str) -> LazyRun:
    """Return one run whose finished turns stay the stored bytes until one of them is read.

    Raises:
        NotFoundError: There is no such run.
    """
    row = _row(connection, run_id)
    kept = connection.execute(_TURNS.where(turns.c.run_id == run_id)).all()
    return LazyRun(Run.from_wire(_record(row, [])), [_KeptTurn(turn, run_id) for turn in kept])


@dataclass(frozen=True, slots=True)
class _KeptTurn:
    """One turn as it is kept, and how it is read.

    Raises:
        StoreError: What was kept of it was changed by something else.
    """

    row: Row[*tuple[Any, ...]]
    run_id: str

    def __call__(self) -> Turn:
        return Turn.from_wire(_pair(self.row, self.run_id))


def _row(connection: Connection, run_id: str) -> Row[Any]:
    row = connection.execute(select(runs).where(runs.c.id == run_id)).one_or_none()
    if row is None:
        raise unknown_run(run_id)
    return row


def read_pair(connection: Connection, run_id: str, number: int) -> Turn:
    """Return a finished input/output pair of a run, by its place in the record from 1.

    Raises:
        NotFoundError: There is no such run, or it has no such pair.
        StoreError: What was kept of it was changed by something else.
    """
    row = connection.execute(
        _TURNS.where(turns.c.run_id == run_id, turns.c.turn_number == number)
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"Run {run_id!r} has no input/output pair {number}.")
    return Turn.from_wire(_pair(row, run_id))


def list_runs(
    connection: Connection, conditions: Sequence[ColumnElement[bool]], page: int, size: int
) -> tuple[list[Run], int]:
    """One page of runs without their turns, newest first, and how many there are on all pages.

    Raises:
        InputError: There cannot be such a page.
    """
    rows = connection.execute(page_of(_NEWEST_FIRST.where(*conditions), page, size)).all()
    total = connection.scalar(select(func.count()).select_from(runs).where(*conditions)) or 0
    return [Run.from_wire(_record(row, [])) for row in rows], total


def _record(row: Row[Any], pairs: list[JsonObject]) -> JsonObject:
    """The run as it goes over the wire, and two facts more: the workflow's name and the number of turns."""
    return {
        "logical_id": f"workflow_run_{row.id}",
        "workflow_run_id": row.id,
        "workflow_id": row.workflow_id,
        "workflow_name": row.workflow_name,
        "voice_conversation_id": None,
        "version_number": row.version_number,
        "version_name": row.version_name,
        "status": row.status,
        "termination_source": row.termination_source,
        "turn_count": row.turn_count,
        "run_by": row.run_by,
        "miscellaneous": None,
        "comments": [],
        "input_output_pairs": pairs,
        "llm_token_usage": _usage(row.token_usage, row.id),
        "llm_latency_stats": _usage(row.latency_stats, row.id),
        "workflow_config_fully_hydrated": None,
        "source_workflow_run_id": row.source_workflow_run_id,
        "checkpoint_source_turn_index": row.checkpoint_source_turn_index,
        "carried_over_llm_token_usage": _usage(row.carried_over_token_usage, row.id),
        "carried_over_llm_latency_stats": _usage(row.carried_over_latency_stats, row.id),
        "is_evaluation_run": False,
        "evaluation_run_info": {"evaluation_workflow_run_id": None},
        "created_at": iso_time(row.created_at),
        "updated_at": iso_time(row.updated_at),
    }


def _usage(data: bytes | None, run_id: str) -> JsonObject | None:
    return None if data is None else read_json(data, f"model usage of run {run_id}")


def _pair(turn: Row[*tuple[Any, ...]], run_id: str) -> JsonObject:
    place = f"record of turn {turn.turn_number} of run {run_id}"
    events = read_json(turn.events, place)
    pair = _told_pair(events) if turn.pair is None else read_json(turn.pair, place)
    if turn.is_in_progress:
        pair = {**Turn().to_wire(), **pair, IN_PROGRESS_KEY: True}
    return {**pair, "run_output": {**pair["run_output"], "events": events}}


def _told_pair(events: list[JsonObject]) -> JsonObject:
    """What the closing event of a turn tells of it (``platform/wire.md`` 3.5); an empty pair without one."""
    told = (event["run_input_output_pair"] for event in reversed(events) if event.get("type") == _CLOSING)
    return next(told, None) or Turn().to_wire()
