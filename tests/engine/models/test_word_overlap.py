from __future__ import annotations

import pytest

from debugger.engine.models.word_overlap import is_same_word, overlap, words


def test_words_leaves_out_stop_words():
    assert words("I'd like to have the BLUE cup, please, for my tea") == ["blue", "cup", "tea"]


@pytest.mark.parametrize("text", ["no tea", "not tea", "never tea", "doesn't want tea", "don’t want tea"])
def test_words_writes_every_negation_as_not(text):
    assert words(text) == ["not", "tea"]


@pytest.mark.parametrize("text", ["", "   ", "?!", "the of and", "\n"])
def test_words_of_empty_text_is_empty(text):
    assert words(text) == []


def test_words_reads_letters_of_any_script():
    assert words("Größe 42, пожалуйста") == ["größe", "42", "пожалуйста"]


@pytest.mark.parametrize("pair", ["cancel cancellation", "book booking", "tea tea", "park parking"])
def test_is_same_word_compares_beginnings(pair):
    first, second = pair.split()

    assert is_same_word(first, second)
    assert is_same_word(second, first)


@pytest.mark.parametrize("pair", ["bus busy", "need new", "bring ring", "meter meet", "is it"])
def test_is_same_word_tells_others_apart(pair):
    first, second = pair.split()

    assert not is_same_word(first, second)


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
        ("that's all, nothing else", "The caller needs nothing else"),
        ("I'm not coming on Friday. Cancel my appointment", "wants to cancel an appointment"),
        ("I don't want tea, but coffee", "guest wants coffee"),
        ("can you help me?", "the caller asks for help"),
        ("a new membership with the silver plan", "The user has indicated interest in a new silver plan"),
    ],
)
def test_overlap_meets_a_condition(message, condition):
    assert overlap(message, condition).is_met


@pytest.mark.parametrize(
    ("message", "condition"),
    [
        ("I do not want to book an appointment", "caller wants to book an appointment"),
        ("I want to book an appointment", "caller does not want to book an appointment"),
        ("I want an appointment", "the caller wants no appointment"),
        ("I have no insurance", "caller has insurance"),
        ("I want to book", "caller isn't ready to book"),
        ("I have insurance", "caller is not insured or has no insurance"),
        ("No", "caller wants to book"),
        ("Yes, please", "The caller declines the appointment"),
        ("I have a question about parking", "caller has a question about a bill"),
        ("tell me about the plan", "The user has indicated interest in a new silver plan"),
        ("", "caller wants to book"),
        ("hello there", ""),
        ("the of and", "the of and"),
    ],
)
def test_overlap_does_not_meet_a_condition(message, condition):
    assert not overlap(message, condition).is_met


def test_overlap_returns_the_best_alternative():
    best = overlap("cancel my appointment", "wants to move an appointment or cancel an appointment")

    assert best.shared == ("cancel", "appointment")
    assert best.total == 2


def test_overlap_names_the_words_that_decided():
    text = str(overlap("I would book", "caller wants to book an appointment"))

    assert text == "'book' of the condition 'caller wants to book an appointment' (1 of 2 words)"
