from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest
from sqlalchemy import QueuePool, event

from debugger.errors import ConflictError
from debugger.store.sql_helpers import new_id
from debugger.store.store import Store
from tests.support.turns import WholeTurn, append_turn


def a_turn(run_id, number, **fields):
    values = {
        "status": "waiting_for_user_input",
        "checkpoint": b"state",
        "started_at": 1_785_200_000.0 + number,
        "finished_at": 1_785_200_000.5 + number,
        "workflow_id": "665f00000000000000000001",
        "version_number": 0,
    }
    return WholeTurn(run_id=run_id, turn_number=number, **{**values, **fields})


def events_of(store, run_id):
    """The events of each turn."""
    return [pair.run_output.events for pair in store.run(run_id).input_output_pairs]


@contextmanager
def connections_seen_by(listener):
    """Call a listener with every SQLite connection that is opened inside the block."""

    def connected(connection, _record):
        listener(connection)

    event.listen(QueuePool, "connect", connected)
    try:
        yield
    finally:
        event.remove(QueuePool, "connect", connected)


WRITER = """
import sys
from debugger.store.store import Store
from tests.support.turns import WholeTurn, append_turn

url, run_id, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
store = Store(url)
while True:
    events = b'[{"n":%d,"content":"%s"}]' % (number, b"x" * 100_000)
    append_turn(store, WholeTurn(
        run_id=run_id, turn_number=number, status="waiting_for_user_input", checkpoint=b"%d" % number,
        started_at=number, finished_at=number, workflow_id="w", version_number=0, events_json=events,
    ))
    print(number, flush=True)
    number += 1
"""


def test_killed_process_leaves_whole_turn(url, tmp_path):
    run_id, kept = new_id(), 0

    for _ in range(5):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER, url, run_id, str(kept + 1)],
            stdout=subprocess.PIPE,
            text=True,
        )
        said = [child.stdout.readline() for _ in range(random.randint(1, 30))]
        child.kill()
        said += child.communicate()[0].splitlines()

        with closing(Store(url)) as store:
            events = events_of(store, run_id)
            checkpoint = store.checkpoint(run_id)
            assert store.run(run_id).turn_count == len(events) == checkpoint.turn_number
            assert [turn[0]["n"] for turn in events] == list(range(1, len(events) + 1))
            assert checkpoint.checkpoint == b"%d" % len(events)
            assert len(events) >= int(said[-1])
            kept = len(events) + 1
            append_turn(
                store, a_turn(run_id, kept, checkpoint=b"%d" % kept, events_json=b'[{"n":%d}]' % kept)
            )

    # Where the database is a file; an empty one is sound as well.
    with closing(sqlite3.connect(tmp_path / "debugger.sqlite3")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_same_turn_of_two_threads_conflicts(every_url):
    run_id = new_id()
    barrier = threading.Barrier(2, timeout=10)
    with closing(Store(every_url)) as store:

        def write(writer):
            outcomes = []
            for number in range(1, 21):
                barrier.wait()
                try:
                    append_turn(store, a_turn(run_id, number, events_json=b'[{"writer":%d}]' % writer))
                    outcomes.append("kept")
                except ConflictError:
                    outcomes.append("conflict")
                barrier.wait()
            return outcomes

        with ThreadPoolExecutor(2) as threads:
            first, second = threads.map(write, [0, 1])

        assert [{*pair} for pair in zip(first, second, strict=True)] == [{"kept", "conflict"}] * 20
        winners = [0 if outcome == "kept" else 1 for outcome in first]
        assert [events[0]["writer"] for events in events_of(store, run_id)] == winners


def test_eight_threads_write_and_read_different_runs(every_url):
    run_ids = [new_id() for _ in range(8)]
    with closing(Store(every_url)) as store:

        def play(run_id):
            for number in range(1, 26):
                append_turn(store, a_turn(run_id, number, checkpoint=b"%s %d" % (run_id.encode(), number)))
                assert store.checkpoint(run_id).checkpoint == b"%s %d" % (run_id.encode(), number)
                store.runs(size=5)

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(play, run_ids))

        assert [len(store.run(run_id).input_output_pairs) for run_id in run_ids] == [25] * 8
        assert store.runs()[1] == 8


