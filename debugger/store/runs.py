"""Runs, read and searched.

No turn pays for the search: the messages of turns are indexed when a user searches, and then only those of
the turns that were added since. Turns for which a search has no time are left to the next one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select

from debugger.errors import InputError, NotFoundError
from debugger.protocol.base import JsonObject
from debugger.protocol.messages import message_text
from debugger.protocol.runs import IN_PROGRESS as IN_PROGRESS_KEY
from debugger.protocol.runs import NO_VERDICT, Run, RunSearch, Turn
from debugger.protocol.turn_logs import LazyRun
from debugger.store.claims import unknown_run
from debugger.store.compression import read_json
from debugger.store.database import Database, Repository
from debugger.store.schema import (
    FINISHED,
    IN_PROGRESS,
    IS_SHOWN,
    comments,
    run_marks,
    run_scenarios,
    run_tags,
    runs,
    spoken,
    turns,
    verdicts,
)
from debugger.store.sql_helpers import contains, has_key, insert, iso_time, page_of, place_in

MAX_INDEX_SECONDS = 2.0
"""Seconds that a search spends on indexing new turns."""
MAX_WORDS = 100
"""Different words of a search. SQLite refuses a statement with 1,000, and PostgreSQL plans it for minutes."""
_RUNS_AT_ONCE = 100
"""Runs that are indexed in one transaction, so that no turn waits long to be stored."""

_CLOSING = "end_workflow_iteration"

_ALL_TURNS = (
    select(turns.c.turn_number, turns.c.pair, turns.c.events, IN_PROGRESS.label("is_in_progress"))
    .where(turns.c.turn_number > 0)  # a turn 0 is the state of a fork that has not started
    .order_by(turns.c.turn_number)
)
_TURNS = _ALL_TURNS.where(FINISHED)
_NEWEST_FIRST = select(runs).order_by(runs.c.created_at.desc(), runs.c.id.desc())

_IS_BEHIND = or_(spoken.c.turn_count.is_(None), spoken.c.turn_count < runs.c.turn_count)
_WITH_INDEX = runs.outerjoin(spoken, spoken.c.run_id == runs.c.id)


class FoundRuns(NamedTuple):
    """One page of a search."""

    rows: list[Run]
    """Without their turns, the newest first."""
    total: int
    """On all pages."""
    unread: int = 0
    """Runs that there was no time to index; the next search continues with them."""


class RunRepository(Repository):
    """Runs, read and searched."""

    def run(self, run_id: str) -> Run:
        """Return one run with its turns, one in progress too, in the shape of ``platform.md#run-record``.

        Raises:
            NotFoundError: There is no such run.
            StoreError: A turn was changed by another program.
        """
        with self._database.reading() as connection:
            row = _row(connection, run_id)
            found = connection.execute(_ALL_TURNS.where(turns.c.run_id == run_id))
            return Run.from_wire(_record(row, [_pair(turn, run_id) for turn in found]))

    def record(self, run_id: str) -> LazyRun:
        """Return one run whose finished turns are decoded when read.

        Raises:
            NotFoundError: There is no such run.
        """
        with self._database.reading() as connection:
            row = _row(connection, run_id)
            rows = connection.execute(_TURNS.where(turns.c.run_id == run_id)).all()
        return LazyRun(Run.from_wire(_record(row, [])), [_StoredTurn(turn, run_id) for turn in rows])

    def pair(self, run_id: str, number: int) -> Turn:
        """Return a finished input/output pair by its number.

        Raises:
            NotFoundError: There is no such run, or it has no such pair.
        """
        ours = _TURNS.where(turns.c.run_id == run_id, turns.c.turn_number == number)
        with self._database.reading() as connection:
            row = connection.execute(ours).one_or_none()
        if row is None:
            raise NotFoundError(f"Run {run_id!r} has no input/output pair {number}.")
        return _StoredTurn(row, run_id)()

    def runs(
        self,
        workflow_id: str | None = None,
        status: str | None = None,
        page: int = 1,
        size: int = 50,
        *,
        search: RunSearch | None = None,
    ) -> FoundRuns:
        """Return one page of runs, newest first, without hidden ones and without their turns.

        Words are searched in messages, notes and names; for that, the turns that were added since the last
        search are indexed first, for `MAX_INDEX_SECONDS` at most.

        Args:
            workflow_id: Only runs of this workflow.
            status: Only runs with this status.
            page: Counts from 1.
            size: Rows on a page.
            search: Only runs that it finds.

        Raises:
            InputError: Page or size is below 1, or the search has too many words.

        Source: ``platform.md#run-list``.
        """
        search = search or RunSearch()
        words = dict.fromkeys(search.words)
        if len(words) > MAX_WORDS:
            raise InputError(
                f"The search has {len(words)} different words.", advice=f"Leave {MAX_WORDS} of them at most."
            )
        conditions = _conditions(workflow_id, status, search)
        unread = refresh_index(self._database, conditions) if words else 0
        conditions += [_has_word(word) for word in words]
        with self._database.reading() as connection:
            rows = connection.execute(page_of(_NEWEST_FIRST.where(*conditions), page, size)).all()
            total = connection.scalar(select(func.count()).select_from(runs).where(*conditions)) or 0
            return FoundRuns([Run.from_wire(_record(row, [])) for row in rows], total, unread)


@dataclass(frozen=True, slots=True)
class _StoredTurn:
    """A stored turn, and a function that reads it.

    Raises:
        StoreError: It was changed by another program.
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


