from __future__ import annotations

import json
import re

import pytest

from debugger.backends.base import Capabilities
from debugger.errors import AuthenticationError, ConnectionFailedError
from debugger.protocol.runs import TurnInput
from debugger.session.session import DebugSession
from debugger.views.panels.cursor import PAST
from debugger.views.panels.stepping import MAX_REASON
from debugger.views.run_state import CurrentRun, Cursor
from tests.support.companions import lab, left_alone, watchful
from tests.support.factories import direct, document, say, static
from tests.views.bars import badges, bars, captions, control, items, keys, use
from tests.views.message import box, send
from tests.views.row_lists import column, drawn, rows
from tests.views.talk import speakers, words


@pytest.fixture
def later(app, backend, record, settle):
    """Lets so much time pass that the next step is due, and draws what has come of it."""

    def passed():
        backend.ahead += 10
        record(CurrentRun).session.background.resume()
        app.run()
        settle()

    return passed


def test_run_without_background_work_shows_nothing_of_it(app, backend, press):
    backend.create_workflow(document(say("chat")))
    app.run()

    press("start")

    assert "advance_by_itself" not in keys(app)
    assert "advance" not in keys(app)


def test_line_tells_where_companions_are_and_that_they_go_on(app, backend, press):
    backend.create_workflow(lab())
    app.run()

    press("start")

    assert "Companion labpoll is at Poll." in captions(app)
    assert "Background" in badges(app)
    assert control(app, "advance_by_itself").value is True
    assert "advance" not in keys(app)
    assert box(app)["disabled"] is False


def test_run_goes_on_to_its_end_although_nobody_says_anything(app, backend, record, press, later):
    backend.create_workflow(lab())
    app.run()
    press("start")

    for _ in range(3):
        later()

    assert record(CurrentRun).session.status == "completed"
    assert words(app) == ["Your results are here after 3 checks."]
    assert "Ready · turn 1, background" in speakers(app)
    assert "advance_by_itself" not in keys(app)


def test_background_work_takes_no_turn_of_user_in_bar_and_address(app, backend, record, press, later, settle):
    backend.create_workflow(lab(checks=100))
    app.run()
    press("start")
    later()
    after_work = (captions(app), app.query_params["turn"])

    send(app, "How long?")
    settle()

    assert "Turn 1" in after_work[0]
    assert after_work[1] == "1"
    assert "Turn 2" in captions(app)
    assert app.query_params["turn"] == "2"
    assert [turn.number for turn in record(CurrentRun).session.turns] == [1, 1, 2]


def test_work_that_is_switched_off_stands_still_and_is_advanced_by_button(app, backend, record, press, later):
    backend.create_workflow(lab(checks=100))
    app.run()
    press("start")

    use(app, "advance_by_itself", False)
    later()
    still = len(record(CurrentRun).session.turns)
    told = captions(app)
    press("advance")

    assert still == 1
    assert "It is paused until you advance it." in told
    assert [turn.is_background for turn in record(CurrentRun).session.turns] == [False, True]


def test_switch_stays_as_it_was_left_for_next_run(app, backend, record, press):
    backend.create_workflow(lab())
    app.run()
    press("start")
    use(app, "advance_by_itself", False)

    press("restart")

    assert control(app, "advance_by_itself").value is False
    assert record(CurrentRun).session.background.automatic is False


def test_failed_step_is_reported_until_it_succeeds(app, backend, record, press):
    backend.create_workflow(lab())
    app.run()
    press("start")
    pump = backend.pump

    def broken(*args, **kwargs):
        raise ConnectionFailedError("Nothing answers there.")

    backend.pump = broken
    record(CurrentRun).session.advance()
    assert record(CurrentRun).session.wait(10)
    app.run()
    during = captions(app)
    backend.pump = pump
    record(CurrentRun).session.advance()
    assert record(CurrentRun).session.wait(10)
    app.run()

    assert re.search(r"The last step failed and is executed again[^:]*: Nothing answers there\.", during)
    assert not app.error
    assert "failed" not in captions(app)


