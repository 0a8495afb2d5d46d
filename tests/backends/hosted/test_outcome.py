"""The table that decides whether a turn was executed, row by row."""

from __future__ import annotations

from typing import get_args

import pytest

from debugger.backends.base import FoundTurn
from debugger.backends.hosted.outcome import AnswerState, RecordState, classify_status, decide, record_state
from debugger.protocol.runs import Run
from debugger.protocol.turn_logs import LazyRun

FIELDS = {"detail": [{"loc": ["body", "run_input"], "msg": "bad", "type": "x"}]}
BOTH = {"message": "Invalid fork", "error": "one edge only"}
SESSION = {"detail": "Session not found"}
STALE = {"detail": "turn 2 is taken", "reason": "stale_turn"}
START = {"detail": "No start node found in the workflow"}


# Which answers are believed: status x body x first turn, later turn of an unknown run, of a known run


@pytest.mark.parametrize("sent", ["first", "later", "known"])
@pytest.mark.parametrize(
    "status, body, states",
    [
        (301, None, "failed"),
        (307, {}, "failed"),
        (400, BOTH, "refused"),
        (400, {"message": "Bad Request"}, "failed"),
        (400, {"error": "bad"}, "failed"),
        (400, {"message": "", "error": ""}, "failed"),
        (400, {"detail": "Bad Request"}, "failed"),
        (400, None, "failed"),
        (401, {"detail": "Key expired"}, "denied"),
        (401, None, "denied"),
        (403, {"message": "Forbidden"}, "denied"),
        (403, None, "denied"),
        (404, SESSION, ("failed", "refused", "failed")),
        (404, {"detail": "Workflow not found"}, "failed"),
        (404, {"message": "no Route matched with those values"}, "failed"),
        (404, None, "failed"),
        (405, {"detail": "Method Not Allowed"}, "failed"),
        (408, None, "failed"),
        (409, STALE, "conflict"),
        (409, {"detail": "busy", "reason": "turn_in_progress"}, "conflict"),
        (409, {"detail": "The turn ran.", "reason": "turn_not_stored", "calls": []}, "refused"),
        (409, {"detail": "busy"}, "failed"),
        (409, {"reason": "of a gateway"}, "failed"),
        (409, None, "failed"),
        (413, None, "failed"),
        (422, FIELDS, "refused"),
        (422, {"detail": []}, "failed"),
        (422, {"detail": ["bad"]}, "failed"),
        (422, {"detail": "bad"}, "failed"),
        (422, None, "failed"),
        (429, {"detail": "Slow down"}, "denied"),
        (429, None, "denied"),
        (431, None, "failed"),
        (500, START, "refused"),
        (500, {"detail": "Internal server error"}, "failed"),
        (500, None, "failed"),
        (501, {"detail": "Not here"}, "failed"),
        (502, BOTH, "failed"),
        (503, FIELDS, "failed"),
        (504, SESSION, "lost"),
        (504, None, "lost"),
        (599, [1], "failed"),
    ],
)
def test_status_is_believed_in_the_words_of_the_api(status, body, states, sent):
    place = ("first", "later", "known").index(sent)
    expected = states if isinstance(states, str) else states[place]

    state = classify_status(status, body, has_started=sent != "first", uses_known_run=sent == "known")

    assert state == expected


# What answer and record mean together: the step after a read / once the usual time is over

ROWS = """
answer       holds    seems          twice           unstored         ambiguous        executing
             busy                    at_rest                 newer           over             gone
             behind                  unread          denied
failed       arrived  seems_arrived  executed_twice  unstored         unknown          read_on/unknown
             read_on/unknown         not_executed            stale           over             over
             read_on/unknown         read_on/unknown read_on/unknown
lost         arrived  seems_arrived  executed_twice  unstored         unknown          read_on/unknown
             read_on/unknown         read_on/not_executed    read_on/stale   read_on/over     over
             read_on/unknown         read_on/unknown read_on/unknown
interrupted  arrived  seems_arrived  executed_twice  unstored         unknown          read_on/unknown
             read_on/unknown         read_on/unknown         read_on/unknown read_on/over     over
             read_on/unknown         read_on/unknown read_on/unknown
denied       arrived  seems_arrived  executed_twice  unstored         unknown          read_on/unknown
             read_on/unknown         refused                 refused         refused          refused
             read_on/unknown         read_on/unknown refused
conflict     arrived  seems_arrived  executed_twice  unstored         unknown          read_on/in_progress
             read_on/in_progress     send_again/in_progress  stale           over             over
             read_on/in_progress     read_on/in_progress read_on/in_progress
incomplete   arrived  arrived        executed_twice  unstored         as_answered      read_on/as_answered
             read_on/as_answered     read_on/as_answered     read_on/as_answered
             read_on/as_answered     as_answered
             read_on/as_answered     read_on/as_answered as_answered
refused      refused  refused        refused         refused          refused          refused
             refused                 refused                 refused         refused          refused
             refused                 refused         refused
unsent       send_again send_again   send_again      send_again       send_again       send_again
             send_again              send_again              send_again      send_again       send_again
             send_again              send_again      send_again
"""


def table():
    words = ROWS.split()
    width = len(get_args(RecordState))
    records, rows = words[1 : width + 1], words[width + 1 :]
    for start in range(0, len(rows), width + 1):
        answer, *cells = rows[start : start + width + 1]
        for record, cell in zip(records, cells, strict=True):
            first, _, last = cell.partition("/")
            yield answer, record, first, last or first


@pytest.mark.parametrize("answer, record, first, last", list(table()))
def test_decide(answer, record, first, last):
    assert decide(answer, record, waited=False) == first
    assert decide(answer, record, waited=True) == last


def test_table_has_every_row():
    rows = {(answer, record) for answer, record, _, _ in table()}

    assert rows == {(answer, record) for answer in get_args(AnswerState) for record in get_args(RecordState)}


@pytest.mark.parametrize("record", get_args(RecordState))
def test_nothing_is_sent_again_by_itself_once_it_may_have_been_executed(record):
    for answer in ("failed", "lost", "interrupted", "denied", "incomplete"):
        for waited in (False, True):
            assert decide(answer, record, waited=waited) != "send_again"


# What a read of the record shows


def record_of(status):
    return LazyRun.of(Run(workflow_run_id="1" * 24, workflow_id="2" * 24, status=status))


@pytest.mark.parametrize(
    "found, state",
    [
        (FoundTurn("finished", is_certain=True), "holds"),
        (FoundTurn("finished"), "seems"),
        (FoundTurn("repeated", is_certain=True), "twice"),
        (FoundTurn("ambiguous"), "ambiguous"),
        (FoundTurn("unstored", is_certain=True), "unstored"),
        (FoundTurn("running", is_certain=True), "executing"),
        (FoundTurn("running", newer_turns=1), "busy"),
        (FoundTurn("absent"), "at_rest"),
        (FoundTurn("absent", newer_turns=2), "newer"),
        (FoundTurn("absent", record=record_of("completed"), newer_turns=1), "newer"),
        (FoundTurn("absent", record=record_of("completed")), "over"),
        (FoundTurn("absent", record=record_of("waiting_for_user_input")), "at_rest"),
        (FoundTurn("absent", record=record_of("completed"), doubt="It is old."), "over"),
        (FoundTurn("absent", record=record_of("waiting_for_user_input"), doubt="It is old."), "behind"),
    ],
)
def test_record_state(found, state):
    assert record_state(found) == state
