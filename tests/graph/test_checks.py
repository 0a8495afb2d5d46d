from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debugger.engine.nodes import NODE_TYPES
from debugger.graph import CHECKS, Graph, Problem, check, checks
from debugger.graph.checks import Check, format_problem
from debugger.protocol.workflow import Workflow

KNOWN = frozenset({"say_llm", "say_static", "worker_llm", "no_op", "super_node"})


def node(logical_id: str, **fields: Any) -> dict[str, Any]:
    return {"logical_id": logical_id, "type": "say_static", **fields}


def edge(logical_id: str, source: str | None, destination: str | None, **fields: Any) -> dict[str, Any]:
    ends = {"source_node_logical_id": source, "destination_node_logical_id": destination}
    return {"logical_id": logical_id, "type": "direct", **ends, **fields}


def when(expression: str | None = None, freeform: str | None = None) -> dict[str, Any]:
    condition = {"condition_expression": expression, "condition_freeform": freeform}
    return {"type": "conditional", "condition": condition}


def found(nodes: list[dict], *edges: dict, known: frozenset[str] | None = KNOWN) -> list[Problem]:
    seeds = dict.fromkeys(["done", "x", "tea", "cups"])
    document = {"node_configs": nodes, "edge_configs": list(edges), "runtime_variables": seeds}
    return check(Workflow.from_document(document), known)


def codes(nodes: list[dict], *edges: dict) -> list[str]:
    return [problem.code for problem in found(nodes, *edges)]


START = node("start", name="Greeting", is_start=True)
FORK = {"companion_thread_config": {"is_companion_thread": True, "thread_id": "poll"}}


def test_a_sound_workflow_has_no_problems() -> None:
    problems = found(
        [START, node("ask", type="say_llm"), node("bye"), node("off", disabled=True, type="teleport")],
        edge("1", "start", "ask"),
        edge("2", "ask", "bye", **when("[[done]] == true")),
        edge("3", "ask", "bye", **when(freeform="the guest says goodbye")),
        edge("4", "ask", "gone", disabled=True),
    )

    assert problems == []


def test_a_workflow_without_nodes_cannot_start() -> None:
    [problem] = found([])

    assert (problem.level, problem.code) == ("error", "no-nodes")


def test_a_workflow_without_a_start_node_cannot_start() -> None:
    [problem] = found([node("a"), node("b")])

    assert (problem.level, problem.code, problem.node_logical_id) == ("error", "no-start-node", None)


def test_a_start_node_that_is_disabled_is_named() -> None:
    [problem] = found([node("a", name="Hello", is_start=True, disabled=True)])

    assert problem.code == "no-start-node"
    assert problem.node_logical_id == "a"
    assert "'Hello'" in problem.message


def test_a_second_start_node_is_warned_about() -> None:
    problems = found([START, node("other", is_start=True)], edge("1", "start", "other"))

    assert [(problem.level, problem.code, problem.node_logical_id) for problem in problems] == [
        ("warning", "several-start-nodes", "other")
    ]
    assert "'Greeting' (start)" in problems[0].message


def test_two_nodes_with_one_id_are_an_error() -> None:
    problems = found([START, node("x", name="One"), node("x", name="Two")], edge("1", "start", "x"))

    assert [(problem.level, problem.code) for problem in problems] == [("error", "duplicate-node-id")]
    assert problems[0].node_logical_id == "x"
    assert "'One', 'Two'" in problems[0].message


def test_two_edges_with_one_id_are_an_error() -> None:
    nodes = [START, node("a"), node("b")]

    problems = found(nodes, edge("1", "start", "a"), edge("1", "a", "b"))

    assert [(problem.level, problem.code, problem.edge_logical_id) for problem in problems] == [
        ("error", "duplicate-edge-id", "1")
    ]
    assert "start → a" in problems[0].message


@pytest.mark.parametrize(
    ("source", "destination", "end"), [(None, "start", "source"), ("start", None, "destination")]
)
def test_an_edge_without_an_end_is_an_error(source: str | None, destination: str | None, end: str) -> None:
    [problem] = found([START], edge("e", source, destination))

    assert (problem.level, problem.code, problem.edge_logical_id) == ("error", "edge-without-end", "e")
    assert f"no {end}" in problem.message


