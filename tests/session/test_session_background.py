from __future__ import annotations

import threading
from itertools import pairwise

import pytest

from debugger.backends.base import TurnStream
from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.environment import Environment
from debugger.errors import (
    AuthenticationError,
    ConnectionFailedError,
    RunEndedError,
    StoreError,
    TurnNotStoredError,
)
from debugger.protocol.runs import TurnInput
from debugger.session.breakpoints import Breakpoint
from debugger.session.session import DebugSession
from debugger.settings import Settings
from tests.support.clock import Clock
from tests.support.companions import lab, watchful
from tests.support.factories import direct, document, node, say
from tests.support.http_server import HttpServer


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def backend(tmp_path, clock):
    settings = Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules")
    backend = EmbeddedBackend(settings, world=Environment(now=clock))
    yield backend
    backend.close()


@pytest.fixture
def begin(backend, clock):
    """Gives a session whose first turn has ended."""

    def begun(graph):
        session = DebugSession(backend, backend.create_workflow(graph).id, now=clock)
        session.start(TurnInput.with_message(None))
        assert session.wait(10)
        assert session.status == "waiting_for_user_input"  # a look, by which the session takes the turn in
        return session

    return begun


def look(session, clock, *, after=1.0):
    """Let time pass, and look at the session as a page does."""
    clock.seconds += after
    session.tick()
    assert session.wait(10)
    return session.status


def said(session):
    return [
        (turn.number, turn.is_background, event.content)
        for turn in session.turns
        for event in turn.events
        if event.type == "assistant_response"
    ]


def gated(backend, gate):
    """Let every step wait for a gate after it has begun."""
    pump = backend.pump

    def slow(*args, **kwargs):
        assert gate.wait(10)
        return pump(*args, **kwargs)

    backend.pump = slow


def test_run_continues_to_end_while_watched(begin, clock):
    session = begin(lab())
    seen = [look(session, clock) for _ in range(6)]

    assert seen[0] == "waiting_for_user_input"
    assert seen[-1] == "completed"
    assert said(session) == [(1, True, "Your results are here after 3 checks.")]
    assert not session.background.has_work
    assert session.hint is None


def test_shown_turns_equal_the_record(backend, begin, clock):
    session = begin(lab())
    for _ in range(6):
        look(session, clock)

    again = DebugSession.open(backend, session.run_id)

    told = [
        [(turn.number, turn.is_background, len(turn.events)) for turn in each.turns]
        for each in (session, again)
    ]
    assert told[0] == told[1]
    assert sum(turn.is_background for turn in again.turns) == 2


def test_nothing_is_done_before_it_is_due(backend, begin, clock):
    session = begin(lab(pause=30))
    look(session, clock)
    steps = []
    pump = backend.pump
    backend.pump = lambda *args, **kwargs: steps.append(args) or pump(*args, **kwargs)

    look(session, clock, after=28)
    early = len(steps)
    look(session, clock, after=1)

    assert (early, len(steps)) == (0, 1)


def test_quiet_step_leaves_status_hint_and_turns(begin, clock):
    session = begin(lab(pause=30))
    turns, hint = list(session.turns), session.hint

    look(session, clock)

    assert session.status == "waiting_for_user_input"
    assert session.hint == hint
    assert session.turns == turns


def test_message_goes_between_steps(backend, begin, clock):
    session = begin(lab(checks=100))
    gate = threading.Event()
    gated(backend, gate)
    clock.seconds += 2
    session.tick()
    stepping = session.is_stepping

    session.send("How long?")
    status = session.status
    gate.set()
    assert session.wait(10)

    assert (stepping, status) == (True, "running")
    assert session.error is None
    assert [(turn.number, turn.is_background, turn.message) for turn in session.turns] == [
        (1, False, ""),
        (1, True, ""),
        (2, False, "How long?"),
    ]
    assert session.background.has_work


