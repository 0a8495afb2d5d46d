"""Evidence of a read of the record about a turn that is not in it: clocks, caches, lags, restarts."""

from __future__ import annotations

import threading
import time
from copy import deepcopy

import pytest

from debugger.errors import (
    NotExecutedError,
    OutcomeUnknownError,
    RunEndedError,
    StaleTurnError,
    TurnNotStoredError,
)
from debugger.protocol.runs import TurnInput
from tests.backends.hosted.peer import backend_of, first_turn, later_turn, serving
from tests.backends.hosted.records import KEY, RUN, WORKFLOW, Records, event, message_input, turn_events

OTHER = "665f0c2b9a3e4d5f6a7b8c99"
LOST = {"status": None, "raw": b""}


# Clocks


@pytest.mark.parametrize("returns_ids", [True, False])
@pytest.mark.parametrize("ahead", [-600, 600])
def test_clock_of_the_client_decides_nothing(peer, hosted, monkeypatch, ahead, returns_ids):
    peer.records = Records(returns_ids=returns_ids)
    peer.answers(**LOST, before=peer.executes)
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + ahead)

    stream = first_turn(hosted)

    assert stream.finish().run_id == RUN
    assert stream.progress.found.outcome == ("arrived" if returns_ids else "seems_arrived")


def test_clock_set_while_the_turn_is_executed_decides_nothing(peer, hosted, monkeypatch):
    now = time.time

    def execute(body):
        peer.executes(body)
        monkeypatch.setattr(time, "time", lambda: now() - 3600)

    peer.answers(**LOST, before=execute)

    assert first_turn(hosted).finish().run_id == RUN


def test_run_older_than_the_turn_is_not_its_run(peer, hosted):
    peer.records = Records(returns_ids=False)
    peer.records.add_run("Hello", run_id=OTHER, age=3600)
    peer.answers(**LOST)

    with pytest.raises(NotExecutedError):
        first_turn(hosted).finish()


def test_run_with_the_same_text_just_before_the_turn_is_asked_about(peer, hosted):
    peer.records = Records(returns_ids=False)
    peer.records.add_run("Hello", run_id=OTHER, age=30)
    peer.answers(**LOST)

    with pytest.raises(OutcomeUnknownError, match="More than one turn"):
        first_turn(hosted).finish()


def test_rows_passed_over_prove_nothing(peer, hosted):
    for number in range(20):
        peer.records.add_run("Goodbye", run_id=f"{number:024x}")
    peer.answers(**LOST)

    with pytest.raises(OutcomeUnknownError, match="20 newer runs"):
        first_turn(hosted).finish()


# Caches


def test_reads_ask_for_no_cached_answer(peer, hosted):
    peer.records.add_run("Hello")
    peer.answers(502, before=peer.executes)

    later_turn(hosted).finish()

    assert [asked["headers"].get("Cache-Control") for asked in peer.asked] == [None, "no-cache"]


def test_record_older_than_the_turn_proves_nothing(peer, hosted):
    peer.records.add_run("Hello")
    former = deepcopy(peer.records.record(RUN))
    peer.answers(502, before=peer.executes)
    peer.answers(body=former, Age="60")

    assert later_turn(hosted).finish().turn_number == 2
    assert peer.count("GET") == 2


def test_cache_that_stays_is_asked_about(peer, hosted):
    peer.records.add_run("Hello")
    former = deepcopy(peer.records.record(RUN))
    peer.answers(502, before=peer.executes)
    for _ in range(30):
        peer.answers(body=former, Age="60")

    with pytest.raises(OutcomeUnknownError, match="cache"):
        later_turn(hosted).finish()


def test_list_older_than_the_turn_proves_nothing(peer, hosted):
    peer.answers(502, before=peer.executes)
    peer.answers(body={"workflow_runs": [], "total": 0}, Age="60")

    assert first_turn(hosted).finish().run_id == RUN


def test_read_of_the_second_of_the_turn_proves_nothing(peer, hosted):
    """A gateway repeats a read for a second, and says so in no header."""
    peer.records.add_run("Hello")
    hosted.record(RUN)
    former = deepcopy(peer.records.record(RUN))
    peer.answers(503, before=peer.executes)
    peer.answers(body=former)

    assert later_turn(hosted).finish().turn_number == 2


