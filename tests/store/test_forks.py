from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from debugger.errors import NotFoundError
from debugger.protocol.runs import ForkRecord
from debugger.store import CarriedUsage, RunFork, Store
from debugger.store.sql_helpers import new_id
from tests.support.turns import WholeTurn, append_turn


def a_turn(run_id, number, **fields):
    return WholeTurn(
        run_id=run_id,
        turn_number=number,
        status="waiting_for_user_input",
        checkpoint=b"state %d" % number,
        started_at=float(number),
        finished_at=number + 0.5,
        workflow_id="665f00000000000000000001",
        version_number=3,
        run_by="bo",
        events_json=b'[{"type":"assistant_response","content":"%d"}]' % number,
        **fields,
    )


def usage(tokens, has_calls=True):
    return CarriedUsage(
        token_usage_json=b'{"total_tokens":%d}' % tokens,
        latency_stats_json=b'{"call_count":%d}' % tokens,
        has_calls=has_calls,
    )


def a_fork(source, pairs, **fields):
    record = ForkRecord(run_id=new_id(), source_run_id=source, turn_number=pairs + 1, created_at=50.0)
    values = {
        "record": record,
        "pair_count": pairs,
        "checkpoint": b"changed",
        "status": "waiting_for_user_input",
        "version_number": 4,
        "version_name": "Next",
        "usage": usage(7),
    }
    return RunFork(**{**values, **fields})


def record(name, source, **fields):
    return ForkRecord(run_id=name, source_run_id=source, turn_number=1, **fields)


def test_fork_copies_turns_and_replaces_checkpoint(store):
    source = new_id()
    for number in (1, 2, 3):
        append_turn(store, a_turn(source, number))
    fork = a_fork(source, 2)

    store.forks.create(fork)

    run_id = fork.record.run_id
    copied, original = store.run(run_id), store.run(source)
    assert copied.input_output_pairs == original.input_output_pairs[:2]
    assert (copied.version_number, copied.version_name, copied.run_by) == (4, "Next", None)
    assert copied.llm_token_usage == {"total_tokens": 7}
    assert store.checkpoint(run_id).checkpoint == b"changed"
    assert store.checkpoint(run_id, 1).checkpoint == b"state 1"
    assert store.checkpoint(source, 2).checkpoint == b"state 2"


def test_fork_before_first_turn_takes_turn_1(store):
    source = new_id()
    append_turn(store, a_turn(source, 1))
    fork = a_fork(source, 0, status="not_started")
    store.forks.create(fork)
    run_id = fork.record.run_id

    assert store.checkpoint(run_id).turn_number == 0
    assert store.run(run_id).input_output_pairs == []
    append_turn(store, a_turn(run_id, 1))

    assert len(store.run(run_id).input_output_pairs) == 1
    assert store.run(run_id).source_workflow_run_id == source


def test_carried_usage_stays_while_totals_grow(store):
    source = new_id()
    append_turn(store, a_turn(source, 1))
    fork = a_fork(source, 1)
    store.forks.create(fork)

    totals = {"token_usage_json": b'{"total_tokens":9}', "latency_stats_json": b'{"call_count":9}'}
    append_turn(store, a_turn(fork.record.run_id, 2, **totals))

    run, [listed] = store.run(fork.record.run_id), [one for one in store.runs()[0] if one.run_by is None]
    assert (run.llm_token_usage, run.llm_latency_stats) == ({"total_tokens": 9}, {"call_count": 9})
    for told in (run, listed):
        assert told.carried_over_llm_token_usage == {"total_tokens": 7}
        assert told.carried_over_llm_latency_stats == {"call_count": 7}


def test_fork_of_fork_has_own_carried_usage(store):
    source = new_id()
    append_turn(store, a_turn(source, 1))
    first = a_fork(source, 1)
    store.forks.create(first)
    second = a_fork(first.record.run_id, 1, usage=usage(2))
    none = a_fork(first.record.run_id, 0, usage=usage(0, has_calls=False))

    store.forks.create(second)
    store.forks.create(none)

    assert store.run(second.record.run_id).carried_over_llm_token_usage == {"total_tokens": 2}
    nothing = store.run(none.record.run_id)
    assert nothing.carried_over_llm_token_usage is nothing.carried_over_llm_latency_stats is None
    assert nothing.llm_token_usage == {"total_tokens": 0}


