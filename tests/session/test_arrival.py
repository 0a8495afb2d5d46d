"""Messages that have arrived although their answers were lost, and answers that the record completes."""

from __future__ import annotations

from copy import deepcopy

import pytest

from debugger.protocol.runs import TurnInput
from debugger.session.session import DebugSession
from tests.backends.hosted.peer import backend_of, serving
from tests.backends.hosted.records import RUN, WORKFLOW, Records, event, message_input, turn_events


@pytest.fixture
def peer():
    with serving() as peer:
        yield peer


@pytest.fixture
def hosted(peer):
    with backend_of(peer) as backend:
        yield backend


def started(hosted):
    session = DebugSession(hosted, WORKFLOW)
    session.start(TurnInput.with_message("Hello"))
    assert session.wait_until_idle(10)
    look(session)
    return session


def send(session, text):
    session.send(text)
    assert session.wait_until_idle(10)


def look(session):
    session.check_now()
    assert session.wait_for_record(10)
    assert session.wait_until_idle(10)


def load(session):
    session.load_newer()
    assert session.wait_for_record(10)


def refused(peer, session, text):
    """Let a message be refused by a gateway, and be offered again."""
    peer.answers(502)
    send(session, text)
    assert session.unsent_message == text


def ids(session):
    return [[event.logical_id for event in turn.events] for turn in session.turns]


def expected(*numbers):
    return [[event["logical_id"] for event in turn_events(RUN, number)] for number in numbers]


def test_unsent_message_that_was_late_is_found_by_its_id(peer, hosted):
    session = started(hosted)
    given = []
    peer.answers(502, before=given.append)
    send(session, "More")

    peer.executes(given[0])
    load(session)

    assert (session.unsent_message, session.error) == ("", None)
    assert session.notice.endswith("the record has it as turn 2.")
    assert [turn.message for turn in session.turns] == ["Hello", "More"]


def test_unsent_message_that_was_late_is_found_at_the_next_look(peer, hosted):
    session = started(hosted)
    given = []
    peer.answers(502, before=given.append)
    send(session, "More")

    peer.executes(given[0])
    look(session)

    assert (session.unsent_message, session.sync.newer_turns) == ("", 0)
    assert [turn.message for turn in session.turns] == ["Hello", "More"]


def test_unsent_message_is_found_behind_a_turn_of_another_client(peer, hosted):
    session = started(hosted)
    given = []
    peer.answers(502, before=given.append)
    send(session, "More")

    peer.records.execute(message_input("By another client"), RUN)
    load(session)
    assert session.unsent_message == "More"
    peer.executes(given[0])
    load(session)

    assert session.unsent_message == ""
    assert session.arrival.turn_numbers == (3,)


def test_unsent_message_keeps_its_id_whatever_was_loaded(peer, hosted):
    session = started(hosted)
    refused(peer, session, "More")
    peer.records.execute(message_input("By another client"), RUN)
    load(session)

    send(session, "More")

    first, second = [run_input["miscellaneous"]["client_turn_id"] for run_input in peer.sent[1:]]
    assert first == second
    assert [turn.message for turn in session.turns] == ["Hello", "By another client", "More"]


def test_another_message_has_another_id(peer, hosted):
    session = started(hosted)
    refused(peer, session, "More")

    send(session, "Something else")
    send(session, "More")

    assert len({run_input["miscellaneous"]["client_turn_id"] for run_input in peer.sent}) == 4


def test_message_without_ids_seems_to_have_arrived(peer, hosted):
    peer.records = Records(returns_ids=False)
    session = started(hosted)
    given = []
    peer.answers(502, before=given.append)
    send(session, "More")

    peer.executes(given[0])
    load(session)

    assert session.unsent_message == ""
    assert "seems to have arrived as turn 2" in session.notice
    assert session.arrival.is_restorable


def test_lost_answer_without_ids_seems_to_have_arrived(peer, hosted):
    peer.records = Records(returns_ids=False)
    session = started(hosted)
    peer.answers(502, before=peer.executes)

    send(session, "More")

    assert "seems to have arrived as turn 2" in session.notice
    assert (session.arrival.is_restorable, session.error) == (True, None)
    send(session, "And more")
    assert (session.arrival, session.notice) == (None, "")


def test_same_text_before_the_number_is_another_turn(peer, hosted):
    peer.records = Records(returns_ids=False)
    session = started(hosted)

    refused(peer, session, "Hello")

    assert session.arrival is None


def test_turn_executed_twice_is_reported(peer, hosted):
    def execute_twice(body):
        peer.executes(body)
        peer.executes(body)

    session = started(hosted)
    peer.answers(502, before=execute_twice)

    send(session, "More")

    assert session.notice == "The message was executed twice, as turns 2 and 3."
    assert [turn.message for turn in session.turns] == ["Hello", "More", "More"]


def test_message_rejected_since_is_not_the_one_that_arrived(peer, hosted):
    session = started(hosted)
    given = []
    peer.answers(502, before=given.append)
    send(session, "More")
    peer.executes(given[0])
    late = peer.records.runs[RUN]["input_output_pairs"].pop()
    peer.records.runs[RUN]["status"] = "completed"
    look(session)
    session.send("Something else")

    peer.records.runs[RUN]["input_output_pairs"].append(late)
    load(session)

    assert (session.unsent_message, session.arrival) == ("Something else", None)


# Answers and the record


def test_answer_without_its_closing_event_is_read_from_the_record(peer, hosted):
    session = started(hosted)
    peer.answers(body=lambda body: {**peer.executes(body), "events": turn_events(RUN, 2)[:1]})

    send(session, "More")

    assert ids(session) == expected(1, 2)
    assert session.error is None


