from __future__ import annotations

from tests.support.factories import direct, document, say, static
from tests.views.bars import captions, use
from tests.views.message import send


def table_with(app, column):
    return next(table.value for table in app.dataframe if column in table.value)


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

    table = table_with(app, "share")

    assert "A" in set(table["node"])
    assert table[table["node"] == "A"]["runs"].iloc[0] == 1
    assert abs(table["share"].sum() - 1) < 1e-6


def test_every_turn_has_row(app, backend, press, settle):
    open_metrics(app, backend, press)
    send(app, "green tea")
    settle()

    use(app, "metrics_by", "By turn")

    table = table_with(app, "warnings")
    assert list(table["turn"]) == [1, 2]
    assert table["user"].iloc[1] == "green tea"
    assert "2 turns" in captions(app)
