"""The tally finds what the campaign is for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.faults.servers import Execution
from tests.faults.tally import compare
from tests.faults.user import Conversation, Said

TURNS = [(1, ["a"], ["event 1", "event 2"]), (2, ["b"], ["event 3"])]
ONCE = (("a", 1.5), ("b", 3.5))


def said(text, *steps, **fields):
    """Return a text and its steps, each at its moment."""
    return Said(text, steps=list(steps), **fields)


A = said("a", (1, "sent"), (2, "done"))
B = said("b", (3, "sent"), (4, "done"))


def kinds(talk, executed=ONCE, records=None, **options):
    executions = [Execution(text, at) for text, at in executed]
    found = compare([talk], executions, {"x": TURNS} if records is None else records, **options)
    return [finding.kind for finding in found]


def talk(*texts, **fields):
    return Conversation("run 1", **{"run_id": "x", "said": list(texts), "view": TURNS, **fields})


def test_all_well():
    assert kinds(talk(A, B)) == []


def test_text_that_was_never_executed_is_lost():
    assert kinds(talk(A, B), ONCE[:1]) == ["lost"]


def test_text_that_seems_to_have_arrived():
    seems = replace(B, verdict="seems_arrived")

    assert kinds(talk(A, replace(seems, is_ambiguous=True)), ONCE[:1]) == ["seemed"]
    assert kinds(talk(A, seems), ONCE[:1]) == ["lost"]


def test_text_that_is_executed_after_the_page_said_so():
    assert kinds(talk(A, B), [ONCE[0], ("b", 4.5)]) == ["claimed too early"]


def test_text_executed_twice():
    assert kinds(talk(A, B), [*ONCE, ("b", 3.6)]) == ["doubled unasked"]
    assert kinds(talk(A, said("b", *B.steps, copies=1)), [*ONCE, ("b", 3.6)]) == []


def test_text_executed_twice_by_choice():
    asked = said("b", (3, "sent"), (5, "unknown"), (6, "send again"), (8, "done"), is_struck=True)

    assert kinds(talk(A, asked), [*ONCE, ("b", 7)]) == ["doubled by choice"]
    assert kinds(talk(A, asked), [*ONCE, ("b", 4)]) == ["doubled unasked"]


def test_executed_text_is_denied():
    denied = said("b", (3, "sent"), (4, "offered"), (5, "sent"), (6, "done"))

    assert kinds(talk(A, denied)) == ["denied"]
    assert kinds(talk(A, denied), [*ONCE, ("b", 5.5)]) == ["doubled unasked", "denied"]
    assert kinds(talk(A, denied), [ONCE[0], ("b", 5.5)]) == []


def test_text_that_is_said_twice():
    again = said("a", (3, "sent"), (4, "offered"), (5, "sent"), (6, "done"))
    view = [TURNS[0], (2, ["a"], ["event 3"])]

    assert kinds(talk(A, again, view=view), [("a", 1.5), ("a", 5.5)], {"x": view}) == []
    assert kinds(talk(A, again, view=view), [("a", 1.5), ("a", 3.5)], {"x": view}) == ["denied"]
    assert kinds(talk(A, again, view=view), [("a", 1.5)], {"x": view}) == ["lost"]


def test_question_without_a_strike():
    asked = said("b", (3, "sent"), (4, "unknown"), (5, "discard"))

    assert kinds(talk(A, asked)) == ["question without a strike"]


def test_surplus_run():
    records = {"x": TURNS, "y": [(1, ["a"], [])]}

    assert kinds(talk(A, B), records=records) == ["surplus"]
    assert kinds(talk(A, B), records={"x": TURNS, "y": []}) == []
    assert kinds(talk(A, B), records=records, foreign_runs={"y"}) == []
    discarded = said("a", (1, "sent"), (2, "discard"), is_struck=True)
    assert kinds(talk(discarded, B), records=records) == []


def test_surplus_run_of_a_text_that_is_said_twice():
    first = said("a", (1, "sent"), (2, "done"), strike="first")
    again = said("a", (3, "sent"), (4, "done"), strike="again")
    records = {"x": TURNS, "y": [(1, ["a"], [])]}
    executions = [Execution("a", 1.2, "x"), Execution("a", 1.5, "y"), Execution("a", 3.5, "x")]

    def strikes(*texts):
        found = compare([talk(*texts)], executions, records)
        return [finding.strike for finding in found if finding.kind == "surplus"]

    assert strikes(first, again) == ["first"]
    assert strikes(replace(first, copies=1), again) == []


@pytest.mark.parametrize(
    ("verdict", "shown", "found"),
    [
        ("arrived", 2, ["unreported copy"]),
        ("executed_twice", 2, []),
        ("arrived", 1, []),
        ("", 2, []),
    ],
)
def test_copy_that_the_page_shows_without_a_word(verdict, shown, found):
    copied = replace(B, copies=1, verdict=verdict, shown=shown)
    executed = [*ONCE, ("b", 3.6)]

    assert kinds(talk(A, copied), executed, has_ids=True) == found
    assert kinds(talk(A, copied), executed) == []
    assert kinds(talk(A, replace(copied, copies=0)), executed[:2], has_ids=True) == []


def test_copy_in_another_run_that_the_page_does_not_mention():
    copied = replace(B, copies=1, is_copy_unanswered=True, verdict="arrived", shown=1)

    assert kinds(talk(A, copied), [*ONCE, ("b", 3.6)], has_ids=True) == ["unreported copy"]
    assert kinds(talk(A, copied), ONCE, has_ids=True) == []


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
    assert kinds(talk(A, B, view=view)) == ["differing"]


def test_view_that_is_said_to_differ():
    view = [TURNS[0], (2, ["b"], ["event 2", "event 3"])]

    assert kinds(talk(A, B, view=view, differing={2})) == []
    assert kinds(talk(A, B, view=view, differing={1})) == ["differing"]
    assert kinds(talk(A, B, view=[TURNS[0], (2, ["c"], [])], differing={2})) == ["differing"]


def test_deleted_run_is_not_shown():
    assert kinds(talk(A, B, is_deleted=True), records={}) == []


def test_text_that_could_not_be_sent():
    assert kinds(talk(A, B, said("c", (5, "sent"), (6, "offered"), (7, "abandoned")))) == ["abandoned"]
