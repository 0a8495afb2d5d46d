from __future__ import annotations

import random
from contextlib import closing

import pytest

from debugger.analysis.chat import chat_messages
from debugger.analysis.decisions import DecisionLog
from debugger.analysis.position import position
from debugger.analysis.thread_positions import (
    ThreadPositions,
    can_have_background_work,
    input_hint,
    last_hint,
)
from debugger.analysis.variables import scopes_at
from debugger.backends import open_embedded
from debugger.engine.models import Script
from debugger.protocol.runs import TurnInput
from debugger.samples import script_for
from debugger.session.session import DebugSession
from debugger.settings import Settings
from debugger.views.run_state import Cursor
from debugger.views.run_view import decisions, run_history, run_view
from tests.samples.lab_call import calling
from tests.support.clinic import clinic_call
from tests.support.factories import direct, document, node, say, static, when, worker
from tests.support.moments import until
from tests.views.records import keep_records

EVENTS = 20
STATUSES = {"ended": "completed", "waiting": "waiting_for_user_input"}


def tea_room():
    """A run that goes round in a loop with its user, and fails."""
    backend = open_embedded(Settings(database="sqlite://", responder="rules"))
    drawn = document(
        say("desk", self_loop=False),
        worker("reader", {"count": {"type": "integer"}}),
        node("sort", "no_op"),
        static("tea", "Tea."),
        node("gone", "http_request", url="http://127.0.0.1:9/"),
        direct("desk", "reader"),
        direct("reader", "sort"),
        when("sort", "tea", "[[count]] < 5"),
        when("sort", "gone", "[[count]] >= 5"),
        direct("tea", "desk"),
        direct("gone", "desk"),
    )
    workflow_id, run_id = backend.create_workflow(drawn).id, None
    for text in (None, "2 teas", "3 teas", "7 teas"):
        result = backend.execute(workflow_id, TurnInput.with_message(text), run_id=run_id).finish()
        run_id = result.run_id
    return DebugSession.open(backend, run_id)


@pytest.fixture(scope="module", params=["clinic", "lab results", "tea room"])
def session(request, tmp_path_factory):
    """A run: one with a call, one with a companion and a super node, one with a loop."""
    if request.param == "clinic":
        backend, run_id = clinic_call()
        yield DebugSession.open(backend, run_id)
    elif request.param == "tea room":
        opened = tea_room()
        with closing(opened.backend):
            yield opened
    else:
        script = Script.load(script_for("workflow_lab_results") or "")
        with calling(tmp_path_factory.mktemp("lab")) as call:
            call.hold(script.demo)
            yield DebugSession.open(call._backend, call.run_id)


@pytest.fixture
def cursor(monkeypatch):
    """The cursor of a tab without a browser."""
    cursor = Cursor()
    keep_records(monkeypatch, cursor)
    return cursor


def test_view_equals_what_events_up_to_cursor_tell(session, cursor):
    count = sum(len(turn.events) for turn in session.turns)
    graph, names = session.index.graph, session.index.names
    chance = random.Random(18)

    for event in [0, count - 2, *chance.sample(range(count - 1), EVENTS)]:
        cursor.event = event
        view, then = run_view(session), until(session.turns, event)
        place, log = position(then, graph), DecisionLog(run_history(view).decisions._graph)
        threads = ThreadPositions.after(then)
        is_end = then[-1].is_background or len(then[-1].events) == len(session.turns[len(then) - 1].events)
        can_work = can_have_background_work(threads, session.workflow, view.status)
        goes_on = can_work and (is_end or place.state == "waiting")
        hint = input_hint(last_hint(threads), view.status, has_background_work=goes_on, names=names)
        said = [message for message, later in zip(view.messages, view.later_flags, strict=True) if not later]

        assert view.is_past
        assert view.position == place
        assert view.status == STATUSES.get(place.state, place.state)
        assert view.hint.who == hint.who
        assert view.hint.sentence == hint.sentence
        assert view.turn_number == then[-1].number
        assert [message.text for message in said] == [message.text for message in chat_messages(then, names)]
        assert run_history(view).moments.scopes(event) == scopes_at(then)
        expected = log.catch_up(then).find_last_decision(None)
        assert decisions(view).find_last_decision(event) == expected


def test_view_at_last_event_is_live_one(session, cursor):
    live = run_view(session)
    cursor.event = len(live.rows) - 1

    at_end = run_view(session)

    assert not at_end.is_past
    assert (at_end.position, at_end.hint, at_end.status) == (live.position, live.hint, live.status)
    assert at_end.later_flags == [False] * len(live.messages)


def test_cursor_that_run_does_not_have_is_live(session, cursor):
    cursor.event = 10**6

    assert run_view(session).event is None
