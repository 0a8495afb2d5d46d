"""Turns whose answer is lost: the record tells what became of them, and nothing is sent twice."""

from __future__ import annotations

import json
import threading
import time

import pytest

from debugger.errors import (
    NotExecutedError,
    OutcomeUnknownError,
    RunEndedError,
    StaleTurnError,
)
from tests.backends.hosted.peer import backend_of, first_turn, later_turn
from tests.backends.hosted.records import RUN, turn_events

OTHER = "665f0c2b9a3e4d5f6a7b8c99"


def answered(peer, **changes):
    """Make an answer to the turn that is executed, with something changed in it."""
    return lambda body: {**peer.executes(body), **changes}


# Lost answers of a turn that was executed


@pytest.mark.parametrize("run_id", [None, RUN])
@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 502},
        {"status": 503, "raw": b"<html>busy</html>", "kind": "text/html"},
        {"status": 504},
        {"status": None, "raw": b""},
        {"status": None, "raw": b"SSH-2.0-OpenSSH_9.2\r\n\r\n"},
        {"raw": b""},
        {"raw": b'{"run_id": '},
        {"raw": b"\xff\xfe\x00"},
        {"raw": b"[" * 100_000},
        {"raw": b"[1, 2]"},
        {"raw": b"{}"},
        {"raw": b"<!doctype html><title>Welcome</title>", "kind": "text/html"},
        {"raw": json.dumps({"run_id": RUN, "padding": "x" * 5000}).encode(), "cut": 700},
    ],
    ids=lambda fault: (
        "-".join(str(part)[:12] for part in fault.values()) if isinstance(fault, dict) else None
    ),
)
def test_executed_turn_is_read_from_the_record(peer, hosted, fault, run_id):
    number = 1
    if run_id is not None:
        peer.records.add_run("Hello")
        number = 2
    peer.answers(**fault, before=peer.executes)

    stream = first_turn(hosted) if run_id is None else later_turn(hosted)
    events = [event.to_wire() for event in stream]

    assert events == stream.result.events == turn_events(RUN, number)
    assert (stream.result.turn_number, stream.run_id) == (number, RUN)
    assert len(stream.progress.record.turns) == number
    assert (stream.progress.phase, stream.progress.until) == ("executing", None)
    assert (peer.count("POST"), len(peer.records.executed)) == (1, number)


@pytest.mark.parametrize(
    "changes",
    [
        {"run_id": OTHER},
        {"run_id": None},
        {"turn_number": 7},
        {"status": "fine"},
        {"events": [{"content": "no type"}]},
        {"events": turn_events(RUN, 1)},
    ],
    ids=["other-run", "no-run", "other-number", "bad-status", "bad-event", "seen-events"],
)
def test_answer_of_another_turn_is_not_believed(peer, hosted, changes):
    first_turn(hosted).finish()
    peer.answers(body=answered(peer, **changes))

    stream = later_turn(hosted)
    events = [event.to_wire() for event in stream]

    assert events == turn_events(RUN, 2)
    assert (stream.run_id, stream.result.turn_number) == (RUN, 2)


def test_first_turn_rejects_old_run(peer, hosted):
    first_turn(hosted).finish()
    peer.answers(body=answered(peer, run_id=RUN, turn_number=1))

    stream = first_turn(hosted)
    stream.finish()

    assert stream.run_id == f"{1:024x}"
    assert peer.count("POST") == 2


def test_slow_answer_is_lost(peer):
    peer.answers(hold=True, before=peer.executes)
    with backend_of(peer, timeout=1) as backend:
        stream = first_turn(backend)

        result = stream.finish()

    assert (result.run_id, result.turn_number) == (RUN, 1)
    assert peer.count("POST") == 1


def test_reads_that_fail_first_are_repeated(peer):
    peer.records.add_run("Hello")
    peer.answers(500, before=peer.executes)
    peer.answers(500)
    peer.answers(None, raw=b"")
    peer.answers(raw=b"{")
    peer.answers(raw=b"<p>hi</p>", kind="text/html")

    with backend_of(peer, reconciliation_timeout=5) as backend:
        assert later_turn(backend).finish().turn_number == 2
    assert peer.count("POST") == 1


