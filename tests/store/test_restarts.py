from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from sqlalchemy import func, select

from debugger.errors import StoreDisconnectedError, StoreError
from debugger.store import Store, new_id
from debugger.store.database import Database
from debugger.store.schema import runs, turns
from tests.store.own_server import OwnServer
from tests.support.turns import WholeTurn, append_turn


@pytest.fixture(scope="module")
def server():
    own = OwnServer()
    yield own
    own.remove()


def a_turn(run_id, number):
    return WholeTurn(
        run_id=run_id,
        turn_number=number,
        status="waiting_for_user_input",
        checkpoint=b"%d" % number,
        started_at=time.time(),
        finished_at=time.time(),
        workflow_id="w",
        version_number=0,
    )


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_restarted_server_has_each_turn_once(server, mode):
    run_ids = [new_id() for _ in range(8)]
    over = threading.Event()
    with closing(Store(server.url)) as store:

        def play(run_id):
            """Send turn after turn, as a client that waits for each answer; the last one that was given."""
            answered = 0
            while not over.is_set():
                append_turn(store, a_turn(run_id, answered + 1))
                answered += 1
            return answered

        with ThreadPoolExecutor(8) as threads:
            played = [threads.submit(play, run_id) for run_id in run_ids]
            try:
                for _ in range(3):
                    _until_more_are_kept(store, run_ids)
                    server.stop(mode)
                    server.start()
                _until_more_are_kept(store, run_ids)
            finally:
                over.set()
            answered = [one.result() for one in played]

        assert [store.checkpoint(run_id).turn_number for run_id in run_ids] == answered
        for run_id, count in zip(run_ids, answered, strict=True):
            append_turn(store, a_turn(run_id, count + 1))
    with closing(Database(server.url)) as database, database.reading() as connection:
        for run_id, count in zip(run_ids, answered, strict=True):
            ours = select(turns.c.turn_number).where(turns.c.run_id == run_id)
            assert sorted(connection.scalars(ours)) == list(range(1, count + 2))
        total = connection.scalar(select(func.sum(runs.c.turn_count)).where(runs.c.id.in_(run_ids)))
        assert total == sum(answered) + 8


def test_lost_server_is_used_again(server, monkeypatch):
    monkeypatch.setattr("debugger.store.turns._SECONDS_TO_RETURN", 0.3)
    run_id = new_id()
    with closing(Store(server.url)) as store:
        append_turn(store, a_turn(run_id, 1))
        server.stop()
        try:
            with pytest.raises(StoreDisconnectedError, match="cannot be reached"):
                append_turn(store, a_turn(run_id, 2))
            with pytest.raises(StoreError, match="cannot be reached"):
                store.runs()
        finally:
            server.start()

        assert store.checkpoint(run_id).turn_number == 1
        append_turn(store, a_turn(run_id, 2))


def _until_more_are_kept(store, run_ids):
    """Wait until each run has got further."""
    before = _counts(store, run_ids)
    deadline = time.monotonic() + 60
    while any(now <= then + 3 for now, then in zip(_counts(store, run_ids), before, strict=True)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _counts(store, run_ids):
    kept = {run.workflow_run_id: run.turn_count for run in store.runs(size=1000)[0]}
    return [kept.get(run_id, 0) for run_id in run_ids]
