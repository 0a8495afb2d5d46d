from __future__ import annotations

from typing import Any

import pytest

from debugger.graph import Problem, check
from debugger.protocol.workflow import Workflow

CATEGORY = "Invalid companion configuration"


def node(logical_id: str, node_type: str = "say_static", **fields: Any) -> dict[str, Any]:
    return {"logical_id": logical_id, "type": node_type, **fields}


def edge(source: str, destination: str, thread: dict[str, Any] | None = None) -> dict[str, Any]:
    ends = {"source_node_logical_id": source, "destination_node_logical_id": destination}
    config = None if thread is None else {"is_companion_thread": True, **thread}
    return {
        "logical_id": f"{source}-{destination}",
        "type": "direct",
        **ends,
        "companion_thread_config": config,
    }


def found(nodes: list[dict[str, Any]], *edges: dict[str, Any]) -> list[Problem]:
    start = node("start", is_start=True)
    return check(Workflow.from_document({"node_configs": [start, *nodes], "edge_configs": list(edges)}))


@pytest.mark.parametrize(
    ("fields", "is_wrong"),
    [({"wait_for_user_message": False}, False), ({}, True), ({"wait_for_user_message": True}, True)],
)
def test_a_companion_does_not_wait_for_the_user(fields, is_wrong):
    nodes = [node("main"), node("poll"), node("think", "worker_llm", **fields)]

    problems = found(nodes, edge("start", "main"), edge("start", "poll", {}), edge("poll", "think"))

    assert [(problem.level, problem.code, problem.node_logical_id) for problem in problems] == (
        [("error", "companion-waits", "think")] if is_wrong else []
    )
    assert {problem.category for problem in problems} <= {CATEGORY}


def test_the_main_path_may_wait_beside_a_companion():
    nodes = [node("main", "say_llm"), node("poll")]

    assert found(nodes, edge("start", "main"), edge("start", "poll", {})) == []


def test_a_hop_to_a_global_node_does_not_make_a_companion_wait():
    help_node = node(
        "help", "say_llm", global_node_config={"is_global": True, "condition": {"condition_freeform": "help"}}
    )
    nodes = [node("main"), node("poll"), help_node]

    assert found(nodes, edge("start", "main"), edge("start", "poll", {})) == []


def test_a_companion_forks_no_companion():
    nodes = [node("main"), node("poll"), node("on"), node("inner")]

    problems = found(
        nodes,
        edge("start", "main"),
        edge("start", "poll", {}),
        edge("poll", "on"),
        edge("poll", "inner", {}),
    )

    assert [(problem.level, problem.code, problem.edge_logical_id) for problem in problems] == [
        ("error", "companion-forks", "poll-inner")
    ]


def test_the_flag_on_an_only_direct_edge_forks_nothing():
    nodes = [node("main"), node("poll"), node("on")]

    assert found(nodes, edge("start", "main"), edge("start", "poll", {}), edge("poll", "on", {})) == []


def test_a_companion_and_the_main_path_share_no_node():
    nodes = [node("main"), node("poll"), node("bye")]

    problems = found(
        nodes,
        edge("start", "main"),
        edge("start", "poll", {}),
        edge("poll", "bye"),
        edge("main", "bye"),
    )

    assert [(problem.level, problem.code, problem.edge_logical_id) for problem in problems] == [
        ("error", "companion-shares-nodes", "start-poll")
    ]
    assert "'bye'" in problems[0].message


@pytest.mark.parametrize(
    ("thread_id", "fault"),
    [
        (None, None),
        ("lab-poll_2", None),
        ("", "empty"),
        ("0", "main thread"),
        ("a_companion_b", "_companion_"),
        ("lab poll", "characters"),
        ("pöll", "characters"),
        ("poll\n", "characters"),
    ],
)
def test_a_thread_id_is_a_plain_word(thread_id, fault):
    problems = found(
        [node("main"), node("poll")], edge("start", "main"), edge("start", "poll", {"thread_id": thread_id})
    )

    assert [problem.code for problem in problems] == ([] if fault is None else ["companion-thread-id"])
    assert all("thread_id" in problem.message and str(fault) in problem.message for problem in problems)


@pytest.mark.parametrize(("second", "is_wrong"), [("poll", True), ("other", False), (None, False)])
def test_a_thread_id_is_unique(second, is_wrong):
    problems = found(
        [node("main"), node("a"), node("b")],
        edge("start", "main"),
        edge("start", "a", {"thread_id": "poll"}),
        edge("start", "b", {"thread_id": second}),
    )

    assert [problem.code for problem in problems] == (["duplicate-thread-id"] if is_wrong else [])
