from __future__ import annotations

import time

from debugger.protocol.runs import TurnInput
from debugger.views.run_state import CurrentRun
from debugger.views.state import AddressState
from debugger.views.url_state import Address
from tests.support.factories import direct, document, say, static


def test_address_that_browser_sent_too_early_is_not_followed(app, backend, record):
    first = backend.create_workflow(document(static("a", "Hello"), name="First"))
    backend.create_workflow(document(static("b", "Hello"), name="Second"))
    app.run()
    record(AddressState).left[Address("embedded", first.id)] = time.monotonic() + 60

    app.query_params["workflow"] = first.id
    app.run()

    assert record(CurrentRun).session.workflow.name == "Second"


def test_page_that_was_left_long_ago_is_gone_back_to(app, backend, record):
    first = backend.create_workflow(document(static("a", "Hello"), name="First"))
    backend.create_workflow(document(static("b", "Hello"), name="Second"))
    app.run()
    record(AddressState).left[Address("embedded", first.id)] = time.monotonic() - 60

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
