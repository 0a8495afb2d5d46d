"""The tally finds what the campaign is for."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.faults.tally import compare
from tests.faults.user import Conversation

TURNS = [(1, ["a"], ["event 1", "event 2"]), (2, ["b"], ["event 3"])]
ALL_WELL = {"lost": 0, "doubled": 0, "surplus": 0, "differing": 0, "given_up": 0}


def counts(records, talk, executed=("a", "b")):
    return compare(records, [talk], Counter(executed)).counts


def talk(**fields):
    return Conversation("run 1", **{"run_id": "x", "done": ["a", "b"], "view": TURNS, **fields})


def test_all_well():
    assert counts({"x": TURNS}, talk()) == ALL_WELL


def test_lost_turn():
    assert counts({"x": TURNS[:1]}, talk(view=TURNS[:1])) == {**ALL_WELL, "lost": 1}


def test_turn_in_another_run_is_lost():
    found = counts({"x": TURNS[:1], "y": TURNS[1:]}, talk(view=TURNS[:1]))

    assert found == {**ALL_WELL, "lost": 1, "surplus": 1}


def test_doubled_turn_in_the_record():
    doubled = [*TURNS, (3, ["b"], ["event 4"])]

    assert counts({"x": doubled}, talk(view=doubled)) == {**ALL_WELL, "doubled": 1}
    assert counts({"x": doubled}, talk(view=doubled, sent_again={"b"})) == ALL_WELL


def test_turn_executed_twice_and_stored_once():
    assert counts({"x": TURNS}, talk(), ["a", "b", "b"]) == {**ALL_WELL, "doubled": 1}


def test_surplus_run():
    other = {"x": TURNS, "y": [(1, ["c"], [])]}

    assert counts(other, talk()) == {**ALL_WELL, "surplus": 1}
    assert counts(other, talk(discarded={"c"})) == ALL_WELL
    assert counts({"x": TURNS, "y": []}, talk()) == {**ALL_WELL, "surplus": 1}


@pytest.mark.parametrize(
    "view",
    [
        TURNS[:1],
        [*TURNS, (3, ["c"], [])],
        [TURNS[0], (3, ["b"], ["event 3"])],
        [TURNS[0], (2, ["c"], ["event 3"])],
        [TURNS[0], (2, ["b"], ["event 3", "event 3"])],
        [(1, ["a"], ["event 2", "event 1"]), TURNS[1]],
    ],
)
def test_view_that_differs(view):
    assert counts({"x": TURNS}, talk(view=view)) == {**ALL_WELL, "differing": 1}


def test_deleted_run_is_neither_lost_nor_shown():
    assert counts({}, talk(is_deleted=True)) == ALL_WELL


def test_deleted_run_is_executed_once():
    assert counts({}, talk(is_deleted=True), ["a", "a"]) == {**ALL_WELL, "doubled": 1}


def test_text_that_could_not_be_sent():
    assert counts({"x": TURNS}, talk(given_up=["c"])) == {**ALL_WELL, "given_up": 1}
