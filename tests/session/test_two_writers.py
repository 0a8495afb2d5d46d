"""Two clients on one run: nothing is executed on top of a turn that its client has not seen."""

from __future__ import annotations

import threading

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import StaleTurnError
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import turn_logs
from debugger.session.breakpoints import Breakpoint
from debugger.session.session import DebugSession
from debugger.settings import Settings
from tests.backends.hosted.peer import backend_of, serving
from tests.backends.hosted.records import RUN, WORKFLOW, message_input
from tests.support.companions import lab
from tests.support.factories import document, say


@pytest.fixture
def open_backend(tmp_path):
    """Open one more backend on the same store, as another process does."""
    opened = []

    def opens():
        settings = Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules")
        opened.append(EmbeddedBackend(settings))
        return opened[-1]

    yield opens
    for backend in opened:
        backend.close()


def started(backend, workflow=None):
    made = backend.create_workflow(workflow or document(say("chat")))
    session = DebugSession(backend, made.id)
    session.start(TurnInput.with_message(None))
    assert session.wait(10)
    return session


def shown(session):
    return [
        (turn.number, turn.message, [event.logical_id for event in turn.events]) for turn in session.turns
    ]


def stored(backend, run_id):
    logs = turn_logs(backend.run(run_id))
    return [(log.number, log.message, [event.logical_id for event in log.events]) for log in logs]


def send(session, text):
    session.send(text)
    assert session.wait_until_idle(10)


def look(session):
    session.check_now()
    assert session.wait_for_record(10)


def test_stale_turn_is_rejected_and_newer_shown(open_backend):
    ours = started(open_backend())
    theirs = DebugSession.open(open_backend(), ours.run_id)
    send(theirs, "from them")

    send(ours, "from us")

    assert isinstance(ours.error, StaleTurnError)
    assert ours.error.turn_number == 2
    assert ours.unsent_message == "from us"
    assert [turn.message for turn in ours.turns] == ["", "from them"]
    assert shown(ours) == stored(ours.backend, ours.run_id)
    send(ours, ours.unsent_message)
    assert ours.error is None
    assert [turn.message for turn in ours.turns] == ["", "from them", "from us"]
    assert shown(ours) == stored(ours.backend, ours.run_id)


def test_newer_turns_are_counted_and_loaded(open_backend):
    ours = started(open_backend())
    theirs = DebugSession.open(open_backend(), ours.run_id)
    send(theirs, "one")
    send(theirs, "two")

    look(ours)

    assert ours.sync.newer_turns == 2
    assert len(ours.turns) == 1
    ours.load_newer()
    assert ours.wait_for_record(10)
    assert ours.sync.newer_turns == 0
    assert shown(ours) == stored(ours.backend, ours.run_id)


def test_followed_run_shows_turns_as_they_come(open_backend):
    ours = started(open_backend())
    theirs = DebugSession.open(open_backend(), ours.run_id)
    ours.follow(True)
    assert ours.wait_for_record(10)

    send(theirs, "one")
    look(ours)

    assert ours.sync.follows
    assert [turn.message for turn in ours.turns] == ["", "one"]
    assert ours.hint is not None


def test_end_by_another_client_is_shown(open_backend):
    ours = started(open_backend())
    theirs = DebugSession.open(open_backend(), ours.run_id)
    theirs.stop()
    assert theirs.wait_until_idle(10)

    send(ours, "still there?")
    look(ours)

    assert ours.status == "cancelled"
    assert ours.unsent_message == "still there?"


def test_background_work_of_other_client_is_shown(open_backend):
    ours = started(open_backend(), lab(pause=0))
    theirs = DebugSession.open(open_backend(), ours.run_id)
    theirs.advance()
    assert theirs.wait(10)

    look(ours)

    assert ours.sync.newer_turns == 0
    assert any(turn.is_background for turn in ours.turns)
    assert shown(ours) == stored(ours.backend, ours.run_id)


def test_turn_after_other_background_work_shows_all(open_backend):
    ours = started(open_backend(), lab(pause=0))
    theirs = DebugSession.open(open_backend(), ours.run_id)
    theirs.advance()
    assert theirs.wait(10)

    send(ours, "hello")
    look(ours)

    assert ours.turns[-1].number == 2 or ours.is_over
    assert shown(ours) == stored(ours.backend, ours.run_id)


