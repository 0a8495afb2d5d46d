from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from debugger.errors import InputError
from debugger.session.breakpoints import Breakpoint
from debugger.session.variable_rows import VariableRow
from debugger.views.navigation import ViewMode
from debugger.views.panels.cursor import PAST
from debugger.views.panels.variable_edits import VariableEdits
from debugger.views.run_state import CurrentRun, Cursor, Selection
from debugger.views.state import Editors
from tests.support.companions import lab
from tests.support.factories import direct, document, say, static, tool
from tests.views.bars import badges, captions, control, use
from tests.views.conftest import APP
from tests.views.message import box, send, send_stepped
from tests.views.records import record_of
from tests.views.row_lists import drawn, rows
from tests.views.row_lists import use as use_row

LINE = (static("a", "A {{who}}"), static("b", "B"), say("chat"), direct("a", "b"), direct("b", "chat"))


def line(**more):
    return document(*LINE, defaults={"who": "Ada"}, **more)


def click(app, key):
    use(app, key)
    idle(app)


def idle(app):
    """Wait until nothing is under way or the run is paused, and draw that."""
    assert record_of(app, CurrentRun).session.wait_until_idle(10)
    app.run()
    assert not app.exception


def stepped(app, text, kind):
    """Press a step while a text is typed."""
    send_stepped(app, text, kind)
    idle(app)


def opened(app, backend, **more):
    backend.create_workflow(line(**more))
    app.run()
    assert not app.exception


def unpausable(backend, monkeypatch):
    from debugger.backends.base import Capabilities

    monkeypatch.setattr(type(backend), "capabilities", Capabilities({"pause_mid_turn": "It runs elsewhere."}))


def waiting(app, backend):
    opened(app, backend)
    click(app, "start")


def test_step_at_rest_arms_and_again_disarms(app, backend, record):
    waiting(app, backend)

    click(app, "step_event")
    armed = captions(app)
    click(app, "step_event")

    assert "Pauses at the first event of your next message." in armed
    assert record(CurrentRun).session.stop_point is None
    assert "Pauses" not in captions(app)


def test_other_step_replaces_armed_one_until_disarmed(app, backend, record):
    waiting(app, backend)
    click(app, "step_event")

    click(app, "step_node")
    shown = captions(app)
    click(app, "disarm")

    assert "Pauses before the first node of your next message." in shown
    assert shown.count("Pauses") == 1
    assert record(CurrentRun).session.stepping.pending is None


def test_armed_message_is_stepped(app, backend, record):
    waiting(app, backend)
    click(app, "step_event")

    send(app, "Hi")
    idle(app)

    assert record(CurrentRun).session.stop_point.position == 0
    assert record(CurrentRun).session.turns[-1].number == 2
    assert "Paused" in badges(app)
    record(CurrentRun).session.stop()


def test_typed_message_is_sent_and_stepped(app, backend, record):
    waiting(app, backend)

    stepped(app, "Hi", "event")

    assert record(CurrentRun).session.stop_point.position == 0
    assert record(CurrentRun).session.turns[-1].message == "Hi"
    assert box(app)["disabled"]
    record(CurrentRun).session.stop()


def test_demo_view_steps_no_message(app, backend, record):
    waiting(app, backend)

    record(ViewMode).is_demo = True
    app.run()

    assert not box(app)["steps"]


def test_typed_message_starts_run_stepped(app, backend, record):
    opened(app, backend)

    stepped(app, "Hi", "node")

    assert record(CurrentRun).session.stop_point.text == "Before A."
    assert record(CurrentRun).session.turns[0].message == "Hi"
    record(CurrentRun).session.stop()


def test_restarted_run_is_stepped_where_armed(app, backend, record):
    waiting(app, backend)
    first = record(CurrentRun).session
    click(app, "step_event")

    click(app, "restart")

    assert record(CurrentRun).session is not first
    assert record(CurrentRun).session.stop_point.text == "After one event."
    record(CurrentRun).session.stop()


def test_reloaded_run_stays_armed(app, backend, record):
    waiting(app, backend)
    click(app, "step_turn")

    click(app, "reload_run")

    assert "Pauses after the turn of your next message." in captions(app)


def test_ended_run_is_restarted_instead_of_stepped(app, backend, record):
    waiting(app, backend)

    click(app, "stop")

    steps = ("step_event", "step_node", "step_turn", "resume", "pause", "stop")
    assert all(control(app, key).disabled for key in steps)
    assert "The run has ended (cancelled)." in control(app, "step_event").item["help"]
    assert not control(app, "restart").disabled


def paused_row(app):
    """The event of the chosen row, and whether the row is marked."""
    table = drawn(app)
    return None if table["chosen"] is None else table["rows"][table["chosen"]]["target"][0]


def test_paused_event_has_row_in_every_density(app, backend, record):
    waiting(app, backend)
    use(app, "timeline_text", "no such word")
    stepped(app, "Hi", "event")
    hidden, paused, seen = [], [], []
    while record(CurrentRun).session.stop_point is not None:
        paused.append(record(CurrentRun).session.paused_event)
        seen.append(paused_row(app))
        hidden.append(len(rows(app)) == 1)
        click(app, "step_event")

    assert len(paused) > 5
    assert seen == paused
    assert all(hidden)


