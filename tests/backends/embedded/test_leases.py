from __future__ import annotations

import signal
import threading
import time

import pytest

from debugger.backends.embedded import EmbeddedBackend, leases
from debugger.engine.nodes import NODE_TYPES
from debugger.errors import StoreError, TurnInProgressError, TurnNotStoredError
from debugger.protocol.json_codec import decode
from debugger.protocol.runs import TurnInput
from debugger.settings import Settings
from tests.backends.counting_process import (
    TYPE,
    CountedCall,
    answer,
    await_calls,
    begin,
    calls,
    counted,
    kill,
)
from tests.support.factories import direct, document, say, static

LEASE = 0.6
SECONDS = 20


@pytest.fixture
def backend(url):
    backend = EmbeddedBackend(Settings(database=url, responder="rules", turn_lease=LEASE))
    yield backend
    backend.close()


@pytest.fixture
def counted_calls(monkeypatch):
    monkeypatch.setitem(NODE_TYPES, TYPE, CountedCall)


@pytest.fixture
def other(backend):
    """Another client of the same store."""
    other = EmbeddedBackend(backend.settings)
    yield other
    other.close()


def saying(text=None):
    return TurnInput.with_message(text)


def await_that(condition):
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def chatting(backend):
    workflow_id = backend.create_workflow(document(static("a", "A"), say("chat"), direct("a", "chat"))).id
    return workflow_id, backend.execute(workflow_id, saying()).finish().run_id


def test_paused_turn_stays_claimed_beyond_its_lease(backend, other):
    workflow_id, run_id = chatting(backend)
    stream = backend.execute(workflow_id, saying("hi"), run_id=run_id)
    next(stream)
    lease, begun = other.store.claims.position(run_id).claimed.lease_until, time.monotonic()

    while time.monotonic() < begun + 2 * LEASE:
        with pytest.raises(TurnInProgressError):
            other.execute(workflow_id, saying("mine"), run_id=run_id)
        time.sleep(0.02)

    assert other.store.claims.position(run_id).claimed.lease_until > lease + LEASE / 2
    assert stream.finish().turn_number == 2


def test_paused_first_turn_is_followed_by_another_client(backend, other):
    workflow_id = backend.create_workflow(document(static("a", "A"), static("b", "B"), direct("a", "b"))).id
    stream = backend.execute(workflow_id, saying())
    begun = other.revision(stream.run_id)
    [listed] = other.runs(status="started").rows
    events = [next(stream) for _ in range(7)]

    await_that(lambda: other.revision(stream.run_id).event_count == len(events))

    revision, run = other.revision(stream.run_id), other.run(stream.run_id)
    [pair] = run.input_output_pairs
    assert (begun.status, begun.record_length, begun.turn_number) == ("started", 0, 1)
    assert (revision.status, revision.record_length, revision.turn_number) == ("running", 0, 1)
    assert listed.workflow_run_id == stream.run_id
    assert pair.is_in_progress
    assert pair.run_output.events == [event.to_wire() for event in events]
    result = stream.finish()
    assert other.revision(stream.run_id).record_length == result.record_length == 1


def test_paused_background_step_is_claimed_without_number(backend, other):
    workflow_id, run_id = chatting(backend)

    stream = backend.pump(workflow_id, run_id)

    revision = other.revision(run_id)
    assert (revision.status, revision.turn_number) == ("waiting_for_user_input", None)
    with pytest.raises(TurnInProgressError):
        other.pump(workflow_id, run_id)
    assert stream.finish().record_length == 1
    assert other.pump(workflow_id, run_id).finish().record_length == 1


def test_quick_turns_are_never_stored_half(backend, monkeypatch):
    renewed = []
    monkeypatch.setattr(backend.store.claims, "renew", lambda *_, **__: renewed.append(1) or True)
    monkeypatch.setattr(leases, "_FIRST_SNAPSHOT_SECONDS", SECONDS)
    monkeypatch.setattr(backend._leases, "_renewal_seconds", SECONDS)
    workflow_id, run_id = chatting(backend)

    for _ in range(20):
        backend.execute(workflow_id, saying("hi"), run_id=run_id).finish()

    assert renewed == []


