"""Turns that ran and that the store does not take: what is said of them, and what is called again."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from debugger.engine.outbound.gateway import STARTED
from debugger.errors import RunEndedError, TurnNotStoredError
from debugger.protocol.runs import TurnInput
from debugger.session.session import DebugSession
from debugger.store.claims import interrupt
from tests.backends.struck_process import ROOT, booking, open_backend
from tests.support.factories import direct, document, node, say
from tests.support.http_server import HttpServer

SECONDS = 60


def strike(kind, folder, at="pay"):
    """Return what a process says whose store fails while a call of a turn is made."""
    job = {"kind": kind, "at": at, "folder": str(folder), "url": f"sqlite:///{folder}/runs.sqlite3?timeout=1"}
    process = subprocess.run(
        [sys.executable, "-m", "tests.backends.struck_process", json.dumps(job)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
    )
    assert process.returncode == 0, process.stderr
    assert "planted-secret" not in process.stdout + process.stderr
    return json.loads(process.stdout), process.stderr


REASONS = {
    "full": "has no space left",
    "disk": "has no space left",
    "limit": "cannot be read or written",
    "locked": "is locked",
    "lost": "Its claim has lapsed",
}


@pytest.fixture
def disk(tmp_path):
    """A disk of 16 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"No disk can be mounted: {made.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("kind", REASONS)
def test_turn_not_stored_names_calls_and_asks(kind, tmp_path, request):
    folder = request.getfixturevalue("disk") if kind == "disk" else tmp_path
    told, log = strike(kind, folder)

    once, twice = ["/book", "/pay"], ["/book", "/pay"] * 2
    struck = told["struck"]
    assert struck["error"] == "TurnNotStoredError"
    assert "made 2 calls and could not be stored" in struck["said"]
    assert REASONS[kind] in struck["said"]
    assert [[target.rpartition("/")[2], success] for target, success in struck["calls"]] == [
        ["book?key=***", True],
        ["pay", True],
    ]
    assert (struck["received"], struck["turns"]) == (once, 1)
    assert "/pay" in log  # it has the calls where nothing can be written
    by_hand = told["sent by hand"]
    assert (by_hand["error"], by_hand["received"], by_hand["unsent"]) == (
        "TurnNotStoredError",
        once,
        "Book it",
    )
    if kind in ("full", "disk", "lost"):  # the others let nothing be written at all
        assert (told["journal at once"], told["status at once"]) == (1, "waiting_for_user_input")
    assert [len(calls) for calls in told["journal"]] == [2]
    assert told["status"] == "waiting_for_user_input"
    assert (told["chosen"]["error"], told["chosen"]["received"]) == ("NoneType", twice)
    assert (told["chosen"]["turns"], told["after"]["turns"], told["left"]) == (2, 3, 0)


@pytest.mark.parametrize("kind", ["limit", "locked", "lost"])
def test_call_is_made_only_when_on_record(kind, tmp_path):
    told, _ = strike(kind, tmp_path, at="book")

    struck = told["struck"]
    assert (struck["error"], struck["received"]) == ("TurnNotStoredError", ["/book"])
    assert [target.rpartition("/")[2] for target, _ in struck["calls"]] == ["book?key=***"]
    assert told["sent by hand"]["received"] == ["/book"]
    assert told["chosen"]["received"] == ["/book", "/book", "/pay"]


def begin(url, run_id, lease=30.0):
    """Start a process that sends a message to a run."""
    job = {"url": url, "run_id": run_id, "text": "Book it", "lease": lease}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.backends.struck_process", json.dumps(job)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def paths(server):
    return [received.path.partition("?")[0] for received in server.received]


def targets(turn):
    return [call["target"].rpartition("/")[2] for call in turn.calls]