def test_work_that_has_halted_says_why_and_how_to_go_on(app, backend, record, press):
    backend.create_workflow(lab())
    app.run()
    press("start")
    pump = backend.pump

    def broken(*args, **kwargs):
        raise AuthenticationError("The key is not accepted.")

    backend.pump = broken
    record(CurrentRun).session.advance()
    assert record(CurrentRun).session.wait(10)
    app.run()

    assert app.error[0].value == "The key is not accepted\\."
    assert "The last step failed. Press Advance to continue it." in captions(app)
    backend.pump = pump
    press("advance")
    assert not app.error
    assert "advance" not in keys(app)


def test_how_often_conditions_were_judged_is_told(app, backend, press, later):
    backend.create_workflow(watchful())
    app.run()
    press("start")

    later()

    assert "Conditions judged 1 time." in captions(app)


def test_run_that_is_only_left_to_its_companions_says_so_and_can_be_stopped(app, backend, record, press):
    backend.create_workflow(left_alone(pause=60))
    app.run()

    press("start")

    assert record(CurrentRun).session.status == "running"
    assert "In the background" in badges(app)
    assert box(app)["disabled"]
    assert box(app)["placeholder"].startswith("The run continues in the background")
    assert control(app, "stop").disabled is False
    press("stop")
    assert record(CurrentRun).session.status == "cancelled"


def test_timeline_tells_background_work_and_threads_apart(app, backend, press, later):
    backend.create_workflow(lab(checks=100))
    app.run()
    press("start")
    before = drawn(app)["columns"]
    use(app, "timeline_density", "All events")

    later()

    assert "background" not in [each["name"] for each in before]
    assert set(column(app, "background")) == {"✓", None}
    assert set(column(app, "thread")) >= {"0", "labpoll"}
    assert set(column(app, "turn")) == {"1"}


def test_table_of_nodes_tells_where_companion_is(app, backend, press):
    backend.create_workflow(lab())
    app.run()
    press("start")

    use(app, "graph_view", "Table")

    status = {row["id"]: row["status"] for row in rows(app, "The nodes")}
    assert status["poll"] == "companion labpoll here"
    assert status["chat"] == "waiting here"


def test_inspector_names_background_work(app, backend, record, press, later):
    backend.create_workflow(lab(checks=100))
    app.run()
    press("start")
    later()

    use(app, "inspector_tab", "Input")
    before = captions(app)
    record(Cursor).event = len(record(CurrentRun).session.turns[0].events)
    use(app, "inspector_tab", "Event")

    assert "Input of background work after turn 1" in before
    assert f"After event {record(Cursor).event} · turn 1, background" in captions(app)
    assert app.json[-1].value != "null"


def test_link_to_turn_shows_what_came_of_its_background_work(app, backend, record):
    workflow = backend.create_workflow(lab(checks=100))
    session = DebugSession(backend, workflow.id)
    session.start(TurnInput.with_message(None))
    assert session.wait(10)
    backend.ahead += 10
    session.advance()
    assert session.wait(10)
    session.send("How long?")
    assert session.wait(10)

    app.query_params["run"] = session.run_id
    app.query_params["turn"] = "1"
    app.run()

    turns = record(CurrentRun).session.turns
    assert not app.exception
    assert [turn.number for turn in turns] == [1, 1, 2]
    assert record(Cursor).event == len(turns[0].events) + len(turns[1].events) - 1
    assert app.query_params["turn"] == "1"


def test_recorded_run_is_not_driven_on_by_looking_at_it(app, backend, record, press):
    workflow = backend.create_workflow(lab(checks=100))
    session = DebugSession(backend, workflow.id)
    session.start(TurnInput.with_message(None))
    assert session.wait(10)
    backend.ahead += 100

    app.query_params["run"] = session.run_id
    app.run()
    opened = len(record(CurrentRun).session.turns)
    told = captions(app)
    press("advance")

    assert opened == 1
    assert "This run was opened from its record." in told
    assert len(record(CurrentRun).session.turns) == 2


def test_run_that_goes_on_here_goes_on_when_it_is_read_again(app, backend, record, press):
    backend.create_workflow(lab(checks=100))
    app.run()
    press("start")
    old = record(CurrentRun).session

    use(app, "reload_run")

    assert record(CurrentRun).session is not old
    assert record(CurrentRun).session.background.continues