def test_taken_over_turn_ends_and_stores_nothing(backend, other, monkeypatch):
    workflow_id, run_id = chatting(backend)
    with monkeypatch.context() as patch:
        patch.setattr(backend._leases, "_look", lambda held, now: None)  # a machine that sleeps
        late = backend.execute(workflow_id, saying("late"), run_id=run_id)
        next(late)
        await_that(lambda: other.store.claims.interrupt_expired(run_id))
    result = other.execute(workflow_id, saying("mine"), run_id=run_id, expected_turn_number=2).finish()

    with pytest.raises(TurnNotStoredError, match="lapsed"):
        late.finish()

    run = other.run(run_id)
    assert (result.turn_number, len(run.input_output_pairs)) == (2, 2)
    assert run.input_output_pairs[1].run_input["thread_to_node_inputs"]["0"]["node_run_inputs"]
    assert run.status == "waiting_for_user_input"


def test_lost_claim_stops_turn_before_next_event(backend, other):
    workflow_id, run_id = chatting(backend)
    late = backend.execute(workflow_id, saying("late"), run_id=run_id)
    first = next(late)
    [held] = backend._leases._all()
    other.store.delete_run(run_id)
    late_events = held.events

    await_that(lambda: held.is_lost)
    with pytest.raises(TurnNotStoredError, match="made no call and could not be stored"):
        next(late)

    assert late_events == [first]


def test_closed_backend_leaves_turns_interrupted(backend, other):
    workflow_id, run_id = chatting(other)
    stream = backend.execute(workflow_id, saying("hi"), run_id=run_id)
    events = [next(stream).to_wire() for _ in range(3)]

    backend.close()

    revision = other.revision(run_id)
    [unfinished] = other.notes.read_unfinished_turns(run_id)
    assert (revision.status, revision.turn_number) == ("waiting_for_user_input", None)
    assert decode(unfinished.events_json) == events


def test_thread_ends_without_claims_and_restarts(backend, monkeypatch):
    monkeypatch.setattr(leases, "_IDLE_SECONDS", 0.05)
    workflow_id, run_id = chatting(backend)
    await_that(lambda: backend._leases._thread is None)

    stream = backend.execute(workflow_id, saying("hi"), run_id=run_id)

    running = [thread for thread in threading.enumerate() if thread is backend._leases._thread]
    assert len(running) == 1
    stream.finish()
    await_that(lambda: not running[0].is_alive())


def test_renewal_that_fails_is_tried_again(backend, other, monkeypatch, caplog):
    workflow_id, run_id = chatting(backend)
    renew, failures = backend.store.claims.renew, iter([True, True])

    def fail_twice(*arguments, **options):
        if next(failures, False):
            raise StoreError("The database is locked.")
        return renew(*arguments, **options)

    monkeypatch.setattr(backend.store.claims, "renew", fail_twice)
    stream = backend.execute(workflow_id, saying("hi"), run_id=run_id)
    events = [next(stream) for _ in range(2)]

    await_that(lambda: other.revision(run_id).event_count == len(events))

    assert "is not renewed" in caplog.text
    assert stream.finish().turn_number == 2


def test_release_that_fails_is_made_up_for(backend, other, monkeypatch):
    workflow_id, run_id = chatting(backend)

    def fail(*_arguments, **_options):
        raise StoreError("The database has no space left.")

    with monkeypatch.context() as patch:
        patch.setattr(backend.store.claims, "finish", fail)
        patch.setattr(backend.store.claims, "release", fail)
        with pytest.raises(StoreError, match="no space"):
            backend.execute(workflow_id, saying("lost"), run_id=run_id).finish()
        with pytest.raises(TurnInProgressError):
            backend.execute(workflow_id, saying("again"), run_id=run_id)

    result = backend.execute(workflow_id, saying("again"), run_id=run_id).finish()

    assert result.turn_number == 2
    assert other.notes.read_unfinished_turns(run_id) == []


def test_release_that_failed_is_tried_again_by_itself(backend, other, monkeypatch):
    workflow_id, run_id = chatting(backend)
    release, failures = backend.store.claims.release, iter([True])

    def fail_once(claim):
        if next(failures, False):
            raise StoreError("The database has no space left.")
        release(claim)

    monkeypatch.setattr(backend.store.claims, "release", fail_once)
    backend.execute(workflow_id, saying("lost"), run_id=run_id).close()

    await_that(lambda: other.store.claims.position(run_id).claimed is None)

    assert other.notes.read_unfinished_turns(run_id) == []


