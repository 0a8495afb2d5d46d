from __future__ import annotations

import json
import threading
import time
from contextlib import closing

import pytest
from sqlalchemy import func, select

from debugger.errors import ConflictError, NotFoundError
from debugger.protocol.notes import Target
from debugger.protocol.runs import ForkRecord, RunSearch
from debugger.store import CarriedUsage, Limits, RunFork, Store, UnfinishedTurn, new_id
from debugger.store.database import Database
from debugger.store.edited_tables import NEVER_WRITTEN
from debugger.store.forks import forks
from debugger.store.retention import StoredRun, choose
from debugger.store.schema import (
    comments,
    kits,
    ratings,
    run_marks,
    run_tags,
    spoken,
    turns,
    unfinished_turns,
)
from tests.store.interrupted import interrupt
from tests.support.turns import WholeTurn, append_turn

TEA = "665f00000000000000000001"
DAY = 86_400


def keep(store, days_ago, number=1, run_id=None, **fields):
    run_id = run_id or new_id()
    at = time.time() - days_ago * DAY
    values = {"workflow_id": TEA, "version_number": 0, "status": "waiting_for_user_input", **fields}
    append_turn(
        store,
        WholeTurn(
            run_id=run_id, turn_number=number, checkpoint=b"{}", started_at=at, finished_at=at, **values
        ),
    )
    return run_id


def a_fork(source, pairs):
    record = ForkRecord(run_id=new_id(), source_run_id=source, turn_number=pairs + 1, created_at=time.time())
    return RunFork(
        record=record,
        pair_count=pairs,
        checkpoint=b"{}",
        status="waiting_for_user_input",
        version_number=0,
        version_name=None,
        usage=CarriedUsage(token_usage_json=b"{}", latency_stats_json=b"{}", has_calls=False),
    )


def left(store):
    return {run.workflow_run_id for run in store.runs(size=1000)[0]}


def gone(store, **limits):
    return [run.run_id for run in store.plan_pruning(Limits(**limits)).candidates]


def a_run(name, updated_at, *, size=100, is_marked=False, is_under_way=False):
    return StoredRun(name, None, updated_at, 1, size, is_marked, is_under_way)


def test_nothing_goes_without_a_limit(store):
    keep(store, 1000)

    assert gone(store) == []


def test_plan_selects_oldest_runs_by_each_limit(store):
    old, middle, new = (keep(store, days) for days in (40, 20, 1))
    keep(store, 0.5, number=2, run_id=old)

    assert gone(store, days=30) == []
    assert gone(store, days=10) == [middle]
    assert gone(store, runs=1) == [middle, new]
    assert gone(store, runs=1, days=10) == [middle, new]
    assert gone(store, size=0) == [middle, new, old]
    whole = store.plan_pruning(Limits(runs=0))
    size_of_old = whole.candidates[-1].size
    assert gone(store, size=size_of_old) == [middle, new]
    assert left(store) == {old, middle, new}


def test_plan_counts_bytes_of_workflows(store):
    before = store.plan_pruning(Limits()).size
    document = {"name": "緑茶" * 1_000}
    store.create_workflow(document)

    size = store.plan_pruning(Limits()).size - before

    assert size == len(json.dumps(document, ensure_ascii=False).encode())


def test_plan_stops_at_limit():
    kept = [a_run("a", 1.0), a_run("b", 2.0, size=50), a_run("c", 3.0), a_run("d", 4.0)]

    by_size = choose(kept, Limits(size=250), other_size=40, now=5.0)
    by_number = choose(kept, Limits(runs=3), other_size=40, now=5.0)

    assert [run.run_id for run in by_size.candidates] == ["a", "b"]
    assert [run.run_id for run in by_number.candidates] == ["a"]
    assert (by_size.runs, by_size.size) == (4, 390)


def test_marked_runs_are_spared_by_default():
    kept = [a_run("a", 1.0, is_marked=True), a_run("b", 2.0, is_under_way=True), a_run("c", 3.0)]

    spared = choose(kept, Limits(runs=0), other_size=0, now=5.0)
    asked = choose(kept, Limits(runs=0, with_marked=True), other_size=0, now=5.0)

    assert ([run.run_id for run in spared.candidates], spared.kept) == (["c"], 2)
    assert ([run.run_id for run in asked.candidates], asked.kept) == (["a", "c"], 1)


def test_each_kind_of_mark_keeps_a_run(store):
    starred, tagged, commented, rated, noted, plain = (keep(store, 40) for _ in range(6))
    store.notes.star(starred)
    store.notes.change_tags([tagged], ["smoke"])
    store.notes.comment(commented, Target.turn(1), "Ada", "Odd.")
    store.notes.rate(rated, Target(), "Ada", "up")
    store.notes.write(noted, "asks twice", expected=NEVER_WRITTEN)
    store.notes.star(plain)
    store.notes.star(plain, starred=False)

    pruning = store.plan_pruning(Limits(days=30))

    assert [run.run_id for run in pruning.candidates] == [plain]
    assert pruning.kept == 5
    assert store.prune(pruning) == 1
    assert left(store) == {starred, tagged, commented, rated, noted}
    assert store.prune(store.plan_pruning(Limits(days=30, with_marked=True))) == 5
    assert left(store) == set()


