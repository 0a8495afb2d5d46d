from __future__ import annotations

import pytest

from debugger.analysis.side_effects import side_effects
from debugger.settings import Settings
from debugger.store import Role
from debugger.views.auth import permissions
from debugger.views.auth.permissions import User
from debugger.views.backends import EngineChoices
from debugger.views.panels import engine_choices
from debugger.views.panels.engine_choices import is_allowed
from debugger.views.run_state import CurrentRun
from tests.support.factories import document, node, say
from tests.views.bars import control
from tests.views.message import send
from tests.views.talk import words

REQUEST = node("book", "http_request", method="POST", url="https://api.example/orders")


@pytest.fixture
def settings(record):
    """Returns the settings by which the run on view is executed."""
    return lambda: record(CurrentRun).session.backend.settings


def test_choice_holds_for_what_is_run_next(app, backend, record, settings, press, settle):
    backend.create_workflow(document(say("chat")))
    app.run()

    control(app, "choice_outbound_write").select("simulated").run()
    control(app, "choice_responder").select("scripted").run()

    assert not app.exception
    assert (settings().outbound_write, settings().responder) == ("simulated", "scripted")
    assert backend.settings.outbound_write == "blocked"
    press("start")
    send(app, "hello")
    settle()
    assert "hello" in words(app)


def test_value_of_the_settings_ends_the_choice(app, backend, record):
    backend.create_workflow(document(say("chat")))
    app.run()

    control(app, "choice_outbound_write").select("simulated").run()
    control(app, "choice_outbound_write").select("blocked").run()

    assert record(EngineChoices).values == {}
    assert record(CurrentRun).session.backend is backend


def test_started_run_stays_on_view(app, backend, record, settings, press):
    backend.create_workflow(document(say("chat")))
    app.run()
    press("start")
    run_id = record(CurrentRun).session.run_id
    control(app, "setup").use()

    control(app, "choice_outbound_talk").select("simulated").run()

    assert not app.exception
    assert record(CurrentRun).session.run_id == run_id
    assert settings().outbound_talk == "simulated"
    assert control(app, "choice_outbound_talk").value == "simulated"  # the dialog is still open


def test_blocked_call_is_simulated_by_choice(app, backend, record, press):
    backend.create_workflow(document(REQUEST))
    app.run()
    control(app, "choice_outbound_write").select("simulated").run()

    press("start")

    session = record(CurrentRun).session
    (effect,) = side_effects(session.turns, session.ledger.recorded)
    assert (effect.call_class, effect.how) == ("write", "simulated")


@pytest.mark.parametrize(
    ("role", "name", "value", "allowed"),
    [
        (Role.RUN, "outbound_write", "live", False),
        (Role.RUN, "outbound_write", "simulated", True),
        (Role.RUN, "outbound_read", "live", True),
        (Role.ADMIN, "outbound_contact", "live", True),
        (Role.RUN, "responder", "model", True),
    ],
)
def test_real_calls_beyond_settings_need_an_administrator(monkeypatch, role, name, value, allowed):
    monkeypatch.setattr(permissions, "current_user", lambda: User("Ada", role, is_local=False))

    assert is_allowed(Settings(), name, value) is allowed


def test_forged_choice_is_refused(app, backend, record, monkeypatch):
    backend.create_workflow(document(say("chat")))
    app.run()
    monkeypatch.setattr(engine_choices, "may", lambda role: False)

    control(app, "choice_outbound_contact").select("live").run()

    assert record(EngineChoices).values == {}
    assert any("need the role admin" in error.value for error in app.error)
