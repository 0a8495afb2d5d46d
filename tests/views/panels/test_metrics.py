from __future__ import annotations

import pytest

from debugger.views.run_state import CurrentRun, Cursor
from tests.support.companions import lab
from tests.support.factories import direct, document, say, static
from tests.views.bars import captions, use, words
from tests.views.message import send
from tests.views.row_lists import column, drawn, rows


def open_metrics(app, backend, press):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()
    press("start")
    use(app, "lower_view", "Metrics")
    use(app, "metrics_table", True)


def test_before_run_it_says_what_would_be_here(app, backend):
    backend.create_workflow(document(static("a", "Hello")))
    app.run()
    use(app, "lower_view", "Breakpoints")  # unfolds the panes

    use(app, "lower_view", "Metrics")

    assert "Time and tokens of nodes and models appear here" in captions(app)


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


@pytest.mark.parametrize("is_table", [True, False])
def test_background_work_is_told_from_turns(app, backend, record, press, settle, is_table):
    backend.create_workflow(lab(checks=100))
    app.run()
    press("start")
    backend.ahead += 10
    record(CurrentRun).session.background.resume()
    app.run()
    settle()

    use(app, "lower_view", "Metrics")
    use(app, "metrics_by", "By turn")
    use(app, "metrics_table", is_table)

    label = "Metrics by turn" if is_table else "Duration and tokens by turn"
    assert column(app, "turn", label) == ["1", "1"]
    assert column(app, "background", label) == [None, "✓"]


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


def test_bars_show_p50_and_p95_of_nodes(app, backend, press):
    open_metrics(app, backend, press)

    use(app, "metrics_table", False)

    bars = [row["cells"] for row in drawn(app, "Duration of a run by node")["rows"]]
    assert [cells[0] for cells in bars] == ["A"]
    assert bars[0][1][2] == bars[0][3][2] == 1  # one run: both are the longest
    assert bars[0][2] == bars[0][4]


def test_bars_of_turns_are_on_one_scale(app, backend, press, settle):
    open_metrics(app, backend, press)
    send(app, "green tea")
    settle()
    use(app, "metrics_by", "By turn")

    use(app, "metrics_table", False)

    lengths = [row["cells"][2][2] for row in drawn(app, "Duration and tokens by turn")["rows"]]
    assert len(lengths) == 2
    assert max(lengths) == 1
    assert min(lengths) > 0


def test_costs_are_shown_where_prices_are_known(app, backend, press, settle, monkeypatch):
    monkeypatch.setenv("WORKFLOW_DEBUGGER_PRICES", "built-*=1/2 USD")
    open_metrics(app, backend, press)
    send(app, "green tea")
    settle()

    assert "0.0000 USD" in captions(app)
    assert {row["node"]: row["cost"] for row in rows(app, "Metrics by node")} == {
        "A": "",
        "Chat": "0.0000 USD",
    }
    use(app, "metrics_by", "By turn")
    assert column(app, "cost", "Metrics by turn") == ["", "0.0000 USD"]


def ends(event, name):
    return event.type == "end_node_run" and event.to_wire()["origin_node_name"] == name


def test_totals_leave_out_times_of_zero(app, backend, press, monkeypatch):
    monkeypatch.setattr("debugger.engine.models.invoke.time.perf_counter", lambda: 1.0)
    open_metrics(app, backend, press)

    send(app, "Hi")

    [totals] = [text for text in words(app) if "1 model call" in text]
    assert "None" not in totals
    assert "in models" not in totals
