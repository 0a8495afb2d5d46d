from __future__ import annotations

import re

from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog
from debugger.views.panels import timeline
from debugger.views.panels.timeline import events_table
from debugger.views.run_state import CurrentRun, Cursor, Selection
from tests.support.factories import direct, document, node, say, static
from tests.support.timelines import build_timeline
from tests.views.bars import captions, control, use
from tests.views.message import send
from tests.views.row_lists import column, drawn, rows


def open_filters(app):
    use(app, "timeline_more", True)


def test_before_run_timeline_says_what_would_be_here(app, backend):
    backend.create_workflow(document(static("a", "Hello")))
    app.run()

    use(app, "lower_view", "Breakpoints")
    use(app, "lower_view", "Timeline")

    assert "start the run to see some" in captions(app)


def test_events_that_matter_are_shown_and_hidden_rest_is_counted(app, backend, record, press):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()

    press("start")

    total = len(record(CurrentRun).session.turns[0].events)
    assert len(rows(app)) < total
    assert f"Key events · {len(rows(app))} of {total}" in control(app, "timeline_density").options


def test_all_events_shows_everything(app, backend, record, press):
    backend.create_workflow(document(static("a", "Hello")))
    app.run()
    press("start")

    use(app, "timeline_density", "All events")

    assert len(rows(app)) == len(record(CurrentRun).session.turns[0].events)
    assert f"All events · {len(rows(app))}" in control(app, "timeline_density").options


def test_row_tells_turn_time_node_type_and_summary(app, backend, press):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()

    press("start")

    said = next(row for row in rows(app) if row["type"] == "assistant_response")
    assert (said["turn"], said["node"], said["summary"]) == ("1", "A", "agent: Hello")
    assert re.fullmatch(r"\+\d+\.\d{3} s", said["time"])


def test_text_and_type_narrow_timeline(app, backend, press):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()
    press("start")

    use(app, "timeline_text", "hello")
    by_text = column(app, "type")
    use(app, "timeline_text", "")
    open_filters(app)
    app.multiselect("timeline_types").set_value(["direct_edge"]).run()
    by_type = column(app, "type")

    assert set(by_text) == {"say_static", "assistant_response"}
    assert by_type == ["direct_edge"]


def test_filter_that_fits_nothing_says_so(app, backend, press):
    backend.create_workflow(document(static("a", "Hello")))
    app.run()
    press("start")

    use(app, "timeline_text", "no such word")

    assert "No event matches" in captions(app)


def test_failures_stay_whatever_filter(app, backend, press):
    backend.create_workflow(document(node("x", "no_op"), direct("x", "nowhere")))
    app.run()
    press("start")

    use(app, "timeline_text", "no such word")

    assert "workflow_error" in set(column(app, "type"))


def test_chosen_node_can_be_looked_at_alone(app, backend, record, press):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()
    press("start")
    record(Selection).node = "chat"
    app.run()

    open_filters(app)
    use(app, "timeline_only_node", True)

    assert set(column(app, "node")) == {"Chat"}


def test_chosen_event_stays_marked_when_filter_moves_it(app, backend, record, press):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()
    press("start")
    record(Cursor).event = int(column(app, "#")[1])
    app.run()
    before = drawn(app)["chosen"]

    use(app, "timeline_density", "All events")

    after = drawn(app)["chosen"]
    assert before == 1
    assert after == record(Cursor).event


def test_following_run_again_takes_mark_away(app, backend, record, press):
    backend.create_workflow(document(static("a", "Hello")))
    app.run()
    press("start")
    record(Cursor).event = int(column(app, "#")[0])
    app.run()

    use(app, "back_to_live")

    assert drawn(app)["chosen"] is None


def test_rows_after_cursor_are_dimmed(app, backend, record, press):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()
    press("start")
    live = drawn(app)["later"]

    record(Cursor).event = int(column(app, "#")[1])
    app.run()

    assert live == []
    assert drawn(app)["later"] == list(range(2, len(rows(app))))


def test_latest_turn_can_be_looked_at_alone(app, backend, press, settle):
    backend.create_workflow(document(say("chat")))
    app.run()
    press("start")
    send(app, "hello")
    settle()

    open_filters(app)
    app.selectbox("timeline_turns").set_value("Latest turn").run()

    assert set(column(app, "turn")) == {"2"}


