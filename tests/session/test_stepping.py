from __future__ import annotations

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.variables import VariableEdit
from debugger.protocol.runs import TurnInput
from debugger.session.breakpoints import Breakpoint
from debugger.session.session import DebugSession
from debugger.settings import Settings
from tests.support.factories import direct, document, node, say, static, when


@pytest.fixture
def backend(tmp_path):
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules"))
    yield backend
    backend.close()


def debugged(backend, *parts, **config):
    """A session of a workflow that nothing has happened in yet."""
    return DebugSession(backend, backend.create_workflow(document(*parts, **config)).id)


def started(session):
    session.start(TurnInput.with_message(None))
    assert session.wait_until_idle(10)


def last_event(session):
    return session.turns[-1].events[-1]


def gone_on(session):
    """Let it go on, and wait until it stands still again or has ended."""
    session.stepping.resume()
    assert session.wait_until_idle(10)


LINE = [static("a", "A"), static("b", "B"), say("chat"), direct("a", "b"), direct("b", "chat")]


def test_run_pauses_before_node_runs(backend):
    session = debugged(backend, *LINE)
    session.breakpoints.put(Breakpoint("before", "b"))

    started(session)

    assert session.stop_point.text == "Breakpoint before B."
    assert last_event(session).type == "start_node_run"
    assert "B" not in [event.to_wire().get("content") for event in session.turns[0].events]
    assert session.busy
    gone_on(session)
    assert session.status == "waiting_for_user_input"
    assert session.stop_point is None


def test_step_by_event_shows_one_more(backend):
    session = debugged(backend, *LINE)
    session.stepping.step("event")
    started(session)
    seen = [len(session.turns[0].events)]

    for _ in range(3):
        session.stepping.step("event")
        session.wait_until_idle(10)
        seen.append(len(session.turns[0].events))

    assert seen == [1, 2, 3, 4]
    session.stop()


def test_step_by_node_pauses_before_each(backend):
    session = debugged(backend, *LINE)
    session.stepping.step("node")
    started(session)
    stops = [session.stop_point.text]

    session.stepping.step("node")
    session.wait_until_idle(10)
    stops.append(session.stop_point.text)
    session.stepping.step("node")
    session.wait_until_idle(10)

    assert stops == ["Before A.", "Before B."]
    assert session.status == "waiting_for_user_input"


def test_step_by_turn_runs_turn_to_end(backend):
    session = debugged(backend, *LINE)
    session.stepping.step("event")
    started(session)

    session.stepping.step("turn")
    session.wait_until_idle(10)

    assert session.stop_point is None
    assert session.status == "waiting_for_user_input"
    assert not session.stepping.pending.awaits_turn


def test_a_run_goes_to_a_node(backend):
    session = debugged(backend, *LINE)
    session.stepping.step("event")
    started(session)

    session.stepping.run_to("b")
    session.wait_until_idle(10)

    assert session.stop_point.reason == "target"
    assert last_event(session).origin_node_logical_id == "b"
    session.stop()


def test_edit_at_fifth_visit_changes_path(backend):
    session = debugged(
        backend,
        node("count", "no_op"),
        static("left", "Left"),
        static("right", "Right"),
        when("count", "right", "[[way]] == 'right'"),
        when("count", "left", "[[way]] == 'left'"),
        when("count", "count", "isAbsent([[way]])"),
    )
    session.breakpoints.put(Breakpoint("before", "count", condition="isAbsent([[way]])", hits="5"))
    started(session)
    visits = [event for event in session.turns[0].events if event.type == "start_node_run"]

    session.edit([VariableEdit("runtime", "way", "right")])
    session.wait_until_idle(10)
    told = [event.type for event in session.turns[0].events[-2:]]
    gone_on(session)

    assert len(visits) == 5
    assert told == ["workflow_debug_log", "workflow_show_state"]
    assert session.status == "completed"
    assert "Right" in [event.to_wire().get("content") for event in session.turns[0].events]
    assert "Left" not in [event.to_wire().get("content") for event in session.turns[0].events]


def test_run_paused_after_edit_keeps_reason(backend):
    session = debugged(backend, *LINE)
    session.breakpoints.put(Breakpoint("before", "b"))
    started(session)
    before = session.stop_point.text

    session.edit([VariableEdit("dynamic", "x", 1)])
    session.wait_until_idle(10)

    assert session.stop_point.text == before
    assert last_event(session).type == "workflow_show_state"
    session.stop()


def test_edit_of_running_run_is_rejected(backend):
    session = debugged(backend, *LINE)
    started(session)

    session.edit([VariableEdit("dynamic", "x", 1)])

    assert "is not paused" in session.error.message


def test_log_point_logs_without_stopping(backend):
    session = debugged(backend, *LINE, defaults={"who": "Ada"})
    session.breakpoints.put(Breakpoint("before", "b", log="{{who}} is at b"))

    started(session)

    assert session.status == "waiting_for_user_input"
    assert [(line.turn_number, line.text) for line in session.stepping.log_output] == [(1, "Ada is at b")]


def test_message_to_paused_run_is_rejected(backend):
    session = debugged(backend, *LINE)
    session.breakpoints.put(Breakpoint("before", "b"))
    started(session)

    session.send("Hi")

    assert "Continue it" in str(session.error)
    session.stop()


def test_paused_run_can_be_stopped(backend):
    session = debugged(backend, *LINE)
    session.breakpoints.put(Breakpoint("before", "b"))
    started(session)

    session.stop()
    session.wait(10)

    assert session.status == "cancelled"
    assert session.stop_point is None


def test_paused_first_turn_has_run_id(backend):
    session = debugged(backend, *LINE)
    session.breakpoints.put(Breakpoint("before", "a"))
    started(session)
    early = session.started_run_id

    gone_on(session)

    assert early == session.run_id


def test_breakpoints_without_pause_are_noted(backend, monkeypatch):
    from debugger.backends.base import Capabilities

    monkeypatch.setattr(
        EmbeddedBackend, "capabilities", Capabilities({"pause_mid_turn": "No.", "set_state": "No."})
    )
    session = debugged(backend, *LINE, defaults={"who": "Ada"})
    session.breakpoints.put(Breakpoint("before", "b", condition="{{who}} == 'Ada'"))

    started(session)

    assert session.status == "waiting_for_user_input"
    assert [stop.text for stop in session.stepping.missed_stops] == ["Breakpoint before B."]


def test_condition_without_state_knows_defaults(backend, monkeypatch):
    from debugger.backends.base import Capabilities

    monkeypatch.setattr(
        EmbeddedBackend, "capabilities", Capabilities({"pause_mid_turn": "No.", "set_state": "No."})
    )
    session = debugged(backend, *LINE, defaults={"who": "Ada"})
    session.breakpoints.put(Breakpoint("before", "a", condition="{{who}} == 'Ada'"))

    started(session)

    assert [stop.text for stop in session.stepping.missed_stops] == ["Breakpoint before A."]
