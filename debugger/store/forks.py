"""Runs made of the first turns of another, and their origins.

Records of origin go by ids alone, so they may be of runs of a hosted API.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import encode
from debugger.protocol.runs import ForkRecord, RunStatus
from debugger.store.claims import check_limit, unknown_run
from debugger.store.compression import compress, read_json
from debugger.store.database import Repository, StatementCursor
from debugger.store.rerun_tokens import redeem_token
from debugger.store.schema import IS_SHOWN, forks, runs, turns
from debugger.store.sql_helpers import split_ids, upsert

_OWN_COLUMNS = {
    "id",
    "run_id",
    "client_turn_id",
    "claim_id",
    "owner",
    "lease_until",
    "lease_seconds",
    "event_count",
}
"""Columns of a turn that its copies do not take over."""
_NO_INPUT = encode({"run_input": {}, "run_output": {}})


@dataclass(frozen=True, kw_only=True)
class CarriedUsage:
    """The model usage that a copy of a run begins with.

    It is stored twice: each turn's totals replace the last one's, so the usage that was carried over would be
    lost in them (``platform.md#run-record`` and ``platform.md#usage``).
    """

    token_usage_json: bytes
    latency_stats_json: bytes
    has_calls: bool
    """True where a model had been called; otherwise nothing is carried over."""


@dataclass(frozen=True)
class WrittenPair:
    """An input/output pair to be stored, in JSON."""

    pair: bytes
    """The pair without its events."""
    events: bytes


@dataclass(frozen=True, kw_only=True)
class RunFork:
    """A run to be made of the first pairs of another."""

    record: ForkRecord
    pair_count: int
    """Pairs that are copied; 0 starts anew."""
    checkpoint: bytes
    """The state of the fork after them."""
    status: RunStatus
    version_number: int
    version_name: str | None
    usage: CarriedUsage
    workflow_id: str | None = None
    """The workflow, where it is not the source's."""
    workflow_name: str | None = None
    turn_index: int | None = None
    """The turn that a re-run names, from 0; by default the turn that the fork starts with."""
    written: Mapping[int, WrittenPair] = field(default_factory=dict)
    """Pairs that replace those of the source by number, or follow those that are copied."""
    is_limited: bool = False
    """The fork counts against the limit of ``workflow_id``."""
    token: str | None = None
    """The re-run token that the fork redeems."""


class ForkRepository(Repository):
    """Origins of forks."""

    def keep(self, record: ForkRecord) -> None:
        """Store the origin of a run, in place of an earlier one."""
        with self._database.writing() as connection:
            _store_origin(connection, record)

    def create(self, fork: RunFork) -> None:
        """Create a run of the first pairs of another, with its origin, in one transaction; redeem its token.

        Raises:
            NotFoundError: There is no such run, or no such token any more.
            RateLimitError: The fork is limited, and the limit of its workflow is reached.
        """
        with self._database.writing() as connection:
            if fork.token is not None:
                redeem_token(connection, fork.token)
            _copy_run(connection, fork)
            if fork.is_limited and fork.workflow_id is not None:
                cursor = StatementCursor(connection.connection.cursor(), self._database.dialect)
                check_limit(cursor, fork.workflow_id, fork.record.run_id)

    def judge(self, run_id: str, fidelity: JsonObject) -> None:
        """Store the result of a control run of a fork."""
        with self._database.writing() as connection:
            ours = update(forks).where(forks.c.run_id == run_id)
            connection.execute(ours.values(fidelity=encode(fidelity)))

    def of(self, run_id: str) -> ForkRecord | None:
        """Return the origin of a run; ``None`` where it is no fork."""
        with self._database.reading() as connection:
            return _find(connection, run_id)

    def family(self, run_id: str) -> list[ForkRecord]:
        """Return every fork of the same first run, the oldest first."""
        with self._database.reading() as connection:
            found = _descendants(connection, _root(connection, run_id))
        return sorted(found, key=lambda record: (record.created_at, record.run_id))

    def copies(self, run_id: str) -> dict[str, int]:
        """Return the direct and indirect forks of a run, the oldest first, without the run itself.

        Returns:
            For each fork's id the number of turns that it has from the run: the fewest along its line of
            forks.
        """
        with self._database.reading() as connection:
            found = _descendants(connection, run_id)
        turns_of = {run_id: None} | dict[str, int | None]()
        for record in sorted(found, key=lambda record: record.created_at):
            above = turns_of.get(record.source_run_id)
            own = record.turn_number - 1
            turns_of[record.run_id] = own if above is None else min(own, above)
        return {fork: count or 0 for fork, count in turns_of.items() if fork != run_id}

    def statuses(self, run_ids: Collection[str]) -> dict[str, RunStatus]:
        """Return the statuses by id of those of the runs that are stored here; other ids are left out."""
        with self._database.reading() as connection:
            return {
                row.id: row.status
                for some in split_ids(run_ids)
                for row in connection.execute(select(runs.c.id, runs.c.status).where(runs.c.id.in_(some)))
            }

    def counts(self, run_id: str) -> dict[int, int]:
        """Count the runs made from each turn of a run, from 0, without hidden ones."""
        index = runs.c.checkpoint_source_turn_index
        ours = (runs.c.source_workflow_run_id == run_id, IS_SHOWN)
        statement = select(index, func.count()).where(*ours).group_by(index)
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(statement) if row[0] is not None}


