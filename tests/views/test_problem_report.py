from __future__ import annotations

import logging

import pytest
from streamlit.testing.v1 import AppTest

from debugger.errors import StoreError, UnexpectedError
from debugger.views import actions
from debugger.views.pages import debug
from debugger.views.problem_report import MAX_LOG_LINES, TabLog, follow_log
from debugger.views.run_state import CurrentRun
from tests.support.factories import document, say
from tests.views.bars import use
from tests.views.conftest import APP
from tests.views.message import send
from tests.views.records import keep_records, record_of


def report_of(app):
    (report,) = [code.value for code in app.code if code.value.startswith("Problem report")]
    return report


def open_workflow(app, backend):
    backend.create_workflow(document(say("chat")))
    app.run()


def fail(app, backend, fault):
    """Send a message that fails, and draw what comes of it."""
    backend.fault = fault
    send(app, "My slot is Ada Byron")
    assert record_of(app, CurrentRun).session.wait(10)
    app.run()
    backend.fault = None


def test_report_of_failed_turn_names_run(app, backend, press):
    open_workflow(app, backend)
    press("start")

    fail(app, backend, UnexpectedError("postgresql://ada:planted@db/runs failed for '+49 170', Ada Byron."))

    session, report = record_of(app, CurrentRun).session, report_of(app)
    assert "Failed action: execute a turn\nError: UnexpectedError\n" in report
    assert f"Workflow id: {session.workflow_id}\nVersion: {session.version_number}\n" in report
    assert f"Run id: {session.run_id}\nTurn: " in report
    assert "Backend: embedded\n" in report
    assert "planted" not in report and "+49" not in report


def test_report_has_no_message_of_run(app, backend, press, settle):
    open_workflow(app, backend)
    press("start")
    send(app, "Ada Byron")
    settle()

    fail(app, backend, UnexpectedError("The row holds Ada Byron."))

    assert "Text: The row holds [hidden].\n" in report_of(app)


@pytest.mark.plants_defect
def test_failed_action_is_named_with_its_place(app, backend, monkeypatch):
    open_workflow(app, backend)
    monkeypatch.setattr(actions, "confirm_turn", lambda *_: [].pop())
    use(app, "start")

    report = report_of(app)

    assert "The action start failed unexpectedly (IndexError)" in app.error[0].value.replace("\\", "")
    assert "Failed action: start\n" in report
    assert "builtins.IndexError\n  debugger/views/actions.py:" in report
    assert "pop from empty list" not in report


@pytest.mark.plants_defect
def test_failed_pane_leaves_others_on_view(app, backend, monkeypatch):
    monkeypatch.setattr(debug, "inspector", lambda view: {}["planted"])
    open_workflow(app, backend)
    use(app, "lower_view", "Mocks")

    assert not app.exception
    assert "The pane look failed unexpectedly (KeyError)" in app.error[0].value.replace("\\", "")
    assert {"message", "graph"} <= {element.key for element in app.get("bidi_component")}
    assert "planted" not in report_of(app)


@pytest.mark.plants_defect
def test_failed_page_has_report(app, monkeypatch):
    monkeypatch.setattr(debug, "current_backend", lambda: {}["planted"])
    app.run()

    assert "The page Debug failed unexpectedly (KeyError)" in app.error[0].value.replace("\\", "")
    assert "Failed action: draw the page\n" in report_of(app)


def test_error_that_is_no_fault_of_ours_has_no_report(app, backend, press):
    open_workflow(app, backend)
    press("start")

    fail(app, backend, StoreError("The store is locked."))

    assert "The store is locked" in app.error[0].value
    assert not [code for code in app.code if code.value.startswith("Problem report")]
    assert "Problem report" not in [each.label for each in app.expander]


def test_sessions_have_log_lines_of_their_own(app, backend, clean):
    backend.create_workflow(document(say("chat")))
    other = AppTest.from_file(str(APP))
    for each, fault in ((app, ValueError("planted")), (other, KeyError("planted"))):
        each.run()
        use(each, "start")
        assert record_of(each, CurrentRun).session.wait(10)
        each.run()
        fail(each, backend, fault)

    own, others = report_of(app), report_of(other)

    assert "ERROR debugger.session.runner: a turn failed\nbuiltins.ValueError\n" in own
    assert "ERROR debugger.session.runner: a turn failed\nbuiltins.KeyError\n" in others
    assert "KeyError" not in own and "ValueError" not in others
    assert "planted" not in own + others


def test_log_leaves_out_texts_of_libraries_and_is_bounded(monkeypatch):
    log = TabLog()
    keep_records(monkeypatch, log)
    follow_log()

    logging.getLogger("httpx").warning("GET https://api.example/planted")
    for number in range(MAX_LOG_LINES):
        assert len(log.lines) == number + 1
        logging.getLogger("debugger.test").warning("line %d", number)

    assert len(log.lines) == MAX_LOG_LINES
    assert "planted" not in "".join(log.lines)
    assert log.lines[-1].endswith(f"WARNING debugger.test: line {MAX_LOG_LINES - 1}")


def test_report_that_cannot_be_made_says_so(app, backend, press, monkeypatch):
    open_workflow(app, backend)
    press("start")
    monkeypatch.setattr("debugger.views.problem_report.problem_report", lambda *_, **__: {}["planted"])

    fail(app, backend, UnexpectedError("The store failed."))

    assert "The report cannot be made (KeyError)." in [code.value for code in app.code]
