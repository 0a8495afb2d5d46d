from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest
from sqlalchemy import event, func, select, update
from sqlalchemy.pool import Pool

from debugger.errors import (
    ConflictError,
    NotFoundError,
    RateLimitError,
    StoreDisconnectedError,
    TurnInProgressError,
)
from debugger.protocol.json_codec import decode
from debugger.protocol.runs import ForkRecord, RunSearch
from debugger.store import (
    CarriedUsage,
    FinishedTurn,
    Limits,
    RunFork,
    Store,
    TurnClaim,
    back_up,
    current_owner,
    new_id,
    restore,
)
from debugger.store.database import Database
from debugger.store.schema import turns
from tests.support.factories import document, say
from tests.support.postgres import wait_for_lock

TEA = "6b06b74837aa64951f0110ab"
ELSEWHERE = "another-boot/1/2/3"
USAGE = CarriedUsage(token_usage_json=b"{}", latency_stats_json=b"{}", has_calls=False)


def a_claim(run_id, number, **fields):
    values = {
        "workflow_id": TEA,
        "version_number": 0,
        "workflow_name": "Tea",
        "begins_run": number == 1,
        "run_status": "started" if number == 1 else "running",
        "started_at": float(number),
        "owner": current_owner(),
        "lease_seconds": 30.0,
        "pair": b'{"run_input":{"command":"data"}}',
        "user_turn_number": number,
    }
    return TurnClaim(run_id=run_id, turn_number=number, **{**values, **fields})


def a_result(claim, **fields):
    values = {
        "status": "waiting_for_user_input",
        "checkpoint": b'{"n":%d}' % claim.turn_number,
        "finished_at": claim.started_at + 1,
        "events_json": b'[{"type":"assistant_response","content":"Turn %d"}]' % claim.turn_number,
        "claim_id": claim.claim_id,
    }
    return FinishedTurn(run_id=claim.run_id, turn_number=claim.turn_number, **{**values, **fields})


def executed(store, run_id, number, **fields):
    """Claim and finish a turn."""
    claim = a_claim(run_id, number, **fields)
    store.claims.take(claim)
    store.claims.finish(a_result(claim))
    return claim


def progress(*events, lease_seconds=30.0):
    texts = b",".join(b'{"type":"assistant_response","content":"%s"}' % text for text in events)
    return {
        "lease_seconds": lease_seconds,
        "events_json": b"[" + texts + b"]" if events else b"",
        "event_count": len(events),
    }


def a_fork(source, turn_number, pair_count):
    record = ForkRecord(run_id=new_id(), source_run_id=source, turn_number=turn_number, created_at=9.0)
    return RunFork(
        record=record,
        pair_count=pair_count,
        checkpoint=b"{}",
        status="not_started" if pair_count == 0 else "waiting_for_user_input",
        version_number=0,
        version_name=None,
        usage=USAGE,
    )


def test_claims_of_two_stores_respect_limit(url):
    with closing(Store(url)) as one, closing(Store(url)) as other, ThreadPoolExecutor(8) as threads:
        workflow_id = one.create_workflow(document(say("chat"))).id
        one.catalogue.note(workflow_id, max_concurrent_runs=3)
        together = threading.Barrier(8)

        def attempt(index):
            claim = a_claim(new_id(), 1, workflow_id=workflow_id, is_limited=True)
            together.wait(10)
            try:
                (one, other)[index % 2].claims.take(claim)
            except RateLimitError:
                return "refused"
            return "claimed"

        outcomes = sorted(threads.map(attempt, range(8)))

        assert outcomes == ["claimed"] * 3 + ["refused"] * 5
        assert one.catalogue.count_active_runs(workflow_id) == 3