def test_prune_spares_changed_runs(store):
    touched, starred, under_way, idle = (keep(store, 40) for _ in range(4))
    pruning = store.plan_pruning(Limits(days=30))
    keep(store, 0, number=2, run_id=touched)
    store.notes.star(starred)
    interrupt(store, UnfinishedTurn(under_way, TEA, 0, 1.0, b"{}"))

    assert store.prune(pruning) == 1

    assert len(pruning.candidates) == 4
    assert left(store) == {touched, starred, under_way}
    assert idle not in left(store)


def test_many_runs_go_in_portions(store):
    for _ in range(230):
        keep(store, 40)
    new = keep(store, 1)

    assert store.prune(store.plan_pruning(Limits(days=30))) == 230
    store.compact()
    assert left(store) == {new}


def test_prune_deletes_everything_of_run(url):
    with closing(Store(url)) as store:
        run_id, other = keep(store, 1), keep(store, 1, events_json=b'[{"type":"assistant_response"}]')
        for one in (run_id, other):
            keep(store, 1, number=2, run_id=one)
            store.notes.star(one)
            store.notes.change_tags([one], ["smoke"])
            store.notes.comment(one, Target(), "Ada", "Odd.")
            store.notes.rate(one, Target(), "Ada", "up")
            store.notes.keep_debug_setup(one, b"{}")
            interrupt(store, UnfinishedTurn(one, TEA, 0, 1.0, b"{}"))
            store.forks.keep(ForkRecord(run_id=one, source_run_id="elsewhere", turn_number=1))
        store.runs(search=RunSearch(text="word"))

        store.delete_run(run_id)

        with pytest.raises(NotFoundError, match=run_id):
            store.run(run_id)
        with pytest.raises(NotFoundError, match=run_id):
            store.delete_run(run_id)
        with pytest.raises(NotFoundError, match=run_id):
            keep(store, 1, number=3, run_id=run_id)
        assert len(store.run(other).input_output_pairs) == 2
    with closing(Database(url)) as database, database.reading() as connection:
        for table in (turns, spoken, comments, ratings, run_marks, run_tags, kits, unfinished_turns, forks):
            found = connection.scalar(select(func.count()).where(table.c.run_id == run_id))
            kept = connection.scalar(select(func.count()).where(table.c.run_id == other))
            assert (table.name, found, kept > 0) == (table.name, 0, True)


def test_forks_outlive_deleted_run(store):
    source = keep(store, 40)
    keep(store, 40, number=2, run_id=source)
    first = a_fork(source, 2)
    store.forks.create(first)
    second = a_fork(first.record.run_id, 1)
    store.forks.create(second)

    store.delete_run(source)
    store.delete_run(first.record.run_id)

    run_id = second.record.run_id
    assert len(store.run(run_id).input_output_pairs) == 1
    keep(store, 0, number=2, run_id=run_id)
    assert store.checkpoint(run_id).turn_number == 2
    assert store.forks.of(run_id).source_run_id == first.record.run_id
    assert [fork.run_id for fork in store.forks.family(run_id)] == [first.record.run_id, run_id]


def test_last_fork_takes_origins_along(store):
    source, kept = keep(store, 40), keep(store, 40)
    chain = [source]
    for _ in range(3):
        fork = a_fork(chain[-1], 1)
        store.forks.create(fork)
        chain.append(fork.record.run_id)
    store.forks.create(other := a_fork(kept, 1))

    store.delete_run(chain[1])
    between = {record.run_id for record in store.forks.family(chain[3])}
    store.prune(store.plan_pruning(Limits(runs=0)))

    assert between == set(chain[1:])
    assert left(store) == set()
    for run_id in [*chain, other.record.run_id]:
        assert store.forks.of(run_id) is None


def test_turn_and_deletion_exclude_each_other(url):
    with closing(Store(url)) as store, closing(Store(url)) as other:
        outcomes = set()
        for _ in range(30):
            run_id = keep(store, 40)
            pruning = store.plan_pruning(Limits(days=30))
            barrier = threading.Barrier(2, timeout=20)
            kept = []

            def go_on(run_id=run_id, barrier=barrier, kept=kept):
                barrier.wait()
                try:
                    keep(other, 0, number=2, run_id=run_id)
                    kept.append(True)
                except (NotFoundError, ConflictError):
                    kept.append(False)

            thread = threading.Thread(target=go_on)
            thread.start()
            barrier.wait()
            deleted = store.prune(pruning)
            thread.join()

            outcomes.add((deleted, kept[0]))
            if kept[0]:
                assert len(store.run(run_id).input_output_pairs) == 2
                store.delete_run(run_id)

    assert outcomes <= {(1, False), (0, True)}


def test_compact_shrinks_file(tmp_path):
    file = tmp_path / "debugger.sqlite3"
    with closing(Store(f"sqlite:///{file}")) as store:
        for _ in range(40):
            keep(store, 40, events_json=b'["%s"]' % b"".join(new_id().encode() for _ in range(9000)))
    before = file.stat().st_size

    with closing(Store(f"sqlite:///{file}")) as store:
        store.prune(store.plan_pruning(Limits(days=30)))
        store.compact()

    assert file.stat().st_size < before / 4