def await_that(condition):
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_process_that_slept_past_lease_names_its_calls(url, tmp_path):
    arrived, answer = threading.Event(), threading.Event()

    def book(handler):
        if not arrived.is_set():
            arrived.set()
            assert answer.wait(SECONDS)
        handler.send_json({})

    with HttpServer(book=book) as server:
        backend = open_backend(url)  # with a long lease: only the process that sleeps loses its own
        workflow_id = backend.create_workflow(booking(server.url)).id
        run_id = backend.execute(workflow_id, TurnInput.with_message(None)).finish().run_id
        before = DebugSession.open(backend, run_id)
        late = begin(url, run_id, lease=1.0)
        assert arrived.wait(SECONDS)
        late.send_signal(signal.SIGSTOP)
        await_that(lambda: backend.revision(run_id).turn_number is None)

        before.send("Mine")
        asked = before.unstored_turn
        assert asked is not None and targets(asked) == ["book?key=***"]
        assert asked.calls[0]["error"] == STARTED
        assert (paths(server), before.unsent_message, len(before.turns)) == (["/book"], "Mine", 1)

        before.discard_unstored()
        before.send("Mine")
        before.wait_until_idle(SECONDS)
        assert (before.error, paths(server)) == (None, ["/book", "/book", "/pay"])

        late.send_signal(signal.SIGCONT)
        answer.set()
        told = json.loads(late.communicate(timeout=SECONDS)[0])

        assert "ran, made 1 call and could not be stored. Its claim has lapsed" in told["said"]
        assert [target.rpartition("/")[2] for target in told["calls"]] == ["book?key=***"]
        assert paths(server) == ["/book", "/book", "/pay"]  # the late turn paid nothing
        assert backend.notes.read_unfinished_turns(run_id) == []
        assert len(backend.run(run_id).input_output_pairs) == 2
        backend.close()


def test_call_of_killed_process_is_told_before_next_turn(url):
    processes = []

    def pay(handler):
        if len(paths(server)) == 2:
            processes[0].kill()
            os.waitid(os.P_PID, processes[0].pid, os.WEXITED | os.WNOWAIT)
        handler.send_json({})

    with HttpServer(pay=pay) as server:
        backend = open_backend(url)
        workflow_id = backend.create_workflow(booking(server.url)).id
        run_id = backend.execute(workflow_id, TurnInput.with_message(None)).finish().run_id
        before = DebugSession.open(backend, run_id)
        processes.append(begin(url, run_id))
        processes[0].communicate(timeout=SECONDS)

        opened = DebugSession.open(backend, run_id)  # in another tab
        before.send("Mine")

        for session in (opened, before):
            assert session.unstored_turn is not None
            assert targets(session.unstored_turn) == ["book?key=***", "pay"]
        assert before.unstored_turn.calls[0]["success"]
        assert before.unstored_turn.calls[1]["error"] == STARTED
        assert paths(server) == ["/book", "/pay"]

        opened.send_unstored_again()
        opened.wait_until_idle(SECONDS)
        assert (opened.error, len(opened.turns), opened.turns[1].message) == (None, 2, "Book it")
        assert paths(server) == ["/book", "/pay"] * 2
        before.discard_unstored()
        assert backend.notes.read_unfinished_turns(run_id) == []
        backend.close()


def test_repeated_turn_with_calls_is_not_executed_again(url):
    with HttpServer() as server:
        backend = open_backend(url)
        workflow_id = backend.create_workflow(booking(server.url)).id
        run_id = backend.execute(workflow_id, TurnInput.with_message(None)).finish().run_id

        def turn(client_turn_id):
            misc = {"client_turn_id": client_turn_id}
            turn_input = TurnInput.with_message("Book it", miscellaneous=misc)
            return backend.execute(workflow_id, turn_input, run_id=run_id)

        stream = turn("c1")
        while paths(server) != ["/book"]:
            next(stream)
        stream.close()  # abandoned by its caller

        with pytest.raises(TurnNotStoredError) as caught:
            turn("c1")
        assert [call["target"].rpartition("/")[2] for call in caught.value.calls] == ["book?key=***"]
        assert backend.revision(run_id).status == "waiting_for_user_input"
        assert turn("c2").finish().turn_number == 2
        assert paths(server) == ["/book", "/book", "/pay"]
        assert len(backend.notes.read_unfinished_turns(run_id)) == 1  # no user has seen it yet
        backend.close()


