from __future__ import annotations

import pytest

from debugger.engine.models.word_overlap import Word, clauses, overlap, stem, words


@pytest.mark.parametrize(
    "forms",
    [
        "cancel cancels cancelled cancelling cancellation",
        "book books booked booking bookings",
        "schedule schedules scheduled scheduling",
        "bill bills billed billing",
        "city cities",
        "box boxes",
        "address addresses",
        "stop stops stopped stopping",
        "apply applies applied applying",
        "urgent urgently",
        "pay pays payment payments",
        "caller caller's callers",
    ],
)
def test_forms_of_a_word_have_one_stem(forms):
    assert len({stem(form) for form in forms.split()}) == 1


@pytest.mark.parametrize(
    "pair", ["bus busy", "need new", "thing think", "bring ring", "business bus", "meter meet", "is it"]
)
def test_different_words_keep_different_stems(pair):
    first, second = pair.split()

    assert stem(first) != stem(second)


def test_words_that_say_nothing_are_left_out():
    assert [word.text for word in words("I'd like to have the BLUE cup, please, for my tea")] == [
        "like",
        "blue",
        "cup",
        "please",
        "tea",
    ]


def test_words_that_most_conditions_say_are_weak():
    found = {word.text: word.weak for word in words("The caller wants to ask a question about tea")}

    assert found == {"wants": True, "ask": True, "question": True, "tea": False}


def test_a_denial_reaches_to_the_end_of_its_part_of_the_sentence():
    found = {word.text: word.denied for word in words("I don't drink coffee, but bring tea. No milk")}

    assert found == {"drink": True, "coffee": True, "bring": False, "tea": False, "milk": True}


def test_a_denial_goes_on_past_or_and_is_typed_with_either_apostrophe():
    found = clauses("does not want tea or coffee")
    curly = clauses("doesn’t want tea or coffee")

    assert [[word.key for word in clause if not word.weak] for clause in found] == [
        [("tea", True)],
        [("coffe", True)],
    ]
    assert [[word.key for word in clause] for clause in curly] == [
        [word.key for word in clause] for clause in found
    ]


@pytest.mark.parametrize(
    "text", ["No.", "no, thanks", "nope", "I refuse", "neither", "I don't agree", "not okay"]
)
def test_every_way_to_refuse_is_a_no(text):
    assert ("no", False) in {word.key for word in words(text)}


@pytest.mark.parametrize(
    "text", ["Yes", "yeah!", "okay", "I agree", "that is correct", "sure", "I don't disagree"]
)
def test_every_way_to_agree_is_a_yes(text):
    assert ("yes", False) in {word.key for word in words(text)}


def test_alternatives_are_split_at_or_and_at_punctuation():
    found = clauses("wants to reschedule/move or cancel, and (for example) pay")

    assert [[word.text for word in clause] for clause in found] == [
        ["wants", "reschedule"],
        ["move"],
        ["cancel"],
        ["example"],
        ["pay"],
    ]


@pytest.mark.parametrize("text", ["", "   ", "?!", "the of and", "\n"])
def test_a_text_without_telling_words_has_none(text):
    assert words(text) == []


def test_letters_of_any_script_make_words():
    assert words("Größe 42, пожалуйста")[0] == Word("größ", False, "größe")


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