@pytest.mark.parametrize("clock", [-600, 600])
def test_wrong_clock_takes_no_turn_from_its_owner(backend, url, tmp_path, counted_calls, clock):
    workflow_id = backend.create_workflow(counted(tmp_path)).id
    run_id = backend.execute(workflow_id, saying()).finish().run_id
    (tmp_path / "wait").touch()
    job = {"run_id": run_id, "text": "hi", "lease": 4, "clock": clock, "owner": "another-boot/1/2/3"}
    owner = begin(url, workflow_id, tmp_path, **job)
    await_calls(tmp_path, 2)
    begun, looks = time.monotonic(), 0

    while time.monotonic() < begun + 8:
        with pytest.raises(TurnInProgressError):
            backend.execute(workflow_id, saying("mine"), run_id=run_id)
        looks += 1
        time.sleep(0.05)

    (tmp_path / "continue").touch()
    assert answer(owner)["turn_number"] == 2
    assert looks > 10
    assert len(calls(tmp_path)) == 2
    assert backend.notes.read_unfinished_turns(run_id) == []


@pytest.mark.parametrize("clock", [-600, 600])
def test_turn_of_ended_owner_with_wrong_clock_is_taken_in_time(backend, url, tmp_path, counted_calls, clock):
    workflow_id = backend.create_workflow(counted(tmp_path)).id
    run_id = backend.execute(workflow_id, saying()).finish().run_id
    (tmp_path / "wait").touch()
    job = {"run_id": run_id, "text": "hi", "lease": 3, "clock": clock, "owner": "another-boot/1/2/3"}
    owner = begin(url, workflow_id, tmp_path, **job)
    await_calls(tmp_path, 2)
    kill(owner)
    (tmp_path / "continue").touch()
    begun = time.monotonic()

    await_that(lambda: backend.revision(run_id).turn_number is None)

    took = time.monotonic() - begun
    result = backend.execute(workflow_id, saying("mine"), run_id=run_id, expected_turn_number=2).finish()
    assert took < 15
    assert took >= 3 or url.startswith("postgresql")  # where the lease began before this process looked
    assert (result.turn_number, len(calls(tmp_path))) == (2, 3)


def test_ended_owner_of_this_machine_is_noticed_at_once(backend, url, tmp_path, counted_calls):
    workflow_id = backend.create_workflow(counted(tmp_path)).id
    run_id = backend.execute(workflow_id, saying()).finish().run_id
    (tmp_path / "wait").touch()
    owner = begin(url, workflow_id, tmp_path, run_id=run_id, text="hi", lease=3600, clock=600)
    await_calls(tmp_path, 2)
    kill(owner)
    (tmp_path / "continue").touch()

    result = backend.execute(workflow_id, saying("mine"), run_id=run_id, expected_turn_number=2).finish()

    assert (result.turn_number, len(calls(tmp_path))) == (2, 3)


def test_stopped_owner_loses_its_turn_and_stores_nothing(backend, url, tmp_path, counted_calls):
    workflow_id = backend.create_workflow(counted(tmp_path)).id
    run_id = backend.execute(workflow_id, saying()).finish().run_id
    (tmp_path / "wait").touch()
    owner = begin(url, workflow_id, tmp_path, run_id=run_id, text="late", lease=1)
    await_calls(tmp_path, 2)
    owner.send_signal(signal.SIGSTOP)
    (tmp_path / "continue").touch()

    await_that(lambda: backend.revision(run_id).turn_number is None)
    result = backend.execute(workflow_id, saying("mine"), run_id=run_id, expected_turn_number=2).finish()
    owner.send_signal(signal.SIGCONT)

    assert answer(owner) == {"error": "TurnNotStoredError"}
    assert (result.turn_number, len(backend.run(run_id).input_output_pairs)) == (2, 2)
    assert len(calls(tmp_path)) == 3


def test_release_that_keeps_failing_is_tried_less_and_less(backend, monkeypatch, caplog):
    monkeypatch.setattr(backend._leases, "_keep", lambda: None)  # before a thread starts that would look too
    workflow_id, run_id = chatting(backend)

    def fail(_claim):
        raise StoreError("The database was deleted.")

    monkeypatch.setattr(backend.store.claims, "release", fail)
    backend.execute(workflow_id, saying("lost"), run_id=run_id).close()
    [held] = backend._leases._all()

    pauses = []
    for now in range(10):
        backend._leases._look(held, now)
        pauses.append(held.next_look - now)

    assert pauses == [0.25, 0.5, 1, 2, 4, 8, 16, 32, 60, 60]
    assert caplog.text.count("is not released yet") == 11
