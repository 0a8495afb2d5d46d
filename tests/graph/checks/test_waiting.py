from __future__ import annotations

from typing import Any

import pytest

from debugger.graph import Problem, check
from debugger.protocol.workflow import Workflow

CATEGORY = "Invalid 'evaluate while waiting for user input' edge configuration"


def found(
    config: dict[str, Any],
    *edges: dict[str, Any],
    condition: dict[str, Any] | None = None,
    source: dict[str, Any] | None = None,
) -> list[Problem]:
    """Return the diagnostics of a waiting node beside a polling companion."""
    ask = {"logical_id": "ask", "type": "say_llm", **(source or {})}
    nodes = [
        {"logical_id": "start", "type": "no_op", "is_start": True},
        ask,
        {"logical_id": "poll", "type": "no_op"},
        {"logical_id": "bye", "type": "say_static"},
    ]
    waiting = {
        **edge("w", "ask", "bye"),
        "type": "conditional",
        "condition": condition or {"condition_expression": "[[ready]] == true"},
        "evaluate_while_waiting_config": {"enabled": True, "trigger_node_logical_ids": ["poll"], **config},
    }
    fork = edge("f", "start", "poll") | {"companion_thread_config": {"is_companion_thread": True}}
    document = {
        "node_configs": nodes,
        "edge_configs": [edge("1", "start", "ask"), fork, waiting, *edges],
        "runtime_variables": {"ready": False},
    }
    return check(Workflow.from_document(document))


def edge(logical_id: str, source: str, destination: str) -> dict[str, Any]:
    ends = {"source_node_logical_id": source, "destination_node_logical_id": destination}
    return {"logical_id": logical_id, "type": "direct", **ends}


def told(problems: list[Problem]) -> list[str]:
    assert {(problem.level, problem.category) for problem in problems} <= {("error", CATEGORY)}
    return [problem.code for problem in problems]


def test_an_edge_that_is_judged_in_a_wait_may_be_sound():
    assert found({}) == []


def test_what_is_switched_off_is_not_checked():
    assert found({"enabled": False, "trigger_node_logical_ids": ["gone"]}) == []


def test_it_needs_an_expression_and_no_freeform_condition():
    both = {"condition_expression": "[[ready]] == true", "condition_freeform": "is ready"}

    assert told(found({}, condition=both)) == ["waiting-with-freeform"]
    assert told(found({}, condition={"condition_freeform": "is ready"})) == [
        "waiting-without-expression",
        "waiting-with-freeform",
    ]


def test_completion_needs_triggers():
    [problem] = found({"trigger_node_logical_ids": []})

    assert told([problem]) == ["waiting-without-trigger"]
    assert "trigger_node_logical_ids" in problem.message


def test_triggers_exist():
    [problem] = found({"trigger_node_logical_ids": ["poll", "gone"]})

    assert told([problem]) == ["waiting-on-missing-node"]
    assert "do not exist" in problem.message and "'gone'" in problem.message


def test_triggers_do_not_wait_themselves():
    [problem] = found({"trigger_node_logical_ids": ["ask"]})

    assert told([problem]) == ["waiting-on-waiting-node"]
    assert "wait for user input" in problem.message


@pytest.mark.parametrize(("pause", "is_wrong"), [(None, True), (0, True), (0.5, False)])
def test_ticks_need_a_pause(pause, is_wrong):
    problems = found(
        {
            "trigger_mode": "on_every_background_tick",
            "trigger_node_logical_ids": [],
            "min_seconds_between_evaluations": pause,
        }
    )

    assert told(problems) == (["waiting-without-pause"] if is_wrong else [])
    assert all("min_seconds_between_evaluations" in problem.message for problem in problems)


def test_an_edge_out_of_a_super_node_is_not_judged_in_a_wait():
    problems = found({}, source={"type": "super_node", "super_workflow_id": "w"})

    assert told(problems) == ["waiting-at-wrong-edge"]


@pytest.mark.parametrize("enabled", [True, False])
def test_the_way_back_from_a_global_node_is_not_judged_in_a_wait(enabled):
    back = {"condition_freeform": "is done", "evaluate_while_waiting_config": {"enabled": enabled}}
    config = {
        "is_global": True,
        "condition": {"condition_freeform": "asks"},
        "reverse_conditional_edge": back,
    }

    problems = found({}, source={"global_node_config": config})

    assert told(problems) == (["waiting-at-wrong-edge"] if enabled else [])


def test_its_source_waits_for_the_user():
    problems = found({}, source={"wait_for_user_message": False, "self_loop": False})

    assert told(problems) == ["waiting-at-busy-source"]


def test_its_source_has_no_direct_edge():
    problems = found({}, edge("d", "ask", "bye"))

    [problem] = [problem for problem in problems if problem.level == "error"]
    assert told([problem]) == ["waiting-beside-direct"]
    assert "direct edge" in problem.message
