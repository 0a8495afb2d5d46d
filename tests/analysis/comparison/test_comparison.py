from __future__ import annotations

from dataclasses import replace

import pytest

from debugger.analysis.comparison.comparison import compare
from debugger.analysis.comparison.ignored import USUAL
from tests.analysis.comparison.turns import at, hears, shows, speaks, turn


def told(found):
    return [(row.verdict, row.turn, found.either(row).type, found.either(row).node) for row in found.rows]


def test_the_same_turns_are_the_same_row_by_row():
    turns = [turn(1, None, at("a")), turn(2, "hi", hears("a", "hi"), speaks("a", "Hello"))]

    found = compare(turns, turns)

    assert {row.verdict for row in found.rows} == {"same"}
    assert (len(found.rows), found.first, found.differing) == (5, None, [])


def test_two_runs_without_a_turn_have_no_rows():
    assert compare([], []).rows == []


def test_rows_are_aligned_by_turn_then_by_node_and_type():
    a = [turn(1, None, at("a"), at("b"), at("b", "end_node_run"), at("c"))]
    b = [turn(1, None, at("a"), at("b", "end_node_run"), at("d"), at("c"))]

    assert told(compare(a, b)) == [
        ("same", 1, "run_input", None),
        ("same", 1, "start_node_run", "a"),
        ("only_a", 1, "start_node_run", "b"),
        ("same", 1, "end_node_run", "b"),
        ("only_b", 1, "start_node_run", "d"),
        ("same", 1, "start_node_run", "c"),
    ]


def test_an_event_missing_in_one_turn_leaves_the_next_turn_aligned():
    a = [turn(1, None, at("a"), at("b")), turn(2, "x", at("c"))]
    b = [turn(1, None, at("a")), turn(2, "x", at("c"))]

    assert [row.verdict for row in compare(a, b).rows] == ["same", "same", "only_a", "same", "same"]


def test_turns_that_only_one_run_has_are_its_own():
    a, b = [turn(1, None, at("a"))], [turn(1, None, at("a")), turn(2, "more", at("a"))]

    assert [(row.verdict, row.turn) for row in compare(a, b).rows[2:]] == [("only_b", 2), ("only_b", 2)]
    assert [row.verdict for row in compare(b, a).rows[2:]] == ["only_a", "only_a"]


def test_a_run_that_goes_on_from_a_turn_of_another_is_put_beside_the_turns_after_it():
    a = [turn(1, None, at("a")), turn(2, "x", at("b")), turn(3, "y", at("c"))]
    b = [turn(1, "x", at("b")), turn(2, "z", at("c"))]

    found = compare(a, b, shift=1)

    assert [(row.verdict, row.turn) for row in found.rows] == [
        ("only_a", 1), ("only_a", 1), ("same", 2), ("same", 2), ("changed", 3), ("same", 3)
    ]  # fmt: skip


def test_background_work_belongs_to_the_turn_that_it_came_after():
    work = replace(turn(1, None, at("c")), is_background=True)
    a, b = [turn(1, None, at("a")), work], [turn(1, None, at("a"))]

    assert [(row.verdict, row.turn) for row in compare(a, b).rows[2:]] == [("only_a", 1), ("only_a", 1)]


def test_a_changed_row_tells_what_differs_from_a_to_b():
    a, b = [turn(1, None, speaks("a", "Hello"))], [turn(1, None, speaks("a", "Hullo"))]

    found = compare(a, b)

    (difference,) = found.differences(found.rows[1])
    assert (difference.path, difference.before, difference.after) == ("content", "Hello", "Hullo")
    assert found.counts == {"same": 1, "changed": 1}


def test_what_is_ignored_makes_no_difference_and_what_is_not_does():
    a, b = [turn(1, None, at("a", origin_node_run_id="1"))], [turn(1, None, at("a", origin_node_run_id="2"))]

    assert compare(a, b).first is None
    assert compare(a, b, USUAL - {"counters"}).first == 1


def test_differences_are_gone_through_in_order():
    a = [turn(1, None, at("a"), at("b"), at("c"), at("d"))]
    b = [turn(1, None, at("a"), at("c"), at("e"))]

    found = compare(a, b)

    assert found.differing == [2, 4, 5]
    assert (found.first, found.following(-1), found.following(2), found.following(5)) == (2, 2, 4, None)
    assert (found.preceding(5), found.preceding(2)) == (4, None)


def test_differing_rows_are_counted_by_kind():
    a = [turn(1, "one", at("a"), speaks("a", "Hello"), shows(tea="Assam"))]
    b = [turn(1, "two", at("b"), speaks("a", "Hullo"), shows(tea="Ceylon"), {"type": "workflow_error"})]

    assert compare(a, b).kinds == {"input": 1, "path": 2, "words": 1, "state": 1, "failure": 1}


def test_events_keep_their_place_in_the_run():
    found = compare([turn(1, None, at("a"), at("b")), turn(2, "x", at("c"))], [])

    assert [item.event_index for item in found.a] == [None, 0, 1, None, 2]


@pytest.mark.parametrize("size", [199, 200, 201, 1_000])
def test_a_long_stretch_without_a_match_keeps_every_event_once(size):
    a = [turn(1, None, *(at(f"a{n % 7}") for n in range(size)))]
    b = [turn(1, None, *(at(f"a{n * 3 % 5}") for n in range(size + 50)))]

    found = compare(a, b)

    assert [row.a for row in found.rows if row.a is not None] == list(range(size + 1))
    assert [row.b for row in found.rows if row.b is not None] == list(range(size + 51))
