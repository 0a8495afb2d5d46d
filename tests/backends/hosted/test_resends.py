"""Turns that were refused before they were executed: what is sent again, and what is not."""

from __future__ import annotations

import threading
import time
from contextlib import nullcontext

import httpx
import pytest

from debugger.backends.hosted import HostedBackend
from debugger.errors import (
    ConflictError,
    ConnectionFailedError,
    NotExecutedError,
    RateLimitError,
    RequestTimeoutError,
    RunEndedError,
    StaleTurnError,
    TurnInProgressError,
)
from debugger.protocol.runs import TurnInput
from debugger.settings import HostedSettings
from tests.backends.hosted.peer import backend_of, first_turn, later_turn, serving
from tests.backends.hosted.records import RUN, WORKFLOW, message_input, turn_events


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr("debugger.backends.hosted.turns.RESEND_WAIT", 0.02)


def as_sent(peer):
    """The client turn ids that arrived, and those that were executed."""
    arrived = [run_input["miscellaneous"]["client_turn_id"] for run_input in peer.sent]
    executed = [run_input["miscellaneous"]["client_turn_id"] for run_input in peer.records.executed]
    return arrived, executed


def test_refused_connection_is_tried_again(monkeypatch):
    monkeypatch.setattr("debugger.backends.hosted.turns.RESEND_WAIT", 0.2)
    with serving() as closed:
        port = closed.server_port
    with backend_of(closed) as backend:
        stream = first_turn(backend)
        outcome = []
        worker = threading.Thread(target=lambda: outcome.append(stream.finish()))
        worker.start()
        while stream.progress.phase != "retrying":
            time.sleep(0.01)
        with serving(port) as peer:
            worker.join(5)

            arrived, executed = as_sent(peer)

    assert outcome[0].run_id == RUN
    assert arrived == executed
    assert len(executed) == 1


def test_refused_connection_is_given_up_after_three_resends():
    with serving() as peer:
        url = peer.url
    with backend_of(peer) as backend:
        stream = first_turn(backend)

        with pytest.raises(ConnectionFailedError, match="No server answers") as raised:
            stream.finish()

    assert url in raised.value.message
    assert not raised.value.was_sent
    assert "may have been" not in str(raised.value)


def test_rate_limit_is_waited_for_with_countdown(peer, hosted):
    peer.answers(429, {"detail": "Slow down"}, Retry_After="0.4")
    stream = first_turn(hosted)
    seen = []
    worker = threading.Thread(target=stream.finish)
    began = time.monotonic()
    worker.start()
    while worker.is_alive():
        seen.append((stream.progress.phase, stream.progress.message, stream.progress.until))
        time.sleep(0.02)

    retrying = [progress for progress in seen if progress[0] == "retrying" and progress[2]]
    assert "Slow down" in retrying[-1][1]
    assert retrying[-1][2] - began == pytest.approx(0.4, abs=0.2)
    assert time.monotonic() - began >= 0.4
    assert (stream.progress.phase, stream.progress.until) == ("executing", None)
    arrived, executed = as_sent(peer)
    assert arrived == executed * 2


def test_rate_limit_gives_up_after_three_resends(peer, hosted):
    for _ in range(4):
        peer.answers(429, {"detail": "Slow down"})
        peer.answers(body=peer.records.rows())

    with pytest.raises(RateLimitError, match="Slow down"):
        first_turn(hosted).finish()

    assert peer.count("POST") == 4
    assert peer.records.executed == []


def test_rate_limit_beyond_timeout_is_raised(peer, hosted):
    peer.answers(429, {"detail": "Slow down"}, Retry_After="3600")

    with pytest.raises(RateLimitError) as raised:
        first_turn(hosted).finish()

    assert raised.value.retry_after == 3600
    assert peer.count("POST") == 1


def test_stop_ends_the_wait_of_a_rate_limit(peer, hosted):
    peer.records.add_run("Hello")
    cancelled = threading.Event()
    stop_soon = threading.Timer(0.1, cancelled.set).start
    peer.answers(429, {"detail": "Slow down"}, Retry_After="4", before=lambda _body: stop_soon())
    began = time.monotonic()

    with pytest.raises(NotExecutedError, match="before it was sent"):
        later_turn(hosted, cancelled=cancelled).finish()

    assert time.monotonic() - began < 2
    assert peer.records.runs[RUN]["status"] == "cancelled"
    assert len(peer.records.executed) == 1


