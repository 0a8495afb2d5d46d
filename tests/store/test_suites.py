from __future__ import annotations

import time
from collections import Counter

import pytest
from sqlalchemy import update

from debugger.store import StoredRepetition, StoredResult, new_id
from debugger.store.schema import suite_runs
from tests.store.test_retention import keep

FIRST, SECOND = "1" * 24, "2" * 24


def begin(store, suite_id, selected=2):
    store.suites.begin(suite_id, started_by="Ada", program_version="1.0", selected=selected)


def stored(scenario_id="a::b", outcome="passed", *, digest="d" * 64, run_id=None, disposition=None):
    value = {"outcome": outcome, "got": "quokka" * 200}
    return StoredResult(scenario_id, digest, outcome, disposition, [StoredRepetition(run_id, value)])


def change(store, suite_id, **values):
    with store._database.writing() as connection:
        connection.execute(update(suite_runs).where(suite_runs.c.id == suite_id).values(**values))


def test_suite_has_counts_and_results(store):
    begin(store, FIRST)
    store.suites.add(FIRST, stored())
    store.suites.add(FIRST, stored("a::c" + "x" * 5000, "failed", disposition="new"))
    store.suites.end(FIRST, is_complete=True)

    [suite] = store.suites.newest()

    assert (suite.id, suite.started_by, suite.is_complete, suite.selected) == (FIRST, "Ada", True, 2)
    assert suite.ended_at >= suite.started_at
    assert suite.counts == Counter(passed=1, failed=1)
    assert store.suites.results(FIRST) == [stored(), stored("a::c" + "x" * 5000, "failed", disposition="new")]


def test_suite_without_result_is_withdrawn(store):
    for suite_id in (FIRST, SECOND):
        begin(store, suite_id)
    store.suites.add(FIRST, stored())

    for suite_id in (FIRST, SECOND):
        store.suites.withdraw(suite_id)

    assert [store.suites.has(each) for each in (FIRST, SECOND)] == [True, False]


def test_result_replaces_earlier_one(store):
    begin(store, FIRST)
    store.suites.add(FIRST, stored(outcome="error"))
    store.suites.add(FIRST, stored(outcome="passed"))

    assert store.suites.newest()[0].counts == Counter(passed=1)
    assert [each.outcome for each in store.suites.results(FIRST)] == ["passed"]


def test_interrupted_suite_is_found_once_it_stopped(store):
    begin(store, FIRST)
    store.suites.add(FIRST, stored())
    assert store.suites.find_interrupted_run(["a::b"]) is None

    change(store, FIRST, owner="another/machine/1/2")

    assert store.suites.find_interrupted_run(["a::b", "c::d"]) == FIRST
    assert store.suites.find_interrupted_run(["c::d"]) is None

    store.suites.end(FIRST, is_complete=False)
    assert store.suites.find_interrupted_run(["a::b"]) == FIRST

    store.suites.end(FIRST, is_complete=True)
    assert store.suites.find_interrupted_run(["a::b"]) is None


def test_continued_suite_keeps_its_start(store):
    begin(store, FIRST)
    change(store, FIRST, started_at=5.0, started_by="Ben")
    store.suites.end(FIRST, is_complete=False)

    begin(store, FIRST, selected=3)

    [suite] = store.suites.newest()
    assert (suite.started_at, suite.ended_at, suite.started_by, suite.selected) == (5.0, None, "Ben", 3)


def test_past_results_are_the_last_ones(store):
    for number in range(4):
        suite_id = new_id()
        begin(store, suite_id)
        store.suites.add(suite_id, stored(outcome="failed", digest=f"{number}" * 64))
    begin(store, SECOND)
    store.suites.add(SECOND, stored())

    past = store.suites.read_past_results(["a::b", "c::d"], limit=3, without=SECOND)

    assert [(each.digest[0], each.outcome) for each in past["a::b"]] == [
        ("3", "failed"),
        ("2", "failed"),
        ("1", "failed"),
    ]
    assert list(past) == ["a::b"]


@pytest.mark.parametrize("erase", [True, False])
def test_deleted_run_takes_words_along(store, erase):
    run_id = keep(store, 1)
    begin(store, FIRST)
    store.suites.add(FIRST, stored(outcome="failed", run_id=run_id))

    if erase:
        store.erase_runs([run_id])
    else:
        store.delete_run(run_id)

    assert store.suites.results(FIRST) == []
    assert store.suites.read_past_results(["a::b"])["a::b"][0].outcome == "failed"


def test_prune_deletes_old_suites(store):
    for suite_id in (FIRST, SECOND):
        begin(store, suite_id)
        store.suites.add(suite_id, stored())
    change(store, FIRST, started_at=time.time() - 3 * 86_400)

    assert store.suites.prune(2) == 1

    assert [suite.id for suite in store.suites.newest()] == [SECOND]
    assert store.suites.results(FIRST) == []
    assert store.suites.results(SECOND) == [stored()]