@pytest.mark.parametrize(
    ("source", "destination", "end"), [("gone", "start", "source"), ("start", "gone", "destination")]
)
def test_an_edge_at_a_missing_node_is_an_error(source: str, destination: str, end: str) -> None:
    [problem] = found([START], edge("e", source, destination))

    assert (problem.level, problem.code, problem.edge_logical_id) == ("error", "edge-at-missing-node", "e")
    assert f"the {end} 'gone'" in problem.message


def test_a_disabled_edge_may_hang_in_the_air() -> None:
    assert (
        codes([START], edge("1", "start", "gone", disabled=True), edge("2", None, None, disabled=True)) == []
    )


def test_a_node_without_a_type_is_an_error() -> None:
    [problem] = found([START | {"type": None}])

    assert (problem.level, problem.code, problem.node_logical_id) == ("error", "node-without-type", "start")


def test_a_type_that_the_engine_does_not_run_is_named_with_its_node() -> None:
    [problem] = found([START | {"type": "athena_patients_search"}])

    assert (problem.level, problem.code, problem.node_logical_id) == ("error", "unknown-node-type", "start")
    assert "'Greeting' (start)" in problem.message
    assert "'athena_patients_search'" in problem.message
    assert "say_llm" in problem.advice


def test_no_type_is_objected_to_when_nobody_knows_the_engine() -> None:
    assert found([START | {"type": "athena_patients_search"}], known=None) == []


def test_a_disabled_node_may_have_any_type_or_none() -> None:
    off = [node("a", type="teleport", disabled=True), node("b", type=None, disabled=True)]

    assert codes([START, *off]) == []


def test_an_expression_that_does_not_parse_is_shown_with_a_caret_below_the_fault() -> None:
    problems = found(
        [START, node("bye")], edge("e", "start", "bye", **when("[[tea]] == 'green' AND AND [[cups]] > 1"))
    )

    [problem] = problems
    assert (problem.level, problem.code, problem.edge_logical_id) == ("error", "condition-syntax", "e")
    first, text, caret = problem.message.split("\n")
    assert "column 24" in first
    assert text == "[[tea]] == 'green' AND AND [[cups]] > 1"
    assert caret == " " * 23 + "^"


def test_the_expressions_of_a_global_node_are_parsed_too() -> None:
    config = {
        "is_global": True,
        "condition": {"condition_expression": "contains([[x]], 'a')"},
        "reverse_conditional_edge": {"condition_expression": "[[x]] =="},
    }

    problems = found([START, node("help", type="say_llm", global_node_config=config)])

    assert [(problem.code, problem.node_logical_id) for problem in problems] == [
        ("condition-syntax", "help")
    ] * 2
    assert "entry condition" in problems[0].message
    assert "reverse condition" in problems[1].message


def test_expressions_that_nobody_evaluates_are_left_alone() -> None:
    broken = {"condition": {"condition_expression": "(("}}
    nodes = [START, node("a", global_node_config={"is_global": False, **broken})]

    problems = codes(
        nodes,
        edge("direct", "start", "a", **broken),
        edge("off", "start", "a", **when("((") | {"disabled": True}),
    )

    assert problems == []


@pytest.mark.parametrize("fields", [{"type": "conditional"}, when(), when("", "")])
def test_a_conditional_edge_without_a_condition_is_never_taken(fields: dict[str, Any]) -> None:
    [problem] = found([START, node("bye")], edge("e", "start", "bye", **fields))

    assert (problem.level, problem.code, problem.edge_logical_id) == ("warning", "condition-missing", "e")


def test_a_global_node_without_a_condition_is_never_entered() -> None:
    problems = found([START, node("help", global_node_config={"is_global": True})])

    assert [(problem.level, problem.code, problem.node_logical_id) for problem in problems] == [
        ("warning", "condition-missing", "help")
    ]


def test_a_direct_edge_wins_over_the_conditional_ones_beside_it() -> None:
    problems = found(
        [START, node("a"), node("b")], edge("d", "start", "a"), edge("c", "start", "b", **when("[[x]] == 1"))
    )

    [problem] = problems
    assert (problem.level, problem.code, problem.node_logical_id) == (
        "warning",
        "direct-beside-conditional",
        "start",
    )
    assert "'d'" in problem.message and "'c'" in problem.message
    assert "model" not in problem.message


