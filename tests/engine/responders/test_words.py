from __future__ import annotations

import pytest

from debugger.engine.responders.words import Word, clauses, stem, words


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
