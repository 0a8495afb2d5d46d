"""Sessions read from a database's tables, without server or store."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import psycopg

from debugger.store.compression import decompress
from tests.conformance.served import spoken


@dataclass
class StoredRun:
    """Row of a run with the rows of its turns, in order."""

    run_by: str
    status: str
    turn_count: int
    numbers: list[int] = field(default_factory=list)
    events: list[list[dict]] = field(default_factory=list)


def read_stored_runs(database):
    """Return every run that has a finished turn, by id."""
    # At one moment: turns may be stored while this is read.
    with _reading(database) as read:
        runs = {
            run_id: StoredRun(*rest)
            for run_id, *rest in read("SELECT id, run_by, status, turn_count FROM runs WHERE turn_count > 0")
        }
        # Without turns that are claimed and not finished.
        finished = "SELECT run_id, turn_number, events FROM turns WHERE lease_until IS NULL ORDER BY id"
        for run_id, number, packed in read(finished):
            runs[run_id].numbers.append(number)
            runs[run_id].events.append(json.loads(decompress(bytes(packed))))
    return runs


def check_stored_turns(database, sessions):
    """Check that every answered turn is stored exactly once."""
    runs = read_stored_runs(database)
    assert sorted(runs) == sorted(talk.run_id for talk in sessions)
    for talk in sessions:
        run, answered = runs[talk.run_id], len(talk.answers)
        assert (run.run_by, run.status, run.turn_count) == (talk.name, "waiting_for_user_input", answered)
        assert run.numbers == list(range(1, answered + 1))
        assert run.events == [answer["events"] for answer in talk.answers]


def check_positions(database, sessions):
    """Check that every run is at its last answered turn.

    A turn whose response was lost may have moved it further.
    Args:
        database: The URL.
        sessions: Their journals may still grow by what is on its way to them.
    """
    before = {talk.name: len(talk.answers) for talk in sessions}
    runs = {run.run_by: run for run in read_stored_runs(database).values()}
    for talk in sessions:
        run = runs.get(talk.name) or StoredRun(talk.name, "", 0)
        assert before[talk.name] <= run.turn_count <= len(talk.answers) + 1
        assert run.numbers == list(range(1, run.turn_count + 1))
        for number, events in zip(run.numbers, run.events, strict=True):
            assert spoken({"events": events}) == [talk.reply(number)]


@contextmanager
def _reading(database):
    """Read in one transaction; yield a function from statements to rows."""
    if database.startswith("sqlite:"):
        with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as connection:
            connection.execute("BEGIN")
            yield lambda statement: connection.execute(statement).fetchall()
    else:
        with psycopg.connect(database) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            yield lambda statement: connection.execute(statement).fetchall()