@pytest.mark.parametrize(
    ("before", "kind", "after"),
    [
        ("Turns", "event", "Key events"),
        ("Steps", "event", "Key events"),
        ("Turns", "node", "Steps"),
        ("All events", "event", "All events"),
    ],
)
def test_density_follows_step(app, backend, record, before, kind, after):
    waiting(app, backend)
    use(app, "timeline_density", before)

    stepped(app, "Hi", kind)

    assert control(app, "timeline_density").value == after
    assert record(CurrentRun).session.stop_point is not None or kind == "node"
    record(CurrentRun).session.stop()


def test_background_work_is_paused_and_box_locked(app, backend, record):
    backend.create_workflow(lab(pause=30))
    app.run()
    click(app, "start")

    click(app, "pause")
    pausing = captions(app)
    backend.ahead += 60
    record(CurrentRun).session.advance()
    assert record(CurrentRun).session.wait_until_idle(10)
    app.run()

    assert "Pauses at the next event of background work." in pausing
    assert record(CurrentRun).session.stop_point.log.is_background
    assert box(app)["disabled"]
    assert box(app)["placeholder"] == "The run is paused: Resume or Step continues it."
    record(CurrentRun).session.stop()


def test_message_that_pause_overtakes_comes_back(app, backend, record):
    backend.create_workflow(lab(pause=30))
    app.run()
    click(app, "start")
    record(CurrentRun).session.stepping.pause()
    backend.ahead += 60
    record(CurrentRun).session.advance()
    assert record(CurrentRun).session.wait_until_idle(10)

    send_stepped(app, "Hi", "event")  # the page was drawn before the pause

    assert record(CurrentRun).session.stop_point.log.is_background
    assert box(app)["draft"] == "Hi"
    assert record(CurrentRun).session.turns[-1].number == 1
    record(CurrentRun).session.stop()


def test_step_begins_run_and_stands_still_at_its_first_event(app, backend, record):
    opened(app, backend)

    click(app, "step_event")

    assert record(CurrentRun).session.stop_point.position == 0
    assert "After one event." in captions(app)
    record(CurrentRun).session.stop()


def test_steps_by_node_stand_still_before_each_and_resume_goes_to_users_turn(app, backend, record):
    opened(app, backend)
    click(app, "step_node")
    first = captions(app)

    click(app, "step_node")
    second = captions(app)
    click(app, "resume")

    assert "Before A." in first
    assert "Before B." in second
    assert record(CurrentRun).session.status == "waiting_for_user_input"


def test_without_run_that_stands_still_there_is_nothing_to_resume(app, backend):
    opened(app, backend)

    assert control(app, "resume").disabled
    assert not control(app, "step_event").disabled


def test_backend_without_pause_says_why_steps_wait(app, backend, monkeypatch):
    unpausable(backend, monkeypatch)
    opened(app, backend)

    assert control(app, "step_node").disabled
    assert control(app, "step_node").help.startswith("It runs elsewhere. Steps move")


def test_steps_without_pause_move_chosen_event(app, backend, record, monkeypatch):
    unpausable(backend, monkeypatch)
    opened(app, backend)
    click(app, "start")
    rows = [event.type for event in record(CurrentRun).session.turns[0].events]

    use(app, "step_event")
    first, notices = record(Cursor).event, [toast.value for toast in app.toast]
    use(app, "step_node")
    node = record(Cursor).event
    use(app, "step_turn")
    last = record(Cursor).event
    use(app, "step_event")

    assert rows[first] != "start_workflow_iteration" and first < node < last
    assert rows[node] == "start_node_run"
    assert last == len(rows) - 1
    assert record(Cursor).event is None
    assert notices == ["The platform has already continued: steps move through the events received."]
    use(app, "step_event")
    assert record(Cursor).event == first
    assert not app.toast


def test_node_is_not_run_to_from_past(app, backend, record):
    opened(app, backend)
    click(app, "step_node")
    record(Selection).node, record(Cursor).event = "b", 0
    app.session_state["inspector_tab"] = "Node"

    app.run()

    assert control(app, "run_to").disabled
    assert control(app, "run_to").help == PAST
    record(CurrentRun).session.stop()


def test_node_can_be_run_to_from_its_tab(app, backend, record):
    opened(app, backend)
    record(Selection).node = "b"
    app.session_state["inspector_tab"] = "Node"
    app.run()

    click(app, "run_to")

    assert "Before B." in captions(app)
    record(CurrentRun).session.stop()


