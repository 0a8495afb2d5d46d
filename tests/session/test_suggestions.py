from __future__ import annotations

from debugger.session.suggestions import MOST_LINES, next_lines

BOOKING = ("I'd like to book.", "Tuesday.", "Yes.")
HUMAN = ("I'd like to book.", "A human, please.")
BILL = ("A question about my bill.",)


def test_at_first_every_conversation_offers_its_beginning_once():
    assert next_lines([BOOKING, HUMAN, BILL], []) == ["I'd like to book.", "A question about my bill."]


def test_only_conversations_that_have_gone_like_this_go_on():
    assert next_lines([BOOKING, HUMAN, BILL], ["I'd like to book."]) == ["Tuesday.", "A human, please."]
    assert next_lines([BOOKING, HUMAN, BILL], ["I'd like to book.", "Tuesday."]) == ["Yes."]


def test_a_talk_that_has_left_them_all_gets_no_suggestion():
    assert next_lines([BOOKING, HUMAN], ["Something else."]) == []


def test_a_conversation_at_its_end_offers_nothing():
    assert next_lines([BILL], list(BILL)) == []


def test_no_more_lines_than_fit():
    assert len(next_lines([(f"line {place}",) for place in range(9)], [])) == MOST_LINES
