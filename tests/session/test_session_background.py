from __future__ import annotations

import threading
from itertools import pairwise

import pytest

from debugger.backends.base import TurnStream
from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.environment import Environment
from debugger.errors import AuthenticationError, ConnectionFailedError, RunEndedError
from debugger.protocol.runs import TurnInput
from debugger.session.session import DebugSession
from debugger.settings import Settings
from tests.companions import lab, watchful
from tests.factories import document, say


class Clock:
    """A clock that moves only when it is told to."""

    def __init__(self):
        self.seconds = 1_000_000.0

    def now(self):
        return self.seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def backend(tmp_path, clock):
    settings = Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules")
    backend = EmbeddedBackend(settings, world=Environment(now=clock.now))
    yield backend
    backend.close()


@pytest.fixture
def begin(backend, clock):
    """Gives a session whose first turn has ended."""

    def begun(graph):
        session = DebugSession(backend, backend.create_workflow(graph).id, now=clock.now)
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


def test_a_run_goes_on_to_its_end_while_somebody_looks(begin, clock):
    session = begin(lab())
    seen = [look(session, clock) for _ in range(6)]

    assert seen[0] == "waiting_for_user_input"
    assert seen[-1] == "completed"
    assert said(session) == [(1, True, "Your results are here after 3 checks.")]
    assert not session.background.has_work
    assert session.hint is None


def test_what_was_shown_is_what_is_on_record(backend, begin, clock):
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


def test_a_step_leaves_status_hint_and_turns_as_they_are_while_nothing_happens(begin, clock):
    session = begin(lab(pause=30))
    turns, hint = list(session.turns), session.hint

    look(session, clock)

    assert session.status == "waiting_for_user_input"
    assert session.hint == hint
    assert session.turns == turns


def test_a_message_goes_before_the_next_step_and_after_the_one_under_way(backend, begin, clock):
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


def test_no_step_begins_while_a_turn_is_under_way(backend, begin, clock):
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


def test_a_message_to_a_run_that_has_just_ended_by_itself_is_given_back(backend, begin, clock):
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


def test_a_stop_ends_a_run_in_a_step(backend, begin, clock):
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


def test_a_stop_between_two_steps_ends_a_run(backend, begin):
    session = begin(lab(checks=100))

    session.stop()
    assert session.wait(10)

    assert session.status == "cancelled"
    assert not session.background.has_work


def test_a_stop_while_a_message_waits_for_a_step_ends_the_run_without_an_error(backend, begin, clock):
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


def test_work_that_is_switched_off_goes_on_only_step_by_step(begin, clock):
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


def test_a_run_that_only_judges_is_left_alone_after_many_steps_and_can_be_resumed(begin, clock):
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


def test_a_step_that_cannot_succeed_halts_the_work(backend, begin, clock):
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


def test_a_step_that_fails_for_a_while_is_executed_again_later_each_time(backend, begin, clock):
    session = begin(lab())
    pump, tries = backend.pump, []

    def broken(*args, **kwargs):
        tries.append(clock.now())
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


def test_events_of_a_step_whose_answer_was_lost_come_from_the_record(backend, begin, clock):
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


def test_a_run_that_is_opened_from_its_record_stands_still_until_it_is_told_to_go_on(backend, begin, clock):
    run_id = begin(lab()).run_id
    session = DebugSession.open(backend, run_id)
    before = look(session, clock, after=100)

    session.advance()
    assert session.wait(10)

    assert before == "waiting_for_user_input"
    assert session.background.has_work
    assert session.background.halted == ""
    assert [turn.is_background for turn in session.turns] == [False, True]


def test_a_run_without_background_work_is_opened_without(backend, begin):
    run_id = begin(document(say("chat"))).run_id

    assert not DebugSession.open(backend, run_id).background.has_work


def test_there_is_nothing_to_advance_before_a_run_has_begun(backend):
    session = DebugSession(backend, backend.create_workflow(lab()).id)

    session.advance()

    assert "no background work" in session.error.message
    assert session.status == "not_started"
