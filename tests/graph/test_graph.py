from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debugger.errors import NotFoundError, NotStartableError
from debugger.graph import Graph
from debugger.protocol.workflow import Workflow


def graph(nodes: dict[str, dict], *edges: tuple, **settings: object) -> Graph:
    """A graph of nodes by id and edges given as (id, source, destination, further fields)."""
    return Graph(
        Workflow.from_document(
            {
                "workflow_config": {"name": "Test", **settings},
                "node_configs": [
                    {"logical_id": key, "type": "no_op", **fields} for key, fields in nodes.items()
                ],
                "edge_configs": [
                    {
                        "logical_id": edge_id,
                        "type": "direct",
                        "source_node_logical_id": source,
                        "destination_node_logical_id": destination,
                        **(rest[0] if rest else {}),
                    }
                    for edge_id, source, destination, *rest in edges
                ],
            }
        )
    )


def ids(configs: object) -> list[str]:
    return [config.logical_id for config in configs]


START = {"is_start": True}
GLOBAL = {"global_node_config": {"is_global": True, "condition": {"condition_freeform": "asks for help"}}}
CONDITIONAL = {"type": "conditional", "condition": {"condition_expression": "[[x]] == 1"}}
FORK = {"companion_thread_config": {"is_companion_thread": True, "thread_id": "poll"}}


def test_a_node_is_found_by_its_id() -> None:
    found = graph({"a": START, "b": {"name": "Bye"}}).node("b")

    assert found.name == "Bye"


def test_an_id_that_no_node_has_is_named_with_the_closest_one() -> None:
    with pytest.raises(NotFoundError, match="node_odrer") as caught:
        graph({"node_order": START}).node("node_odrer")

    assert "node_order" in caught.value.advice


def test_edges_leave_in_the_order_of_the_document() -> None:
    made = graph({"a": START, "b": {}, "c": {}}, ("e2", "a", "c"), ("e9", "b", "c"), ("e1", "a", "b"))

    assert ids(made.find_outgoing_edges("a")) == ["e2", "e1"]


def test_disabled_and_dangling_edges_do_not_leave() -> None:
    made = graph(
        {"a": START, "b": {}},
        ("off", "a", "b", {"disabled": True}),
        ("lost", "a", "nowhere"),
        ("stray", "nowhere", "b"),
        ("endless", "a", None),
        ("good", "a", "b"),
    )

    assert ids(made.find_outgoing_edges("a")) == ["good"]
    assert list(made.edges) == ["off", "lost", "stray", "endless", "good"]


def test_direct_conditional_and_companion_edges_are_told_apart() -> None:
    made = graph(
        {"a": START, "b": {}},
        ("d", "a", "b"),
        ("c", "a", "b", CONDITIONAL),
        ("side", "a", "b", {"type": "companion"}),
    )

    assert ids(made.direct("a")) == ["d"]
    assert ids(made.conditional("a")) == ["c"]
    assert ids(made.find_outgoing_edges("a")) == ["d", "c", "side"]


def test_the_main_direct_edge_is_the_one_that_does_not_fork() -> None:
    made = graph({"a": START, "b": {}, "c": {}}, ("fork", "a", "b", FORK), ("main", "a", "c"))

    assert made.main_direct("a").logical_id == "main"


def test_a_lone_direct_edge_is_the_main_one_whatever_its_flag_says() -> None:
    made = graph({"a": START, "b": {}}, ("only", "a", "b", FORK))

    assert made.main_direct("a").logical_id == "only"
    assert made.main_direct("b") is None


def test_questions_about_an_unknown_id_are_answered_with_nothing() -> None:
    made = graph({"a": START})

    assert made.find_outgoing_edges("x") == made.direct("x") == made.conditional("x") == ()
    assert made.reachable("x") == frozenset()


def test_a_run_starts_at_the_first_flagged_node_that_is_enabled() -> None:
    made = graph({"a": {}, "off": START | {"disabled": True}, "b": START, "c": START})

    assert made.start.logical_id == "b"
    assert ids(made.start_nodes) == ["b", "c"]