def test_server_whose_date_stands_still_is_asked_about(peer, hosted):
    peer.is_frozen = True
    peer.records.add_run("Hello")
    hosted.record(RUN)
    peer.answers(404)

    with pytest.raises(OutcomeUnknownError, match="may be older than the turn"):
        later_turn(hosted).finish()


# Records that are late


def test_record_without_answered_turns_proves_nothing(peer, hosted):
    first_turn(hosted).finish()
    peer.answers(502, before=peer.executes)
    late = {**peer.records.record(RUN)["workflow_run"]["workflow_run"], "input_output_pairs": []}
    peer.answers(body={"workflow_run": late})

    assert later_turn(hosted).finish().turn_number == 2
    assert peer.count("POST") == 2


def test_lag_that_was_seen_is_waited_for(peer, hosted):
    first_turn(hosted).finish()
    time.sleep(0.3)
    late = {**peer.records.record(RUN)["workflow_run"]["workflow_run"], "input_output_pairs": []}
    peer.answers(body={"workflow_run": late})
    hosted.revision(RUN)  # it lacks the turn that was answered 0.3 s ago
    given = []
    peer.answers(502, before=given.append)
    threading.Timer(0.4, lambda: peer.executes(given[0])).start()

    assert later_turn(hosted).finish().turn_number == 2


# Servers that were not there


def test_server_that_was_away_may_have_forgotten_the_turn(monkeypatch):
    monkeypatch.setattr("debugger.backends.hosted.turns.RESEND_WAIT", 0.02)
    with serving() as peer:
        peer.records.add_run("Hello")
        port, records = peer.server_port, peer.records
        stop = threading.Thread(target=peer.shutdown)

        def leave(_body):
            stop.start()
            stop.join()
            peer.server_close()

        peer.answers(**LOST, before=leave)
        with backend_of(peer, reconciliation_timeout=1.5) as backend:
            stream = later_turn(backend)
            outcome = []

            def execute():
                try:
                    outcome.append(stream.finish())
                except OutcomeUnknownError as error:
                    outcome.append(error)

            worker = threading.Thread(target=execute)
            worker.start()
            stop_seen = time.monotonic() + 5
            while stream.progress.sent is None or not stream.progress.sent.is_doubtful:
                assert time.monotonic() < stop_seen
                time.sleep(0.01)
            with serving(port) as back:
                back.records = records
                worker.join(10)
                found = backend.find_turn(WORKFLOW, stream.progress.sent)

    assert "out of reach" in str(outcome[0])
    assert (found.state, found.outcome) == ("absent", "unknown")


def test_reads_that_break_twice_are_those_of_a_server_that_is_away(peer, hosted):
    """A proxy closes each connection while its server is away."""
    peer.records.add_run("Hello")
    for _ in range(3):
        peer.answers(**LOST)
    stream = later_turn(hosted)

    with pytest.raises(OutcomeUnknownError, match="out of reach"):
        stream.finish()

    assert hosted.find_turn(WORKFLOW, stream.progress.sent).outcome == "unknown"


@pytest.mark.parametrize("checks", [True, False])
def test_request_without_an_answer_in_time_may_be_on_its_way(peer, checks):
    peer.records.add_run("Hello")
    peer.checks_numbers = checks
    with backend_of(peer, timeout=1) as backend:
        backend.record(RUN)
        peer.answers(hold=True)
        with pytest.raises(NotExecutedError if checks else OutcomeUnknownError):
            later_turn(backend).finish()


@pytest.mark.parametrize("fault", [LOST, {"status": 502}, {"status": 401}])
def test_turn_that_its_server_could_not_store_is_asked_about(peer, hosted, fault):
    """It had called something when its process ended: the record names it apart from the turns."""
    call = {"target": "POST https://shop.example/orders", "call_class": "write"}

    def interrupt(body):
        name = body["run_input"]["miscellaneous"]["client_turn_id"]
        peer.records.runs[RUN]["unfinished_turns"] = ["odd", {"client_turn_id": name, "calls": [call]}]

    peer.records.add_run("Hello")
    peer.answers(**fault, before=interrupt)
    stream = later_turn(hosted)

    with pytest.raises(TurnNotStoredError) as raised:
        stream.finish()

    assert raised.value.calls == (call,)
    found = hosted.find_turn(WORKFLOW, stream.progress.sent)
    assert (found.outcome, found.calls) == ("unstored", (call,))


