from __future__ import annotations

import pytest

from debugger.engine.models.extract import find_values


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("on 2026-03-03", "date", "2026-03-03"),
        ("March 3, 2026", "date", "2026-03-03"),
        ("the 3rd of March 2026", "date", "2026-03-03"),
        ("Sept 9 2026", "date", "2026-09-09"),
        ("\u017fept 9 2026", "date", "2026-09-09"),
        ("3 March", "date", "3 March"),
        ("3.12.1990", "date", "1990-12-03"),
        ("25/12/1990", "date", "1990-12-25"),
        ("12/25/1990", "date", "1990-12-25"),
        ("03/04/1990", "date", "03/04/1990"),
        ("31 February 2026", "date", "31 February 2026"),
        ("2026-13-40", "date", "2026-13-40"),
        ("99/99/1990", "date", "99/99/1990"),
        ("next Tuesday", "date", "next Tuesday"),
        ("tomorrow", "date", "tomorrow"),
        ("at 3 pm", "time", "15:00"),
        ("at 12 a.m.", "time", "00:00"),
        ("at 12:15 PM", "time", "12:15"),
        ("at 9.20 am", "time", "09:20"),
        ("at 14:30", "time", "14:30"),
        ("at 3:30", "time", "3:30"),
        ("three o'clock", "time", "three o'clock"),
        ("noon", "time", "12:00"),
        ("midnight", "time", "00:00"),
        ("in the morning", "time", "morning"),
        ("call 555-0142", "phone", "555-0142"),
        ("555-0142 or later", "phone", "555-0142"),
        ("+1 (202) 555-0142", "phone", "+1 (202) 555-0142"),
        ("write to ann.lee+tea@mail.example.com.", "email", "ann.lee+tea@mail.example.com"),
        ("2 cups", "number", 2),
        ("-5 degrees", "number", -5),
        ("2.5 liters", "number", 2.5),
        ("1,200 dollars", "number", 1200),
        ("twelve cups", "number", 12),
        ("One, please", "number", 1),
        ("I have one", "number", 1),
    ],
)
def test_a_value_is_found(text, kind, value):
    assert [(found.kind, found.value) for found in find_values(text)] == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "that one",
        "the first one",
        "room B12",
        "v1.2.3",
        "the 2nd",
        "may I?",
        "a@b",
        "Marching",
        "9" * 20_000,
    ],
)
def test_what_is_no_value_is_not_found(text):
    assert find_values(text) == []


def test_values_come_by_place_and_do_not_overlap():
    found = find_values("Two seats on March 3, 2026 at 7:30 pm, call 555-0142")

    assert [(value.kind, value.value) for value in found] == [
        ("number", 2),
        ("date", "2026-03-03"),
        ("time", "19:30"),
        ("phone", "555-0142"),
    ]
    assert found[1].has_year


def test_a_date_in_words_has_no_year():
    assert [value.has_year for value in find_values("tomorrow or 3 March")] == [False, False]
