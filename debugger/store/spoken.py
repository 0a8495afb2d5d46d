"""What was said in runs, as lines to search in.

No turn pays for them: they are written when somebody searches, and then only those of the turns that were
added since. What a search has no time for is left to the next one, the oldest runs last.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, func, or_, select

from debugger.protocol.base import JsonObject
from debugger.protocol.messages import message_text
from debugger.store.database import Database
from debugger.store.json_text import read_json
from debugger.store.notebook_schema import spoken
from debugger.store.schema import runs, turns
from debugger.store.upserts import insert

MOST_SECONDS = 2.0
"""How long a search catches up with new turns."""
_BATCH = 100
"""Runs that are caught up with at one go, so that no turn waits long to be kept."""

_BEHIND = or_(spoken.c.turn_count.is_(None), spoken.c.turn_count < runs.c.turn_count)
_JOINED = runs.outerjoin(spoken, spoken.c.run_id == runs.c.id)


class _Behind(NamedTuple):
    run_id: str
    turn_count: int
    known: int
    """Turns that its lines tell of."""
    text: str


def catch_up(database: Database, wanted: Sequence[ColumnElement[bool]], seconds: float = MOST_SECONDS) -> int:
    """Read what was said since the last search.

    Args:
        database: The store's.
        wanted: What the runs must be like that are searched.
        seconds: After which no more are read.

    Returns:
        How many of the runs are still to be read.
    """
    deadline = time.monotonic() + seconds
    while behind := _behind(database, wanted):
        _write(database, [(run, _lines(database, run)) for run in behind])
        if time.monotonic() > deadline:
            break
    with database.reading() as connection:
        return connection.scalar(select(func.count()).select_from(_JOINED).where(_BEHIND, *wanted)) or 0


def _behind(database: Database, wanted: Sequence[ColumnElement[bool]]) -> list[_Behind]:
    known, text = func.coalesce(spoken.c.turn_count, 0), func.coalesce(spoken.c.text, "")
    statement = select(runs.c.id, runs.c.turn_count, known, text).select_from(_JOINED)
    newest = statement.where(_BEHIND, *wanted).order_by(runs.c.created_at.desc()).limit(_BATCH)
    with database.reading() as connection:
        return [_Behind(*row) for row in connection.execute(newest)]


def _lines(database: Database, run: _Behind) -> str:
    statement = select(turns.c.turn_number, turns.c.pair, turns.c.events).where(
        turns.c.run_id == run.run_id, turns.c.turn_number > run.known, turns.c.turn_number <= run.turn_count
    )
    with database.reading() as connection:
        new = connection.execute(statement.order_by(turns.c.turn_number))
        lines = [_searchable(line) for turn in new for line in _said(turn, run.run_id)]
    return "\n".join(filter(None, [run.text, *lines]))


def _searchable(line: str) -> str:
    """A line in lower case and without the one character that PostgreSQL takes in no text."""
    return line.lower().replace("\0", " ")


def _write(database: Database, read: Sequence[tuple[_Behind, str]]) -> None:
    rows = [{"run_id": run.run_id, "turn_count": run.turn_count, "text": text} for run, text in read]
    fresh = insert(spoken)
    newer = {"turn_count": fresh.excluded.turn_count, "text": fresh.excluded.text}
    with database.writing() as connection:
        connection.execute(fresh.on_conflict_do_update(index_elements=["run_id"], set_=newer), rows)


def _said(turn: Row[*tuple[Any, ...]], run_id: str) -> Iterator[str]:
    """What the user sent and the agent spoke in a turn."""
    place = f"record of turn {turn.turn_number} of run {run_id}"
    events: list[JsonObject] = read_json(turn.events, place)
    if turn.pair is not None and not any(event.get("type") == "user_messages" for event in events):
        yield from _sent(read_json(turn.pair, place).get("run_input") or {})
    for event in events:
        if event.get("type") == "assistant_response":
            yield message_text({"content": event.get("content")})
        elif event.get("type") == "user_messages":
            yield from map(message_text, _objects(event.get("messages")))


def _sent(run_input: JsonObject) -> Iterator[str]:
    for thread in (run_input.get("thread_to_node_inputs") or {}).values():
        for node_input in _objects(thread.get("node_run_inputs")):
            yield from map(message_text, _objects(node_input.get("messages")))


def _objects(value: Any) -> Iterator[JsonObject]:
    return (inner for inner in (value if isinstance(value, list) else ()) if isinstance(inner, dict))