def talk(app, backend, press, settle, *lines):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()
    press("start")
    for line in lines:
        send(app, line)
        settle()


def test_in_turns_each_row_is_turn(app, backend, press, settle):
    talk(app, backend, press, settle, "green tea")

    use(app, "timeline_density", "Turns")

    assert column(app, "turn") == ["1", "2"]
    assert column(app, "user") == ["", "green tea"]
    assert "Hello" in column(app, "agent")[0]
    assert column(app, "path")[0].startswith("A")


def test_in_steps_each_row_is_step(app, backend, press, settle):
    talk(app, backend, press, settle, "green tea")

    use(app, "timeline_density", "Steps")

    told = [(row["status"], row["node"]) for row in rows(app)]
    assert ("ran", "A") in told
    assert ("your turn", "Chat") in told
    assert ("user", "Chat") in told


def test_times_are_told_as_asked_for(app, backend, press, settle):
    talk(app, backend, press, settle, "green tea")

    open_filters(app)
    use(app, "timeline_times", "Elapsed")
    elapsed = next(row["time"] for row in rows(app) if row["turn"] == "2")
    use(app, "timeline_times", "UTC")
    clock = column(app, "time")[0]

    assert 0 <= float(elapsed.removesuffix(" s")) < 5
    assert clock.endswith("Z")


def test_failures_only_hides_what_went_well_and_counts_it(app, backend, press):
    backend.create_workflow(document(node("x", "no_op"), direct("x", "nowhere")))
    app.run()
    press("start")

    open_filters(app)
    use(app, "timeline_failures", True)

    assert set(column(app, "type")) <= {"workflow_error", "workflow_warning"}
    assert f"Key events · {len(rows(app))} of " in " ".join(control(app, "timeline_density").options)
    assert "1 failure" in captions(app)


def test_filter_holds_while_its_box_is_closed(app, backend, press):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()
    press("start")
    open_filters(app)
    app.multiselect("timeline_types").set_value(["direct_edge"]).run()

    use(app, "timeline_more", False)
    app.run()

    assert [box.key for box in app.multiselect if box.key == "timeline_types"] == []
    assert column(app, "type") == ["direct_edge"]
    open_filters(app)
    assert app.multiselect("timeline_types").value == ["direct_edge"]


def test_node_of_run_can_be_looked_at_alone(app, backend, press, settle):
    talk(app, backend, press, settle, "green tea")

    open_filters(app)
    app.selectbox("timeline_node").set_value("chat").run()

    assert set(column(app, "node")) == {"Chat"}


def test_long_run_comes_in_pages_last_one_first(app, backend, record, press, settle, monkeypatch):
    monkeypatch.setattr("debugger.analysis.paging.SIZE", 5)
    talk(app, backend, press, settle, "green tea")
    use(app, "timeline_density", "All events")
    total = sum(len(turn.events) for turn in record(CurrentRun).session.turns)
    last = [int(number) for number in column(app, "#")]

    record(Cursor).event = 2
    app.run()

    assert last[-1] == total - 1
    assert len(last) <= 5
    assert column(app, "#") == ["0", "1", "2", "3", "4"]
    assert drawn(app)["chosen"] == 2


def test_model_call_shows_its_latency(app, backend, press, settle, monkeypatch):
    # A call of the built-in rules may take less than what is shown.
    monkeypatch.setattr(timeline, "milliseconds", lambda took: None if took is None else f"{took + 1:.1f} ms")
    talk(app, backend, press, settle, "green tea")

    latencies = [row["ms"] for row in rows(app) if row["type"] == "say_llm"]

    assert latencies
    assert all(re.fullmatch(r"[\d,.]+ ms", latency) for latency in latencies)


def test_time_before_start_has_one_sign():
    events = [parse_event({"type": "x", "timestamp": seconds}) for seconds in (2.0, 1.5)]
    turn = TurnLog(1, TurnInput(), events=events)

    drawn = events_table(build_timeline([turn]), "Relative", {})

    times = [row.cells[[column.name for column in drawn.columns].index("time")] for row in drawn.rows]
    assert times == ["+0.000 s", "-0.500 s"]