def _copy_run(connection: Connection, fork: RunFork) -> None:
    """Store a fork: its run, the turns that it shares with its source, and its origin.

    Raises:
        NotFoundError: There is no source run.
    """
    record, usage = fork.record, fork.usage
    ours = select(runs.c.workflow_id, runs.c.workflow_name).where(runs.c.id == record.source_run_id)
    source = connection.execute(ours).one_or_none()
    if source is None:
        raise unknown_run(record.source_run_id)
    turn_index = record.turn_number - 1 if fork.turn_index is None else fork.turn_index
    connection.execute(
        insert(runs).values(
            id=record.run_id,
            workflow_id=fork.workflow_id or source.workflow_id,
            workflow_name=fork.workflow_name if fork.workflow_id else source.workflow_name,
            version_number=fork.version_number,
            version_name=fork.version_name,
            run_by=record.forked_by or None,
            status=fork.status,
            turn_count=max((fork.pair_count, *fork.written)),
            token_usage=usage.token_usage_json,
            latency_stats=usage.latency_stats_json,
            carried_over_token_usage=usage.token_usage_json if usage.has_calls else None,
            carried_over_latency_stats=usage.latency_stats_json if usage.has_calls else None,
            source_workflow_run_id=record.source_run_id,
            checkpoint_source_turn_index=turn_index,
            created_at=record.created_at,
            updated_at=record.created_at,
        )
    )
    connection.execute(insert(turns), _turn_rows(connection, fork))
    _store_origin(connection, record)


def _turn_rows(connection: Connection, fork: RunFork) -> list[dict[str, Any]]:
    """Return the turns of a fork to insert: copies of the source's, then those that edits have written.

    The last one holds the checkpoint and the status; without any turn that is a row of the number 0.
    """
    not_started = {
        "run_id": fork.record.run_id,
        "turn_number": 0,  # no record shows it, but it is the state of a run that has not started
        "status": fork.status,
        "started_at": fork.record.created_at,
        "finished_at": fork.record.created_at,
        "checkpoint": b"",
        "pair": _NO_INPUT,
        "events": b"[]",
        "user_turn_number": None,
        "stop_requested_at": None,
    }
    source = select(turns).where(
        turns.c.run_id == fork.record.source_run_id, turns.c.turn_number.between(1, fork.pair_count)
    )
    rows = {
        row.turn_number: {
            **{key: value for key, value in row._mapping.items() if key not in _OWN_COLUMNS},
            "run_id": fork.record.run_id,
        }
        for row in connection.execute(source.order_by(turns.c.turn_number))
    }
    for number, written in sorted(fork.written.items()):
        rows[number] = {
            **rows.get(number, {**not_started, "turn_number": number}),
            "pair": written.pair,
            "events": compress(written.events),
        }
    last = rows[max(rows)] if rows else rows.setdefault(0, not_started)
    last |= {"checkpoint": compress(fork.checkpoint), "status": fork.status}
    return list(rows.values())


def _store_origin(connection: Connection, record: ForkRecord) -> None:
    """Store the origin of a fork, in place of an earlier one of the same run."""
    values = {
        "source_run_id": record.source_run_id,
        "turn_number": record.turn_number,
        "way": record.way,
        "note": record.note,
        "forked_by": record.forked_by,
        "created_at": record.created_at,
        "fidelity": None if record.fidelity is None else encode(record.fidelity),
        "changes": encode(list(record.changes)),
    }
    connection.execute(upsert(forks, {"run_id": record.run_id}, values))


def _find(connection: Connection, run_id: str) -> ForkRecord | None:
    row = connection.execute(select(forks).where(forks.c.run_id == run_id)).one_or_none()
    return None if row is None else _fork_record(row)


def _root(connection: Connection, run_id: str) -> str:
    seen = {run_id}
    while (record := _find(connection, run_id)) is not None and record.source_run_id not in seen:
        run_id = record.source_run_id
        seen.add(run_id)
    return run_id


def _descendants(connection: Connection, root: str) -> list[ForkRecord]:
    """Return the direct forks of a run, then theirs, and so on; without the run itself and each once."""
    found: dict[str, ForkRecord] = {}
    parents = [root]
    while parents:
        children = [
            _fork_record(row)
            for some in split_ids(parents)
            for row in connection.execute(select(forks).where(forks.c.source_run_id.in_(some)))
            if row.run_id not in found and row.run_id != root
        ]
        found |= {record.run_id: record for record in children}
        parents = [record.run_id for record in children]
    return list(found.values())


def _fork_record(row: Row[Any]) -> ForkRecord:
    """Return a stored origin as a record.

    Raises:
        StoreError: Its changes or its fidelity cannot be read.
    """
    place = f"fork {row.run_id}"
    return ForkRecord(
        run_id=row.run_id,
        source_run_id=row.source_run_id,
        turn_number=row.turn_number,
        way=row.way,
        changes=tuple(read_json(row.changes, place)),
        note=row.note,
        forked_by=row.forked_by,
        fidelity=None if row.fidelity is None else read_json(row.fidelity, place),
        created_at=row.created_at,
    )
