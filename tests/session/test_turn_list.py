from __future__ import annotations

from debugger.protocol.events import AssistantResponseEvent, WaitingEvaluationBoundaryEvent
from debugger.protocol.runs import TurnInput, TurnLog
from debugger.session.turn_list import TurnList


def test_background_work_is_shown_once_something_happens_in_it():
    book = TurnList()
    turn = book.new_turn(TurnInput.saying("Hello"))
    step = book.new_step()
    before = book.logs

    book.add(step, AssistantResponseEvent(content="Bye"))

    assert before == [turn]
    assert [(log.number, log.is_background) for log in book.logs] == [(1, False), (1, True)]


def test_what_no_record_tells_of_is_not_shown():
    book = TurnList()
    step = book.new_step()

    book.add(step, WaitingEvaluationBoundaryEvent(edges_evaluated=1))

    assert book.logs == []
    assert step.events == []


def test_a_turn_that_begins_during_background_work_stands_after_it():
    book = TurnList()
    book.new_turn(TurnInput.saying("Hello"))
    step = book.new_step()

    book.new_turn(TurnInput.saying("Wait!"), after=step)
    book.add(step, AssistantResponseEvent(content="Bye"))

    assert [(log.number, log.is_background, len(log.events)) for log in book.logs] == [
        (1, False, 0),
        (1, True, 1),
        (2, False, 0),
    ]


def test_only_the_log_itself_is_forgotten_and_not_one_that_is_equal():
    book = TurnList()
    first = book.new_turn(TurnInput())
    step = book.new_step()
    twin = book.new_step()
    book.new_turn(TurnInput(), after=step)
    book.add(twin, AssistantResponseEvent(logical_id="a"))
    book.add(step, AssistantResponseEvent(logical_id="a"))

    book.remove(twin)

    assert book.logs[0] is first
    assert any(log is step for log in book.logs)
    assert not any(log is twin for log in book.logs)


def test_events_are_counted_while_turns_grow_come_and_go():
    said = AssistantResponseEvent(content="Hello")
    book = TurnList([TurnLog(1, TurnInput(), [said, said])])
    counts = [book.event_count]

    for _ in range(3):
        turn = book.new_turn(TurnInput())
        book.add(turn, said)
        counts.append(book.event_count)
        book.add(turn, said)
        counts.append(book.event_count)
    book.remove(turn)

    assert [*counts, book.event_count] == [2, 3, 4, 5, 6, 7, 8, 6]
