"""Live events end to end: our server in its own process, the hosted backend, and the session of a page."""

from __future__ import annotations

import signal
import time
from urllib.parse import urlsplit

import pytest

from debugger.backends.hosted import HostedBackend
from debugger.errors import OutcomeUnknownError
from debugger.protocol.runs import TurnInput
from debugger.session.session import DebugSession
from debugger.settings import HostedSettings
from tests.backends.server_process import KEY, server_process
from tests.support.companions import lab, watchful
from tests.support.factories import direct, document, say, static, tool, when

SLOW = "import time\ndef slow():\n    time.sleep(1.2)\n    return 1\n"
ENDLESS = "def endless():\n    while True:\n        pass\n"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with server_process(tmp_path_factory.mktemp("live")) as (_, url):
        yield url


@pytest.fixture
def hosted(address):
    backend = backend_at(address)
    yield backend
    backend.close()


def backend_at(url, **settings):
    return HostedBackend(HostedSettings(base_url=url, api_key=KEY, timeout=20, **settings))


def slow_shop(name="Slow"):
    """Greets, works for a while, and asks; and so again with every turn."""
    parts = [
        static("greet", "Welcome"),
        tool("work", SLOW),
        static("done", "That took a moment"),
        say("ask", "Which tea?"),
        direct("greet", "work"),
        direct("work", "done"),
        direct("done", "ask"),
        when("ask", "work", "1 == 1"),
    ]
    return document(*parts, name=name)


def watched(session, seconds=20):
    """When each event was seen first in the list that the page draws, and when the turn was over."""
    seen = {}
    ends = time.monotonic() + seconds
    while True:
        session.poll()
        busy = session.busy
        now = time.time()
        for log in session.turns:
            for event in list(log.events):
                seen.setdefault(event.logical_id, (now, event))
        if not busy:
            return list(seen.values()), now
        assert time.monotonic() < ends, "the turn has not ended"
        time.sleep(0.005)


def latest(seen):
    """Seconds from an event's emission to its being in the list, of the one that took longest."""
    return max(moment - event.timestamp for moment, event in seen)


def test_event_arrives_within_200_ms(hosted):
    workflow = hosted.create_workflow(slow_shop())
    late = []

    # Whoever else uses the machine can hold everything up, so there is more than one try.
    while not late or (min(late) >= 0.2 and len(late) < 5):
        session = DebugSession(hosted, workflow.id)
        session.start(TurnInput.with_message(None))
        seen, over = watched(session)
        late.append(latest(seen))
        greeting = next(moment for moment, event in seen if event.type == "assistant_response")
        assert session.error is None
        assert over - greeting > 1

    assert min(late) < 0.2


def test_every_turn_streams_and_record_is_same(hosted):
    workflow = hosted.create_workflow(slow_shop())
    session = DebugSession(hosted, workflow.id)
    session.start(TurnInput.with_message(None))
    assert session.wait(20)
    late = []

    while not late or (min(late) >= 0.2 and len(late) < 5):
        session.send("Assam")
        seen, _ = watched(session)
        ids = {event.logical_id for event in session.turns[-1].events}
        late.append(latest([(moment, event) for moment, event in seen if event.logical_id in ids]))
        assert session.turns[-1].events[0].type == "user_messages"

    assert min(late) < 0.2
    shown = [[event.to_wire() for event in log.events] for log in session.turns]
    kept = hosted.run(session.run_id).input_output_pairs
    assert shown == [turn.run_output.events for turn in kept]


def test_first_turn_stops_at_once(hosted):
    graph = document(static("a", "Hello"), tool("endless", ENDLESS), direct("a", "endless"))
    session = DebugSession(hosted, hosted.create_workflow(graph, name="Endless").id)
    session.start(TurnInput.with_message(None))
    deadline = time.monotonic() + 10
    while not (session.turns and any(event.type == "direct_edge" for event in session.turns[-1].events)):
        assert time.monotonic() < deadline
        time.sleep(0.01)

    session.stop()

    assert session.wait(10)
    assert session.status == "cancelled"
    assert session.error is None
    assert hosted.run(session.run_id).status == "cancelled"


@pytest.mark.parametrize("graph", [lab(pause=1, checks=2), watchful("{{minute}} >= 0")])
def test_background_work_continues_after_socket_turn(hosted, graph):
    session = DebugSession(hosted, hosted.create_workflow(graph, name="Background").id)
    session.start(TurnInput.with_message(None))
    assert session.wait(10)

    deadline = time.monotonic() + 20
    while not session.is_over:
        assert time.monotonic() < deadline
        session.tick()
        time.sleep(0.05)

    assert session.status == "completed"
    assert hosted.capabilities.reason_against("live_events") is None


def test_killed_server_leaves_last_finished_turn(tmp_path):
    with server_process(tmp_path) as (process, url):
        hosted = backend_at(url, reconciliation_timeout=0.5)
        hosted._connector.keeps_sockets = False  # as on a server that does not acknowledge a second turn
        workflow = hosted.create_workflow(slow_shop())
        session = DebugSession(hosted, workflow.id)
        session.start(TurnInput.with_message(None))
        assert session.wait(20)
        run_id = session.run_id
        session.send("Assam")
        deadline = time.monotonic() + 10
        while len(session.turns) < 2 or not session.turns[-1].events:
            assert time.monotonic() < deadline, session.error
            time.sleep(0.01)
        assert session.busy
        process.send_signal(signal.SIGKILL)

        assert session.wait(15)
        error = session.error

    assert isinstance(error, OutcomeUnknownError)
    assert "It is not known whether the turn was executed" in error.message
    assert session.pending.message == "Assam"
    with server_process(tmp_path, port=urlsplit(url).port):
        deadline = time.monotonic() + 20
        while session.pending is not None:  # a server that has just started may take longer than 0.5 s
            assert time.monotonic() < deadline, session.sync.error
            session.check_now()
            assert session.wait_for_record(20)
        run = hosted.run(run_id)
        assert (run.status, len(run.input_output_pairs)) == ("waiting_for_user_input", 1)
        assert session.unsent_message == "Assam"
        session.send("Assam")
        assert session.wait(20)

        assert session.error is None
        assert (session.result.turn_number, session.status) == (2, "waiting_for_user_input")
        assert len(hosted.run(run_id).input_output_pairs) == 2
        hosted.close()


def test_key_is_not_in_server_log(tmp_path):
    with server_process(tmp_path) as (_, url):
        hosted = backend_at(url)
        hosted.execute(
            hosted.create_workflow(document(static("a", "Hi")), name="Log").id, TurnInput()
        ).finish()
        hosted.close()
        token = "?token=***"

    log = (tmp_path / "log.txt").read_text()
    assert KEY not in log
    assert token in log