def test_a_hop_that_the_model_chooses_is_excepted_from_that_warning() -> None:
    nodes = [START | {"type": "say_llm"}, node("a"), node("b")]

    [problem] = found(nodes, edge("d", "start", "a"), edge("c", "start", "b", **when(freeform="is angry")))

    assert "that the model chooses" in problem.message


def test_two_direct_edges_of_one_thread_are_an_error() -> None:
    nodes = [START, node("a"), node("b")]

    [problem] = found(nodes, edge("1", "start", "a"), edge("2", "start", "b"))

    assert (problem.level, problem.code, problem.node_logical_id) == (
        "error",
        "several-direct-edges",
        "start",
    )
    assert "'1', '2'" in problem.message


def test_direct_edges_that_all_fork_leave_none_for_the_thread_itself() -> None:
    nodes = [START, node("a"), node("b")]
    other = {"companion_thread_config": {"is_companion_thread": True}}

    [problem] = found(nodes, edge("1", "start", "a", **FORK), edge("2", "start", "b", **other))

    assert problem.code == "several-direct-edges"
    assert "none of them" in problem.message


def test_a_fork_beside_one_direct_edge_is_fine() -> None:
    nodes = [START, node("a"), node("b")]

    assert codes(nodes, edge("1", "start", "a"), edge("2", "start", "b", **FORK)) == []


@pytest.mark.parametrize(
    ("fields", "is_wrong"),
    [
        ({"type": "say_llm", "wait_for_user_message": False}, True),
        ({"type": "say_llm", "wait_for_user_message": False, "self_loop": True}, True),
        ({"type": "say_llm", "wait_for_user_message": "false", "self_loop": "on"}, True),
        ({"type": "say_llm", "wait_for_user_message": "no", "self_loop": "0"}, False),
        ({"type": "say_llm", "wait_for_user_message": False, "self_loop": False}, False),
        ({"type": "say_llm"}, False),
        ({"type": "worker_llm", "wait_for_user_message": False}, False),
        ({"type": "worker_llm", "wait_for_user_message": False, "self_loop": True}, True),
        ({"type": "worker_llm", "self_loop": True}, False),
        ({"type": "say_static", "wait_for_user_message": False, "self_loop": True}, False),
        ({"type": "say_llm", "wait_for_user_message": False, "self_loop": True, "disabled": True}, False),
    ],
)
def test_a_model_node_that_loops_without_waiting_is_an_error(fields: dict[str, Any], is_wrong: bool) -> None:
    problems = found(
        [START, node("ask", **fields), node("bye")],
        edge("1", "start", "ask"),
        edge("2", "ask", "bye", **when("[[done]] == true")),
    )
    problems = [problem for problem in problems if problem.code != "unreachable-node"]

    assert [(problem.level, problem.code, problem.node_logical_id) for problem in problems] == (
        [("error", "loop-without-wait" if "self_loop" in fields else "default-loop-without-wait", "ask")]
        if is_wrong
        else []
    )


def test_evaluator_never_waits_nor_loops() -> None:
    flags = {"type": "workflow_run_evaluator", "self_loop": True, "wait_for_user_message": True}
    nodes = [START, node("main", **flags), node("fork", **flags), node("loop", **flags)]
    nodes[3]["wait_for_user_message"] = False
    edges = [edge("1", "start", "main"), edge("2", "start", "fork", **FORK), edge("3", "fork", "loop")]

    assert found(nodes, *edges, known=None) == []


@pytest.mark.parametrize(
    ("config", "is_wrong"),
    [
        ({"enabled": True}, True),
        ({"enabled": True, "time_between_retries": 3}, True),
        ({"enabled": True, "max_retries": 0}, False),
        ({"enabled": True, "expiry_time": 5}, False),
        ({"enabled": False}, False),
        (None, False),
    ],
)
def test_a_retry_loop_needs_a_bound(config: dict[str, Any] | None, is_wrong: bool) -> None:
    problems = found([START | {"self_loop_config": config}])

    assert [(problem.level, problem.code, problem.node_logical_id) for problem in problems] == (
        [("error", "retry-without-bound", "start")] if is_wrong else []
    )


