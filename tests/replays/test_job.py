from __future__ import annotations

import threading
from contextlib import closing

import pytest

from debugger.errors import InputError, NotFoundError, StoreError
from debugger.replays.job import ReplayJob
from debugger.replays.results import Divergence, ReplayResult
from debugger.store import ReplayTarget, Store
from tests.store.test_retention import TEA, keep

TARGET = ReplayTarget(TEA, 7, "d" * 64)


@pytest.fixture
def store(tmp_path):
    with closing(Store(f"sqlite:///{tmp_path}/runs.sqlite3")) as opened:
        yield opened


def played(run_id, cancelled=None):
    found = Divergence(2, "n1", "Intent desk", "book → Booking", "billing → Billing")
    return ReplayResult(run_id, 3, "path", 2, found)


def job(store, play, ids, **options):
    return ReplayJob(
        play, store.replays, TARGET, iter(ids), started_by="Ada", **{"selected": len(ids), **options}
    )


def finish(begun):
    begun.start()
    assert begun.wait(60)
    return begun


@pytest.mark.parametrize("threads", [1, 4])
def test_job_stores_result_of_each_run(store, threads):
    ids = [keep(store, 1) for _ in range(9)]

    ran = finish(job(store, played, ids, threads=threads))

    assert (ran.error, ran.is_running, ran.is_cancelled, ran.done) == (None, False, False, 9)
    [replay] = store.replays.newest()
    assert (replay.id, replay.is_complete, replay.selected, replay.started_by) == (
        ran.replay_id,
        True,
        9,
        "Ada",
    )
    assert ran.counts == replay.counts == {"path": 9}
    assert {each.run_id for each in store.replays.results(ran.replay_id)} == set(ids)
    assert ReplayResult.from_json(store.replays.groups(ran.replay_id)[0].example) == played(max(ids))


def test_threads_play_at_the_same_time(store):
    ids = [keep(store, 1) for _ in range(3)]
    together = threading.Barrier(3, timeout=60)

    def play(run_id, cancelled):
        together.wait()
        return played(run_id)

    assert finish(job(store, play, ids, threads=3)).counts == {"path": 3}


def test_cancelled_job_goes_on_where_it_was(store):
    ids = [keep(store, 1) for _ in range(5)]
    seen = []

    def play(run_id, cancelled):
        seen.append(run_id)
        if len(seen) == 3:
            stopped.cancel()
        return played(run_id)

    stopped = job(store, play, ids)
    finish(stopped)
    assert (stopped.counts, stopped.is_cancelled) == ({"path": 2}, True)
    replay = store.replays.find_interrupted(TARGET)
    assert (replay.id, replay.is_complete) == (stopped.replay_id, False)

    again = finish(job(store, play, ids, replay_id=replay.id))

    assert seen == ids[:3] + ids[2:]
    assert (again.passed_over, again.done) == (2, 5)
    [replay] = store.replays.newest()
    assert (replay.is_complete, replay.counts) == (True, {"path": 5})


def test_run_ids_are_read_while_runs_are_played(store, monkeypatch):
    monkeypatch.setattr("debugger.replays.job._PORTION", 2)
    ids = [keep(store, 1) for _ in range(6)]
    log = []

    def read():
        for number, run_id in enumerate(ids):
            log.append(number)
            yield run_id

    def play(run_id, cancelled):
        log.append("played")
        return played(run_id)

    finish(ReplayJob(play, store.replays, TARGET, read(), started_by="Ada", selected=6))

    assert log == [0, 1, "played", "played", 2, 3, "played", "played", 4, 5, "played", "played"]


def test_run_deleted_meanwhile_is_counted_as_missing(store):
    ids = [keep(store, 1) for _ in range(3)]

    def play(run_id, cancelled):
        if run_id == ids[0]:
            raise NotFoundError("There is no such run.")
        if run_id == ids[1]:
            store.delete_run(run_id)
        return played(run_id)

    ran = finish(job(store, play, ids))

    assert (ran.missing, ran.counts, ran.done) == (2, {"path": 1}, 3)
    assert store.replays.newest()[0].is_complete


def test_hosted_run_need_not_be_stored(store):
    target = TARGET._replace(connection="staging")

    ran = finish(ReplayJob(played, store.replays, target, ["b" * 24], started_by="Ada", selected=1))

    assert ran.counts == {"path": 1}


def test_error_ends_job_incomplete(store):
    ids = [keep(store, 1) for _ in range(3)]

    def play(run_id, cancelled):
        if run_id == ids[1]:
            raise InputError("The version cannot be run.")
        return played(run_id)

    ran = finish(job(store, play, ids))

    assert "The version cannot be run." in str(ran.error)
    assert (ran.counts, ran.is_cancelled) == ({"path": 1}, False)
    replay = store.replays.find_interrupted(TARGET)
    assert replay.ended_at is not None


def test_unexpected_error_is_told_and_logged(store, caplog):
    def play(run_id, cancelled):
        raise ZeroDivisionError

    ran = finish(job(store, play, [keep(store, 1)], threads=2))

    assert "The replay ended early (ZeroDivisionError)." in str(ran.error)
    assert "A replay failed" in caplog.text


def test_error_of_the_run_ids_ends_job(store):
    def read():
        yield keep(store, 1)
        raise StoreError("The disk is full.")

    ran = finish(ReplayJob(played, store.replays, TARGET, read(), started_by="Ada", selected=2))

    assert "The disk is full." in str(ran.error)


def test_store_failure_at_the_end_is_reported(store, monkeypatch):
    def fail(*_, **__):
        raise StoreError("The disk is full.")

    monkeypatch.setattr(store.replays, "end", fail)

    assert "The disk is full." in str(finish(job(store, played, [keep(store, 1)])).error)


def test_error_after_cancellation_is_no_error_of_the_job(store):
    def play(run_id, cancelled):
        ran.cancel()
        assert cancelled.is_set()
        raise InputError("Stopped.")

    ran = job(store, play, [keep(store, 1)])

    assert finish(ran).error is None
    assert ran.is_cancelled
