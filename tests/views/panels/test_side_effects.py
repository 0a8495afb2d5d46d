from __future__ import annotations

import csv
import io

from debugger.analysis.side_effects import side_effects
from debugger.exports.csv_files import side_effects_csv
from debugger.views.run_state import CurrentRun, Cursor, Selection
from tests.support.factories import direct, document, node, say
from tests.support.super_nodes import super_node
from tests.views.bars import captions, control, use
from tests.views.row_lists import choose, column, drawn, rows
from tests.views.talk import notes

SAVE = {"url": "http://127.0.0.1:9/bookings", "method": "POST"}


def calls(**more):
    """A workflow whose super node makes a call that is blocked, and then waits."""
    inside = document(node("save", "http_request", **SAVE))
    return document(super_node("booking", inside), say("chat"), direct("booking", "chat"), **more)


def ledger(app):
    """The rows of the table of calls."""
    return rows(app, "Side effects")


def open_ledger(app):
    use(app, "lower_view", "Side effects")
    assert not app.exception


def test_before_run_page_says_what_will_happen_to_calls(app, backend):
    backend.create_workflow(calls())

    app.run()

    policies = "External calls: talk live, read live, write blocked, contact blocked."
    assert f"Models: rules. {policies}" in captions(app)


def test_pane_says_where_calls_would_appear_and_what_will_happen_to_them(app, backend):
    backend.create_workflow(calls())
    app.run()
    use(app, "lower_view", "Breakpoints")  # unfolds the panes

    open_ledger(app)

    assert "A run's external calls appear here." in captions(app)
    assert "write blocked" in captions(app)


def test_run_without_calls_says_so(app, backend, press):
    backend.create_workflow(document(say("chat")))
    app.run()
    press("start")

    open_ledger(app)

    assert "No turn has made an external call yet." in captions(app)


def test_blocked_call_stands_in_ledger_with_what_to_set(app, backend, press):
    backend.create_workflow(calls())
    app.run()
    press("start")

    open_ledger(app)

    (row,) = ledger(app)
    assert (row["turn"], row["node"], row["class"], row["kind"]) == ("1", "Booking › Save", "write", "http")
    assert row["target"] == "POST http://127.0.0.1:9/bookings"
    assert (row["how"], row["outcome"]) == ("blocked", "not made")
    assert "Set WORKFLOW_DEBUGGER_OUTBOUND_WRITE=live" in captions(app)
    assert "1 write (blocked)" in captions(app)
    assert "Side effects 1" in control(app, "lower_view").options


def test_filter_of_timeline_is_kept_while_ledger_is_shown(app, backend, press):
    backend.create_workflow(calls())
    app.run()
    press("start")
    use(app, "timeline_density", "All events")
    use(app, "timeline_text", "booking")

    open_ledger(app)
    use(app, "lower_view", "Timeline")

    assert control(app, "timeline_density").value == "All events"
    assert control(app, "timeline_text").value == "booking"


def test_ledger_of_reopened_run_is_same(app, backend, record, press):
    backend.create_workflow(calls())
    app.run()
    press("start")
    open_ledger(app)
    before = ledger(app)

    use(app, "reload_run")

    assert ledger(app) == before


def test_call_is_chosen_with_its_node_and_shown_in_full(app, backend, record, press):
    backend.create_workflow(calls())
    app.run()
    press("start")
    open_ledger(app)

    choose(app, [0], "Side effects")

    assert record(Selection).node == "booking"
    assert drawn(app, "Side effects")["chosen"] == 0
    assert "POST http://127.0.0.1:9/bookings" in [text.value for text in app.text]


def test_calls_are_those_up_to_cursor(app, backend, record, press):
    backend.create_workflow(calls())
    app.run()
    press("start")
    open_ledger(app)
    live = ledger(app)

    record(Cursor).event = 0
    app.run()

    assert len(live) == 1
    assert "No external call up to here." in captions(app)


def test_download_holds_every_call_with_its_raw_id(app, backend, record, press):
    backend.create_workflow(calls())
    app.run()
    press("start")
    session = record(CurrentRun).session

    effects = side_effects(session.turns, session.ledger.recorded)
    text = side_effects_csv(session.run_id, effects).removeprefix(b"\xef\xbb\xbf").decode()

    (found,) = csv.DictReader(io.StringIO(text))
    assert (found["run_id"], found["node_logical_id"]) == (session.run_id, "booking/save")


def test_event_inside_super_node_belongs_to_it_in_node_tab(app, backend, record, press):
    backend.create_workflow(calls())
    app.run()
    press("start")

    record(Selection).node = "booking"
    use(app, "inspector_tab", "Node")

    assert column(app, "inside", "Runs of the chosen") == ["Save"]
    assert "not in this version" not in captions(app)


def test_many_warnings_in_row_are_folded_together(app, backend, press):
    odd = [node(f"odd{place}", "quantum_leap") for place in range(4)]
    ways = [direct(f"odd{place}", f"odd{place + 1}") for place in range(3)]
    backend.create_workflow(document(*odd, say("chat"), *ways, direct("odd3", "chat")))
    app.run()

    press("start")

    assert notes(app) == ["4 warnings"]
