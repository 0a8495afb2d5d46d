"""Properties of a session are queries: they take over nothing, execute nothing and store nothing."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import create_engine, text

from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol.runs import TurnInput
from debugger.session.session import DebugSession
from debugger.settings import Settings
from tests.support.companions import lab
from tests.support.factories import document, say

COMMANDS = {"open", "open_lazily"}


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/runs.sqlite3"


@pytest.fixture
def backend(url):
    backend = EmbeddedBackend(Settings(database=url, responder="rules"))
    yield backend
    backend.close()


def public_properties():
    return [
        name for name, value in vars(DebugSession).items() if isinstance(value, property) and name[0] != "_"
    ]


def rows(url):
    engine = create_engine(url)
    with engine.connect() as connection:
        found = [
            connection.execute(text(f"select * from {table} order by 1")).all()
            for table in ("runs", "turns", "unfinished_turns")
        ]
    engine.dispose()
    return found


def state(session):
    """Return the session's state, including its workers."""
    return {name: value for name, value in vars(session).items() if not callable(value)}


def test_properties_change_nothing_after_a_cancelled_turn(backend, url):
    workflow = backend.create_workflow(document(say("chat")))
    session = DebugSession(backend, workflow.id)
    session.start(TurnInput.with_message(None))
    assert session.wait(10)
    session.stepping.step("event")
    session.send("hello")
    assert session.wait_until_idle(10)
    session.stop()
    assert session._turn.wait(10)  # the worker has ended, and nobody has called poll()
    before, held, threads = rows(url), state(session), threading.active_count()

    names = public_properties()
    values = [getattr(session, name) for name in names]
    again = [getattr(session, name) for name in names]

    assert len(names) > 15
    assert "status" in names and "busy" in names and "turns" in names
    assert values[names.index("status")] == again[names.index("status")] == "running"
    assert values[names.index("turns")] == again[names.index("turns")]
    assert rows(url) == before
    assert state(session) == held
    assert threading.active_count() <= threads
    session.poll()
    assert session.wait(10)
    assert session.status == "cancelled"


def test_properties_start_no_background_work(backend, url):
    workflow = backend.create_workflow(lab())
    session = DebugSession(backend, workflow.id)
    session.start(TurnInput.with_message("Run the test"))
    assert session.wait(10)
    session.background.resume()
    before = rows(url)

    for name in public_properties():
        getattr(session, name)

    assert session.background.is_due
    assert not session.is_stepping
    assert rows(url) == before