@pytest.mark.parametrize(
    ("node_type", "is_odd"),
    [("no_op", True), ("say_static", True), ("say_llm", False), ("super_node", False)],
)
def test_a_freeform_condition_needs_a_model_to_judge_it(node_type: str, is_odd: bool) -> None:
    problems = found(
        [START | {"type": node_type, "super_workflow_id": "w"}, node("bye")],
        edge("e", "start", "bye", **when(freeform="wants to go")),
    )

    assert [(problem.level, problem.code, problem.edge_logical_id) for problem in problems] == (
        [("warning", "freeform-without-model", "e")] if is_odd else []
    )


def test_a_freeform_condition_beside_an_expression_is_not_judged() -> None:
    assert codes([START, node("bye")], edge("e", "start", "bye", **when("[[x]] == 1", "wants to go"))) == []


def test_of_an_unknown_type_nobody_says_that_it_calls_no_model() -> None:
    nodes = [START | {"type": "super_talker"}, node("bye")]

    assert codes(nodes, edge("e", "start", "bye", **when(freeform="wants to go"))) == ["unknown-node-type"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"type": "http_request", "method": "get"}, "method"),
        ({"type": "google_docs"}, "operate_document"),
        ({"type": "say_static", "static_messages_config": None}, "static_messages_config"),
        ({"type": "tool_node", "tool_config": {"type": "inline_python", "args_schema": "a"}}, "args_schema"),
        ({"type": "say_llm", "tools_config": {"tools": ["a"]}}, "tools_config.tools.0"),
    ],
)
def test_unreadable_node_is_an_error(fields: dict[str, Any], field: str) -> None:
    document = {"node_configs": [START | fields, node("off", disabled=True, **fields)]}
    workflow = Workflow.from_document(document)
    known = frozenset(NODE_TYPES)

    problems = check(workflow, known, NODE_TYPES)

    assert [(problem.level, problem.code, problem.node_logical_id) for problem in problems] == [
        ("error", "unreadable-node", "start")
    ]
    assert field in problems[0].message
    assert check(workflow, known - {fields["type"]}, NODE_TYPES)[0].code == "unknown-node-type"
    assert check(workflow) == []


def test_unreadable_tool_is_told_by_its_rule() -> None:
    tool = {"type": "crystal_ball"}
    workflow = Workflow.from_document({"node_configs": [START | {"type": "tool_node", "tool_config": tool}]})

    problems = check(workflow, frozenset(NODE_TYPES), NODE_TYPES)

    assert [problem.code for problem in problems] == ["unknown-tool-type"]


def test_a_node_that_cannot_be_arrived_at_is_warned_about() -> None:
    config = {"is_global": True, "condition": {"condition_freeform": "asks for help"}}

    problems = found([START, node("island"), node("help", type="say_llm", global_node_config=config)])

    assert [(problem.level, problem.code, problem.node_logical_id) for problem in problems] == [
        ("warning", "unreachable-node", "island")
    ]


def test_errors_come_before_warnings() -> None:
    problems = found([START, node("island"), node("odd", type="teleport")], edge("1", "start", "odd"))

    assert [problem.level for problem in problems] == ["error", "warning"]


def test_a_very_long_name_is_cut_in_a_message() -> None:
    [problem] = found([START | {"name": "x" * 10_000, "type": "teleport"}])

    assert len(problem.message) < 300


def test_every_rule_has_a_name_of_its_own_and_tells_its_source_or_its_reason() -> None:
    names = [rule.code for rule in CHECKS]

    assert len(set(names)) == len(names)
    assert all(rule.find.__doc__ for rule in CHECKS)


def test_every_rule_of_a_module_is_in_the_table() -> None:
    names = (f"{checks.__name__}.{module.name}" for module in pkgutil.iter_modules(checks.__path__))
    written = [
        each for name in names for each in vars(import_module(name)).values() if isinstance(each, Check)
    ]

    assert {rule.code for rule in written} <= {rule.code for rule in CHECKS}
    assert len(written) >= 50


