from __future__ import annotations

import secrets

import pytest

from debugger.errors import EditConflictError
from debugger.store import Role
from debugger.views import connections, state
from debugger.views.address_bar import DebugBar
from debugger.views.backends import CurrentBackend
from debugger.views.confirmations import EditConflict, OpenQuestions
from debugger.views.connections import HostedConnection
from debugger.views.run_state import CurrentRun, RunInputs
from tests.conformance.served import KEY, create, serving
from tests.support.factories import document, say
from tests.views.bars import use
from tests.views.message import box, send


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    with serving(f"sqlite:///{folder}/served.sqlite3", folder) as api:
        yield api


@pytest.fixture
def production(app, api, record):
    """Opens a workflow on a connection that is labelled as given."""

    def opened(environment="Production"):
        workflow_id = create(api, document(say("chat")))
        table = {"base_url": str(api.base_url), "api_key": KEY, "environment": environment}
        app.secrets["connections"] = {"prod": table}
        app.query_params["backend"], app.query_params["connection"] = "hosted", "prod"
        app.query_params["workflow"] = workflow_id
        app.run()
        assert not app.exception

    yield opened
    session = record(CurrentRun).session
    if session is not None:
        session.wait(10)
        session.wait_for_record(10)  # a connection in use would be left open
    if record(HostedConnection).backend is not None:
        record(HostedConnection).backend.close()


def runs_of(api, app):
    params = {"workflow_id": app.query_params["workflow"]}
    return api.get("/v1/workflow-runs", params=params).json()["total"]


def is_asking(app):
    return any(button.key == "send_to_production" for button in app.button)


def test_first_message_to_production_waits_for_consent(app, api, record, settle, production):
    production()

    send(app, "Hello")

    assert is_asking(app)
    assert record(CurrentRun).session.status == "not_started"
    assert runs_of(api, app) == 0
    sentence = next(each.value for each in app.markdown if "production environment" in each.value)
    assert "**prod**" in sentence
    assert "127" in sentence
    app.button("send_to_production").click().run()
    settle()
    assert not is_asking(app)
    assert record(CurrentRun).session.turns[0].message == "Hello"
    assert runs_of(api, app) == 1


def test_second_message_is_sent_without_question(app, api, record, settle, production):
    production()
    send(app, "Hello")
    app.button("send_to_production").click().run()
    settle()

    send(app, "Again")
    settle()

    assert not is_asking(app)
    assert [turn.message for turn in record(CurrentRun).session.turns] == ["Hello", "Again"]


def test_questions_are_asked_one_after_the_other(app, api, record, settle, production):
    production()
    error = EditConflictError("The note has been changed meanwhile.", present="theirs", revision=7)
    written = EditConflict(("note",), Role.REVIEW, int, "The note", "mine", str, str, str, error)
    record(OpenQuestions).edit = written  # the box was left by the click that sends

    send(app, "Hello")
    asked = is_asking(app), len(app.exception), [each.key for each in app.button if each.key == "keep_theirs"]
    app.button("send_to_production").click().run()
    settle()

    assert not app.exception
    assert asked == (True, 0, [])
    assert not is_asking(app)
    assert app.button("keep_theirs")


def test_declined_message_stays_in_box(app, api, record, production):
    production()
    send(app, "Hello")

    app.button("keep_from_production").click().run()

    assert not app.exception
    assert not is_asking(app)
    assert box(app)["draft"] == "Hello"
    assert record(CurrentRun).session.status == "not_started"
    assert runs_of(api, app) == 0
    send(app, "Hello")
    assert is_asking(app)  # to decline is no answer for the next time


@pytest.mark.parametrize("button", ["start", "restart"])
def test_button_that_sends_waits_for_consent(app, api, record, settle, production, button):
    production()
    if button == "restart":
        record(CurrentRun).session.start(record(RunInputs).next.turn_input())
        assert record(CurrentRun).session.wait(10)
        app.run()
    before = runs_of(api, app)

    use(app, button)

    assert is_asking(app)
    assert runs_of(api, app) == before
    app.button("send_to_production").click().run()
    settle()
    assert runs_of(api, app) == before + 1


def test_consent_lasts_for_browser(app, api, record, settle, production, monkeypatch):
    token = secrets.token_urlsafe(32)
    monkeypatch.setattr(connections, "owner_token", lambda: token)
    production()
    use(app, "start")
    app.button("send_to_production").click().run()
    settle()
    record(HostedConnection).backend.close()
    for kind in (CurrentBackend, CurrentRun, HostedConnection, DebugBar):  # as a reload does
        del app.session_state[state.record_key(kind)]
    app.run()

    send(app, "Again")
    settle()

    assert not is_asking(app)


def test_other_environments_are_not_asked_for(app, api, settle, production):
    production("staging")

    send(app, "Hello")
    settle()

    assert not is_asking(app)
    assert runs_of(api, app) == 1


def test_version_that_ran_is_named_though_another_became_active(app, api, record, settle, production):
    production("staging")
    session = record(CurrentRun).session
    answer = api.post(f"/v1/workflows/{session.workflow_id}/versions", json={"mark_as_active": True})
    assert answer.status_code < 300

    use(app, "start")
    settle()

    version = api.get(f"/v1/workflow-runs/{session.run_id}").json()["workflow_run"]["workflow_run"][
        "version_number"
    ]
    assert version == 0  # the one that was on view
    assert record(CurrentRun).session.version_number == version


def test_question_ends_with_run_on_view(app, api, record, production):
    production()
    send(app, "Hello")
    before = runs_of(api, app)
    other = create(api, document(say("chat")))

    app.query_params["workflow"] = other
    app.run()

    assert not app.exception
    assert not is_asking(app)
    assert record(CurrentRun).session.workflow_id == other
    assert runs_of(api, app) == before == 0