def test_turn_that_arrives_late_is_waited_for(peer, hosted):
    peer.records.add_run("Hello")
    given = []
    peer.answers(None, raw=b"", before=given.append)
    threading.Timer(0.15, lambda: peer.executes(given[0])).start()

    assert later_turn(hosted).finish().turn_number == 2


def test_turn_in_progress_is_awaited_beyond_timeout(peer, hosted):
    peer.records.add_run("Hello")
    peer.answers(500, before=peer.begins)
    stream = later_turn(hosted)
    phases = []
    threading.Timer(0.6, lambda: peer.records.finish(RUN)).start()
    threading.Timer(0.4, lambda: phases.append((stream.progress.phase, stream.progress.message))).start()

    assert stream.finish().turn_number == 2
    assert phases[0][0] == "reconciling"
    assert "500" in phases[0][1]


# Not executed


@pytest.mark.parametrize("run_id", [None, RUN])
def test_turn_that_did_not_arrive_is_not_executed(peer, hosted, run_id):
    if run_id is not None:
        peer.records.add_run("Hello")
    peer.answers(None, raw=b"")
    began = time.monotonic()

    with pytest.raises(NotExecutedError, match=r"broke.* does not hold the turn") as raised:
        (first_turn(hosted) if run_id is None else later_turn(hosted)).finish()

    assert raised.value.advice == "Send it again."
    assert time.monotonic() - began >= 0.3
    assert peer.count("POST") == 1


@pytest.mark.parametrize("run_id", [None, RUN])
def test_answered_turn_is_not_executed_after_one_look(peer, run_id):
    if run_id is not None:
        peer.records.add_run("Hello")
    peer.answers(502)
    began = time.monotonic()

    with (
        backend_of(peer, reconciliation_timeout=5) as backend,
        pytest.raises(NotExecutedError, match=r"502.* does not hold the turn"),
    ):
        (first_turn(backend) if run_id is None else later_turn(backend)).finish()

    assert time.monotonic() - began < 2
    assert [asked["method"] for asked in peer.asked] == ["POST", "GET"]


def test_lost_turn_of_a_continued_run_is_stale(peer, hosted):
    peer.records.add_run("Hello", "By another client")
    peer.answers(502)
    stream = later_turn(hosted)

    with pytest.raises(StaleTurnError) as raised:
        stream.finish()

    assert raised.value.turn_number == 2
    assert len(stream.progress.record.turns) == 2


def test_lost_turn_of_ended_run_has_ended(peer, hosted):
    peer.records.add_run("Hello", status="completed")
    peer.answers(502)

    with pytest.raises(RunEndedError, match="completed"):
        later_turn(hosted).finish()


def test_turn_recorded_after_the_end_is_found(peer):
    def execute(body):
        peer.records.begin(body["run_input"], RUN, is_shown=False)
        peer.records.runs[RUN]["status"] = "completed"

    peer.records.add_run("Hello")
    peer.answers(None, raw=b"", before=execute)
    threading.Timer(0.2, lambda: peer.records.finish(RUN, "completed")).start()

    with backend_of(peer, reconciliation_timeout=5) as backend:
        assert later_turn(backend).finish().turn_number == 2


def test_lost_turn_of_a_deleted_run_has_ended(peer, hosted):
    peer.answers(502)

    with pytest.raises(RunEndedError, match="not on record"):
        later_turn(hosted).finish()


def test_run_stopped_by_another_client_has_its_result(peer, hosted):
    peer.records.add_run("Hello")
    peer.answers(502, before=peer.begins)
    threading.Timer(0.1, lambda: peer.records.stop(RUN)).start()

    result = later_turn(hosted).finish()

    assert (result.status, result.turn_number, len(result.events)) == ("cancelled", 2, 1)


# Unknown


