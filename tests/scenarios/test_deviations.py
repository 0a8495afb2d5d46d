from __future__ import annotations

import json

import pytest

from debugger.scenarios.deviations import Deviations
from debugger.scenarios.loading import load_text
from debugger.scenarios.runner import ScenarioRunner
from debugger.settings import Settings
from tests.support.factories import direct, document, node, static, when
from tests.support.super_nodes import super_node


@pytest.fixture
def deviations(tmp_path):
    """Return a function that runs a workflow once and returns its deviations."""
    with ScenarioRunner(lambda name: pytest.fail(name), Settings()) as runner:

        def run(*parts):
            (tmp_path / "flow.json").write_text(json.dumps(document(*parts)), encoding="utf-8")
            text = "version: 1\nname: A\nworkflow: flow.json\nturns: [{say: Hi}]\n"
            started = runner.start(load_text(text, tmp_path))
            started.execute()
            return Deviations(started._conversation)

        yield run


def line(*edges):
    """Return nodes a to d, of which a leads to b."""
    return *(static(each, each) for each in "abcd"), direct("a", "b"), *edges


def test_last_decision_on_the_nearest_node_is_meant(deviations):
    found = deviations(
        *line(when("b", "c", "1 == 2", name="on"), when("c", "d", "1 == 1", name="end"))
    ).find_toward({"d"})

    assert found.words.startswith("Left at 'B'")
    assert "not 'on' to 'C': false (1 == 2)" in found.words


def test_disabled_edge_is_named(deviations):
    found = deviations(*line(direct("b", "c", disabled=True))).find_toward({"c"})

    assert "not 'direct edge' to 'C': the edge is disabled in the workflow" in found.words


def test_node_without_edges_to_it(deviations):
    found = deviations(*line()).find_toward({"d"})

    assert found.words.startswith("No edge of the workflow leads to 'D'; last decision at 'B'")
    assert "it has no edge to 'D'" in found.words


def test_node_that_other_nodes_lead_to(deviations):
    found = deviations(*line(direct("c", "d"))).find_toward({"d"})

    assert found.words.startswith("'D' is entered only from 'C', which did not run")


def test_node_inside_a_super_node_is_found(deviations):
    inside = document(node("ask", "no_op"), node("tell", "no_op"), when("ask", "tell", "1 == 2", name="told"))
    found = deviations(super_node("box", inside), static("end", "End"), direct("box", "end")).find_toward(
        {"box/tell"}
    )

    assert found.words.startswith("Left at 'Box › Ask'")
    assert "not 'told' to 'Box › Tell': false (1 == 2)" in found.words