def test_limit_lets_repeated_turn_be_found(store):
    workflow_id = store.create_workflow(document(say("chat"))).id
    store.catalogue.note(workflow_id, max_concurrent_runs=1)
    fields = {"workflow_id": workflow_id, "is_limited": True, "client_turn_id": "mine"}
    store.claims.take(a_claim(new_id(), 1, **fields))

    with pytest.raises(ConflictError):
        store.claims.take(a_claim(new_id(), 1, **fields))
    with pytest.raises(RateLimitError, match="1 runs"):
        store.claims.take(a_claim(new_id(), 1, **{**fields, "client_turn_id": "another"}))
    store.claims.take(a_claim(new_id(), 1, **{**fields, "client_turn_id": "free", "is_limited": False}))


def test_claimed_first_turn_is_readable(store):
    claim = a_claim(new_id(), 1)
    store.claims.take(claim)
    [listed] = store.runs(status="started")[0]

    store.claims.renew(claim, **progress(b"Hello"), is_first=True)

    run = store.run(claim.run_id)
    [pair] = run.input_output_pairs
    assert (listed.workflow_run_id, listed.turn_count) == (claim.run_id, 0)
    assert (run.status, run.finished_turns) == ("running", [])
    assert pair.is_in_progress
    assert pair.run_input == {"command": "data"}
    assert [said["content"] for said in pair.run_output.events] == ["Hello"]
    assert store.record(claim.run_id).turns == []
    with pytest.raises(NotFoundError, match="no finished turn"):
        store.checkpoint(claim.run_id)
    with pytest.raises(NotFoundError):
        store.pair(claim.run_id, 1)


def test_finished_turn_takes_the_row_of_its_claim(url):
    run_id = new_id()
    with closing(Store(url)) as store:
        executed(store, run_id, 1)
        executed(store, run_id, 2)
        run = store.run(run_id)

    with closing(Database(url)) as database, database.reading() as connection:
        rows = connection.execute(select(turns).where(turns.c.run_id == run_id)).all()
    assert (run.status, run.turn_count) == ("waiting_for_user_input", 2)
    assert [pair.is_in_progress for pair in run.input_output_pairs] == [False, False]
    assert [(row.owner, row.lease_until, row.lease_seconds, row.event_count) for row in rows] == [
        (None,) * 4
    ] * 2


def test_second_claim_of_a_turn_is_a_conflict(url):
    run_id = new_id()
    with closing(Store(url)) as first, closing(Store(url)) as second:
        executed(first, run_id, 1)
        claim = a_claim(run_id, 2)
        first.claims.take(claim)

        with pytest.raises(ConflictError, match="cannot be claimed"):
            second.claims.take(a_claim(run_id, 2))
        with pytest.raises(ConflictError):
            second.claims.take(a_claim(run_id, 3))
        first.claims.finish(a_result(claim))

        second.claims.take(a_claim(run_id, 3))


def test_claim_of_an_unknown_run_is_not_found(store):
    with pytest.raises(NotFoundError):
        store.claims.take(a_claim(new_id(), 2))


def test_concurrent_claims_of_each_number_have_one_winner(url):
    run_id = new_id()
    with closing(Store(url)) as first, closing(Store(url)) as second:
        executed(first, run_id, 1)
        together = threading.Barrier(4, timeout=20)

        def play(store):
            won = 0
            for number in range(2, 32):
                together.wait()
                claim = a_claim(run_id, number)
                try:
                    store.claims.take(claim)
                    won += 1
                except ConflictError:
                    claim = None
                together.wait()
                if claim is not None:
                    store.claims.finish(a_result(claim))
            return won

        with ThreadPoolExecutor(4) as threads:
            won = list(threads.map(play, [first, second, first, second]))

        assert sum(won) == 30
        assert len(first.run(run_id).finished_turns) == 31


def test_claims_of_many_runs_do_not_deadlock(url):
    run_ids = [new_id() for _ in range(6)]
    with closing(Store(url)) as store:

        def play(run_id):
            for number in range(1, 16):
                claim = a_claim(run_id, number)
                store.claims.take(claim)
                store.claims.renew(claim, **progress(b"so far"), is_first=number == 1)
                if number % 5 == 0:
                    store.claims.release(claim)
                    store.claims.take(claim)
                store.claims.finish(a_result(claim))

        with ThreadPoolExecutor(6) as threads:
            list(threads.map(play, run_ids))

        assert {store.run(run_id).turn_count for run_id in run_ids} == {15}


