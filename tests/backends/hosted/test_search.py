"""The search for a turn in the record: by client turn id, or by number and text."""

from __future__ import annotations

import time

import pytest

from debugger.backends.hosted import reconciliation
from debugger.errors import (
    ApiError,
    NotExecutedError,
    NotFoundError,
    OutcomeUnknownError,
    StaleTurnError,
)
from debugger.protocol.runs import SentTurn, TurnInput
from tests.backends.hosted.peer import backend_of, first_turn, later_turn
from tests.backends.hosted.records import RUN, WORKFLOW, Records, message_input, turn_events

OTHER = "665f0c2b9a3e4d5f6a7b8c99"


@pytest.fixture
def anonymous(peer):
    peer.records = Records(returns_ids=False)
    return peer


def test_turn_is_found_by_number_and_text(anonymous, hosted):
    anonymous.records.add_run("Hello", "Earlier", "More")
    anonymous.records.runs[RUN]["input_output_pairs"].pop()
    anonymous.answers(502, before=anonymous.executes)

    result = later_turn(hosted, "Earlier", number=3).finish()

    assert result.turn_number == 3


def test_turn_with_another_text_is_stale(anonymous, hosted):
    anonymous.records.add_run("Hello", "By another client")
    anonymous.answers(502)

    with pytest.raises(StaleTurnError):
        later_turn(hosted).finish()


def test_two_turns_with_the_text_are_ambiguous(anonymous, hosted):
    anonymous.records.add_run("Hello", "More")
    anonymous.answers(502, before=anonymous.executes)

    with pytest.raises(OutcomeUnknownError, match="More than one"):
        later_turn(hosted).finish()


def test_first_turn_is_found_by_text_and_time(anonymous, hosted):
    anonymous.records.add_run("Hello", run_id=OTHER, age=3600)
    anonymous.records.add_run("Goodbye", run_id=f"{7:024x}")
    anonymous.answers(502, before=anonymous.executes)

    assert first_turn(hosted).finish().run_id == RUN


def test_two_first_turns_with_the_text_are_ambiguous(anonymous, hosted):
    anonymous.records.add_run("Hello", run_id=OTHER)
    anonymous.answers(502, before=anonymous.executes)

    with pytest.raises(OutcomeUnknownError, match="More than one"):
        first_turn(hosted).finish()


def test_first_turn_skips_own_runs(anonymous, hosted):
    first_turn(hosted).finish()
    anonymous.answers(502)

    with pytest.raises(NotExecutedError):
        first_turn(hosted).finish()


def test_first_turn_is_searched_in_twenty_runs(anonymous):
    for number in range(30):
        anonymous.records.add_run("Goodbye", run_id=f"{number:024x}")
    anonymous.answers(502)

    with backend_of(anonymous, reconciliation_timeout=0.05) as backend, pytest.raises(ApiError):
        first_turn(backend).finish()

    paths = [asked["path"] for asked in anonymous.asked if asked["method"] == "GET"]
    lists = [path for path in paths if "?" in path]
    assert (len(paths) - 1 - len(lists)) / len(lists) <= reconciliation.MAX_RUNS
    assert all("size=20" in path and f"workflow_id={WORKFLOW}" in path for path in lists)


def test_turn_without_ids_is_found_by_text(peer):
    peer.records.add_run("Hello")
    peer.records.execute(message_input("More", miscellaneous={"client_turn_id": "of another client"}), RUN)
    peer.answers(502, before=peer.executes)
    with backend_of(peer, client_turn_ids=False) as backend:
        assert later_turn(backend).finish().turn_number == 3


def test_ids_are_learned_once(peer, hosted):
    """Once records have returned ids, a turn of the same text without one is another client's."""
    first_turn(hosted).finish()
    peer.answers(502, before=peer.executes)
    later_turn(hosted).finish()
    peer.records.execute(message_input("Again"), RUN)
    peer.answers(502)

    with pytest.raises(StaleTurnError):
        later_turn(hosted, "Again", number=3).finish()


