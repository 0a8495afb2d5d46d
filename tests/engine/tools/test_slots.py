from __future__ import annotations

import pytest

from debugger.engine.tools.slots import fill_json, fill_known, fill_text, slot_names
from debugger.errors import InputError
from debugger.expressions import Scope
from debugger.expressions.template import FillBudget

SCOPE = Scope(
    dynamic={"base": "https://a", "odd": "{city}"}, runtime={"who": "Ann", "said": "{city.__class__}"}
)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{{base}}/{city}?n={n}", "https://a/Rome?n=3"),
        ("[[who]] in {city!r}", "Ann in 'Rome'"),
        ("{n:04d} {city:>6}", "0003   Rome"),
        ("{place[zip]} {list[0]}", "00100 x"),
        ("{flag} {none}", "True None"),
        ("{{missing}} [[missing]] {city}", "{{missing}} [[missing]] Rome"),
        ("{{ no variable: {city} }}", "{ no variable: Rome }"),
        ("no slot", "no slot"),
    ],
)
def test_variables_and_arguments_are_filled_in(text, filled):
    arguments = {
        "city": "Rome",
        "n": 3,
        "place": {"zip": "00100"},
        "list": ["x"],
        "flag": True,
        "none": None,
    }

    assert fill_text(text, SCOPE, arguments, FillBudget([])) == filled


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{{base}}/{city}/{n}", "https://a/Rome/{}"),
        ("{place[zip]}{place[no]}{list[3]}{n!r}{n:>9}", "00100{}{}{}{}"),
        ("{{missing}}/{place}", "{{missing}}/{}"),
    ],
)
def test_slot_without_an_argument_is_left_as_braces(text, filled):
    arguments = {"city": "Rome", "place": {"zip": "00100"}, "list": ["x"]}

    assert fill_known(text, SCOPE, arguments, FillBudget([])) == filled


def test_what_a_variable_or_an_argument_brings_is_never_searched_for_slots():
    arguments = {"city": "{n} {{base}} [[who]]"}

    assert fill_text("{{odd}} [[said]] {city}", SCOPE, arguments, FillBudget([])) == (
        "{city} {city.__class__} {n} {{base}} [[who]]"
    )


def test_a_value_that_is_one_slot_becomes_the_argument_itself():
    arguments = {"patient": {"name": "Ann"}, "n": 3, "flag": False}

    filled = fill_json(
        {"p": "{patient}", "list": ["{n}", "{n}.", 7], "f": "{flag}"}, SCOPE, arguments, FillBudget([])
    )

    assert filled == {"p": {"name": "Ann"}, "list": [3, "3.", 7], "f": False}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{city}", "The slot {city} has no argument. Give the tool an argument named 'city'."),
        ("{}", "has no argument"),
        ("{0}", "has no argument"),
        ("{n.real}", "reaches into its argument with a dot"),
        ("{place}/x", "The argument 'place' holds an object or a list"),
        ("{place[street]}", "cannot be filled"),
        ("{n[0]}", "cannot be filled"),
        ("a { b", "cannot be filled"),
        ("a } b", "cannot be filled"),
        ("{n:x>99999999}", "too long a text"),
        ("{n:d!}", "cannot be filled"),
    ],
)
def test_a_slot_that_cannot_be_filled_is_told(text, complaint):
    with pytest.raises(InputError) as caught:
        fill_text(text, SCOPE, {"n": 3, "place": {"zip": "1"}}, FillBudget([]))

    assert complaint in str(caught.value)


def test_the_slots_of_a_value_are_found_however_deep():
    value = {"a": ["{x}", {"b": "{y[0]} {{z}} {w!r}"}], "{key}": 1, "broken": "{"}

    assert slot_names(value) == {"x", "y", "w"}