def test_client_turn_id_is_claimed_once(store):
    claim = a_claim(new_id(), 1, client_turn_id="c1")
    store.claims.take(claim)
    other = new_id()

    with pytest.raises(ConflictError):
        store.claims.take(a_claim(other, 1, client_turn_id="c1"))
    found = store.claims.find("c1")
    store.claims.finish(a_result(claim))
    finished = store.claims.find("c1")

    assert (found.run_id, found.turn_number, bool(found.is_in_progress)) == (claim.run_id, 1, True)
    assert (finished.workflow_id, bool(finished.is_in_progress)) == (TEA, False)
    assert store.runs()[1] == 1  # nothing is left of the other run
    assert store.claims.find("c2") is None


def test_released_first_turn_leaves_no_run(store):
    claim = a_claim(new_id(), 1)
    store.claims.take(claim)

    store.claims.release(claim)

    assert store.runs() == ([], 0, 0)


def test_released_turn_restores_the_status(store):
    run_id = new_id()
    executed(store, run_id, 1)
    claim = a_claim(run_id, 2)
    store.claims.take(claim)
    during = store.run(run_id).status

    store.claims.release(claim)

    run = store.run(run_id)
    assert (during, run.status, len(run.input_output_pairs)) == ("running", "waiting_for_user_input", 1)
    executed(store, run_id, 2)


def test_released_background_step_replaces_checkpoint(store):
    run_id = new_id()
    executed(store, run_id, 1)
    claim = a_claim(run_id, 2, run_status="waiting_for_user_input", user_turn_number=None)
    store.claims.take(claim)
    during = store.run(run_id).status

    store.claims.release(claim, checkpoint=b'{"remembered":1}')

    assert during == store.run(run_id).status == "waiting_for_user_input"
    assert store.checkpoint(run_id).checkpoint == b'{"remembered":1}'


def test_released_first_turn_keeps_fork(store):
    source = new_id()
    executed(store, source, 1)
    fork = a_fork(source, 1, 0)
    store.forks.create(fork)
    claim = a_claim(fork.record.run_id, 1, begins_run=False, run_status="running")
    store.claims.take(claim)

    store.claims.release(claim)

    run = store.run(fork.record.run_id)
    assert (run.status, run.input_output_pairs) == ("not_started", [])


def test_claim_of_another_machine_lapses_with_its_lease(store):
    run_id = new_id()
    executed(store, run_id, 1)
    claim = a_claim(run_id, 2, owner=ELSEWHERE)
    store.claims.take(claim)
    store.claims.renew(claim, **progress(b"so far"), is_first=False)
    early = store.claims.interrupt_expired(run_id)

    store.claims.renew(claim, **progress(lease_seconds=0.0), is_first=False)
    late = store.claims.interrupt_expired()

    [unfinished] = store.notes.read_unfinished_turns(run_id)
    run = store.run(run_id)
    assert (early, late) == (0, 1)
    assert (run.status, len(run.input_output_pairs)) == ("waiting_for_user_input", 1)
    assert (unfinished.began_at, decode(unfinished.input_json)) == (2.0, {"command": "data"})
    assert [said["content"] for said in decode(unfinished.events_json)] == ["so far"]


def shift_lease(store, run_id, seconds):
    """Move the end of a lease, as a wrong clock or the passing of time would."""
    with store._database.writing() as connection:
        values = {"lease_until": turns.c.lease_until + seconds}
        connection.execute(update(turns).where(turns.c.run_id == run_id).values(values))


def test_lease_passes_by_clock_of_postgres_alone(store):
    claim = a_claim(new_id(), 1, owner=ELSEWHERE)
    store.claims.take(claim)
    is_sqlite = store._database.dialect.name == "sqlite"

    shift_lease(store, claim.run_id, -29)
    early = store.claims.interrupt_expired()
    shift_lease(store, claim.run_id, -1)
    late = store.claims.interrupt_expired()

    assert (early, late) == (0, 0 if is_sqlite else 1)


