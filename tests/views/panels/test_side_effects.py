from __future__ import annotations

import csv
import io

from debugger.analysis.side_effects import side_effects
from debugger.exports.csv_files import side_effect_rows, side_effects_csv
from debugger.views.run_state import CurrentRun
from debugger.views.selection import Selection
from tests.support.factories import direct, document, node, say
from tests.support.super_nodes import super_node
from tests.views.bars import captions, control, use
from tests.views.talk import notes

SAVE = {"url": "http://127.0.0.1:9/bookings", "method": "POST"}


def calls(**more):
    """A workflow whose super node makes a call that is blocked, and then waits."""
    inside = document(node("save", "http_request", **SAVE))
    return document(super_node("booking", inside), say("chat"), direct("booking", "chat"), **more)


def ledger(app):
    """The table of calls."""
    return next(element.value for element in app.dataframe if element.proto.alt.startswith("Side effects"))


def open_ledger(app):
    use(app, "lower_view", "Side effects")
    assert not app.exception


def test_before_run_page_says_what_will_happen_to_calls(app, backend):
    backend.create_workflow(calls())

    app.run()

    assert "Calls outside: talk live, read live, write blocked, contact blocked." in captions(app)
    assert "Models: rules, since the workflow has no script." in captions(app)


def test_pane_says_where_calls_would_appear_and_what_will_happen_to_them(app, backend):
    backend.create_workflow(calls())
    app.run()

    open_ledger(app)

    assert "A run's calls outside appear here." in captions(app)
    assert "write blocked" in captions(app)


def test_run_without_calls_says_so(app, backend, press):
    backend.create_workflow(document(say("chat")))
    app.run()
    press("start")

    open_ledger(app)

    assert "No turn has called anything outside yet." in captions(app)


def test_blocked_call_stands_in_ledger_with_what_to_set(app, backend, press):
    backend.create_workflow(calls())
    app.run()
    press("start")

    open_ledger(app)

    (row,) = ledger(app).to_dict("records")
    assert (row["turn"], row["node"], row["class"], row["kind"]) == (1, "Booking › Save", "write", "http")
    assert row["target"] == "POST http://127.0.0.1:9/bookings"
    assert (list(row["how"]), list(row["outcome"])) == (["blocked"], ["not made"])
    assert "Set WORKFLOW_DEBUGGER_OUTBOUND_WRITE=live" in captions(app)
    assert "Side effects 1" in control(app, "lower_view").options


def test_filter_of_timeline_is_kept_while_ledger_is_shown(app, backend, press):
    backend.create_workflow(calls())
    app.run()
    press("start")
    use(app, "timeline_density", "Raw")
    use(app, "timeline_text", "booking")

    open_ledger(app)
    use(app, "lower_view", "Timeline")

    assert control(app, "timeline_density").value == "Raw"
    assert control(app, "timeline_text").value == "booking"


def test_ledger_of_reopened_run_is_same(app, backend, record, press):
    backend.create_workflow(calls())
    app.run()
    press("start")
    open_ledger(app)
    before = ledger(app).to_dict("records")

    use(app, "reload_run")

    assert str(ledger(app).to_dict("records")) == str(before)


def test_download_holds_every_call_with_its_raw_id(app, backend, record, press):
    backend.create_workflow(calls())
    app.run()
    press("start")
    session = record(CurrentRun).session

    rows = side_effect_rows(session.run_id, side_effects(session.turns, session.ledger.recorded))
    text = side_effects_csv(rows).removeprefix(b"\xef\xbb\xbf").decode()

    (found,) = csv.DictReader(io.StringIO(text))
    assert (found["run_id"], found["node_logical_id"]) == (session.run_id, "booking/save")


def test_event_inside_super_node_belongs_to_it_in_node_tab(app, backend, record, press):
    backend.create_workflow(calls())
    app.run()
    press("start")

    record(Selection).node = "booking"
    use(app, "inspector_tab", "Node")

    runs = next(each.value for each in app.dataframe if each.proto.alt.startswith("Runs of the chosen"))
    assert list(runs["inside"]) == ["Save"]
    assert not any("no such node" in info.value for info in app.info)


def test_many_warnings_in_row_are_folded_together(app, backend, press):
    odd = [node(f"odd{place}", "quantum_leap") for place in range(4)]
    ways = [direct(f"odd{place}", f"odd{place + 1}") for place in range(3)]
    backend.create_workflow(document(*odd, say("chat"), *ways, direct("odd3", "chat")))
    app.run()

    press("start")

    assert notes(app) == ["4 warnings"]
