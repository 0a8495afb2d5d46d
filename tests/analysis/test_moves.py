from __future__ import annotations

from debugger.analysis.transitions import Hop, move_reason, move_title
from debugger.graph.graph import Graph
from tests.factories import direct, everywhere, say, when, workflow

NAMES = {"a": "Desk", "b": "Booking"}


def hop(source, destination, kind="conditional_edge", **fields):
    found = {"number": 1, "edge_id": None, "reason": "rule 7", "turn_number": 1, "event_index": 0}
    return Hop(source=source, destination=destination, kind=kind, thread_id="0", **{**found, **fields})


def test_a_move_is_told_by_the_names_of_its_ends():
    assert move_title(hop("a", "b"), NAMES) == "Desk → Booking"


def test_a_move_out_of_the_workflow_leads_to_the_end():
    assert move_title(hop("a", None), NAMES) == "Desk → the end"


def test_the_condition_that_a_model_judged_is_the_reason():
    graph = Graph(workflow(say("a"), say("b"), when("a", "b", freeform="the caller wants to book")))

    assert move_reason(hop("a", "b", edge_id="edge_a_b"), graph) == "The caller wants to book."


def test_an_expression_is_told_by_the_name_of_its_edge():
    graph = Graph(workflow(say("a"), say("b"), when("a", "b", "[[x]] == 1", name="all known")))

    assert move_reason(hop("a", "b", edge_id="edge_a_b", edge_name="all known"), graph) == "All known."


def test_an_expression_without_a_name_is_not_read_out():
    graph = Graph(workflow(say("a"), say("b"), when("a", "b", "[[x]] == 1")))

    assert move_reason(hop("a", "b", edge_id="edge_a_b"), graph) == "Its condition holds."


def test_an_edge_without_a_condition_always_follows():
    graph = Graph(workflow(say("a"), say("b"), direct("a", "b")))

    assert move_reason(hop("a", "b", "direct_edge", edge_id="edge_a_b"), graph) == "This always comes next."


def test_the_way_into_a_global_node_and_back_is_told_by_its_own_conditions():
    settings = everywhere("the caller asks for the hours", back="the caller goes on")
    graph = Graph(workflow(say("a"), say("b", global_node_config=settings)))

    assert move_reason(hop("a", "b"), graph) == "The caller asks for the hours."
    assert move_reason(hop("b", "a", "reverse_conditional_edge"), graph) == "The caller goes on."