@pytest.mark.parametrize("when", ["before", "while it waits"])
def test_message_after_killed_process_is_not_sent_before_calls_are_told(when, url):
    processes, arrived, goes_on = [], threading.Event(), threading.Event()

    def pay(handler):
        if len(paths(server)) == 2:
            arrived.set()
            assert goes_on.wait(SECONDS)
            processes[0].kill()
            os.waitid(os.P_PID, processes[0].pid, os.WEXITED | os.WNOWAIT)
        handler.send_json({})

    with HttpServer(pay=pay) as server:
        backend = open_backend(url)
        workflow_id = backend.create_workflow(booking(server.url)).id
        run_id = backend.execute(workflow_id, TurnInput.with_message(None)).finish().run_id
        session = DebugSession.open(backend, run_id)
        processes.append(begin(url, run_id))
        assert arrived.wait(SECONDS)
        if when == "before":
            goes_on.set()
            processes[0].communicate(timeout=SECONDS)
        session.send("Mine")
        goes_on.set()
        session.wait_until_idle(SECONDS)

        assert targets(session.unstored_turn) == ["book?key=***", "pay"]
        assert paths(server) == ["/book", "/pay"]
        processes[0].communicate(timeout=SECONDS)

        session.discard_unstored()
        session.send("Mine")
        session.wait_until_idle(SECONDS)
        assert (session.error, paths(server)) == (None, ["/book", "/pay"] * 2)
        backend.close()


def send(backend, workflow_id, run_id, client_turn_id, expected=None):
    """Return the stream of a message with an id."""
    turn_input = TurnInput.with_message("Book it", miscellaneous={"client_turn_id": client_turn_id})
    return backend.execute(workflow_id, turn_input, run_id=run_id, expected_turn_number=expected)


def abandon_after_first_call(server, stream):
    while "/book" not in paths(server):
        next(stream)
    stream.close()


def test_calls_of_second_attempt_are_found(url):
    with HttpServer() as server:
        backend = open_backend(url)
        workflow_id = backend.create_workflow(booking(server.url)).id
        run_id = backend.execute(workflow_id, TurnInput.with_message(None)).finish().run_id
        for _ in range(5):  # more than one, since the journal has no order of its own
            first = send(backend, workflow_id, run_id, "c1")
            with backend.store._database.writing() as connection:
                assert interrupt(connection, backend.store.claims.position(run_id).claimed)
            first.close()
        assert [turn.calls for turn in backend.notes.read_unfinished_turns(run_id)] == [[]] * 5

        abandon_after_first_call(server, send(backend, workflow_id, run_id, "c1"))

        with pytest.raises(TurnNotStoredError):
            send(backend, workflow_id, run_id, "c1")
        assert paths(server) == ["/book"]
        backend.close()


def test_refusal_does_not_deny_calls(url):
    with HttpServer() as server:
        backend = open_backend(url)
        workflow_id = backend.create_workflow(booking(server.url)).id
        run_id = backend.execute(workflow_id, TurnInput.with_message(None)).finish().run_id
        abandon_after_first_call(server, send(backend, workflow_id, run_id, "c1", 2))
        send(backend, workflow_id, run_id, "c2", 2).finish()

        with pytest.raises(TurnNotStoredError):  # else its number would be too small
            send(backend, workflow_id, run_id, "c1", 2)
        backend.execute(workflow_id, TurnInput(command="stop"), run_id=run_id).finish()
        with pytest.raises(TurnNotStoredError):  # else the run would be over
            send(backend, workflow_id, run_id, "c1")

        with pytest.raises(RunEndedError):
            send(backend, workflow_id, run_id, "c3")
        backend.close()


@pytest.mark.parametrize("is_told_by_error", [False, True])
def test_interrupted_step_is_told_before_it_is_made_again(is_told_by_error, url, monkeypatch):
    with HttpServer() as server:
        retry = {"enabled": True, "max_retries": 100, "time_between_retries": 1}
        poll = node("poll", "http_request", url=f"{server.url}/poll", method="POST", self_loop_config=retry)
        companion = {"is_companion_thread": True, "thread_id": "poller"}
        backend = open_backend(url)
        graph = document(
            node("entry", "no_op"),
            say("chat"),
            poll,
            direct("entry", "chat"),
            {**direct("entry", "poll"), "companion_thread_config": companion},
        )
        workflow_id = backend.create_workflow(graph).id
        run_id = backend.execute(workflow_id, TurnInput.with_message(None)).finish().run_id

        def pump():
            return backend.pump(workflow_id, run_id)

        made = len(server.received)
        with monkeypatch.context() as patch:
            if is_told_by_error:
                patch.setattr(backend.store.claims, "finish", lambda *_, **__: 1 / 0)
            while len(server.received) == made:
                stream = pump()
                with contextlib.suppress(TurnNotStoredError, ZeroDivisionError):
                    while next(stream, None) and (is_told_by_error or len(server.received) == made):
                        pass
                stream.close()

        if not is_told_by_error:  # its client has left, or its process was killed
            with pytest.raises(TurnNotStoredError, match="Background work ran") as caught:
                pump()
            assert [call["target"] for call in caught.value.calls] == [f"POST {server.url}/poll"]
        assert len(server.received) == made + 1
        deadline = time.monotonic() + SECONDS
        while len(server.received) == made + 1:
            assert time.monotonic() < deadline
            pump().finish()
        backend.close()