def test_fork_of_unknown_run_stores_nothing(store):
    with pytest.raises(NotFoundError):
        store.forks.create(a_fork(new_id(), 1))

    assert store.runs()[1] == 0


def test_fork_origin_can_be_judged_later(store):
    change = {"path": "dynamic.x", "op": "added", "before": None, "after": 1}
    kept = record("a", "root", way="rebuilt", forked_by="ada", created_at=1.0, note="why", changes=(change,))
    store.forks.keep(kept)

    store.forks.judge("a", {"verdict": "verified"})

    found = store.forks.of("a")
    assert found is not None
    assert (found.way, found.forked_by, found.note) == ("rebuilt", "ada", "why")
    assert found.changes[0]["path"] == "dynamic.x"
    assert found.fidelity == {"verdict": "verified"}
    assert store.forks.of("root") is None


def test_family_has_all_forks_of_root(store):
    links = [("b", "root"), ("a", "root"), ("c", "b"), ("d", "c"), ("x", "elsewhere")]
    for place, (name, source) in enumerate(links):
        store.forks.keep(record(name, source, created_at=float(place)))

    for member in ("root", "a", "d"):
        assert [one.run_id for one in store.forks.family(member)] == ["b", "a", "c", "d"]
    assert store.forks.family("stranger") == []


def test_family_ends_in_cycle_of_origins(store):
    store.forks.keep(record("a", "b"))
    store.forks.keep(record("b", "a"))

    assert store.forks.family("a")


def test_statuses_cover_stored_runs_only(store):
    source = new_id()
    append_turn(store, a_turn(source, 1))

    assert store.forks.statuses([source, "elsewhere"]) == {source: "waiting_for_user_input"}


REVIEW_TABLES = ("verdicts", "rubrics", "export_presets", "saved_filters", "hidden_runs", "run_facts")
REPLAY_TABLES = ("replays", "replay_results", "accepted_groups")
SUITE_TABLES = ("suite_runs", "suite_results", "suite_repetitions", "run_scenarios")


def test_missing_forks_table_is_added(tmp_path):
    path, source = tmp_path / "old.sqlite3", new_id()
    with closing(Store(f"sqlite:///{path}")) as older:
        append_turn(older, a_turn(source, 1))
    with closing(sqlite3.connect(path)) as connection:
        for name in (
            "forks",
            "python_consents",
            "audit_entries",
            "ended_logins",
            *REVIEW_TABLES,
            *SUITE_TABLES,
            "demo_scripts",
            "scenarios",
            *REPLAY_TABLES,
        ):
            connection.execute(f"DROP TABLE {name}")
        connection.execute("ALTER TABLE runs DROP COLUMN carried_over_token_usage")
        connection.execute("ALTER TABLE runs DROP COLUMN carried_over_latency_stats")
        connection.execute("DROP INDEX turns_by_client_turn_id")
        connection.execute("DROP INDEX turns_in_progress")
        for name in (
            "client_turn_id",
            "user_turn_number",
            "claim_id",
            "owner",
            "lease_until",
            "lease_seconds",
            "calls",
            "event_count",
            "stop_requested_at",
        ):
            connection.execute(f"ALTER TABLE turns DROP COLUMN {name}")
        for table in ("run_marks", "presets"):
            connection.execute(f"ALTER TABLE {table} DROP COLUMN revision")
            connection.execute(f"ALTER TABLE {table} DROP COLUMN updated_by")
        connection.execute("ALTER TABLE run_marks DROP COLUMN updated_at")
        connection.execute("DROP TABLE alembic_version")
        connection.commit()

    with closing(Store(f"sqlite:///{path}")) as store:
        store.forks.keep(record("a", source))

        assert store.forks.family(source)[0].run_id == "a"
        assert store.checkpoint(source).checkpoint == b"state 1"