def test_no_step_starts_during_a_turn(backend, begin, clock):
    session = begin(lab(checks=100))
    gate = threading.Event()
    execute = backend.execute

    def slow(*args, **kwargs):
        assert gate.wait(10)
        return execute(*args, **kwargs)

    backend.execute = slow
    session.send("How long?")
    clock.seconds += 10

    session.tick()
    session.advance()
    stepping = session.is_stepping
    gate.set()
    assert session.wait(10)

    assert not stepping
    assert session.error is None


def test_message_to_run_just_ended_is_returned(backend, begin, clock):
    session = begin(lab(checks=2))
    look(session, clock)
    gate = threading.Event()
    gated(backend, gate)
    clock.seconds += 2
    session.tick()

    session.send("Are you there?")
    gate.set()
    assert session.wait(10)

    assert session.status == "completed"
    assert isinstance(session.error, RunEndedError)
    assert session.unsent_message == "Are you there?"
    assert said(session) == [(1, True, "Your results are here after 2 checks.")]


def test_step_of_run_that_another_client_ended_is_no_error(backend, begin, clock):
    session = begin(lab(checks=100))
    other = DebugSession.open(backend, session.run_id)
    other.stop()
    assert other.wait(10)

    look(session, clock, after=2)
    assert session.wait_until_idle(10)

    assert session.status == "cancelled"
    assert session.error is None
    assert [turn.number for turn in session.turns] == [turn.number for turn in other.turns]


def test_stop_during_step_ends_run(backend, begin, clock):
    session = begin(lab(checks=100))
    gate = threading.Event()
    gated(backend, gate)
    clock.seconds += 2
    session.tick()

    session.stop()
    gate.set()
    assert session.wait(10)

    assert session.status == "cancelled"
    assert session.error is None
    assert backend.run(session.run_id).status == "cancelled"


def test_stop_between_steps_ends_run(backend, begin):
    session = begin(lab(checks=100))

    session.stop()
    assert session.wait(10)

    assert session.status == "cancelled"
    assert not session.background.has_work


def test_stop_of_waiting_message_ends_run_cleanly(backend, begin, clock):
    session = begin(lab(checks=100))
    gate = threading.Event()
    gated(backend, gate)
    clock.seconds += 2
    session.tick()
    session.send("How long?")

    session.stop()
    gate.set()
    assert session.wait(10)

    assert session.status == "cancelled"
    assert session.error is None


def test_switched_off_work_advances_step_by_step(begin, clock):
    session = begin(lab())
    session.background.automatic = False
    before = look(session, clock, after=100)
    quiet = len(session.turns)

    session.advance()
    assert session.wait(10)

    assert (before, quiet) == ("waiting_for_user_input", 1)
    assert [turn.is_background for turn in session.turns] == [False, True]
    assert look(session, clock, after=100) == "waiting_for_user_input"
    assert len(session.turns) == 2


def test_evaluating_run_is_halted_and_resumable(begin, clock):
    session = begin(watchful())
    for _ in range(70):
        look(session, clock)

    assert session.background.evaluations == 60
    assert session.background.halted
    assert len(session.turns) == 1
    clock.seconds += 1
    session.advance()
    assert session.wait(10)
    assert session.background.continues
    look(session, clock)
    assert session.background.evaluations == 62


def test_permanent_failure_halts_work(backend, begin, clock):
    session = begin(lab())
    pump = backend.pump

    def broken(*args, **kwargs):
        raise AuthenticationError("The key is not accepted.")

    backend.pump = broken
    look(session, clock, after=2)

    assert session.status == "waiting_for_user_input"
    assert str(session.error) == "The key is not accepted."
    assert not session.background.continues
    backend.pump = pump
    session.advance()
    assert session.wait(10)
    assert session.error is None
    assert session.background.continues


def test_transient_failure_is_retried_later_each_time(backend, begin, clock):
    session = begin(lab())
    pump, tries = backend.pump, []

    def broken(*args, **kwargs):
        tries.append(clock())
        raise ConnectionFailedError("Nothing answers there.")

    backend.pump = broken
    for _ in range(40):
        look(session, clock, after=1)
    waits = [later - earlier for earlier, later in pairwise(tries)]
    backend.pump = pump
    look(session, clock, after=60)

    assert session.error is None
    assert 4 <= len(tries) <= 12
    assert waits[0] <= 2 < waits[-1]
    assert session.background.retrying == ""
    assert len(session.turns) == 2