def test_outcome_is_unknown_while_reads_fail(peer, hosted):
    peer.records.add_run("Hello")
    peer.answers(502, before=peer.executes)
    for _ in range(30):
        peer.answers(500)

    with pytest.raises(OutcomeUnknownError, match=r"cannot be read.* It is not known"):
        later_turn(hosted).finish()

    assert peer.count("POST") == 1


def test_outcome_is_unknown_while_the_run_is_executing(peer):
    peer.records.add_run("Hello")
    peer.answers(502, before=lambda body: peer.records.begin(body["run_input"], RUN, is_shown=False))
    with backend_of(peer, timeout=0.6) as backend, pytest.raises(OutcomeUnknownError, match="being executed"):
        later_turn(backend).finish()


def test_read_that_hangs_ends_with_the_reconciliation_timeout(peer, hosted):
    peer.records.add_run("Hello")
    peer.answers(502)
    for _ in range(3):
        peer.answers(hold=True)
    began = time.monotonic()

    with pytest.raises(OutcomeUnknownError):
        later_turn(hosted).finish()

    assert time.monotonic() - began < 1.5


# Stopping


@pytest.mark.parametrize("run_id", [None, RUN])
def test_stopped_turn_is_stopped_at_the_server(peer, hosted, run_id):
    if run_id is not None:
        peer.records.add_run("Hello")
    peer.answers(hold=True, before=peer.begins)
    cancelled = threading.Event()
    stream = (
        first_turn(hosted, cancelled=cancelled) if run_id is None else later_turn(hosted, cancelled=cancelled)
    )
    threading.Thread(target=lambda: (peer.arrived.wait(), cancelled.set())).start()
    began = time.monotonic()

    result = stream.finish()

    assert time.monotonic() - began < 1
    assert (result.status, result.is_completed, result.run_id) == ("cancelled", True, RUN)
    assert peer.sent[-1]["command"] == "stop"
    assert peer.records.runs[RUN]["status"] == "cancelled"
    assert stream.progress.record.run.status == "cancelled"


def test_stop_while_reconciling(peer):
    peer.records.add_run("Hello")
    peer.answers(502, before=peer.begins)
    cancelled = threading.Event()
    with backend_of(peer, reconciliation_timeout=5) as backend:
        stream = later_turn(backend, cancelled=cancelled)
        threading.Timer(0.4, cancelled.set).start()
        began = time.monotonic()

        result = stream.finish()

    assert (result.status, result.turn_number) == ("cancelled", 2)
    assert time.monotonic() - began < 2


def test_refused_stop_leaves_turn_to_its_end(peer, hosted):
    peer.records.add_run("Hello")
    peer.answers(hold=True, before=peer.begins)
    cancelled = threading.Event()
    stream = later_turn(hosted, cancelled=cancelled)

    peer.refuses_stops = True
    threading.Thread(target=lambda: (peer.arrived.wait(), cancelled.set())).start()
    threading.Timer(0.2, lambda: peer.records.finish(RUN)).start()

    result = stream.finish()

    assert (result.status, result.turn_number) == ("waiting_for_user_input", 2)
    assert peer.sent[-1]["command"] == "stop"


def test_stopped_run_without_turn_is_cancelled(peer, hosted):
    """The platform may leave a cancelled turn out of the record."""
    peer.records.add_run("Hello")
    peer.answers(hold=True)
    cancelled = threading.Event()
    stream = later_turn(hosted, cancelled=cancelled)
    threading.Thread(target=lambda: (peer.arrived.wait(), cancelled.set())).start()

    result = stream.finish()

    assert (result.status, result.turn_number, result.events) == ("cancelled", 2, [])


def test_turn_stopped_before_sending_is_not_executed(peer, hosted):
    peer.records.add_run("Hello")
    cancelled = threading.Event()
    cancelled.set()

    with pytest.raises(NotExecutedError):
        first_turn(hosted, cancelled=cancelled).finish()
    assert peer.asked == []
    with pytest.raises(NotExecutedError):
        later_turn(hosted, cancelled=cancelled).finish()

    assert [run_input["command"] for run_input in peer.sent] == ["stop"]
    assert peer.records.runs[RUN]["status"] == "cancelled"