def test_without_a_start_node_nothing_can_start() -> None:
    with pytest.raises(NotStartableError) as caught:
        graph({"a": {}}).start  # noqa: B018

    assert caught.value.message == "No start node found"


def test_global_nodes_are_the_enabled_ones_in_order() -> None:
    made = graph({"a": START, "help": GLOBAL, "off": GLOBAL | {"disabled": True}, "stop": GLOBAL})

    assert ids(made.global_nodes) == ["help", "stop"]


def test_reachable_follows_edges_and_hops_to_global_nodes() -> None:
    made = graph(
        {"a": START, "b": {}, "help": GLOBAL, "after": {}, "alone": {}},
        ("1", "a", "b"),
        ("2", "help", "after"),
    )

    assert made.reachable("a") == {"a", "b", "help", "after"}
    assert made.reachable("alone") == {"alone", "help", "after"}
    assert ids(made.unreachable) == ["alone"]


def test_a_disabled_node_is_passed_through_along_its_main_direct_edge_only() -> None:
    made = graph(
        {"a": START, "off": {"disabled": True}, "main": {}, "maybe": {}},
        ("1", "a", "off"),
        ("2", "off", "maybe", CONDITIONAL),
        ("3", "off", "main"),
    )

    assert made.reachable("a") == {"a", "off", "main"}
    assert ids(made.unreachable) == ["maybe"]


def test_a_disabled_node_hops_to_no_global_node() -> None:
    made = graph({"off": {"disabled": True}, "help": GLOBAL})

    assert made.reachable("off") == {"off"}


def test_the_node_that_guardrails_escalate_to_is_reachable_when_strikes_are_counted() -> None:
    nodes = {"a": START, "human": {}}
    strikes = {"max_guardrail_nodes_before_escalation": 2, "escalation_node_logical_id": "human"}

    counted = graph(nodes, guardrail_strikes_config=strikes)
    off = graph(nodes, guardrail_strikes_config={"escalation_node_logical_id": "human"})

    assert counted.reachable("a") == {"a", "human"}
    assert off.reachable("a") == {"a"}


def test_without_a_start_every_enabled_node_is_unreachable() -> None:
    made = graph({"a": {}, "b": {}, "off": {"disabled": True}}, ("1", "a", "b"))

    assert ids(made.unreachable) == ["a", "b"]


def test_of_several_nodes_with_one_id_the_first_is_found() -> None:
    twice = [{"logical_id": "a", "name": "first"}, {"logical_id": "a", "name": "second"}]

    made = Graph(Workflow.from_document({"node_configs": twice}))

    assert made.node("a").name == "first"


def test_the_indices_cannot_be_written_to() -> None:
    made = graph({"a": START})

    with pytest.raises(TypeError):
        made.nodes["b"] = made.nodes["a"]


@given(
    st.lists(st.tuples(st.sampled_from("abcdx"), st.sampled_from("abcdx"), st.booleans()), max_size=12),
    st.sets(st.sampled_from("abcd")),
)
def test_what_is_reachable_is_closed_under_the_edges_that_leave_it(
    pairs: list[tuple[str, str, bool]], off: set[str]
) -> None:
    made = graph(
        {key: {"disabled": key in off, "is_start": key == "a"} for key in "abcd"},
        *(
            (str(n), source, target, CONDITIONAL if maybe else {})
            for n, (source, target, maybe) in enumerate(pairs)
        ),
    )

    found = made.reachable("a")

    for node_id in found - off:
        assert {edge.destination_node_logical_id for edge in made.find_outgoing_edges(node_id)} <= found
    assert "a" in found <= set("abcd")


def test_edges_to_nowhere_are_found_by_their_source():
    made = graph({"a": {}, "b": {}}, ("e1", "a", "gone"), ("e2", "a", "b"), ("e3", "b", None))

    assert ids(made.find_dangling_edges("a")) == ["e1"]
    assert ids(made.find_dangling_edges("b")) == ["e3"]
    assert made.find_dangling_edges("gone") == ()
