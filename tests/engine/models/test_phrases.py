from __future__ import annotations

import pytest

from debugger.engine.models.phrases import person_name, stated_reason, stated_value


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("My name is Ada Moreno, born in May", "Ada Moreno"),
        ("my name is ada moreno and I need help", "ada moreno"),
        ("Hi, this is Tom Fairweather speaking", "Tom Fairweather"),
        ("I'm Ada", "Ada"),
        ("I’m Ada Moreno", "Ada Moreno"),
        ("Name: Ludwig van der Berg", "Ludwig van der Berg"),
        ("Ben Okonkwo, 12 June 1984.", "Ben Okonkwo"),
        ("Ben Okonkwo here", "Ben Okonkwo"),
        ("Please call me Zoë O'Neil", "Zoë O'Neil"),
        ("It's José María", "José María"),
    ],
)
def test_a_name_is_found(text, name):
    assert person_name(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "I'm looking for Doctor Lindqvist",
        "this is Monday",
        "It's March already",
        "Good Morning",
        "Hello There, how are you",
        "Yes",
        "I am happy",
        "",
    ],
)
def test_what_is_no_name_is_not_taken_for_one(text):
    assert person_name(text) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("It's about a sore knee, and Tuesday would be best.", "a sore knee"),
        ("because my back hurts", "my back hurts"),
        ("The reason for my call is an invoice.", "an invoice"),
        ("I've got a rash and my son too", "a rash"),
        ("I have had a fever please", "a fever"),
        ("due to a fall", "a fall"),
    ],
)
def test_a_reason_is_found(text, reason):
    assert stated_reason(text) == reason


@pytest.mark.parametrize(
    "text",
    ["What about Tuesday?", "It's about Tuesday", "I have an appointment", "I have a question", "", "Hello"],
)
def test_what_is_no_reason_is_not_taken_for_one(text):
    assert stated_reason(text) is None


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("my favourite city is Graz, you know", "favourite city", "Graz"),
        ("City: Graz", "city", "Graz"),
        ("the city was Graz and I liked it", "city", "Graz"),
        ("Graz is a city", "city", None),
        ("velocity: 5", "city", None),
    ],
)
def test_what_something_is_said_to_be_is_found(text, name, value):
    assert stated_value(text, name) == value