def sent_turn(text="More", run_id=RUN, number=2, client_turn_id="mine"):
    given = TurnInput.with_message(text, command="data", miscellaneous={"client_turn_id": client_turn_id})
    return SentTurn(given, run_id, number, time.time())


def test_find_turn_reads_once_and_tells_the_state(peer, hosted):
    with pytest.raises(NotFoundError):
        hosted.find_turn(WORKFLOW, sent_turn())
    peer.records.add_run("Hello")
    sent = sent_turn()
    absent = hosted.find_turn(WORKFLOW, sent)
    peer.records.begin(sent.turn_input.to_wire(), RUN)
    running = hosted.find_turn(WORKFLOW, sent)
    of_another = hosted.find_turn(WORKFLOW, sent_turn(client_turn_id="other"))
    peer.records.finish(RUN)
    finished = hosted.find_turn(WORKFLOW, sent)
    stale = hosted.find_turn(WORKFLOW, sent_turn(client_turn_id="other"))

    assert (absent.state, absent.newer_turns, absent.is_run_busy) == ("absent", 0, False)
    assert (running.state, running.is_certain, running.is_run_busy) == ("running", True, True)
    assert (of_another.state, of_another.is_certain) == ("running", False)
    assert (finished.state, finished.result.turn_number, finished.run_id) == ("finished", 2, RUN)
    assert len(finished.record.turns) == 2
    assert (stale.state, stale.newer_turns) == ("absent", 1)
    assert peer.count("POST") == 0


def test_turn_without_output_yet_is_running(peer, hosted):
    peer.records.add_run("Hello")
    sent = sent_turn()
    peer.records.begin(sent.turn_input.to_wire(), RUN)
    peer.records.runs[RUN]["input_output_pairs"][-1] = {
        "run_input": sent.turn_input.to_wire(),
        "run_output": None,
    }

    assert hosted.find_turn(WORKFLOW, sent).state == "running"


def test_find_turn_finds_run_of_first_turn(peer, hosted):
    sent = sent_turn("Hello", None, 1)
    assert hosted.find_turn(WORKFLOW, sent).state == "absent"
    peer.records.execute(sent.turn_input.to_wire())
    peer.records.add_run("Hello", run_id=OTHER)

    found = hosted.find_turn(WORKFLOW, sent)

    assert (found.state, found.run_id, found.result.turn_number) == ("finished", RUN, 1)


def test_find_turn_raises_what_the_read_raises(peer, hosted):
    peer.answers(500)

    with pytest.raises(ApiError):
        hosted.find_turn(WORKFLOW, sent_turn())


def test_revision_follows_the_record(peer, hosted):
    peer.records.add_run("Hello")
    at_rest = hosted.revision(RUN)
    peer.records.begin(message_input("More"), RUN)
    pair = peer.records.runs[RUN]["input_output_pairs"][-1]
    pair["run_output"]["events"] = turn_events(RUN, 2)[:1]
    executing = hosted.revision(RUN)

    assert (at_rest.status, at_rest.record_length, at_rest.turn_number) == ("waiting_for_user_input", 1, None)
    assert (executing.status, executing.record_length) == ("running", 1)
    assert (executing.turn_number, executing.event_count) == (2, 1)


def test_first_turn_behind_newer_runs_is_unknown(peer, hosted):
    sent = sent_turn("Hello", None, 1)
    peer.records.execute(sent.turn_input.to_wire())
    for number in range(20):
        peer.records.add_run("Goodbye", run_id=f"{number:024x}")

    found = hosted.find_turn(WORKFLOW, sent)

    assert (found.state, found.outcome) == ("absent", "unknown")
    assert "20 newer runs" in found.doubt


@pytest.mark.parametrize("said", [["More"], "More", [{"messages": ["More"]}]])
def test_input_that_does_not_show_what_was_said_is_not_of_another_turn(anonymous, hosted, said):
    anonymous.records.add_run("Hello", "More")
    odd = {"0": {"node_run_inputs": said}}
    anonymous.records.runs[RUN]["input_output_pairs"][1]["run_input"]["thread_to_node_inputs"] = odd
    anonymous.answers(502)

    with pytest.raises(OutcomeUnknownError):
        later_turn(hosted).finish()
