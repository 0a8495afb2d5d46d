from __future__ import annotations

from debugger.errors import InputError
from debugger.views.run_state import CurrentRun
from debugger.views.state import LastAction
from tests.support.factories import document, say


def shown(app):
    """The errors over the page, in order."""
    return [error.value.replace("\\", "") for error in app.error]


def test_closed_error_of_turn_stays_closed_with_the_next_one(app, backend, record):
    backend.create_workflow(document(say("chat")))
    app.run()
    record(CurrentRun).session.error = InputError("The turn failed.")
    record(LastAction).error = InputError("The action failed.")
    app.run()
    assert shown(app) == ["The action failed.", "The turn failed."]

    app.button("close_failure_page_1").click().run()
    app.button("close_failure_page_0").click().run()

    assert shown(app) == []
