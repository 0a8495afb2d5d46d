from __future__ import annotations

import time

from debugger.views.run_state import CurrentRun
from debugger.views.state import AddressState
from debugger.views.url_state import Address
from tests.support.factories import document, static


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
