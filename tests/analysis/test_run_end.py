from __future__ import annotations

from dataclasses import replace

import pytest

from debugger.analysis.position import position
from debugger.analysis.run_end import run_end
from debugger.graph.graph import Graph
from tests.support.factories import say, when, workflow

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