def test_latest_turn_is_shown_with_work_that_came_of_it(app, backend, record, press, later):
    backend.create_workflow(lab(checks=100))
    app.run()
    press("start")

    later()
    later()
    use(app, "timeline_more", True)
    app.selectbox("timeline_turns").set_value("Latest turn").run()

    turns = record(CurrentRun).session.turns
    assert [(turn.number, turn.is_background) for turn in turns] == [(1, False), (1, True), (1, True)]
    assert set(column(app, "background")) == {"✓", None}


CHAT = (static("a", "Hello"), say("chat"), direct("a", "chat"))
SCENARIO = ["save_scenario", "open_scenario", "script"]
STEPS = {"step_event", "step_node", "step_turn"}


@pytest.fixture
def waiting(app, backend, press):
    """A run whose user is asked, after its first turn."""
    backend.create_workflow(document(*CHAT))
    app.run()
    press("start")


def stop_at(app, record, key="step_node"):
    """Step to a pause, and draw it."""
    use(app, key)
    assert record(CurrentRun).session.wait_until_idle(10)
    app.run()
    assert not app.exception


def bar_kinds(app):
    """Return the keys, texts or kinds of the bar's items, in order."""
    found = items(app, "run_bar")
    return [item.get("key") or item.get("text") or item["kind"] for item in found]


def more(app):
    """Return the items of the menu."""
    return next(item["items"] for item in items(app, "run_bar") if item["kind"] == "menu")


def menu_keys(app):
    return [item["key"] for item in more(app) if "key" in item]


STEP_KEYS = ["step_event", "step_node", "step_turn", "resume", "pause", "stop"]
CURSOR = ["previous_event", "next_event", "scrubber", "cursor_place"]
TURNS = ["previous_turn", "next_turn"]


def test_bar_of_new_run_offers_steps_alone(app, backend):
    backend.create_workflow(document(*CHAT))

    app.run()

    assert bar_kinds(app) == ["status", *STEP_KEYS, "space", "more"]
    assert menu_keys(app) == ["script", "open_scenario", "demo_script"]
    assert "Not started" in badges(app)
    assert control(app, "stop").disabled


def test_live_bar_orders_status_steps_cursor_and_rest(app, waiting):
    assert bar_kinds(app) == ["status", *STEP_KEYS, *CURSOR, "space", "export", "more"]
    status = items(app, "run_bar")[0]
    assert (status["text"], status["detail"]) == ("Your turn", "Turn 1")


def test_live_menu_runs_again_and_controls_run(app, record, waiting):
    assert menu_keys(app) == [
        "restart",
        "restart_changed",
        "send_again",
        "play_record",
        "step_record",
        "fork_turn",
        "pause_run",
        "reload_run",
        *TURNS,
        *SCENARIO,
        "demo_script",
        "run_id",
        "copy_run_id",
    ]
    assert control(app, "restart").label == "Restart with the same input"
    assert control(app, "send_again").label == "Run turn 1 again"
    run_id = record(CurrentRun).session.run_id
    assert [item["text"] for item in more(app)[-2:]] == [run_id, run_id]  # shown and copied


def test_menu_has_headings_for_this_run_and_others(app, waiting):
    headings = [item["text"] for item in more(app) if item.get("look") == "heading"]
    place = more(app).index
    this_run = next(item for item in more(app) if item.get("text") == "This run")
    pause = next(item for item in more(app) if item.get("key") == "pause_run")

    assert headings == ["Run again", "This run", "Go to", "Scenario", "Present", "Run id"]
    assert place(this_run) == place(pause) - 1


def test_past_bar_keeps_places_and_disables_what_changes_run(app, record, waiting):
    use(app, "previous_event")

    past = ["viewing", "back_to_live", "fork_turn"]
    assert f"Viewing turn 1, event {record(Cursor).event}" in badges(app)
    assert bar_kinds(app) == ["status", *STEP_KEYS, *CURSOR, *past, "space", "export", "more"]
    assert control(app, "fork_turn").label == "Fork from here"
    assert all(control(app, key).disabled and control(app, key).help == PAST for key in STEP_KEYS)
    assert not {"pause_run", "reload_run"} & keys(app)
    again = ["restart", "restart_changed", "send_again", "play_record", "step_record"]
    assert menu_keys(app) == [*again, *TURNS, *SCENARIO, "demo_script", "run_id", "copy_run_id"]


