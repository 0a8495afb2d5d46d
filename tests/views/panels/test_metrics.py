from __future__ import annotations

from debugger.views.run_state import CurrentRun, Cursor
from tests.support.factories import direct, document, say, static
from tests.views.bars import captions, use
from tests.views.message import send
from tests.views.row_lists import column, drawn, rows


def open_metrics(app, backend, press):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()
    press("start")
    use(app, "lower_view", "Metrics")


def test_before_run_it_says_what_would_be_here(app, backend):
    backend.create_workflow(document(static("a", "Hello")))
    app.run()

    use(app, "lower_view", "Metrics")

    assert "What nodes and models took and used appears here" in captions(app)


def test_every_node_that_ran_has_row(app, backend, press):
    open_metrics(app, backend, press)

    runs = {row["node"]: row["runs"] for row in rows(app, "Metrics by node")}
    shares = [row["cells"][3][1] for row in drawn(app, "Metrics by node")["rows"]]

    assert runs["A"] == "1"
    assert abs(sum(shares) - 1) < 1e-6


def test_every_turn_has_row(app, backend, press, settle):
    open_metrics(app, backend, press)
    send(app, "green tea")
    settle()

    use(app, "metrics_by", "By turn")

    assert column(app, "turn", "Metrics by turn") == ["1", "2"]
    assert column(app, "user", "Metrics by turn") == ["", "green tea"]
    assert "2 turns" in captions(app)


def test_metrics_are_those_up_to_cursor(app, backend, record, press, settle):
    open_metrics(app, backend, press)
    send(app, "green tea")
    settle()
    live = captions(app)

    record(Cursor).event = next(
        at for at, event in enumerate(record(CurrentRun).session.turns[0].events) if ends(event, "A")
    )
    app.run()
    nodes = column(app, "node", "Metrics by node")
    use(app, "metrics_by", "By turn")

    assert "2 turns" in live
    assert "1 turn · 1 node run" in captions(app)
    assert nodes == ["A"]
    assert column(app, "turn", "Metrics by turn") == ["1"]


def ends(event, name):
    return event.type == "end_node_run" and event.to_wire()["origin_node_name"] == name
