from __future__ import annotations

from typing import Any

import pytest

from debugger.graph import Problem, check
from debugger.protocol.workflow import Workflow


def node(logical_id: str, node_type: str = "no_op", **fields: Any) -> dict[str, Any]:
    return {"logical_id": logical_id, "type": node_type, **fields}


def edge(source: str, destination: str, **fields: Any) -> dict[str, Any]:
    ends = {"source_node_logical_id": source, "destination_node_logical_id": destination}
    return {"logical_id": f"{source}-{destination}", "type": "direct", **ends, **fields}


def codes(nodes: list[dict[str, Any]], *edges: dict[str, Any]) -> list[str]:
    nodes[0]["is_start"] = True
    problems: list[Problem] = check(
        Workflow.from_document({"node_configs": nodes, "edge_configs": list(edges)})
    )
    assert {problem.level for problem in problems} <= {"warning"}
    return [problem.code for problem in problems]


@pytest.mark.parametrize(("enabled", "told"), [(True, ["retry-beside-direct"]), (False, [])])
def test_a_direct_edge_ends_a_bounded_retry(enabled, told):
    retry = {"enabled": enabled, "max_retries": 3}

    assert codes([node("a", self_loop_config=retry), node("b")], edge("a", "b")) == told


def test_a_bounded_retry_with_a_conditional_exit_is_fine():
    retry = {"enabled": True, "max_retries": 3}
    condition = {"condition_expression": "isPresent([[self_loop_outcome]])"}
    nodes = [node("a", self_loop_config=retry), node("b")]

    assert codes(nodes, edge("a", "b", type="conditional", condition=condition)) == []


def test_a_ring_of_direct_edges_in_which_nothing_waits_never_ends():
    assert codes([node("a"), node("b"), node("c")], edge("a", "b"), edge("b", "c"), edge("c", "b")) == [
        "endless-loop"
    ]


@pytest.mark.parametrize("way_out", [node("c", "say_llm"), node("c", "super_node", super_workflow_id="w")])
def test_a_ring_in_which_a_run_may_rest_is_fine(way_out):
    assert codes([node("a"), node("b"), way_out], edge("a", "b"), edge("b", "c"), edge("c", "b")) == []


@pytest.mark.parametrize(
    ("node_type", "self_loop", "told"),
    [("worker_llm", True, ["no-way-out"]), ("worker_llm", False, []), ("say_llm", True, [])],
)
def test_a_silent_node_that_waits_again_and_again_needs_a_way_out(node_type, self_loop, told):
    assert codes([node("a", node_type, self_loop=self_loop)]) == told


def test_an_edge_is_a_way_out():
    condition = {"condition_freeform": "is done"}
    nodes = [node("a", "worker_llm", self_loop=True), node("b")]

    assert codes(nodes, edge("a", "b", type="conditional", condition=condition)) == []


def test_a_worker_that_runs_beside_a_speaking_node_needs_no_way_out():
    nodes = [node("say", "say_llm"), node("a", "worker_llm", self_loop=True)]

    assert codes(nodes, edge("say", "a", type="companion")) == []


PYTHON = {"type": "inline_python", "name": "poll", "code": "def poll(): pass"}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"tool_config": PYTHON, "self_loop_config": {"enabled": True, "expiry_time": 5}}, "'expiry_time'"),
        ({"tool_config": {**PYTHON, "timeout_seconds": 5}}, "'timeout_seconds'"),
        ({"tool_config": PYTHON, "self_loop_config": {"enabled": True, "max_retries": 5}}, None),
        ({"tool_config": PYTHON, "self_loop_config": {"enabled": False, "expiry_time": 5}}, None),
        (
            {
                "tool_config": {"type": "knowledge_base", "timeout_seconds": 5},
                "self_loop_config": {"enabled": True, "expiry_time": 5},
            },
            None,
        ),
    ],
)
def test_python_with_a_time_limit_is_told(fields, told):
    found = check(Workflow.from_document({"node_configs": [node("t", "tool_node", is_start=True, **fields)]}))

    problems = [problem for problem in found if problem.code == "python-expiry"]
    assert [problem.level for problem in problems] == ["warning"] * (told is not None)
    assert all(told in problem.message for problem in problems)
    assert all("the platform cannot interrupt it" in problem.message for problem in problems)


@pytest.mark.parametrize(("bound", "number"), [("expiry_time", 1), ("max_retries", 0)])
def test_python_that_a_node_with_a_time_limit_shares_is_told(bound, number):
    chat = node("chat", "say_llm", is_start=True, self_loop_config={"enabled": True, bound: 5})
    settings = {"tools_config": {"tools": [PYTHON]}}

    found = check(Workflow.from_document({"node_configs": [chat], "workflow_config": settings}))

    assert [problem.code for problem in found].count("python-expiry") == number