def test_first_turn_not_stored_is_asked_about(url, monkeypatch):
    with HttpServer() as server:
        backend = open_backend(url)
        session = DebugSession(backend, backend.create_workflow(booking(server.url)).id)
        first = TurnInput.with_message(None, start_node_logical_id="book")
        with monkeypatch.context() as patch:
            patch.setattr(backend.store.claims, "finish", lambda *_, **__: 1 / 0)
            session.start(first)
            session.wait_until_idle(SECONDS)

        assert isinstance(session.error, TurnNotStoredError)
        assert targets(session.unstored_turn) == ["book?key=***", "pay"]
        assert [run.status for run in backend.runs().rows] == ["failed"]
        session.start(first)
        assert paths(server) == ["/book", "/pay"]

        session.send_unstored_again()
        session.wait_until_idle(SECONDS)

        assert (session.error, len(session.turns)) == (None, 1)
        assert paths(server) == ["/book", "/pay"] * 2
        assert backend.notes.read_unfinished_turns() == []
        backend.close()


def test_first_turn_that_breaks_off_is_asked_about(url, monkeypatch):
    with HttpServer() as server:
        backend = open_backend(url)
        session = DebugSession(backend, backend.create_workflow(booking(server.url)).id)
        first = TurnInput.with_message(None, start_node_logical_id="book")

        def break_off(log, event, *_):
            if server.received:
                raise RuntimeError("a listener is broken")

        with monkeypatch.context() as patch:
            patch.setattr(session.stepping, "on_event", break_off)
            session.start(first)
            session.wait_until_idle(SECONDS)

        assert "failed unexpectedly" in str(session.error)
        assert targets(session.unstored_turn) == ["book?key=***"]
        session.start(first)
        assert paths(server) == ["/book"]
        session.discard_unstored()
        session.start(first)
        session.wait_until_idle(SECONDS)
        assert (session.error, paths(server)) == (None, ["/book", "/book", "/pay"])
        backend.close()


def test_older_snapshot_does_not_replace_newer_calls(url, monkeypatch):
    backend = open_backend(url)
    workflow_id = backend.create_workflow(booking("http://127.0.0.1:9")).id
    run_id = backend.execute(workflow_id, TurnInput.with_message(None)).finish().run_id
    renew, written = backend.store.claims.renew, threading.Event()
    call = {"how": "live", "call_class": "write", "target": "POST https://api.example/book"}

    def announce(held):
        held.ledger.append(call)
        backend._leases.announce_call(held)
        written.set()

    def renew_late(claim, lease_until, **fields):
        # A call is made after the snapshot was read; it has a second to be on record first.
        threading.Thread(target=announce, args=(held,)).start()
        written.wait(1)
        return renew(claim, lease_until, **fields)

    stream = backend.execute(workflow_id, TurnInput.with_message("Book it"), run_id=run_id)
    with monkeypatch.context() as patch:
        [held] = backend._leases._all()
        patch.setattr(backend._leases, "_look", lambda *_: None)
        patch.setattr(backend.store.claims, "renew", renew_late)
        backend._leases._try_to_store(held, [next(stream)], time.time() + 30)
        assert written.wait(SECONDS)

    claimed = backend.store.claims.position(run_id).claimed
    with backend.store._database.writing() as connection:
        assert interrupt(connection, claimed)
    [turn] = backend.notes.read_unfinished_turns(run_id)
    assert targets(turn) == ["book"]
    stream.close()
    backend.close()