@pytest.mark.parametrize("order", [[0, 1, 2, 2, 3], [0, 1, 1, 2, 3]], ids=["last", "middle"])
def test_answer_with_repeated_events_is_read_from_the_record(peer, hosted, order):
    session = started(hosted)
    events = turn_events(RUN, 2)
    peer.answers(body=lambda body: {**peer.executes(body), "events": [events[place] for place in order]})

    send(session, "More")

    assert ids(session) == expected(1, 2)


def test_answer_that_lacks_an_event_is_completed_at_the_next_look(peer, hosted):
    session = started(hosted)
    said, *rest = turn_events(RUN, 2)
    peer.answers(body=lambda body: {**peer.executes(body), "events": rest})
    send(session, "More")
    assert ids(session)[1] == [event["logical_id"] for event in rest]

    look(session)

    assert ids(session) == expected(1, 2)
    assert session.turns[1].events[0].content == said["content"]
    assert session.notice == ""


def test_record_that_lacks_an_event_takes_none_away(peer, hosted):
    session = started(hosted)
    said, *rest = turn_events(RUN, 2)
    extra = event("assistant_response", "extra", content="One more thing")
    peer.answers(body=lambda body: {**peer.executes(body), "events": [said, extra, *rest]})
    send(session, "More")

    look(session)

    assert ids(session)[1] == [said["logical_id"], "event_extra", *[each["logical_id"] for each in rest]]
    assert "The record differs" in session.notice
    assert "turn 2" in session.notice
    look(session)
    assert session.notice.count("The record differs") == 1


def test_late_record_takes_no_turn_away(peer, hosted):
    session = started(hosted)
    late = deepcopy(peer.records.record(RUN))
    send(session, "More")

    for _ in range(3):
        peer.answers(body=late)
        load(session)

    assert ids(session) == expected(1, 2)
    load(session)
    assert ids(session) == expected(1, 2)


def test_send_again_keeps_the_id(peer, hosted):
    session = started(hosted)
    peer.answers(502, before=peer.executes)
    for _ in range(40):
        peer.answers(500)
    send(session, "More")
    assert session.pending is not None
    peer.script.clear()

    session.send_again()
    assert session.wait_until_idle(10)

    first, second = [run_input["miscellaneous"]["client_turn_id"] for run_input in peer.sent[1:]]
    assert first == second
    assert session.notice == "The message was executed twice, as turns 2 and 3."


@pytest.mark.parametrize("status", [403, 500])
def test_incomplete_answer_is_shown_where_the_record_cannot_be_read(peer, hosted, status):
    session = started(hosted)
    peer.answers(body=lambda body: {**peer.executes(body), "events": turn_events(RUN, 2)[:1]})
    for _ in range(40):
        peer.answers(status)

    send(session, "More")

    assert ids(session)[1] == expected(2)[0][:1]
    assert session.error is None


def test_frame_events_that_the_record_leaves_out_are_no_difference(peer, hosted):
    session = started(hosted)
    send(session, "More")
    pair = peer.records.runs[RUN]["input_output_pairs"][1]
    pair["run_output"] = {"events": pair["run_output"]["events"][:2]}

    look(session)

    assert session.notice == ""
    assert ids(session) == expected(1, 2)


def test_turn_whose_text_the_record_has_otherwise_is_compared_once(peer, hosted):
    session = started(hosted)
    send(session, "More")
    peer.records.runs[RUN]["input_output_pairs"][1]["run_input"] = message_input("MORE")
    look(session)
    peer.asked.clear()

    look(session)

    assert session.sync.unconfirmed == []
    assert ids(session) == expected(1, 2)


def test_answer_that_the_record_completes_was_not_lost(peer, hosted):
    session = started(hosted)
    peer.answers(body=lambda body: {**peer.executes(body), "events": turn_events(RUN, 2)[:1]})

    send(session, "More")

    assert (session.notice, session.arrival) == ("", None)


def test_turn_that_is_sent_again_keeps_its_id(peer, hosted):
    session = started(hosted)
    peer.answers(502)
    for _ in range(40):
        peer.answers(500)
    send(session, "More")
    assert session.pending is not None
    peer.script.clear()

    session.send_again()
    assert session.wait_until_idle(10)

    first, second = [run_input["miscellaneous"]["client_turn_id"] for run_input in peer.sent[1:]]
    assert first == second
    assert [turn.message for turn in session.turns] == ["Hello", "More"]


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("status", ["paused", "waiting_for_user_input"])
def test_pause_need_not_count_as_a_turn(peer, hosted, status, number):
    session = started(hosted)

    def pause(_):
        peer.records.runs[RUN]["status"] = status
        return {**peer.records.answer(RUN), "events": [], "turn_number": number}

    peer.answers(body=pause)
    peer.asked.clear()

    session.send_command("pause")
    assert session.wait_until_idle(10)
    assert session.wait_for_record(10)

    assert (session.error, session.status) == (None, status)
    assert peer.count("GET") == 1  # the turns that it has ended, if any
    assert [turn.message for turn in session.turns] == ["Hello"]
    session.send_command("resume")
    assert session.wait_until_idle(10)
    assert (session.error, session.turns[-1].number) == (None, 2)


def test_record_that_is_shown_anew_takes_no_event_away(peer, hosted):
    session = started(hosted)
    said, *rest = turn_events(RUN, 2)
    extra = event("assistant_response", "extra", content="One more thing")
    peer.answers(body=lambda body: {**peer.executes(body), "events": [said, extra, *rest]})
    send(session, "More")
    shown = ids(session)
    session.sync.known_length = None

    look(session)

    assert ids(session) == shown
    assert session.notice.count("The record differs") == 1
    session.sync.known_length = None
    look(session)
    assert ids(session) == shown