def test_every_code_is_the_name_of_its_rule() -> None:
    names = {rule.find.__name__.replace("_", "-") for rule in CHECKS}
    broken = {"is_global": True, "condition": {"condition_expression": "(("}}
    problems = [
        *found([]),
        *found([node("a")]),
        *found(
            [
                START,
                node("x", is_start=True),
                node("x"),
                node("island", type=None),
                node("odd", type="teleport", global_node_config=broken),
                node("loop", type="say_llm", wait_for_user_message=False, self_loop_config={"enabled": True}),
            ],
            edge("1", "start", "x"),
            edge("1", "start", "x"),
            edge("2", "start", None),
            edge("3", "start", "gone"),
            edge("4", "start", "x", type="conditional"),
            edge("5", "start", "x", **when(freeform="maybe")),
        ),
    ]

    assert len({problem.code for problem in problems}) >= 15
    assert {problem.code for problem in problems} <= names
    assert all(problem.advice and problem.message for problem in problems)


ODD = st.sampled_from([None, "a", "b", "gone", ""])


@given(
    st.lists(st.builds(node, st.sampled_from("ab"), type=ODD, name=ODD, is_start=st.booleans()), max_size=4),
    st.lists(
        st.builds(
            edge,
            st.sampled_from("12"),
            ODD,
            ODD,
            type=st.sampled_from(["direct", "conditional", "companion"]),
        ),
        max_size=5,
    ),
)
def test_no_document_is_too_broken_to_be_checked(nodes: list[dict], edges: list[dict]) -> None:
    problems = found(nodes, *edges)

    assert [problem.level for problem in problems] == sorted(problem.level for problem in problems)


JSON = st.recursive(
    st.sampled_from([None, True, 0, -1, 10**400, 0.5, "", "{{a}}", "[[b]]", "{", "query"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "tools", "llms", "name", "properties"]), inner, max_size=3)
    ),
    max_leaves=6,
)
TOOL = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            ["external_api", "knowledge_base", "inbuilt_function", "inline_python", [], None]
        )
    },
    optional={
        "tool_id": JSON,
        "integration_auth": JSON | st.fixed_dictionaries({"integration_id": JSON}),
        "api_headers": JSON,
        "timeout_seconds": JSON,
        "api_body": JSON,
        "variable_arguments": st.lists(
            st.fixed_dictionaries({}, optional={"argument_name": JSON, "source": JSON})
        ),
        "result_variable_mappings": st.lists(
            st.fixed_dictionaries({}, optional={"target_variable_name": JSON})
        ),
        "result_runtime_variable_name": JSON,
    },
)
FIELD = st.fixed_dictionaries(
    {"name": st.just("a") | JSON},
    optional={
        "value_type": JSON,
        "enum_values": JSON,
        "min_value": JSON,
        "max_length": JSON,
        "default_value": JSON,
        "mappings": JSON
        | st.lists(
            st.fixed_dictionaries(
                {"target_type": st.just("runtime_variable") | JSON}, optional={"target_variable_name": JSON}
            )
        ),
    },
)


@given(
    st.sampled_from(["tool_node", "super_node", "http_request", "worker_llm", "no_op"]),
    st.fixed_dictionaries(
        {},
        optional={
            "tool_config": TOOL | JSON,
            "tools_config": JSON,
            "llms_config": JSON | st.fixed_dictionaries({"type": JSON, "streaming": JSON, "okta_auth": JSON}),
            "attachable_llm_config_id": JSON,
            "override_llm_config": JSON,
            "is_turn_by_turn_evaluator": JSON,
            "timeout": JSON,
            "field_values": JSON | st.dictionaries(st.just("a"), JSON),
            "super_node_interface": JSON | st.fixed_dictionaries({"input_fields": st.lists(FIELD)}),
            "structured_output_schema": JSON,
            "output_runtime_variable_name": JSON,
            "wait_for_user_message": JSON,
        },
    ),
)
def test_no_field_of_a_node_is_too_odd_to_be_checked(node_type: str, fields: dict[str, Any]) -> None:
    twin = START | fields | {"type": node_type, "logical_id": "twin"}
    problems = found([START | fields | {"type": node_type}, twin], edge("1", "start", "twin"))

    assert all(format_problem(problem, EMPTY).startswith(problem.level) for problem in problems)


EMPTY = Graph(Workflow())


def test_a_super_node_may_be_left_by_direct_and_conditional_edges():
    nodes = [{**START, "type": "super_node"}, node("a"), node("b")]

    found_codes = codes(
        nodes, edge("e1", "start", "a"), edge("e2", "start", "b", **when(expression="[[x]] == 1"))
    )

    assert "direct-beside-conditional" not in found_codes
