from __future__ import annotations

from types import SimpleNamespace

import pytest
import streamlit as st

from debugger.errors import InputError
from debugger.store import Role
from debugger.views import actions, state
from debugger.views.actions import action
from debugger.views.auth import permissions
from debugger.views.auth.permissions import User, needed_role
from debugger.views.run_state import CurrentRun
from debugger.views.state import LastAction


@pytest.fixture(autouse=True)
def tab(monkeypatch):
    """The state of a tab."""
    monkeypatch.setattr(st, "session_state", {})


@pytest.fixture
def session():
    """A session that is on view."""
    state.record(CurrentRun).session = SimpleNamespace(run_id="r1")
    return state.record(CurrentRun).session


def test_error_of_action_is_kept_for_page():
    @action()
    def fail(number):
        raise InputError(f"No {number}.")

    fail(7)

    assert (state.record(LastAction).action, state.record(LastAction).error.message) == ("fail", "No 7.")


def test_action_is_refused_without_its_role(monkeypatch):
    done = []

    @action(role=Role.RUN)
    def run():
        done.append("it")

    monkeypatch.setattr(permissions, "current_user", lambda: User("Ada", Role.REVIEW, is_local=False))
    run()

    assert done == []
    assert "Needs the role run" in state.record(LastAction).error.message
    assert needed_role(run) is Role.RUN
    assert needed_role(action()(print)) is None


def test_action_gets_session_on_view(session):
    done = []

    @action(takes_session=True)
    def move(session, by):
        done.append((session, by))

    move(2)
    state.record(CurrentRun).session = None
    move(3)

    assert done == [(session, 2)]


def test_confirmed_action_is_done_once_user_has_agreed(session, monkeypatch):
    done, asked = [], []

    @action(takes_session=True, confirm=True)
    def send(session, text):
        done.append(text)

    def ask(session, again):
        asked.append(again)
        return len(asked) > 1

    monkeypatch.setattr(actions, "confirm_turn", ask)
    send("Hello")
    assert done == []

    asked[0]()

    assert done == ["Hello"]
