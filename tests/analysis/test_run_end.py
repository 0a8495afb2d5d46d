from __future__ import annotations

from dataclasses import replace

import pytest

from debugger.analysis.position import position
from debugger.analysis.run_end import run_end
from debugger.analysis.transitions import Transition
from debugger.graph.graph import Graph
from tests.analysis.played import played_turns
from tests.support.factories import direct, everywhere, node, say, static, when, workflow

GRAPH = Graph(workflow(say("ask"), say("last"), when("ask", "last", "[[x]] == 1")))
START = position([], GRAPH)


@pytest.mark.parametrize(
    ("status", "node", "text"),
    [
        ("completed", "last", "Ended: Last has no outgoing edge."),
        ("completed", "ask", "Ended: no outgoing edge of Ask matched."),
        ("cancelled", "ask", "Ended: the run was stopped at Ask."),
        ("aborted_looping_risk", "ask", "Ended: the run was stopped at Ask, because it was looping."),
        ("completed", None, "Ended: the last node has no outgoing edge."),
    ],
)
def test_end_names_node_and_reason(status, node, text):
    found = run_end(status, replace(START, current=node), GRAPH)

    assert found and found.text == text


def test_failed_run_names_its_error():
    found = run_end("failed", replace(START, current="ask"), GRAPH, "The model gave no answer.")

    assert found and (found.text, found.node_id) == ("Ended: The model gave no answer.", "ask")


@pytest.mark.parametrize("status", ["not_started", "running", "waiting_for_user_input", "paused"])
def test_run_that_is_not_over_has_no_end(status):
    assert run_end(status, START, GRAPH) is None


def end_at(node_id, *parts, **position):
    """Return the sentence on a completed run that ended at a node."""
    found = run_end("completed", replace(START, current=node_id, **position), Graph(workflow(*parts)))
    assert found
    return found.text


def test_edge_that_starts_companion_is_no_way_out():
    flag = {"is_companion_thread": True, "thread_id": "beside"}
    forks = [{**direct("a", name), "companion_thread_config": flag} for name in ("b", "c")]

    assert end_at("a", static("a"), static("b"), static("c"), *forks) == "Ended: A has no outgoing edge."


def test_way_back_of_global_node_did_not_match():
    helping = say("help", global_node_config=everywhere("The user needs help", "The user is done"))

    assert end_at("help", say("chat"), helping) == "Ended: no outgoing edge of Help matched."


def test_global_node_is_way_out_of_model_only():
    helping = static("help", global_node_config=everywhere("The user needs help"))

    assert end_at("chat", say("chat"), helping) == "Ended: no outgoing edge of Chat matched."
    assert end_at("bye", static("bye"), helping) == "Ended: Bye has no outgoing edge."


def test_end_inside_super_node_names_both():
    text = end_at("box", node("box", "super_node"), inner_names={"box": "Ask"})

    assert text == "Ended: no outgoing edge of Box › Ask matched."


def test_escalation_without_destination_ends_run():
    strike = Transition(1, None, "chat", None, "guardrail_escalation_edge", "", 1, 5, "0")

    beside = Transition(2, None, "poll", "poll", "self_loop_edge", "", 1, 9, "0_companion_lab")

    texts = {end_at("chat", say("chat"), transitions=made) for made in ((strike,), (strike, beside))}

    assert texts == {"Ended: too many guardrail nodes were entered; Chat was the last node."}


def test_skipped_node_evaluates_no_condition():
    skipped, edge = node("b", "no_op", disabled=True), when("b", "c", "1 == 1")
    graph, turns = played_turns(static("a", "A"), skipped, static("c", "C"), direct("a", "b"), edge)

    found = run_end("completed", position(turns, graph), graph)

    assert found and found.text == "Ended: B was skipped and has no direct edge."