def test_a_reader_sees_whole_turns_only(every_url):
    run_id = new_id()
    with closing(Store(every_url)) as store:
        append_turn(store, a_turn(run_id, 1))

        def write():
            for number in range(2, 200):
                append_turn(store, a_turn(run_id, number))

        writer = threading.Thread(target=write)
        writer.start()
        seen = []
        while writer.is_alive():
            run = store.run(run_id)
            seen.append((run.turn_count, len(run.input_output_pairs)))
        writer.join()

    assert all(count == pairs for count, pairs in seen)


def test_list_of_runs_reads_no_turn(tmp_path):
    reads = set()

    def note(action, table, column, *_rest):
        if action == sqlite3.SQLITE_READ:
            reads.add((table, column))
        return sqlite3.SQLITE_OK

    with connections_seen_by(lambda connection: connection.set_authorizer(note)):
        store = Store(f"sqlite:///{tmp_path}/a.sqlite3")
        for _ in range(1000):
            append_turn(store, a_turn(new_id(), 1, workflow_name="Tea"))
        reads.clear()

        rows, total, _ = store.runs(status="waiting_for_user_input", size=1000)

        assert (len(rows), total) == (1000, 1000)
        assert {table for table, _ in reads} == {"hidden_runs", "runs"}
        store.close()


def test_checkpoint_reads_no_events(tmp_path):
    actions = set()

    def note(action, table, column, *_rest):
        actions.add((action, table, column if action == sqlite3.SQLITE_READ else None))
        return sqlite3.SQLITE_OK

    run_id = new_id()
    with connections_seen_by(lambda connection: connection.set_authorizer(note)):
        store = Store(f"sqlite:///{tmp_path}/a.sqlite3")
        actions.clear()

        for number in range(1, 4):
            append_turn(store, a_turn(run_id, number))
            store.checkpoint(run_id)

        store.close()
    assert (sqlite3.SQLITE_INSERT, "turns", None) in actions
    assert (sqlite3.SQLITE_DELETE, "turns", None) not in actions
    assert (sqlite3.SQLITE_READ, "turns", "checkpoint") in actions
    assert (sqlite3.SQLITE_READ, "turns", "events") not in actions


def test_statements_on_runs_use_index(tmp_path):
    statements = []
    run_id = new_id()
    with connections_seen_by(lambda connection: connection.set_trace_callback(statements.append)):
        store = Store(f"sqlite:///{tmp_path}/a.sqlite3")
        append_turn(store, a_turn(run_id, 1))
        statements.clear()

        append_turn(store, a_turn(run_id, 2))
        store.checkpoint(run_id)
        store.checkpoint(run_id, 1)
        store.run(run_id)
        store.runs(workflow_id="665f00000000000000000001")
        store.close()

    with closing(sqlite3.connect(tmp_path / "a.sqlite3")) as database:
        plans = {
            statement: " / ".join(row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {statement}"))
            for statement in statements
            if statement.startswith(("SELECT", "UPDATE", "INSERT"))
        }
    assert len(plans) >= 8
    assert {plan for plan in plans.values() if "SCAN" in plan or "TEMP B-TREE" in plan} == set()


def test_first_page_of_runs_uses_index(tmp_path):
    statements = []
    with connections_seen_by(lambda connection: connection.set_trace_callback(statements.append)):
        store = Store(f"sqlite:///{tmp_path}/a.sqlite3")
        statements.clear()
        store.runs()
        store.close()

    [statement] = [statement for statement in statements if "ORDER BY" in statement]
    with closing(sqlite3.connect(tmp_path / "a.sqlite3")) as database:
        plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {statement}")]
    assert plan == [
        "SCAN runs USING INDEX runs_by_time",
        "USING INDEX sqlite_autoindex_hidden_runs_1 FOR IN-OPERATOR",
    ]


def test_error_does_not_affect_next_call(tmp_path):
    run_id = new_id()
    with closing(Store(f"sqlite:///{tmp_path}/a.sqlite3?timeout=0")) as store:
        append_turn(store, a_turn(run_id, 1))

        for _ in range(50):
            with pytest.raises(ConflictError):
                append_turn(store, a_turn(run_id, 1))

        append_turn(store, a_turn(run_id, 2))
        assert store.checkpoint(run_id).turn_number == 2