def test_turn_begun_after_the_gateway_gave_up_is_found(peer):
    peer.records.add_run("Hello")
    given = []
    peer.answers(504, before=given.append)
    with backend_of(peer, reconciliation_timeout=5) as backend:
        threading.Timer(0.3, lambda: peer.executes(given[0])).start()

        assert later_turn(backend).finish().turn_number == 2


# First turns


def test_run_that_hangs_hides_no_other(peer, hosted):
    peer.records = Records(returns_ids=False)
    peer.records.add_run(run_id=OTHER, age=30, status="running")
    peer.answers(**LOST, before=peer.executes)

    assert first_turn(hosted).finish().run_id == RUN


def test_first_turn_in_two_runs_is_reported(peer, hosted):
    def execute_twice(body):
        peer.executes(body)
        peer.executes(body)

    peer.answers(**LOST, before=execute_twice)
    stream = first_turn(hosted)
    stream.finish()

    assert stream.progress.found.outcome == "executed_twice"
    assert stream.progress.found.run_ids == (RUN, f"{1:024x}")
    assert stream.run_id == RUN


@pytest.mark.parametrize("returns_ids", [True, False])
def test_answer_with_another_message_is_not_believed(peer, hosted, returns_ids):
    peer.records = Records(returns_ids=returns_ids)
    peer.records.add_run("Bonjour", run_id=OTHER)
    said = event("user_messages", "said", messages=[{"type": "human", "content": "Bonjour"}])

    def answer(body):
        peer.executes(body)
        foreign = peer.records.answer(OTHER)
        return {**foreign, "events": [said, *foreign["events"]]}

    peer.answers(body=answer)

    assert first_turn(hosted).finish().run_id == RUN


def test_answer_that_repeats_the_message_needs_no_look(peer, hosted):
    said = event("user_messages", "said", messages=[{"type": "human", "content": "Hello"}])
    peer.answers(body=lambda body: (answer := peer.executes(body)) | {"events": [said, *answer["events"]]})

    first_turn(hosted).finish()

    assert peer.count("GET") == 0


def test_own_turn_behind_another_client_s_of_the_same_text(peer, hosted):
    """The answer names the number: the record alone could not tell the two apart."""
    peer.records = Records(returns_ids=False)
    peer.records.add_run("Hello")
    said = event("user_messages", "said", messages=[{"type": "human", "content": "More"}])

    def answer(body):
        peer.records.execute(message_input("More"), RUN)
        ours = peer.executes(body)
        return {**ours, "events": [said, *ours["events"]]}

    peer.answers(body=answer)
    stream = later_turn(hosted)

    assert stream.finish().turn_number == 3
    assert stream.result.events == [said, *turn_events(RUN, 3)]
    assert KEY not in str(stream.result)


# Texts as servers keep them


@pytest.mark.parametrize(
    ("text", "stored"),
    [("a\r\nb", "a\nb"), ("a  b", "a b"), ("cafe\u0301", "caf\u00e9")],
    ids=["lines", "blanks", "accents"],
)
def test_text_that_the_server_normalises_is_not_denied(peer, hosted, text, stored):
    peer.records = Records(returns_ids=False)
    peer.records.add_run("Hello")
    peer.answers(502, before=lambda _: peer.records.execute(message_input(stored), RUN))

    assert later_turn(hosted, text).finish().turn_number == 2


@pytest.mark.parametrize("text", ["More", ""])
def test_text_that_only_the_events_have_is_found(peer, hosted, text):
    peer.records = Records(returns_ids=False)
    peer.records.add_run("Hello")

    def execute(_):
        peer.records.execute({"command": "data"}, RUN)
        said = event("user_messages", "said", messages=[{"type": "human", "content": "More"}])
        peer.records.runs[RUN]["input_output_pairs"][-1]["run_output"]["events"].insert(0, said)

    peer.answers(502, before=execute)

    if text:
        assert later_turn(hosted, text).finish().turn_number == 2
    else:
        with pytest.raises(StaleTurnError):
            later_turn(hosted, text).finish()


