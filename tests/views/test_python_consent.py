from __future__ import annotations

import pytest

from debugger.backends.embedded import backend as embedded
from debugger.engine.options import PythonStatus
from debugger.errors import StoreError
from debugger.settings import Settings
from debugger.store import Role
from debugger.views.auth import permissions
from debugger.views.run_state import CurrentRun
from debugger.views.state import LastAction
from tests.support.factories import direct, document, say, tool
from tests.views.bars import use
from tests.views.conftest import SteeredBackend

REFUSED = PythonStatus("refused", "There is no sandbox here.", "Install one.")
GRAPH = document(
    tool("price", "def price():\n    return 42\n"), say("chat", "The price."), direct("price", "chat")
)


@pytest.fixture
def backend(tmp_path, monkeypatch):
    """The backend of a page on a machine without a sandbox."""
    monkeypatch.setattr(embedded, "python_status", lambda setting: REFUSED)
    settings = Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules")
    backend = SteeredBackend(settings, python_consent_key=b"key")
    backend.create_workflow(GRAPH)
    yield backend
    backend.close()


def is_asking(app):
    return any(button.key == "allow_python" for button in app.button)


def price(session):
    ends = [event for event in session.turns[0].events if event.type == "end_node_run"]
    return ends[0].run_output


def captions(app):
    return " ".join(each.value.replace("\\", "") for each in app.caption)


def test_first_turn_waits_for_consent(app, record, settle, backend):
    app.run()

    use(app, "start")
    shown = [each.value for each in app.code]
    waits = is_asking(app), record(CurrentRun).session.status
    app.button("allow_python").click().run()
    settle()

    assert waits == (True, "not_started")
    assert "def price():\n    return 42" in shown
    assert not is_asking(app)
    assert price(record(CurrentRun).session)["tool_result"] == 42
    assert [consent.person for consent in backend.store.python_consents.all()] == ["me"]


def test_declined_python_is_not_asked_again(app, record, settle, backend):
    app.run()
    use(app, "start")

    app.button("decline_python").click().run()
    settle()
    shown = captions(app)
    use(app, "restart")

    assert not is_asking(app)
    assert record(CurrentRun).session.wait(10)
    assert price(record(CurrentRun).session)["error_message"] == "There is no sandbox here. Install one."
    assert backend.store.python_consents.all() == []
    assert "The calls of its tools fail. There is no sandbox here." in shown


def test_banner_takes_consent_back(app, record, settle, backend):
    app.run()
    use(app, "start")
    app.button("allow_python").click().run()
    settle()

    app.button("take_back_python").click().run()

    assert backend.store.python_consents.all() == []
    assert any(button.key == "review_python" for button in app.button)
    use(app, "restart")
    assert is_asking(app)


def test_connection_page_takes_consent_back(view, backend):
    workflow_id = backend.workflows()[0].id
    asked = backend.python_use(workflow_id)
    backend.store.python_consents.add(workflow_id, asked.version_number, asked.digest, "me")
    app = view("connection").run()

    app.button(f"take_back_{workflow_id}_{asked.version_number}").click().run()

    assert backend.store.python_consents.all() == []
    assert not any(str(button.key).startswith("take_back_") for button in app.button)


def test_consent_is_taken_back_while_workflows_cannot_be_listed(view, backend, monkeypatch):
    workflow_id = backend.workflows()[0].id
    asked = backend.python_use(workflow_id)
    backend.store.python_consents.add(workflow_id, asked.version_number, asked.digest, "me")

    def fail(search=""):
        raise StoreError("The disk is full.")

    monkeypatch.setattr(backend, "workflows", fail)
    app = view("connection").run()

    app.button(f"take_back_{workflow_id}_{asked.version_number}").click().run()

    assert not app.exception
    assert backend.store.python_consents.all() == []


def test_refusal_to_take_back_is_shown_after_a_field_was_used(app, record, backend, monkeypatch):
    def refuse(*_):
        raise StoreError("The database cannot be written.")

    workflow_id = backend.workflows()[0].id
    asked = backend.python_use(workflow_id)
    backend.store.python_consents.add(workflow_id, asked.version_number, asked.digest, "me")
    monkeypatch.setattr(backend.store.python_consents, "remove", refuse)
    app.run()
    use(app, "workflow_files", True)
    use(app, "open_workflow", workflow_id)

    app.button("take_back_python").click().run()

    assert [error.value.replace("\\", "") for error in app.error] == ["The database cannot be written."]


def test_user_with_login_is_not_asked(app, record, settle, backend, monkeypatch):
    user = permissions.User("ada", Role.ADMIN, is_local=False)
    monkeypatch.setattr(permissions, "current_user", lambda: user)
    app.run()

    use(app, "start")
    settle()

    assert not is_asking(app)
    assert price(record(CurrentRun).session)["success"] is False


def test_user_with_login_cannot_consent(app, record, backend, monkeypatch):
    app.run()
    use(app, "start")
    user = permissions.User("ada", Role.ADMIN, is_local=False)
    monkeypatch.setattr(permissions, "current_user", lambda: user)

    app.button("allow_python").click().run()

    assert backend.store.python_consents.all() == []
    assert "single user on localhost" in record(LastAction).error.message
    assert record(CurrentRun).session.status == "not_started"


def test_dialog_shows_invisible_characters(app, backend):
    hidden = "def price():\n    return 1  # \u202e\u2066 gnihtoN\n"
    backend.create_workflow(document(tool("price", hidden), say("chat"), direct("price", "chat"), name="New"))
    app.run()

    use(app, "start")

    (shown,) = [each.value for each in app.code]
    assert r"# \u202e\u2066 gnihtoN" in shown
