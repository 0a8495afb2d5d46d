from __future__ import annotations

import pytest

from debugger.graph import check
from debugger.graph.checks import save_errors
from tests.support.factories import direct, document, node, static, when, workflow


def around(inner, name="sub", **fields):
    return node(name, "super_node", encapsulated_workflow_config=inner, **fields)


def test_a_problem_inside_a_super_node_is_told_at_the_super_node_with_the_path():
    inner = document(static("a", "Hi"), static("b", "Bye"), when("a", "b", "[[x]] ==="))
    outer = document(around(inner, "inner"))

    problems = check(workflow(around(outer, "outer")))

    found = [problem for problem in problems if problem.code == "condition-syntax"]
    assert [(problem.node_logical_id, problem.edge_logical_id) for problem in found] == [("outer", None)]
    assert found[0].message.startswith("Inside 'Outer > Inner': Edge")
    assert len(problems) == 1


@pytest.mark.parametrize("broken", [{"a": 1}, "text", {"node_configs": [{"name": "no id"}]}])
def test_an_embedded_workflow_that_cannot_be_read_is_told(broken):
    problems = check(workflow(around(document(around(broken, "deep")), "sub")))

    assert [(problem.code, problem.node_logical_id) for problem in problems] == [
        ("super-node-without-workflow", "sub")
    ]
    assert "Inside 'Sub': Node 'Deep' (deep)" in problems[0].message
    assert "cannot be read" in problems[0].message


def test_the_variables_of_an_embedded_workflow_may_come_from_around_it():
    inner = document(static("a", "Hi {{name}}, [[mood]]"))

    assert check(workflow(around(inner))) == []


def test_a_disabled_super_node_is_not_looked_into():
    assert check(workflow(static("a", "Hi"), around({"a": 1}, disabled=True))) == []


def test_fifty_super_nodes_inside_each_other_are_looked_into_to_the_last():
    inner = document(static("leaf", "Hi"), direct("leaf", "gone"))
    for level in range(50):
        inner = document(around(inner, f"level_{level}"))

    problems = check(workflow(*inner["node_configs"]))

    assert [problem.code for problem in problems] == ["edge-at-missing-node"]
    assert "Level_49 > Level_48 > Level_47 > (46 more) > Level_0" in problems[0].message


def test_a_save_is_refused_for_nothing_but_what_has_a_category():
    companion = {"companion_thread_config": {"is_companion_thread": True}}
    faulty = workflow(
        static("a", "Hi"),
        node("b", "from_next_year"),
        direct("a", "b", **companion),
        {**direct("a", "b", **companion), "logical_id": "again"},
        when("b", "a", "[[x]] ==="),
    )

    refused = list(save_errors(faulty))

    assert {problem.category for problem in refused} == {"Invalid companion configuration"}
    assert {problem.code for problem in check(faulty) if problem.category} == {
        problem.code for problem in refused
    }