@pytest.mark.parametrize("said", [("one",), ("one", "two"), ("one\ntwo",)], ids=["first", "each", "joined"])
def test_turn_with_two_messages_is_believed(peer, hosted, said):
    def both(body):
        answer = peer.executes(body)
        texts = [event("user_messages", text, messages=[{"type": "human", "content": text}]) for text in said]
        return {**answer, "events": texts + answer["events"]}

    peer.answers(body=both)
    inputs = [{"messages": [{"type": "human", "content": text}]} for text in ("one", "two")]
    threads = {"0": {"node_run_inputs": inputs}}

    stream = hosted.execute(
        WORKFLOW, TurnInput.from_wire({"command": "start", "thread_to_node_inputs": threads})
    )

    assert stream.finish().run_id == RUN
    assert stream.progress.found is None


def test_first_turn_without_a_message_needs_no_right_to_read(peer, hosted):
    peer.answers(body=peer.executes)
    for _ in range(40):
        peer.answers(403)

    assert hosted.execute(WORKFLOW, TurnInput()).finish().run_id == RUN
    assert peer.count("GET") == 2


# Commands and threads


def test_stop_that_is_no_turn_shows_no_lag(peer, hosted):
    first_turn(hosted).finish()
    peer.answers(body=lambda body: {**peer.executes(body), "turn_number": 2})
    stop = TurnInput(command="stop")
    hosted.execute(WORKFLOW, stop, run_id=RUN, expected_turn_number=2).finish()
    time.sleep(1.2)  # dates have whole seconds
    hosted.revision(RUN)
    time.sleep(1.2)
    peer.records.add_run("Hello", run_id=OTHER)
    peer.answers(502)
    peer.asked.clear()
    more = TurnInput.with_message("More", command="data")

    with pytest.raises(NotExecutedError):
        hosted.execute(WORKFLOW, more, run_id=OTHER, expected_turn_number=2).finish()

    assert peer.count("GET") == 1


def test_events_of_no_thread_are_in_any_order(peer, hosted):
    peer.records.add_run("Hello")

    def parallel(body):
        answer = peer.executes(body)
        shown = [
            event("workflow_show_state", f"s{at}", timestamp=at) | {"origin_thread_id": None}
            for at in (2.0, 1.0)
        ]
        return {**answer, "events": shown + answer["events"]}

    peer.answers(body=parallel)

    later_turn(hosted).finish()

    assert peer.count("GET") == 0


# Turns without a message


def test_run_that_another_client_started_without_a_message_is_asked_about(peer, hosted):
    peer.records = Records(returns_ids=False)
    peer.answers(**LOST, before=lambda _: peer.records.execute({"command": "start"}, OTHER))

    with pytest.raises(OutcomeUnknownError):
        hosted.execute(WORKFLOW, TurnInput()).finish()


def test_turn_of_another_command_without_a_message_is_not_ours(peer, hosted):
    peer.records = Records(returns_ids=False)
    peer.records.add_run("Hello")
    peer.answers(502, before=lambda _: peer.records.execute({"command": "data"}, RUN))
    resume = TurnInput(command="resume")

    with pytest.raises(StaleTurnError):
        hosted.execute(WORKFLOW, resume, run_id=RUN, expected_turn_number=2).finish()


# What a run costs that is over, or whose record lost a turn


@pytest.mark.parametrize("status", ["cancelled", "completed"])
def test_ended_run_is_told_of_at_once(peer, status):
    with backend_of(peer, reconciliation_timeout=5) as hosted:
        first_turn(hosted).finish()
        peer.records.runs[RUN]["status"] = status
        peer.answers(404, body={"detail": "Session not found"})
        reads = peer.count("GET")

        with pytest.raises(RunEndedError):
            later_turn(hosted).finish()

    assert peer.count("GET") == reads + 1


def test_record_that_lost_a_turn_for_good_shows_no_lag(peer, hosted):
    first_turn(hosted).finish()
    later_turn(hosted).finish()
    peer.records.runs[RUN]["input_output_pairs"].pop()
    hosted.revision(RUN)
    hosted.revision(RUN)

    assert hosted._reconciliation._check.longest_lag == 0