def test_bar_of_ended_run_offers_restart(app, press, waiting):
    press("stop")

    assert bar_kinds(app) == ["status", *STEP_KEYS, *CURSOR, "restart", "space", "export", "more"]
    assert "Cancelled" in badges(app)
    assert control(app, "restart").item["look"] == "primary"
    assert all(control(app, key).disabled for key in (*STEPS, "resume", "pause", "stop"))
    assert menu_keys(app)[:5] == [
        "restart_changed",
        "send_again",
        "play_record",
        "step_record",
        "fork_turn",
    ]


def test_paused_bar_says_why_and_resumes(app, backend, record):
    backend.create_workflow(document(*CHAT))
    app.run()

    stop_at(app, record)

    reason = next(item for item in items(app, "run_bar") if item.get("key") == "stop_reason")
    assert (reason["text"], reason["look"]) == ("Before A.", "two lines")
    assert (control(app, "resume").item["look"], control(app, "resume").disabled) == ("primary", False)
    assert "Paused" in badges(app)
    record(CurrentRun).session.stop()


def test_long_stop_reason_is_cut_and_whole_in_help(app, backend, record):
    backend.create_workflow(document(static("a", "Hello", name="Greeting " * 9), *CHAT[1:]))
    app.run()

    stop_at(app, record)

    reason = next(item for item in items(app, "run_bar") if item.get("key") == "stop_reason")
    assert len(reason["text"]) == MAX_REASON
    assert reason["text"].endswith("…")
    assert reason["help"] == record(CurrentRun).session.stop_point.text
    record(CurrentRun).session.stop()


def test_run_paused_by_command_is_resumed_from_bar(app, press, waiting):
    press("pause_run")

    assert "resume_run" in bar_kinds(app)
    assert "pause_run" not in keys(app)
    press("resume_run")
    assert "resume_run" not in keys(app)


def test_run_that_cannot_pause_steps_through_received_events(app, backend, record, monkeypatch, waiting):
    monkeypatch.setattr(type(backend), "capabilities", Capabilities({"pause_mid_turn": "It runs elsewhere."}))
    app.run()
    live = keys(app)

    for _ in range(3):
        use(app, "previous_event")
    before = record(Cursor).event
    use(app, "step_event")

    assert live >= STEPS
    assert bar_kinds(app)[1:4] == ["step_event", "step_node", "step_turn"]  # as it was live
    assert record(Cursor).event > before


def test_demo_bar_has_no_steps(app, record, waiting):
    use(app, "skin")

    assert not {*STEPS, "fork_turn", "export"} & keys(app)
    assert set(TURNS) < set(menu_keys(app))  # their keys lead a presenter through the turns
    assert bar_kinds(app)[:3] == ["Your turn", "turn", "stop"]
    assert items(app, "run_bar")[-2]["kind"] == "full screen"
    assert record(CurrentRun).session.run_id not in captions(app)


def test_demo_bar_of_ended_run_offers_restart(app, press, waiting):
    use(app, "skin")

    press("stop")

    assert bar_kinds(app)[:3] == ["Cancelled", "turn", "restart"]


def test_every_control_that_gives_way_is_known(app, waiting):
    (line,) = (line for line in drawn_lines(app, "context_bar") if line["key"] == "run_bar")

    named = {item.get("key") for item in line["items"]}
    assert {"export", "cursor_place"} <= named & set(line["overflow"])
    assert not {"scrubber", "status", "more", *STEPS} & set(line["overflow"])


def drawn_lines(app, key):
    return json.loads(json.loads(bars(app)[key].proto.json)["bars"])


@pytest.mark.parametrize("skin", ["", "demo"])
def test_run_that_has_ended_is_restarted_from_its_past(app, backend, record, press, skin):
    backend.create_workflow(document(static("a", "Hello")))
    app.query_params["skin"] = skin
    app.run()
    press("start")
    live = control(app, "restart").disabled

    record(Cursor).event = 0
    app.run()

    assert (live, control(app, "restart").disabled) == (False, False)
