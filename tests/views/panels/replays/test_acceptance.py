from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from debugger.replays.groups import ReplayGroup
from debugger.replays.results import Divergence, ReplayResult
from debugger.store import Role
from debugger.views.auth import permissions
from debugger.views.auth.permissions import User
from debugger.views.panels.notes import author
from debugger.views.panels.replays import acceptance
from debugger.views.panels.replays.actions import AcceptanceDialog
from tests.views.records import record_of

SCRIPT = """
from debugger.views.panels.replays.acceptance import acceptance_dialog

acceptance_dialog()
"""
GROUP = ReplayGroup(
    "g" * 24, "path", 40, ReplayResult("r", 0, "path", 2, Divergence(2, "d", "*Desk*", "a → A", "b → B"))
)


@pytest.fixture
def app(clean):
    """The dialog of a group."""
    made = AppTest.from_string(SCRIPT)
    record_of(made, AcceptanceDialog).group = GROUP
    return made


def test_dialog_says_what_is_accepted(app):
    app.run()

    assert not app.exception
    texts = [text.value for text in app.markdown]
    assert "**Other path** at **\\*Desk\\*** in 40 runs" in texts
    assert "b → B instead of a → A" in texts


def test_local_user_types_the_name(app):
    app.run()

    app.text_input(key="replay_accepted_by").set_value("Ada").run()

    assert app.text_input(key="replay_accepted_by").value == "Ada"


def test_name_of_signed_in_user_is_fixed(app, monkeypatch):
    signed_in = User("eve", Role.REVIEW, is_local=False)
    for module in (permissions, acceptance):
        monkeypatch.setattr(module, "current_user", lambda: signed_in)

    app.run()

    name = app.text_input(key="replay_accepted_by")
    assert (name.value, name.disabled) == ("eve", True)
    assert author() == "eve"


def test_closed_dialog_draws_nothing(app):
    record_of(app, AcceptanceDialog).group = None

    app.run()

    assert not app.get("text_input")