def test_events_of_lost_step_come_from_record(backend, begin, clock):
    session = begin(lab())
    pump = backend.pump

    def broken(*args, **kwargs):
        stream = pump(*args, **kwargs)

        def events():
            yield from list(stream)[:2]
            raise ConnectionFailedError("The line broke.")

        return TurnStream(stream.run_id, events())

    backend.pump = broken
    look(session, clock, after=2)
    before = len(session.turns)
    session.check_now()
    assert session.wait_for_record(10)

    assert session.error is None
    assert session.background.retrying == "The line broke."
    assert before == 1
    assert [len(turn.events) for turn in session.turns] == [
        len(pair.run_output.events) for pair in backend.run(session.run_id).input_output_pairs
    ]
    assert session.turns[-1].is_background


def test_opened_run_is_halted_until_resumed(backend, begin, clock):
    run_id = begin(lab()).run_id
    session = DebugSession.open(backend, run_id)
    before = look(session, clock, after=100)

    session.advance()
    assert session.wait(10)

    assert before == "waiting_for_user_input"
    assert session.background.has_work
    assert session.background.halted == ""
    assert [turn.is_background for turn in session.turns] == [False, True]


def test_run_without_background_work_opens_without(backend, begin):
    run_id = begin(document(say("chat"))).run_id

    assert not DebugSession.open(backend, run_id).background.has_work


def test_unstarted_run_has_nothing_to_advance(backend):
    session = DebugSession(backend, backend.create_workflow(lab()).id)

    session.advance()

    assert "no background work" in session.error.message
    assert session.status == "not_started"


@pytest.mark.parametrize("condition", ["", "[[attempts]] >= 1"])
def test_breakpoint_after_companion_node_reads_its_thread(begin, clock, condition):
    session = begin(lab())
    point = session.breakpoints.put(Breakpoint("after", "poll", condition=condition))

    clock.seconds += 5
    session.tick()

    assert session.wait_until_idle(10)
    assert session.stop_point.breakpoint_id == point.id
    session.stop()


def test_expired_run_is_not_stepped_again(backend, begin, clock):
    """The API has forgotten the session, and the record says that the run waits."""
    session = begin(lab())
    steps = []

    def expired(*args, **kwargs):
        steps.append(args)
        raise RunEndedError("Session not found")

    backend.pump = expired
    for _ in range(4):
        look(session, clock)
        assert session.wait_until_idle(10)

    assert len(steps) == 1
    assert session.background.halted


def test_step_not_stored_is_not_made_again_by_itself(begin, backend, clock, monkeypatch):
    with HttpServer() as server:
        retry = {"enabled": True, "max_retries": 100, "time_between_retries": 2}
        poll = node("poll", "http_request", url=f"{server.url}/poll", self_loop_config=retry)
        companion = {"is_companion_thread": True, "thread_id": "poller"}
        graph = document(
            node("entry", "no_op"),
            say("chat"),
            poll,
            direct("entry", "chat"),
            {**direct("entry", "poll"), "companion_thread_config": companion},
        )
        session = begin(graph)
        with monkeypatch.context() as patch:
            patch.setattr(backend.store.claims, "finish", _raise_locked)
            before = len(server.received)
            while len(server.received) == before:
                look(session, clock, after=3.0)
            look(session, clock, after=3.0)

        for _ in range(3):
            look(session, clock, after=60.0)

        assert isinstance(session.error, TurnNotStoredError)
        assert session.background.halted
        assert [call["target"] for call in session.unstored_turn.calls] == [f"GET {server.url}/poll"]
        assert len(server.received) == before + 1
        session.advance()
        session.send("Hello")
        assert len(server.received) == before + 1

        session.send_unstored_again()
        assert session.wait(10)

        assert (session.error, len(server.received)) == (None, before + 2)
        assert backend.notes.read_unfinished_turns() == []


def _raise_locked(*_, **__):
    raise StoreError("The database is locked.")
