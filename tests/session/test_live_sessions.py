from __future__ import annotations

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol.runs import TurnInput
from debugger.session.live_sessions import LiveSessions
from debugger.session.session import DebugSession
from debugger.settings import Settings
from tests.factories import document, static


@pytest.fixture
def backend(tmp_path):
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules"))
    yield backend
    backend.close()


def standing_still(backend):
    session = DebugSession(backend, backend.create_workflow(document(static("a", "A"))).id)
    session.gate.step("event")
    session.start(TurnInput.saying(None))
    assert session.wait_until_idle(10)
    return session


def test_a_session_whose_turn_stands_still_is_found_by_its_token(backend):
    live, session = LiveSessions(), standing_still(backend)

    token = live.token_of(session)

    assert live.find(token) is session
    assert live.token_of(session) == token
    session.stop()


def test_a_session_at_rest_has_no_token(backend):
    live, session = LiveSessions(), standing_still(backend)
    token = live.token_of(session)
    session.stop()
    session.wait(10)

    assert live.token_of(session) == ""
    assert live.find(token) is None


def test_two_sessions_have_tokens_that_tell_nothing_of_each_other(backend):
    live, one, other = LiveSessions(), standing_still(backend), standing_still(backend)

    tokens = live.token_of(one), live.token_of(other)

    assert tokens[0] != tokens[1]
    assert live.find(tokens[1]) is other
    assert live.find("guessed") is None
    one.stop()
    other.stop()