def test_renewal_is_told_by_clock_of_the_database(store, monkeypatch):
    claim = a_claim(new_id(), 1, owner=ELSEWHERE)
    right = time.time()
    monkeypatch.setattr(time, "time", lambda: right - 600)

    store.claims.take(claim)
    taken = store.claims.position(claim.run_id).claimed
    store.claims.renew(claim, **progress(b"so far", lease_seconds=90.0), is_first=True)
    renewed = store.claims.position(claim.run_id).claimed

    assert taken.lease_until == pytest.approx(right + 30, abs=10)
    assert renewed.lease_until == pytest.approx(right + 90, abs=10)
    assert (taken.lease_seconds, renewed.lease_seconds) == (30.0, 90.0)


def test_lease_that_waited_for_a_lock_has_its_whole_length(postgres_url):
    run_id = new_id()
    with closing(Store(postgres_url)) as store, ThreadPoolExecutor(1) as threads:
        claim = a_claim(run_id, 1)
        store.claims.take(claim)
        with psycopg.connect(postgres_url) as locking:
            locking.execute("SELECT id FROM turns FOR UPDATE")
            renewal = threads.submit(store.claims.renew, claim, **progress(), is_first=True)
            wait_for_lock(postgres_url)
            locking.execute("UPDATE turns SET stop_requested_at = 1.0")
            time.sleep(1)
            [before] = locking.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
            locking.commit()
        assert renewal.result(10)

        assert store.claims.position(run_id).claimed.lease_until >= before + 30


def test_lapsed_owner_stores_nothing(store):
    run_id = new_id()
    executed(store, run_id, 1)
    late, next_ = a_claim(run_id, 2, lease_seconds=0.0), a_claim(run_id, 2)
    store.claims.take(late)
    store.claims.interrupt_expired()

    with pytest.raises(ConflictError, match="claim has lapsed"):
        store.claims.finish(a_result(late))
    store.claims.take(next_)
    with pytest.raises(ConflictError):
        store.claims.finish(a_result(late))
    renewed = store.claims.renew(late, **progress(b"late"), is_first=False)
    store.claims.release(late)
    during = store.run(run_id).status
    store.claims.finish(a_result(next_))

    assert (renewed, during) == (False, "running")
    assert len(store.run(run_id).finished_turns) == 2


def test_lapsed_first_turn_fails_its_run(store):
    claim = a_claim(new_id(), 1, lease_seconds=0.0)
    store.claims.take(claim)

    store.claims.interrupt_expired()

    run = store.run(claim.run_id)
    assert (run.status, run.termination_source) == ("failed", "stale_run_reaper")
    assert run.input_output_pairs == []
    assert store.notes.read_unfinished_turns(claim.run_id)[0].workflow_id == TEA
    with pytest.raises(ConflictError):
        store.claims.finish(a_result(claim))


def test_renewed_claim_does_not_lapse(store):
    claim = a_claim(new_id(), 1, lease_seconds=0.0)
    store.claims.take(claim)
    store.claims.renew(claim, **progress(), is_first=True)

    assert store.claims.interrupt_expired() == 0
    assert store.claims.interrupt_expired(but_for=[claim.claim_id]) == 0
    store.claims.finish(a_result(claim))


def test_claims_of_the_caller_do_not_lapse(store):
    claim = a_claim(new_id(), 1, lease_seconds=0.0)
    store.claims.take(claim)

    assert store.claims.interrupt_expired(but_for=[claim.claim_id]) == 0


def test_next_turn_clears_journal(store):
    run_id = new_id()
    executed(store, run_id, 1)
    store.claims.take(a_claim(run_id, 2, lease_seconds=0.0))
    store.claims.interrupt_expired()
    checkpoint = store.checkpoint(run_id)

    claim = a_claim(run_id, 2)
    store.claims.take(claim)
    kept = store.notes.read_unfinished_turns(run_id)
    store.claims.finish(a_result(claim), clears_unfinished=bool(checkpoint.has_unfinished))

    assert len(kept) == 1
    assert store.notes.read_unfinished_turns(run_id) == []
    assert not store.checkpoint(run_id).has_unfinished


