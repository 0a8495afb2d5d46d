from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from liquid.builtin.filters import array, string

from debugger.errors import ConditionError
from debugger.expressions import Scope, parse, render, render_value
from debugger.expressions.limits import MAX_LIST_ITEMS, MAX_VALUE_CHARACTERS

quick = settings(max_examples=200, deadline=None)


def value_of(expression, **dynamic):
    return render_value(f"{{{{ {expression} }}}}", Scope(dynamic=dynamic), preserve_types=True)


def faults_of(expression, **dynamic):
    faults = []
    filled = render(f"{{{{ {expression} }}}}", Scope(dynamic=dynamic), faults=faults)
    assert filled.unresolved == (filled.text,)
    return faults


# --- as Liquid's own -------------------------------------------------------------------------------------


@quick
@given(st.text("ab", max_size=8), st.text("ab", max_size=3), st.text("xy", max_size=2))
def test_last_occurrence_is_replaced_as_liquid_does(text, old, new):
    assert value_of("t | replace_last: o, n", t=text, o=old, n=new) == string.replace_last(text, old, new)
    assert value_of("t | remove_last: o", t=text, o=old) == string.remove_last(text, old)
    assert value_of("t | replace: o, n", t=text, o=old, n=new) == string.replace(text, old, new)


@quick
@given(st.lists(st.integers(0, 3) | st.sampled_from(["0", "a", None, 1.0, 2.5, "x"]), max_size=8))
def test_uniq_keeps_first_as_liquid_does(elements):
    assert value_of("xs | uniq", xs=elements) == array.uniq(elements)


def test_uniq_compares_objects_by_content_or_member():
    rows = [{"k": 1, "n": 1}, {"k": [2]}, {"n": 1, "k": 1.0}, {"k": [2], "n": 3}, {}, {"n": 9}]

    assert value_of("xs | uniq", xs=rows) == [rows[0], rows[1], rows[3], rows[4], rows[5]]
    assert value_of("xs | uniq: 'k'", xs=rows) == [rows[0], rows[1], rows[4]]


def test_map_gives_null_for_missing_members():
    rows = [{"k": 1}, {}, {"k": None}, {"k": False}]

    assert value_of("xs | map: 'k'", xs=rows) == [1, None, None, False]


def test_date_writes_short_texts():
    assert value_of("d | date: '%d.%m.%Y'", d="2026-11-27") == "27.11.2026"
    assert value_of("d | date: '%Y'", d="no date") == "no date"


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_date_reads_moments_in_utc(monkeypatch, zone):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert value_of("t | date: '%d %H:%M'", t=1784056217) == "14 19:10"
        assert value_of("t | date: '%d %H:%M'", t="1784056217") == "14 19:10"
        assert value_of("'now' | date: '%d %H'") == datetime.now(UTC).strftime("%d %H")
    finally:
        monkeypatch.undo()
        time.tzset()


# --- limits ----------------------------------------------------------------------------------------------


def test_values_at_the_limits_are_worked_on():
    text, elements = "x" * MAX_VALUE_CHARACTERS, list(range(MAX_LIST_ITEMS))

    assert len(value_of("t | upcase", t=text)) == MAX_VALUE_CHARACTERS
    assert value_of("xs | uniq | size", xs=elements) == MAX_LIST_ITEMS
    assert value_of("xs | reverse | first", xs=elements) == MAX_LIST_ITEMS - 1


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("t | upcase", "the filter upcase works on at least 1,000,001 characters, and 1,000,000 is the most"),
        ("u | append: t", "an argument of the filter append has at least 1,000,001 characters"),
        ("u | replace: 'x', v", "the filter replace makes at least 4,000,000 characters"),
        ("xs | join: ', and then comes '", "the filter join makes at least 1,700,000 characters"),
        ("ys | reverse", "the filter reverse works on at least 100,001 items, and 100,000 is the most"),
        ("xs | concat: xs", "the filter concat makes at least 200,000 items"),
        ("v | date: v", "the filter date works on 2,000 characters, and 1,000 is the most"),
    ],
)
def test_values_beyond_limits_are_refused_with_reason(expression, reason):
    values = {
        "t": "x" * (MAX_VALUE_CHARACTERS + 1),
        "u": "x" * 2_000,
        "v": "y" * 2_000,
        "xs": [0] * MAX_LIST_ITEMS,
        "ys": [0] * (MAX_LIST_ITEMS + 1),
    }

    (fault,) = faults_of(expression, **values)

    assert fault.startswith("The placeholder ")
    assert reason in fault
    assert fault.endswith("Shorten the value, or compute it in a tool node.")


def test_parts_are_taken_of_values_of_any_size():
    page = "word " * 400_000

    assert value_of("page | size", page=page) == 2_000_000
    assert value_of("page | truncate: 8", page=page) == "word ..."
    assert value_of("page | truncatewords: 1", page=page) == "word..."
    assert value_of("page | slice: 0, 4 | upcase", page=page) == "WORD"
    assert value_of("xs | last", xs=[1] * 200_000) == 1
    assert parse("[[xs | size]] > 100000").evaluate(Scope(runtime={"xs": [1] * 200_000})).value


def test_a_limit_ends_a_condition_with_its_advice():
    with pytest.raises(ConditionError) as caught:
        parse("[[t | upcase]] == 'A'").evaluate(Scope(runtime={"t": "x" * (MAX_VALUE_CHARACTERS + 1)}))

    assert "the filter upcase works on at least 1,000,001 characters" in caught.value.message
    assert caught.value.advice == "Shorten the value, or compute it in a tool node."


def test_other_faults_of_a_placeholder_have_no_sentence():
    assert faults_of("x | nope", x=1) == []
    assert faults_of("gone") == []


@pytest.mark.parametrize("path", ["a" + ".b" * 100, "a" * 1_001])
def test_paths_beyond_limits_are_refused_with_reason(path):
    (fault,) = faults_of(path, a=1)

    assert "the path has" in fault
    assert "is the most. Write a shorter path" in fault
