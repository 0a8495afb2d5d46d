from __future__ import annotations

import time
from collections import defaultdict

import pytest
from streamlit.testing.v1 import AppTest

from debugger.protocol.runs import TurnInput
from debugger.views import actions
from debugger.views.address_bar import DebugBar
from debugger.views.auth.owners import Owner
from debugger.views.run_state import CurrentRun
from debugger.views.url_state import Address
from tests.support.factories import direct, document, say, static
from tests.views.bars import control, use
from tests.views.conftest import APP
from tests.views.records import record_of


def test_address_that_browser_sent_too_early_is_not_followed(app, backend, record):
    first = backend.create_workflow(document(static("a", "Hello"), name="First"))
    backend.create_workflow(document(static("b", "Hello"), name="Second"))
    app.run()
    record(DebugBar).left[Address("embedded", first.id)] = time.monotonic() + 60

    app.query_params["workflow"] = first.id
    app.run()

    assert record(CurrentRun).session.workflow.name == "Second"


def test_page_that_was_left_long_ago_is_gone_back_to(app, backend, record):
    first = backend.create_workflow(document(static("a", "Hello"), name="First"))
    backend.create_workflow(document(static("b", "Hello"), name="Second"))
    app.run()
    record(DebugBar).left[Address("embedded", first.id)] = time.monotonic() - 60

    app.query_params["workflow"] = first.id
    app.run()

    assert record(CurrentRun).session.workflow.name == "First"


def test_lost_session_leaves_other_run_unmarked(app, backend, record):
    workflow = backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    run_id = backend.execute(workflow.id, TurnInput.with_message(None)).finish().run_id
    app.query_params.update(backend="embedded", run=run_id)
    app.run()

    app.query_params.update(run="0" * 24, session="gone")
    app.run()

    assert record(CurrentRun).session.run_id == run_id
    assert record(CurrentRun).session.notice == ""
    assert app.error


@pytest.fixture
def browser(monkeypatch):
    """Lets the tabs that are drawn be of a browser, by its name; gives the function that says of which."""
    owners = defaultdict(Owner)
    return lambda name: monkeypatch.setattr(actions, "owner", lambda: owners[name])


@pytest.fixture
def prepared(app, backend, browser, record):
    """A tab of Ada's browser with a fault, a breakpoint and who answers, set before the start."""
    backend.create_workflow(document(say("chat")))
    browser("Ada")
    app.run()
    use(app, "lower_view", "Mocks")
    app.text_input("fault_error").set_value("planted-secret")
    app.button("fault_add").click().run()
    control(app, "who_answers_choice").set_value("Me (all model calls)").run()
    use(app, "lower_view", "Breakpoints")
    app.button("bp_add").click().run()
    session = record(CurrentRun).session
    assert len(session.mocks.all) == len(session.breakpoints.points) == 1
    return app


def opened(address):
    """Open an address in a new tab, as a reload does; return the tab and its session."""
    tab = AppTest.from_file(str(APP))
    tab.query_params.update(address)
    tab.run()
    return tab, record_of(tab, CurrentRun).session


def test_what_is_set_before_the_start_survives_reloads(prepared):
    tab, _ = opened(prepared.query_params)
    _, session = opened(tab.query_params)

    assert [fault.error for fault in session.mocks.all] == ["planted-secret"]
    assert [point.target for point in session.breakpoints.points] == ["chat"]
    assert session.human_input.asks_all
    assert session.status == "not_started"


def test_link_has_no_secret_and_gives_another_browser_nothing(prepared, browser):
    browser("Ben")

    _, session = opened(prepared.query_params)

    assert "planted" not in str(dict(prepared.query_params))
    assert not session.mocks.all and not session.breakpoints.points
    assert not session.human_input.asks_all


def test_tabs_with_one_address_keep_what_each_has_set(prepared):
    other, session = opened(prepared.query_params)
    use(other, "lower_view", "Mocks")
    other.text_input("fault_error").set_value("second")
    other.button("fault_add").click().run()
    assert len(session.mocks.all) == 2

    _, first = opened(prepared.query_params)
    _, second = opened(other.query_params)

    assert [fault.error for fault in first.mocks.all] == ["planted-secret"]
    assert [fault.error for fault in second.mocks.all] == ["planted-secret", "second"]


def go_to_workflow(tab, workflow_id):
    """Open a workflow by its address in a tab; return the session."""
    tab.query_params.clear()
    tab.query_params.update(backend="embedded", workflow=workflow_id)
    tab.run()
    session = record_of(tab, CurrentRun).session
    assert (session.workflow_id, session.status) == (workflow_id, "not_started")
    return session


def test_what_the_last_run_had_survives_a_reload_before_the_next_one(prepared, press, record):
    press("start")
    tab, run = opened(prepared.query_params)
    session = go_to_workflow(tab, run.workflow_id)
    assert [point.target for point in session.breakpoints.points] == ["chat"]

    _, session = opened(tab.query_params)

    assert [point.target for point in session.breakpoints.points] == ["chat"]


def test_reload_beside_another_workflow_keeps_what_is_set(prepared, backend, record):
    first = record(CurrentRun).session.workflow_id
    go_to_workflow(prepared, backend.create_workflow(document(say("other"))).id)

    tab, _ = opened(prepared.query_params)

    assert [fault.error for fault in go_to_workflow(tab, first).mocks.all] == ["planted-secret"]


def test_address_of_a_run_has_no_token_of_what_was_set_before(prepared, press):
    assert "setup" in prepared.query_params
    press("start")

    assert "setup" not in prepared.query_params


def test_run_of_another_user_gives_the_next_run_nothing(prepared, press, browser, monkeypatch):
    press("start")
    browser("Ben")
    monkeypatch.setattr(actions, "_user_name", lambda: "Ben")
    tab, run = opened(prepared.query_params)
    assert [fault.error for fault in run.mocks.all] == ["planted-secret"]

    session = go_to_workflow(tab, run.workflow_id)

    assert not session.mocks.all
    assert not session.breakpoints.points


def test_restart_of_another_users_run_keeps_its_faults_after_a_reload(prepared, press, browser, monkeypatch):
    press("start")
    browser("Ben")
    monkeypatch.setattr(actions, "_user_name", lambda: "Ben")
    tab, _ = opened(prepared.query_params)
    use(tab, "restart")
    record_of(tab, CurrentRun).session.wait_until_idle(10)
    tab.run()

    _, again = opened(tab.query_params)

    assert again.run_id is not None
    assert [fault.error for fault in again.mocks.all] == ["planted-secret"]
