from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from sqlalchemy import update

from debugger.errors import NotFoundError
from debugger.protocol.notes import Target
from debugger.protocol.reviews import Verdict
from debugger.protocol.runs import NO_VERDICT, RunSearch
from debugger.store import Limits, Store
from debugger.store.claims import take_claim
from debugger.store.schema import hidden_runs
from tests.store.test_claims import a_claim
from tests.store.test_forks import a_fork
from tests.store.test_retention import DAY, keep, left
from tests.support.postgres import wait_for_lock


def hidden_ago(store, days, run_id):
    store.hidden.hide([run_id], "ada")
    with store._database.writing() as connection:
        row = hidden_runs.c.run_id == run_id
        connection.execute(update(hidden_runs).where(row).values(hidden_at=time.time() - days * DAY))


def test_hide_takes_runs_out_of_lists(store):
    stays, goes = keep(store, 2), keep(store, 1)

    hidden = store.hidden.hide([goes, "665f00000000000000000009"], "ada")

    assert hidden == [goes]
    assert store.hidden.hide([goes], "bob") == []
    assert left(store) == {stays}
    assert store.runs()[1] == 1
    found = store.hidden.find(goes)
    assert (found.hidden_by, found.turn_count) == ("ada", 1)
    assert store.run(goes).workflow_run_id == goes


def test_hidden_forks_are_not_counted(store):
    source = keep(store, 1)
    stays, goes = a_fork(source, 1), a_fork(source, 1)
    for fork in (stays, goes):
        store.forks.create(fork)

    store.hidden.hide([goes.record.run_id], "ada")

    assert store.forks.counts(source) == {1: 1}


def test_restore_brings_runs_back(store):
    first, second = keep(store, 2), keep(store, 1)
    store.hidden.hide([first, second], "ada")

    assert store.hidden.newest(1)[1] == 2
    assert store.hidden.restore([second]) == 1

    assert left(store) == {second}
    assert store.hidden.find(second) is None
    assert [run.run_id for run in store.hidden.newest(10)[0]] == [first]


def test_prune_deletes_runs_hidden_long_ago(store):
    old, young, stays = keep(store, 50), keep(store, 50), keep(store, 50)
    hidden_ago(store, 31, old)
    hidden_ago(store, 29, young)

    assert store.hidden.find_expired(30) == [old]
    assert store.hidden.prune(30) == 1

    with pytest.raises(NotFoundError):
        store.run(old)
    assert store.hidden.find(young) is not None
    assert left(store) == {stays}


def test_limits_leave_hidden_runs_alone(store):
    hidden, hidden_later, shown = keep(store, 50), keep(store, 45), keep(store, 1)
    store.hidden.hide([hidden], "ada")

    planned = store.plan_pruning(Limits(days=30, runs=2))
    store.hidden.hide([hidden_later], "ada")

    assert [run.run_id for run in planned.candidates] == [hidden_later]
    assert store.prune(planned) == 0
    assert store.plan_pruning(Limits(runs=1)).candidates == []
    assert store.hidden.restore([hidden, hidden_later]) == 2
    assert left(store) == {hidden, hidden_later, shown}


def test_prune_spares_runs_with_a_turn_in_progress(store):
    busy = keep(store, 50)
    store.claims.take(a_claim(busy, 2))
    hidden_ago(store, 31, busy)

    assert store.hidden.prune(30) == 0
    assert store.hidden.find_expired(30) == [busy]


def test_prune_waits_for_a_claim(postgres_url):
    with closing(Store(postgres_url)) as store, closing(Store(postgres_url)) as other:
        busy = keep(store, 50)
        hidden_ago(store, 31, busy)
        with ThreadPoolExecutor() as pool:
            with other._database.writing_cursor() as cursor:
                take_claim(cursor, a_claim(busy, 2))
                pruned = pool.submit(store.hidden.prune, 30)
                wait_for_lock(postgres_url)

            assert pruned.result(20) == 0
        assert store.hidden.find(busy) is not None


def test_find_runs_filters_by_verdict(store):
    good, bad, bare = keep(store, 3), keep(store, 2), keep(store, 1)
    for run_id, value in ((good, "pass"), (bad, "fail")):
        store.reviews.set_verdict(Verdict(run_id=run_id, target=Target(), value=value, reviewer="ada"))
    store.reviews.set_verdict(Verdict(run_id=bare, target=Target.turn(1), value="fail", reviewer="ada"))

    found = {
        value: [run.workflow_run_id for run in store.runs(search=RunSearch(verdict=value)).rows]
        for value in ("pass", "fail", "unsure", NO_VERDICT)
    }

    assert found == {"pass": [good], "fail": [bad], "unsure": [], NO_VERDICT: [bare]}