def test_deleted_run_takes_no_message(open_backend):
    ours = started(open_backend())
    ours.backend.store.delete_run(ours.run_id)

    look(ours)
    ours.send("hello")

    assert ours.is_deleted
    assert ours.is_over
    assert "deleted" in str(ours.error)


def test_turn_in_progress_elsewhere_is_named(open_backend):
    ours = started(open_backend())
    theirs = DebugSession.open(open_backend(), ours.run_id)
    theirs.stepping.step("event")
    send(theirs, "paused")

    look(ours)

    assert ours.sync.revision.turn_number == 2
    assert ours.sync.newer_turns == 0
    theirs.stepping.resume()
    assert theirs.wait(10)
    look(ours)
    assert ours.sync.revision.turn_number is None
    assert ours.sync.newer_turns == 1


def test_record_read_before_a_turn_is_read_again(open_backend, monkeypatch):
    """The record is slow to come, and the user sends a message meanwhile."""
    backend = open_backend()
    session = started(backend)
    is_read, may_come = threading.Event(), threading.Event()
    read = backend.record

    def read_slowly(run_id):
        record = read(run_id)
        is_read.set()
        assert may_come.wait(10)
        return record

    monkeypatch.setattr(backend, "record", read_slowly)
    session.load_newer()
    assert is_read.wait(10)
    session.send("meanwhile")
    assert session.wait(10)

    may_come.set()
    assert session.wait_for_record(10)
    assert session.wait_until_idle(10)

    assert [turn.message for turn in session.turns] == ["", "meanwhile"]
    send(session, "next")
    assert session.error is None
    assert shown(session) == stored(backend, session.run_id)


def test_stop_of_another_client_s_turn_shows_it(open_backend):
    ours = started(open_backend())
    theirs = DebugSession.open(open_backend(), ours.run_id)
    theirs.breakpoints.put(Breakpoint("event", "start_node_run"))
    send(theirs, "from them")
    assert theirs.stop_point is not None

    ours.stop()
    assert ours.wait_until_idle(10)
    assert theirs.wait_until_idle(10)

    assert ours.status == theirs.status == "cancelled"
    assert [turn.message for turn in ours.turns] == ["", "from them"]
    assert shown(ours) == shown(theirs) == stored(ours.backend, ours.run_id)


def test_end_without_a_turn_is_shown():
    """The hosted API may end a run and add nothing to its turns."""
    with serving() as peer, backend_of(peer) as backend:
        session = DebugSession(backend, WORKFLOW)
        session.send("Hello")
        assert session.wait_until_idle(10)
        peer.records.stop(RUN)

        look(session)
        assert session.wait_until_idle(10)

        assert session.status == "cancelled"
        assert session.hint is None
        assert [turn.message for turn in session.turns] == ["Hello"]


def test_record_that_is_behind_hides_no_turn():
    with serving() as peer, backend_of(peer) as backend:
        session = DebugSession(backend, WORKFLOW)
        session.send("Hello")
        assert session.wait_until_idle(10)
        pairs = peer.records.runs[RUN]["input_output_pairs"]
        late = pairs.pop()

        look(session)
        hidden = [turn.message for turn in session.turns]
        pairs.append(late)
        peer.records.execute(message_input("By another client"), RUN)
        look(session)

        assert hidden == ["Hello"]
        assert session.sync.newer_turns == 1


def test_record_behind_again_after_a_turn_hides_none():
    with serving() as peer, backend_of(peer) as backend:
        session = DebugSession(backend, WORKFLOW)
        for text in ("Hello", "More"):
            send(session, text)
            pairs = peer.records.runs[RUN]["input_output_pairs"]
            late = pairs.pop()
            look(session)
            pairs.append(late)

        assert [turn.message for turn in session.turns] == ["Hello", "More"]


def test_record_that_stays_shorter_is_shown(monkeypatch):
    monkeypatch.setattr("debugger.session.record_sync.LATE_SECONDS", 0.0)
    with serving() as peer, backend_of(peer) as backend:
        session = DebugSession(backend, WORKFLOW)
        session.send("Hello")
        assert session.wait_until_idle(10)
        peer.records.runs[RUN]["input_output_pairs"].clear()

        look(session)
        look(session)

        assert session.turns == []