def _record(row: Row[Any], pairs: list[JsonObject]) -> JsonObject:
    """Return the fields of a run's record in the shape of ``platform.md#run-record``, with the pairs given.

    Raises:
        StoreError: Its model usage cannot be read.
    """
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
    """Return the input/output pair of a stored turn with its events; one in progress is marked by a key.

    Raises:
        StoreError: It was changed by another program.
    """
    place = f"record of turn {turn.turn_number} of run {run_id}"
    events = read_json(turn.events, place)
    pair = _closing_pair(events) if turn.pair is None else read_json(turn.pair, place)
    if turn.is_in_progress:
        pair = {**Turn().to_wire(), **pair, IN_PROGRESS_KEY: True}
    return {**pair, "run_output": {**pair["run_output"], "events": events}}


def _closing_pair(events: list[JsonObject]) -> JsonObject:
    """Return the pair in a turn's closing event (``platform.md#event-fields``)."""
    pairs = (event["run_input_output_pair"] for event in reversed(events) if event.get("type") == _CLOSING)
    return next(pairs, None) or Turn().to_wire()


def _conditions(workflow_id: str | None, status: str | None, search: RunSearch) -> list[ColumnElement[bool]]:
    """Return the conditions for shown runs by workflow, status and search, without those for its words."""
    equal = {
        runs.c.workflow_id: workflow_id,
        runs.c.status: status,
        runs.c.version_number: search.version_number,
        runs.c.source_workflow_run_id: search.source_workflow_run_id or None,
    }
    conditions: list[ColumnElement[bool]] = [
        IS_SHOWN,
        *(column == value for column, value in equal.items() if value is not None),
    ]
    if search.since is not None:
        conditions.append(runs.c.created_at >= search.since.timestamp())
    if search.until is not None:
        conditions.append(runs.c.created_at < search.until.timestamp())
    if search.tag:
        of_run = select(run_tags.c.run_id).where(run_tags.c.tag == search.tag)
        written = json.dumps(search.tag, ensure_ascii=False)
        of_scenario = select(run_scenarios.c.run_id).where(place_in(run_scenarios.c.tags, written) > 0)
        conditions.append(or_(runs.c.id.in_(of_run), runs.c.id.in_(of_scenario)))
    if search.scenario or search.scenario_outcome:
        wanted = {"name": search.scenario, "outcome": search.scenario_outcome}
        key = {name: value for name, value in wanted.items() if value}
        conditions.append(runs.c.id.in_(select(run_scenarios.c.run_id).where(has_key(run_scenarios, key))))
    if search.without_scenarios:
        conditions.append(runs.c.id.not_in(select(run_scenarios.c.run_id)))
    if search.starred:
        conditions.append(runs.c.id.in_(select(run_marks.c.run_id).where(run_marks.c.starred)))
    if search.verdict:
        conditions.append(_has_verdict(search.verdict))
    return conditions


def _has_verdict(wanted: str) -> ColumnElement[bool]:
    """Return the condition for runs with a verdict of a value as a whole, or without any for `NO_VERDICT`."""
    own = select(verdicts.c.run_id).where(verdicts.c.connection == "", verdicts.c.target_kind == "run")
    if wanted == NO_VERDICT:
        return runs.c.id.not_in(own)
    return runs.c.id.in_(own.where(verdicts.c.value == wanted))