def test_breakpoint_is_set_from_list_shown_verified_and_taken_away(app, backend, record):
    opened(app, backend)
    use(app, "lower_view", "Breakpoints")
    app.selectbox("bp_target_before").set_value("b")
    app.text_input("bp_condition").set_value("{{who}} == 'Ada'")
    app.text_input("bp_hits").set_value("1")

    click(app, "bp_add")
    points = record(CurrentRun).session.breakpoints.points
    (shown,) = rows(app, "Breakpoints")
    tabs = control(app, "lower_view").options
    use_row(app, points[0].id, "remove", label="Breakpoints")

    assert points == [Breakpoint("before", "b", "{{who}} == 'Ada'", "1", id=points[0].id)]
    assert (shown["where"], shown["state"]) == ("before B", "Verified")
    assert "Breakpoints 1" in tabs
    assert "Breakpoints" in control(app, "lower_view").options
    assert record(CurrentRun).session.breakpoints.points == []


def test_breakpoint_at_node_that_is_gone_is_hollow_with_reason(app, backend, record):
    opened(app, backend)
    record(CurrentRun).session.breakpoints.put(Breakpoint("before", "gone"))

    use(app, "lower_view", "Breakpoints")

    (shown,) = rows(app, "Breakpoints")
    assert shown["state"] == "This version of the workflow has no such node."


def test_what_is_no_hit_count_is_told_and_what_was_typed_stays(app, backend, record):
    opened(app, backend)
    use(app, "lower_view", "Breakpoints")
    app.text_input("bp_hits").set_value("often")

    click(app, "bp_add")

    assert any("names no hits" in error.value for error in app.error)
    assert app.text_input("bp_hits").value == "often"
    assert record(CurrentRun).session.breakpoints.points == []


@pytest.mark.parametrize(("kind", "is_possible"), [("edge", False), ("error", True)])
def test_breakpoint_needs_place_of_its_kind(app, backend, record, kind, is_possible):
    backend.create_workflow(document(say("chat")))
    app.run()
    use(app, "lower_view", "Breakpoints")

    app.selectbox("bp_kind").set_value(kind).run()

    assert app.button("bp_add").disabled is not is_possible


def test_breakpoints_come_back_with_recorded_run_and_go_along_to_restarted_one(app, backend, record):
    opened(app, backend)
    click(app, "start")
    record(CurrentRun).session.wait(10)
    app.run()
    record(Selection).node = "b"
    app.session_state["inspector_tab"] = "Node"
    app.run()
    click(app, "break_here")
    run_id = record(CurrentRun).session.run_id

    click(app, "restart")
    carried = [point.target for point in record(CurrentRun).session.breakpoints.points]
    record(CurrentRun).session.stop()
    another = AppTest.from_file(str(APP))
    another.query_params["run"] = run_id
    another.run()

    found = record_of(another, CurrentRun).session
    assert carried == ["b"]
    assert found.run_id == run_id
    assert [point.target for point in found.breakpoints.points] == ["b"]


def test_edits_are_pending_with_their_difference_until_they_are_applied(app, backend, record):
    opened(app, backend)
    click(app, "step_node")
    app.session_state["live_edit"] = True
    app.run()
    assert "No changes yet." in captions(app)
    pending = record(VariableEdits).pending
    tier = next(tier for tier in pending.shown if tier.scope == "dynamic")
    pending.set_rows(tier, [VariableRow("who", "text", "Eve")])
    app.run()
    difference = [text.value for text in app.text if "dynamic.who" in text.value]
    assert "1 pending" in badges(app)
    click(app, "apply_edits")
    click(app, "resume")

    assert difference == ['~ dynamic.who: "Ada" → "Eve"']
    said = [event.to_wire().get("content") for event in record(CurrentRun).session.turns[0].events]
    assert "A Eve" in said


def test_edits_that_are_refused_stay(app, backend, record, monkeypatch):
    opened(app, backend)
    click(app, "step_node")
    app.session_state["live_edit"] = True
    app.run()
    pending = record(VariableEdits).pending
    tier = next(tier for tier in pending.shown if tier.scope == "dynamic")
    pending.set_rows(tier, [VariableRow("who", "text", "Eve")])
    app.run()
    session = record(CurrentRun).session
    monkeypatch.setattr(session, "edit", lambda edits: setattr(session, "error", InputError("No.")))

    click(app, "apply_edits")

    assert record(VariableEdits).pending is pending
    assert pending.differences
    session.stop()


def test_editor_shows_variables_of_each_pause(app, backend, record):
    count = tool("count", "def count():\n    return 5\n")
    backend.create_workflow(document(count, static("b", "B"), say("chat"), direct("count", "b")))
    app.run()
    click(app, "step_node")
    app.session_state["live_edit"] = True
    app.session_state["live_tier"] = "Runtime"
    app.run()
    before = editor_names(record)

    click(app, "step_node")
    is_open = bool(app.session_state["live_edit"])
    app.session_state["live_edit"] = True
    app.run()

    assert (before, is_open) == ([], False)
    assert "tool_result" in editor_names(record)
    record(CurrentRun).session.stop()


def editor_names(record):
    """Return the names of the variables in the grid of the editor."""
    (rows,) = (rows for key, rows in record(Editors).tables.items() if key.startswith("live_runtime"))
    return [row.name for row in rows]