def test_late_result_does_not_restore_run(store):
    first, later = new_id(), new_id()
    executed(store, later, 1)
    claims = [a_claim(first, 1), a_claim(later, 2)]
    for claim in claims:
        store.claims.take(claim)
        store.delete_run(claim.run_id)

    for claim in claims:
        with pytest.raises(NotFoundError):
            store.claims.finish(a_result(claim))
        store.claims.release(claim)

    assert store.runs() == ([], 0, 0)


def test_busy_run_is_not_deleted(store):
    run_id = new_id()
    claim = a_claim(run_id, 1)
    store.claims.take(claim)

    with pytest.raises(TurnInProgressError, match="is being executed"):
        store.delete_run(run_id, unless_busy=True)
    store.claims.finish(a_result(claim))
    assert store.runs()[1] == 1
    store.delete_run(run_id, unless_busy=True)

    assert store.runs() == ([], 0, 0)


def test_prune_spares_run_in_progress(store):
    kept, gone = new_id(), new_id()
    executed(store, kept, 1)
    executed(store, gone, 1)
    claim = a_claim(kept, 2)
    planned_before = store.plan_pruning(Limits(days=1))
    store.claims.take(claim)

    planned = store.plan_pruning(Limits(days=1))
    deleted = store.prune(planned_before)

    assert [run.run_id for run in planned.candidates] == [gone]
    assert (planned.kept, deleted) == (1, 1)
    store.claims.finish(a_result(claim))
    assert len(store.run(kept).finished_turns) == 2


def test_search_finds_finished_turns_only(store):
    run_id = new_id()
    executed(store, run_id, 1)
    claim = a_claim(run_id, 2)
    store.claims.take(claim)
    store.claims.renew(claim, **progress(b"secret word"), is_first=False)
    during = (
        store.runs(search=RunSearch(text="secret")).total,
        store.runs(search=RunSearch(text="turn 1")).total,
    )

    store.claims.finish(a_result(claim))

    assert during == (0, 1)
    assert store.runs(search=RunSearch(text="turn 2")).total == 1


def test_copies_omit_claims_and_client_ids(store):
    source = new_id()
    executed(store, source, 1, client_turn_id="c1")
    claim = a_claim(source, 2, client_turn_id="c2")
    store.claims.take(claim)
    fork = a_fork(source, 2, 1)
    record = ForkRecord(run_id=new_id(), source_run_id=source, turn_number=2, created_at=9.0)

    store.forks.create(fork)
    store.forks.create(
        RunFork(
            record=record,
            turn_index=0,
            workflow_id=TEA,
            workflow_name="Tea",
            version_number=0,
            version_name=None,
            status="waiting_for_user_input",
            checkpoint=b"{}",
            pair_count=1,
            usage=USAGE,
        )
    )

    for run_id in (fork.record.run_id, record.run_id):
        run = store.run(run_id)
        assert (run.status, len(run.input_output_pairs)) == ("waiting_for_user_input", 1)
        executed(store, run_id, 2)
    assert store.claims.find("c1").run_id == store.claims.find("c2").run_id == source
    store.claims.finish(a_result(claim))


def test_restored_backup_has_interrupted_turns(url, other_url, tmp_path):
    first, later = new_id(), new_id()
    with closing(Store(url)) as store:
        executed(store, later, 1)
        store.claims.take(a_claim(first, 1))
        claim = a_claim(later, 2)
        store.claims.take(claim)
        store.claims.renew(claim, **progress(b"so far"), is_first=False)
        back_up(url, tmp_path / "backup.gz")
        store.claims.finish(a_result(claim))

    restore(other_url, tmp_path / "backup.gz")

    with closing(Store(other_url)) as store:
        assert store.run(first).status == "failed"
        assert store.run(later).status == "waiting_for_user_input"
        assert [turn.run_id for turn in store.notes.read_unfinished_turns()] == [later, first]
        executed(store, later, 2)


