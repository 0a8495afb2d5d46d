from __future__ import annotations

import threading
import time

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import SettingsError
from debugger.protocol.runs import Turn, TurnInput
from debugger.session import loading, registry
from debugger.session.registry import LiveSessions, RunPrefetcher
from debugger.session.session import DebugSession
from debugger.settings import Settings
from tests.support.factories import document, say, static


@pytest.fixture
def backend(tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "_LONG", 3)
    monkeypatch.setattr(registry, "_UNTIL_DRAWN", 0.05)
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules"))
    yield backend
    end_of_reading()  # nothing of this test goes on in the next one
    backend.close()


@pytest.fixture
def disturbed(monkeypatch):
    """Collect the exceptions that ended threads."""
    errors = []
    monkeypatch.setattr(threading, "excepthook", lambda told: errors.append(told.exc_value))
    return errors


def talk(backend, *lines):
    """A run in which a user says something."""
    session = DebugSession(backend, backend.create_workflow(document(say("chat"))).id)
    for line in lines:
        session.send(line)
        assert session.wait(10)
    return session.run_id


def end_of_reading():
    for thread in threading.enumerate():
        if thread.name == "run-prefetch":
            thread.join(10)
            assert not thread.is_alive()


def read_to_the_end(ahead):
    end_of_reading()
    assert not ahead.is_reading


def test_prefetched_run_has_nothing_to_load(backend):
    run_id = talk(backend, "one", "two", "three")
    ahead = RunPrefetcher()

    ahead.begin(lambda: backend, run_id)
    read_to_the_end(ahead)

    assert DebugSession.open_lazily(backend, run_id).turns_to_load == 0


def test_opening_during_prefetch_waits_and_reads_nothing(backend, monkeypatch):
    run_id = talk(backend, "one", "two", "three")
    readers, may_go_on, from_wire = [], threading.Event(), Turn.from_wire

    def slowly(data):
        readers.append(threading.current_thread())
        assert may_go_on.wait(10)
        return from_wire(data)

    monkeypatch.setattr(Turn, "from_wire", slowly)
    ahead = RunPrefetcher()
    ahead.begin(lambda: backend, run_id)
    while not readers:
        time.sleep(0.001)
    session = DebugSession.open_lazily(backend, run_id)
    assert session.turns_to_load == 3
    threading.Timer(0.1, may_go_on.set).start()

    session.read()

    assert [turn.message for turn in session.turns] == ["one", "two", "three"]
    assert len(readers) == 3 and threading.current_thread() not in readers


def test_short_run_is_not_prefetched(backend):
    run_id = talk(backend, "one")
    ahead = RunPrefetcher()

    ahead.begin(lambda: backend, run_id)
    read_to_the_end(ahead)

    assert DebugSession.open_lazily(backend, run_id).turns_to_load == 1


def test_one_run_is_read_at_a_time(backend):
    first, second = talk(backend, "one", "two", "three"), talk(backend, "a", "b", "c")
    ahead, has_begun, may_end = RunPrefetcher(), threading.Event(), threading.Event()

    def slow_backend():
        has_begun.set()
        assert may_end.wait(10)
        return backend

    ahead.begin(slow_backend, first)
    assert has_begun.wait(10)
    ahead.begin(lambda: backend, second)
    may_end.set()
    read_to_the_end(ahead)

    assert DebugSession.open_lazily(backend, first).turns_to_load == 0
    assert DebugSession.open_lazily(backend, second).turns_to_load == 3


def test_wait_returns_when_run_is_prefetched(backend):
    run_id = talk(backend, "one", "two", "three")
    ahead = RunPrefetcher()
    ahead.begin(lambda: backend, run_id)

    ahead.wait(run_id, 10)

    assert DebugSession.open_lazily(backend, run_id).turns_to_load == 0


def test_wait_ignores_other_runs_and_times_out(backend):
    ahead, may_end = RunPrefetcher(), threading.Event()

    def slow_backend():
        assert may_end.wait(10)
        return backend

    ahead.wait("any", 10)  # nothing is being read
    ahead.begin(slow_backend, "one")
    begun = time.monotonic()
    ahead.wait("another", 10)
    ahead.wait("one", 0.05)

    assert time.monotonic() - begun < 5
    assert ahead.is_reading
    may_end.set()
    read_to_the_end(ahead)


@pytest.mark.parametrize("run_id", ["", "no-such-run", "\x00"])
def test_unknown_run_raises_nothing(backend, run_id, disturbed):
    ahead = RunPrefetcher()

    ahead.begin(lambda: backend, run_id)
    read_to_the_end(ahead)

    assert disturbed == []


def test_unavailable_store_raises_nothing(disturbed):
    def broken():
        raise SettingsError("It cannot be opened.", advice="Correct it.")

    ahead = RunPrefetcher()
    ahead.begin(broken, "any")
    read_to_the_end(ahead)

    assert disturbed == []


@pytest.fixture
def simple(tmp_path):
    simple = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules"))
    yield simple
    simple.close()


def standing_still(simple):
    session = DebugSession(simple, simple.create_workflow(document(static("a", "A"))).id)
    session.stepping.step("event")
    session.start(TurnInput.with_message(None))
    assert session.wait_until_idle(10)
    return session


def test_paused_session_is_found_by_token(simple):
    live, session = LiveSessions(), standing_still(simple)

    token = live.token_of(session)

    assert live.find(token) is session
    assert live.token_of(session) == token
    session.stop()


def test_a_session_at_rest_has_no_token(simple):
    live, session = LiveSessions(), standing_still(simple)
    token = live.token_of(session)
    session.stop()
    session.wait(10)

    assert live.token_of(session) == ""
    assert live.find(token) is None


def test_two_sessions_have_unrelated_tokens(simple):
    live, one, other = LiveSessions(), standing_still(simple), standing_still(simple)

    tokens = live.token_of(one), live.token_of(other)

    assert tokens[0] != tokens[1]
    assert live.find(tokens[1]) is other
    assert live.find("guessed") is None
    one.stop()
    other.stop()
