from __future__ import annotations

from debugger.views.run_state import CurrentRun, Cursor
from tests.support.companions import lab
from tests.support.factories import direct, document, say, static
from tests.views.bars import captions, use
from tests.views.message import send
from tests.views.row_lists import choose, drawn, rows


def open_view(app, name):
    use(app, "lower_view", name)


def talk(app, backend, press):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()
    press("start")


def test_before_run_it_says_what_would_be_here(app, backend):
    backend.create_workflow(document(static("a", "Hello")))
    app.run()
    use(app, "lower_view", "Breakpoints")  # unfolds the panes

    open_view(app, "Gantt")

    assert "appears here as bars" in captions(app)


def test_last_turn_is_drawn_with_its_bars(app, backend, press):
    talk(app, backend, press)

    open_view(app, "Gantt")

    shown = drawn(app, "Gantt chart of turn 1")
    spans = [row["cells"][2] for row in shown["rows"]]
    assert ("A", "node run") in {(row["lane"], row["kind"]) for row in rows(app, "Gantt")}
    assert all(begin >= 0 and begin + length <= 1.001 for _, begin, length, _ in spans)
    assert "Turn 1" in captions(app)


def test_bar_leads_to_its_event_and_later_bars_are_dimmed(app, backend, record, press):
    steps = [static("a", "Hello"), static("b", "Welcome"), say("chat")]
    backend.create_workflow(document(*steps, direct("a", "b"), direct("b", "chat")))
    app.run()
    press("start")
    open_view(app, "Gantt")
    targets = [row["target"] for row in drawn(app, "Gantt")["rows"]]
    first = min(target for target in targets if target)

    choose(app, first, "Gantt")

    shown = drawn(app, "Gantt")
    assert [record(Cursor).event] == first
    assert shown["chosen"] == targets.index(first)
    assert shown["later"] == [at for at, target in enumerate(targets) if target and target > first]
    assert shown["later"]


def test_turn_of_chosen_event_is_drawn(app, backend, record, press, settle):
    talk(app, backend, press)
    send(app, "green tea")
    settle()
    record(Cursor).event = 0
    app.run()

    open_view(app, "Gantt")

    assert "Turn 1 " in captions(app)


def test_pause_is_drawn_as_bar_of_its_own(app, backend, record):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()
    use(app, "step_node")
    use(app, "resume")

    open_view(app, "Gantt")

    paused = next(row for row in rows(app, "Gantt") if row["lane"] == "Paused")
    assert paused["kind"] == "pause"
    assert float(paused["took"].removesuffix(" ms").replace(",", "")) >= 1
    assert "s paused" in captions(app)


def test_background_step_is_drawn_with_its_own_calls(app, backend, record, press, settle):
    poll = {"type": "http_request", "url": "http://127.0.0.1:9/results", "method": "GET"}
    nodes = lab(checks=100)
    nodes["node_configs"] = [
        {**each, **poll} if each["logical_id"] == "poll" else each for each in nodes["node_configs"]
    ]
    backend.create_workflow(nodes)
    app.run()
    press("start")
    for _ in range(2):
        backend.ahead += 10
        record(CurrentRun).session.background.resume()
        app.run()
        settle()

    open_view(app, "Gantt")

    assert "Background work after turn 1" in captions(app)
    assert [row["kind"] for row in rows(app, "Gantt")].count("external call") == 1