def _has_word(word: str) -> ColumnElement[bool]:
    """Return the condition for runs whose id is a word, or whose messages, notes or names contain it."""
    notes = (
        select(spoken.c.run_id).where(place_in(spoken.c.text, word) > 0),
        select(run_marks.c.run_id).where(contains(run_marks.c.note, word)),
        select(run_tags.c.run_id).where(contains(run_tags.c.tag, word)),
        select(comments.c.run_id).where(contains(comments.c.content, word)),
        select(run_scenarios.c.run_id).where(contains(run_scenarios.c.name, word)),
        select(run_scenarios.c.run_id).where(contains(run_scenarios.c.file, word)),
    )
    names = (runs.c.workflow_name, runs.c.version_name, runs.c.run_by)
    return or_(
        runs.c.id == word,
        *(contains(column, word) for column in names),
        *(runs.c.id.in_(statement) for statement in notes),
    )


def refresh_index(
    database: Database, conditions: Sequence[ColumnElement[bool]], seconds: float = MAX_INDEX_SECONDS
) -> int:
    """Index the messages of turns that were added since the last search, of the newest runs first.

    Args:
        database: The store's.
        conditions: Those of the runs to be searched.
        seconds: Time after which no more are read; one portion of `_RUNS_AT_ONCE` runs is read at least.

    Returns:
        The number of runs that are still to be indexed.
    """
    deadline = time.monotonic() + seconds
    count, text = func.coalesce(spoken.c.turn_count, 0), func.coalesce(spoken.c.text, "")
    behind = (
        select(runs.c.id, runs.c.turn_count, count.label("indexed"), text.label("text"))
        .select_from(_WITH_INDEX)
        .where(_IS_BEHIND, *conditions)
        .order_by(runs.c.created_at.desc())
        .limit(_RUNS_AT_ONCE)
    )
    fresh = insert(spoken)
    newer = {"turn_count": fresh.excluded.turn_count, "text": fresh.excluded.text}
    while True:
        with database.reading() as connection:
            found = connection.execute(behind).all()
        if not found:
            break
        rows = [
            {"run_id": row.id, "turn_count": row.turn_count, "text": _indexed_text(database, row)}
            for row in found
        ]
        with database.writing() as connection:
            # A run that was deleted meanwhile leaves no text behind.
            stored = select(runs.c.id).where(runs.c.id.in_([row["run_id"] for row in rows]))
            known = set(connection.scalars(stored))
            rows = [row for row in rows if row["run_id"] in known]
            if rows:
                connection.execute(fresh.on_conflict_do_update(index_elements=["run_id"], set_=newer), rows)
        if time.monotonic() > deadline:
            break
    with database.reading() as connection:
        left = select(func.count()).select_from(_WITH_INDEX).where(_IS_BEHIND, *conditions)
        return connection.scalar(left) or 0


def _indexed_text(database: Database, run: Row[*tuple[Any, ...]]) -> str:
    """Return a run's indexed text with the messages of its turns since, in lower case, a line for each."""
    new = (
        select(turns.c.turn_number, turns.c.pair, turns.c.events)
        .where(turns.c.run_id == run.id, turns.c.turn_number.between(run.indexed + 1, run.turn_count))
        .order_by(turns.c.turn_number)
    )
    with database.reading() as connection:
        # In lower case and without the one character that PostgreSQL takes in no text.
        lines = [
            line.lower().replace("\0", " ")
            for turn in connection.execute(new)
            for line in _messages(turn, run.id)
        ]
    return "\n".join(filter(None, [run.text, *lines]))


def _messages(turn: Row[*tuple[Any, ...]], run_id: str) -> Iterator[str]:
    """Yield the texts of a turn's messages in order: those of the users, then what the assistant said.

    User messages come from the events, or from the run input where no event has them; they may be empty.

    Raises:
        StoreError: The turn was changed by another program.
    """
    place = f"record of turn {turn.turn_number} of run {run_id}"
    events: list[JsonObject] = read_json(turn.events, place)
    if turn.pair is not None and not any(event.get("type") == "user_messages" for event in events):
        run_input = read_json(turn.pair, place).get("run_input") or {}
        for thread in (run_input.get("thread_to_node_inputs") or {}).values():
            for node_input in _objects(thread.get("node_run_inputs")):
                yield from map(message_text, _objects(node_input.get("messages")))
    for event in events:
        if event.get("type") == "assistant_response":
            yield message_text({"content": event.get("content")})
        elif event.get("type") == "user_messages":
            yield from map(message_text, _objects(event.get("messages")))


def _objects(value: Any) -> Iterator[JsonObject]:
    return (inner for inner in (value if isinstance(value, list) else ()) if isinstance(inner, dict))