def test_conflict_with_newer_turns_is_not_sent_again(peer, hosted):
    peer.records.add_run("Hello", "By another client", "And more")
    peer.answers(409, {"detail": "turn 2 is taken", "reason": "stale_turn"})
    stream = later_turn(hosted)

    with pytest.raises(StaleTurnError, match="turns 2 to 3 came first") as raised:
        stream.finish()

    assert raised.value.turn_number == 3
    assert len(stream.progress.record.turns) == 3
    assert peer.count("POST") == 1


def test_conflict_under_way_is_waited_for(peer, hosted):
    peer.records.add_run("Hello")
    peer.records.begin(message_input("By another client"), RUN)
    peer.answers(409, {"detail": "A turn is under way", "reason": "turn_in_progress"})
    stream = later_turn(hosted, number=3)
    threading.Timer(0.3, lambda: peer.records.finish(RUN)).start()

    result = stream.finish()

    assert result.turn_number == 3
    assert peer.count("POST") == 2
    assert stream.progress.phase == "executing"


def test_conflict_making_turn_stale_is_raised(peer, hosted):
    peer.records.add_run("Hello")
    peer.records.begin(message_input("By another client"), RUN)
    peer.answers(409, {"detail": "A turn is under way", "reason": "turn_in_progress"})
    threading.Timer(0.2, lambda: peer.records.finish(RUN)).start()

    with pytest.raises(StaleTurnError, match="turn 2 came first"):
        later_turn(hosted).finish()

    assert peer.count("POST") == 1


def test_conflict_that_lasts_is_given_up(peer):
    peer.records.add_run("Hello")
    peer.records.begin(message_input("By another client"), RUN)
    peer.answers(409, {"detail": "A turn is under way", "reason": "turn_in_progress"})
    with backend_of(peer, timeout=0.5) as backend, pytest.raises(TurnInProgressError, match="under way"):
        later_turn(backend, number=3).finish()

    assert peer.count("POST") == 1


def test_conflict_over_recorded_turn_is_result(peer, hosted):
    peer.records.add_run("Hello")
    peer.answers(409, {"detail": "turn 2 is taken", "reason": "stale_turn"}, before=peer.executes)

    stream = later_turn(hosted)
    events = [event.to_wire() for event in stream]

    assert events == stream.result.events == turn_events(RUN, 2)
    assert (stream.result.turn_number, len(stream.progress.record.turns)) == (2, 2)
    assert peer.count("POST") == 1


def test_conflict_over_recorded_first_turn_is_result(peer, hosted):
    peer.answers(409, {"detail": "taken", "reason": "stale_turn"}, before=peer.executes)

    assert first_turn(hosted).finish().run_id == RUN
    assert peer.count("POST") == 1


def test_conflict_over_first_turn_is_raised(peer, hosted):
    peer.answers(409, {"detail": "no", "reason": "turn_in_progress"})

    with pytest.raises(ConflictError, match="no"):
        first_turn(hosted).finish()

    assert peer.count("POST") == 1


def test_conflict_reads_that_fail_are_repeated(peer, hosted):
    peer.records.add_run("Hello")
    peer.answers(409, {"detail": "busy", "reason": "turn_in_progress"})
    peer.answers(500)
    peer.answers(raw=b"{")

    assert later_turn(hosted).finish().turn_number == 2


def test_timeout_of_connection_is_not_sent(peer):
    def refuse(request):
        raise httpx.ConnectTimeout("slow", request=request)

    settings = HostedSettings(base_url=peer.url, connect_timeout=1)
    backend = HostedBackend(settings, transport=httpx.MockTransport(refuse))

    with pytest.raises(RequestTimeoutError, match="nothing was sent") as raised:
        first_turn(backend).finish()

    assert not raised.value.was_sent
    backend.close()


def test_conflict_without_recorded_cause_gives_up(peer, hosted):
    peer.records.add_run("Hello")
    for _ in range(4):
        peer.answers(409, {"detail": "busy", "reason": "turn_in_progress"})
        peer.answers(body=peer.records.record(RUN))

    with pytest.raises(ConflictError, match="busy"):
        later_turn(hosted).finish()

    assert peer.count("POST") == 4
    assert len(peer.records.executed) == 1


@pytest.mark.parametrize("command, error", [("data", RunEndedError), ("stop", None)])
def test_conflict_over_ended_run_has_ended(peer, hosted, command, error):
    peer.records.add_run("Hello", status="completed")
    peer.answers(409, {"detail": "The run is over", "reason": "turn_in_progress"})
    turn_input = TurnInput.with_message(None, command=command)
    stream = hosted.execute(WORKFLOW, turn_input, run_id=RUN, expected_turn_number=2)

    with pytest.raises(error, match="completed") if error else nullcontext():
        assert stream.finish().status == "completed"

    assert peer.count("POST") == 1
