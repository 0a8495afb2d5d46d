from __future__ import annotations

from streamlit.testing.v1 import AppTest

from debugger.session.breakpoints import Breakpoint
from tests.support.factories import direct, document, say, static
from tests.views.bars import badges, captions, control, use
from tests.views.conftest import APP

LINE = (static("a", "A {{who}}"), static("b", "B"), say("chat"), direct("a", "b"), direct("b", "chat"))


def line(**more):
    return document(*LINE, defaults={"who": "Ada"}, **more)


def click(app, key):
    use(app, key)
    assert not app.exception


def opened(app, backend, **more):
    backend.create_workflow(line(**more))
    app.run()
    assert not app.exception


def test_step_begins_run_and_stands_still_at_its_first_event(app, backend, page):
    opened(app, backend)

    click(app, "step_event")

    assert page().session.stop_point.position == 0
    assert "One event on." in captions(app)
    page().session.stop()


def test_steps_by_node_stand_still_before_each_and_resume_goes_to_users_turn(app, backend, page):
    opened(app, backend)
    click(app, "step_node")
    first = captions(app)

    click(app, "step_node")
    second = captions(app)
    click(app, "resume")

    assert "Before A." in first
    assert "Before B." in second
    assert page().session.status == "waiting_for_user_input"


def test_without_run_that_stands_still_there_is_nothing_to_resume(app, backend):
    opened(app, backend)

    assert control(app, "resume").disabled
    assert not control(app, "step_event").disabled


def test_backend_that_cannot_be_held_greys_steps_and_says_why(app, backend, monkeypatch):
    from debugger.backends.base import Capabilities

    monkeypatch.setattr(type(backend), "capabilities", Capabilities({"pause_mid_turn": "It runs elsewhere."}))
    opened(app, backend)

    assert control(app, "step_node").disabled
    assert control(app, "step_node").help == "It runs elsewhere."


def test_node_can_be_run_to_from_its_tab(app, backend, page):
    opened(app, backend)
    page().node = "b"
    app.session_state["inspector_tab"] = "Node"
    app.run()

    click(app, "run_to")

    assert "Before B." in captions(app)
    page().session.stop()


def test_breakpoint_is_set_from_list_shown_verified_and_taken_away(app, backend, page):
    opened(app, backend)
    use(app, "lower_view", "Breakpoints")
    app.selectbox("bp_target_before").set_value("b")
    app.text_input("bp_condition").set_value("{{who}} == 'Ada'")
    app.text_input("bp_hits").set_value("1")

    click(app, "bp_add")
    points = page().session.breakpoints.points
    shown = " ".join(markdown.value for markdown in app.markdown)
    click(app, f"remove_{points[0].id}")

    assert points == [Breakpoint("before", "b", "{{who}} == 'Ada'", "1", id=points[0].id)]
    assert "Verified" in shown
    assert page().session.breakpoints.points == []


def test_breakpoint_at_node_that_is_gone_is_hollow_with_reason(app, backend, page):
    opened(app, backend)
    page().session.breakpoints.put(Breakpoint("before", "gone"))

    use(app, "lower_view", "Breakpoints")

    shown = " ".join(markdown.value.replace("\\", "") for markdown in app.markdown)
    assert "This version of the workflow has no such node." in shown


def test_what_is_no_hit_count_is_told_and_what_was_typed_stays(app, backend, page):
    opened(app, backend)
    use(app, "lower_view", "Breakpoints")
    app.text_input("bp_hits").set_value("often")

    click(app, "bp_add")

    assert any("names no hits" in error.value for error in app.error)
    assert app.text_input("bp_hits").value == "often"
    assert page().session.breakpoints.points == []


def test_breakpoints_come_back_with_recorded_run_and_go_along_to_restarted_one(app, backend, page):
    opened(app, backend)
    click(app, "start")
    page().session.wait(10)
    app.run()
    page().node = "b"
    app.session_state["inspector_tab"] = "Node"
    app.run()
    click(app, "break_here")
    run_id = page().session.run_id

    click(app, "restart")
    carried = [point.target for point in page().session.breakpoints.points]
    page().session.stop()
    another = AppTest.from_file(str(APP), default_timeout=10)
    another.query_params["run"] = run_id
    another.run()

    found = another.session_state["debugger_page"].session
    assert carried == ["b"]
    assert found.run_id == run_id
    assert [point.target for point in found.breakpoints.points] == ["b"]


def test_edits_are_pending_with_their_difference_until_they_are_applied(app, backend, page):
    opened(app, backend)
    click(app, "step_node")
    app.session_state["live_edit"] = True
    app.run()
    assert "Nothing is changed yet." in captions(app)
    pending = page().pending
    tier = next(tier for tier in pending.shown if tier.scope == "dynamic")
    from debugger.session.variable_rows import VariableRow

    pending.set_rows(tier, [VariableRow("who", "text", "Eve")])
    app.run()
    difference = [text.value for text in app.text if "dynamic.who" in text.value]
    assert "1 pending" in badges(app)
    click(app, "apply_edits")
    click(app, "resume")

    assert difference == ['~ dynamic.who: "Ada" → "Eve"']
    said = [event.to_wire().get("content") for event in page().session.turns[0].events]
    assert "A Eve" in said
