from __future__ import annotations

import pytest

from debugger.boundary import Boundary, Kind
from debugger.scenarios.short_texts import shorten_between

PERSONAL = [
    "4111 1111 1111 1111",
    "ada.moreno+tea@example.org",
    "+49 171 1234567",
    "sk-proj-abcdEFGH12345678",
]


@pytest.mark.parametrize("personal", PERSONAL)
@pytest.mark.parametrize("around", [" {} ", '"{}",', "({})", "x={}; "])
def test_no_beginning_of_personal_data_is_left(personal, around):
    parts = {personal[:length] for length in range(3, len(personal))}
    for fill in range(20, 60):
        text = shorten_between("y " * fill + around.format(personal) + "and more " * 9, 80)

        shown = Boundary().release(Kind.TEXT, text)

        assert len(text) <= 80
        assert not [part for part in parts if part in shown]


def test_a_short_text_stays():
    assert shorten_between("one\ntwo", 7) == "one two"


def test_a_text_is_cut_between_words():
    assert shorten_between("the tea is ready", 12) == "the tea is…"


def test_a_text_without_spaces_keeps_its_beginning():
    assert shorten_between("茶" * 20, 10) == "茶" * 9 + "…"