def test_position_counts_the_events_so_far(store):
    run_id = new_id()
    executed(store, run_id, 1)
    before = store.claims.position(run_id)
    claim = a_claim(run_id, 2)
    store.claims.take(claim)
    store.claims.renew(claim, **progress(b"one", b"two"), is_first=False)

    during = store.claims.position(run_id)

    assert (before.status, before.turn_count, before.claimed) == ("waiting_for_user_input", 1, None)
    assert (during.status, during.turn_count) == ("running", 1)
    assert (during.claimed.user_turn_number, during.claimed.event_count) == (2, 2)
    with pytest.raises(NotFoundError):
        store.claims.position(new_id())


def test_claimed_turns_are_found_by_an_index(tmp_path):
    statements = []

    def watch(connection, _record):
        connection.set_trace_callback(statements.append)

    event.listen(Pool, "connect", watch)
    try:
        with closing(Store(f"sqlite:///{tmp_path}/a.sqlite3")) as store:
            executed(store, new_id(), 1, client_turn_id="c1")
            statements.clear()
            store.claims.interrupt_expired()
            store.claims.find("c1")
    finally:
        event.remove(Pool, "connect", watch)

    with closing(Database(f"sqlite:///{tmp_path}/a.sqlite3")) as database, database.reading() as connection:
        plans = [
            row[3]
            for statement in statements
            if statement.startswith("SELECT")
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")
        ]
    assert any("turns_in_progress" in plan for plan in plans)
    assert any("turns_by_client_turn_id" in plan for plan in plans)


def lose_a_commit(monkeypatch, moment):
    """Cut the connection once, before or after a commit is executed."""
    cut, execute = iter([True]), psycopg.Cursor.execute

    def lose_the_answer(cursor, statement, values=None, **options):
        if statement == "COMMIT" and next(cut, False):
            if moment == "after":
                execute(cursor, statement)
            cursor.connection.pgconn.finish()
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        return execute(cursor, statement, values, **options)

    monkeypatch.setattr(psycopg.Cursor, "execute", lose_the_answer)
    return cut


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", [1, 2])
def test_unconfirmed_claim_is_taken_once(postgres_url, monkeypatch, moment, number):
    run_id = new_id()
    with closing(Store(postgres_url)) as store:
        if number == 2:
            executed(store, run_id, 1)
        cut = lose_a_commit(monkeypatch, moment)
        claim = a_claim(run_id, number, client_turn_id="c1")

        store.claims.take(claim)

        assert next(cut, False) is False
        with pytest.raises(ConflictError):
            store.claims.take(a_claim(run_id, number, begins_run=False))
        store.claims.finish(a_result(claim))
        assert len(store.run(run_id).finished_turns) == number


@pytest.mark.parametrize("moment", ["before", "after"])
def test_unconfirmed_result_is_stored_once(postgres_url, monkeypatch, moment):
    claim = a_claim(new_id(), 1)
    with closing(Store(postgres_url)) as store:
        store.claims.take(claim)
        cut = lose_a_commit(monkeypatch, moment)

        store.claims.finish(a_result(claim))

        assert next(cut, False) is False
        with pytest.raises(ConflictError):
            store.claims.finish(a_result(claim))
    with closing(Database(postgres_url)) as database, database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(turns)) == 1


def test_claim_fails_when_database_stays_lost(postgres_url, monkeypatch):
    monkeypatch.setattr("debugger.store.turns._SECONDS_TO_RETURN", 0.2)

    def lose(cursor, statement, values=None, **options):
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    with closing(Store(postgres_url)) as store:
        with monkeypatch.context() as patch, pytest.raises(StoreDisconnectedError):
            patch.setattr(psycopg.Cursor, "execute", lose)
            store.claims.take(a_claim(new_id(), 1))

        assert store.runs() == ([], 0, 0)
