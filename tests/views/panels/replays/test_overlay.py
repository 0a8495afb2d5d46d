from __future__ import annotations

import pytest

from debugger.replays.results import Divergence
from debugger.views.panels.replays.overlay import Way, draw_divergence, find_way
from tests.support.factories import static, when, workflow

NODES = (static("desk", "Hi"), static("book", "When?"), static("bill", "Which?"))
BEFORE = workflow(*NODES, when("desk", "book", "a == 1", name="book"), when("desk", "bill", "a == 2"))
MOVED = workflow(*NODES, when("desk", "bill", "a == 1", name="book") | {"logical_id": "edge_desk_book"})


def divergence(before: str, after: str) -> Divergence:
    return Divergence(2, "desk", "Desk", before, after)


@pytest.mark.parametrize(
    ("words", "way"),
    [
        ("book → Book", Way("edge_desk_book", "book")),
        ("another → Bill", Way("edge_desk_bill", "bill")),
        ("→ Desk", Way("", "desk")),
        ("book → Nowhere", None),
        ("Book", None),
    ],
)
def test_way_is_found_by_its_words(words, way):
    assert find_way(words, "desk", BEFORE) == way


def test_way_prefers_edge_with_its_label():
    two = workflow(
        *NODES,
        when("desk", "book", "a", name="new"),
        when("desk", "book", "b", name="old") | {"logical_id": "second"},
    )

    assert find_way("old → Book", "desk", two) == Way("second", "book")


def test_both_edges_are_marked():
    drawn = draw_divergence(divergence("book → Book", "a == 2 → Bill"), "path", BEFORE, BEFORE, {"desk": 40})

    assert {edge: state["state"] for edge, state in drawn.marks["edges"].items()} == {
        "edge_desk_book": "only_a",
        "edge_desk_bill": "only_b",
    }
    nodes = {node: (state["state"], state["order"]) for node, state in drawn.marks["nodes"].items()}
    assert nodes == {"desk": ("common", "40 runs"), "book": ("only_a", ""), "bill": ("only_b", "")}
    assert drawn.marks["current"] == ["desk"]


def test_edge_that_leads_elsewhere_is_drawn_twice():
    drawn = draw_divergence(divergence("book → Book", "book → Bill"), "path", BEFORE, MOVED, {"desk": 1})

    [before, after] = drawn.marks["edges"]
    assert drawn.graph.edges[before].destination_node_logical_id == "book"
    assert drawn.graph.edges[after].destination_node_logical_id == "bill"


def test_way_without_edge_is_a_jump():
    drawn = draw_divergence(
        divergence("book → Book", "→ Bill"), "path", BEFORE, workflow(*NODES), {"desk": 1}
    )

    [jump] = drawn.jumps
    assert (jump.source, jump.destination, drawn.marks["edges"][jump.id]["state"]) == (
        "desk",
        "bill",
        "only_b",
    )


def test_two_edges_to_one_node_leave_it_common():
    one = workflow(*NODES, when("desk", "book", "a", name="new"))

    drawn = draw_divergence(divergence("book → Book", "new → Book"), "path", BEFORE, one, {"desk": 1})

    assert drawn.marks["nodes"]["book"]["state"] == "common"


@pytest.mark.parametrize(("verdict", "state"), [("failed", "failed"), ("words", "common")])
def test_other_verdicts_mark_the_node_alone(verdict, state):
    drawn = draw_divergence(divergence("Hi", "Hello"), verdict, BEFORE, BEFORE, {"desk": 3, "gone": 2})

    assert drawn.marks["edges"] == {}
    assert drawn.marks["nodes"]["desk"]["state"] == state
    assert "gone" not in drawn.marks["nodes"]


def test_unknown_node_draws_no_jump():
    found = Divergence(1, "", "", "→ Book", "→ Bill")

    drawn = draw_divergence(found, "path", BEFORE, BEFORE, {})

    assert drawn.jumps == []
    assert drawn.marks["edges"] == {}
    assert drawn.marks["current"] == []
