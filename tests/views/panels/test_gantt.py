from __future__ import annotations

from debugger.views.run_state import Cursor
from tests.support.factories import direct, document, say, static
from tests.views.bars import captions, use
from tests.views.message import send


def open_view(app, name):
    use(app, "lower_view", name)


def talk(app, backend, press):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()
    press("start")


def test_before_run_it_says_what_would_be_here(app, backend):
    backend.create_workflow(document(static("a", "Hello")))
    app.run()

    open_view(app, "Gantt")

    assert "appears here as bars" in captions(app)


def test_last_turn_is_drawn_with_its_bars(app, backend, press):
    talk(app, backend, press)

    open_view(app, "Gantt")

    assert not app.exception
    assert "Turn 1" in captions(app)
    assert app.get("arrow_vega_lite_chart") or app.get("vega_lite_chart")


def test_same_facts_stand_in_table(app, backend, press):
    talk(app, backend, press)
    open_view(app, "Gantt")

    use(app, "gantt_view", "Table")

    table = app.dataframe("gantt_table").value
    assert ("A", "node run") in set(zip(table["lane"], table["kind"], strict=True))
    assert (table["took"] >= 0).all()


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
    use(app, "gantt_view", "Table")

    assert not app.exception
    table = app.dataframe("gantt_table").value
    kinds = dict(zip(table["lane"], table["kind"], strict=True))
    assert kinds["Paused"] == "pause"
    took = dict(zip(table["lane"], table["took"], strict=True))
    assert took["Paused"] >= 1
    assert "s paused" in captions(app)
