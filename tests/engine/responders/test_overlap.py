from __future__ import annotations

import pytest

from debugger.engine.responders.overlap import overlap


@pytest.mark.parametrize(
    ("message", "condition"),
    [
        ("I'd like to book an appointment", "caller wants to book an appointment"),
        ("booking appointments", "caller wants to book an appointment"),
        ("book it", "caller wants to book an appointment"),
        ("please cancel it", "wants to reschedule or cancel an appointment"),
        ("What are your opening hours?", "The caller asks about opening hours, the address or parking"),
        ("where can I park", "The caller asks about opening hours, the address or parking"),
        ("I do not want to book", "caller does not want to book an appointment"),
        ("I don't need an appointment", "caller does not want to book an appointment"),
        ("I have no insurance", "caller has no insurance"),
        ("No", "caller does not want the slot"),
        ("no, thanks", "the slot is not wanted"),
        ("nope", "the caller says no"),
        ("I don't agree", "the caller declines the offer"),
        ("Yes, please", "The caller confirms the appointment"),
        ("that's all, nothing else", "The caller needs nothing else"),
        ("I'm not coming on Friday. Cancel my appointment", "wants to cancel an appointment"),
        ("I don't want tea, but coffee", "guest wants coffee"),
        ("can you help me?", "the caller asks for help"),
        ("a new membership with the silver plan", "The user has indicated interest in a new silver plan"),
    ],
)
def test_a_message_meets_a_condition(message, condition):
    assert overlap(message, condition).is_met


@pytest.mark.parametrize(
    ("message", "condition"),
    [
        ("I do not want to book an appointment", "caller wants to book an appointment"),
        ("I want to book an appointment", "caller does not want to book an appointment"),
        ("I want an appointment", "the caller wants no appointment"),
        ("I have insurance", "caller is not insured or has no insurance"),
        ("I have no insurance", "caller has insurance"),
        ("I want to book", "caller isn't ready to book"),
        ("I want coffee", "does not want tea or coffee"),
        ("I don't want to cancel", "caller does not want to book"),
        ("No", "caller wants to book"),
        ("No, book it for Monday", "caller does not want the slot"),
        ("Yes, please", "The caller declines the appointment"),
        ("I have a question about parking", "caller has a question about a bill"),
        ("tell me about the plan", "The user has indicated interest in a new silver plan"),
        ("", "caller wants to book"),
        ("hello there", ""),
        ("the of and", "the of and"),
    ],
)
def test_a_message_does_not_meet_a_condition(message, condition):
    assert not overlap(message, condition).is_met


def test_the_alternative_that_is_met_best_counts():
    found = overlap("cancel my appointment", "wants to move an appointment or cancel an appointment")

    assert found.shared == ("cancel", "appointment")
    assert found.total == 2


def test_an_overlap_says_which_words_decided():
    found = overlap("I would book", "caller wants to book an appointment")

    assert str(found) == "'book' of the condition 'caller wants to book an appointment' (1 of 2 words)"


def test_a_plain_no_is_told_as_what_it_is():
    found = overlap("No, thank you.", "caller does not want the slot")

    assert str(found) == "a plain no, which fits the condition 'caller does not want the slot'"
