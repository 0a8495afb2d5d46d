from __future__ import annotations

from debugger.analysis.event_fields import EventFields
from debugger.analysis.transitions import (
    TRANSITION_TYPES,
    EdgeIndex,
    PathCounts,
    Transition,
    read_transition,
    transition_condition,
    transition_reason,
    transition_title,
)
from debugger.graph.graph import Graph
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import EdgeConfig, NodeConfig
from tests.support.factories import direct, everywhere, say, when, workflow


def read_transitions(turns, edges):
    found = [
        (turn.number, index, event)
        for turn in turns
        for index, event in enumerate(turn.events)
        if event.type in TRANSITION_TYPES
    ]
    return [
        read_transition(EventFields(event), edges, number, turn_number, index)
        for number, (turn_number, index, event) in enumerate(found, start=1)
    ]


def edge(edge_id, kind, source, destination, **fields):
    return EdgeConfig(
        logical_id=edge_id,
        type=kind,
        source_node_logical_id=source,
        destination_node_logical_id=destination,
        **fields,
    )


def test_edge_index_finds_direct_edge_by_ends():
    edges = EdgeIndex([edge("edge_1", "direct", "node_a", "node_b", name="next")])
    event = parse_event(
        {
            "type": "direct_edge",
            "edge_name": None,
            "edge_logical_id": None,
            "source_node_logical_id": "node_a",
            "destination_node_logical_id": "node_b",
            "reason": "Direct edge triggered from node_a to node_b",
        }
    )

    (hop,) = read_transitions([TurnLog(3, TurnInput(), [event])], edges)

    assert (hop.edge_id, hop.edge_name, hop.turn_number) == ("edge_1", "next", 3)
    assert hop.event_index == 0
    assert hop.reason == "Direct edge triggered from node_a to node_b"


def test_edge_index_prefers_type_and_name():
    edges = EdgeIndex(
        [
            edge("edge_direct", "direct", "node_a", "node_b"),
            edge("edge_no", "conditional", "node_a", "node_b", name="no"),
            edge("edge_yes", "conditional", "node_a", "node_b", name="yes"),
        ]
    )
    event = parse_event(
        {
            "type": "conditional_edge",
            "edge_name": "yes",
            "source_node_logical_id": "node_a",
            "destination_node_logical_id": "node_b",
        }
    )

    assert edges.of(event).logical_id == "edge_yes"


def test_edge_index_prefers_edge_that_thread_follows():
    fork = {"companion_thread_config": {"is_companion_thread": True}}
    graph = Graph(
        workflow(
            say("a"),
            say("b"),
            direct("a", "b", logical_id="off", disabled=True),
            direct("a", "b", logical_id="fork", **fork),
            direct("a", "b", logical_id="main"),
        )
    )
    event = {"type": "direct_edge", "source_node_logical_id": "a", "destination_node_logical_id": "b"}

    found = EdgeIndex(graph.edges.values(), graph.nodes).of(parse_event(event))

    assert found is not None and found.logical_id == "main"


def test_transition_keeps_unknown_edge_id():
    edges = EdgeIndex([edge("edge_1", "conditional", "node_a", "node_b")])
    event = parse_event(
        {
            "type": "conditional_edge",
            "edge_logical_id": "edge_of_version_7",
            "source_node_logical_id": "node_a",
            "destination_node_logical_id": "node_b",
        }
    )

    (hop,) = read_transitions([TurnLog(1, TurnInput(), [event])], edges)

    assert hop.edge_id == "edge_of_version_7"


def test_a_self_loop_follows_no_edge():
    event = parse_event(
        {"type": "self_loop_edge", "source_node_logical_id": "chat", "destination_node_logical_id": "chat"}
    )

    (hop,) = read_transitions([TurnLog(1, TurnInput(), [event])], EdgeIndex([]))

    assert (hop.edge_id, hop.source, hop.destination) == (None, "chat", "chat")


def test_edge_index_finds_companion_edges():
    flagged = edge("edge_fork", "direct", "a", "poll", companion_thread_config={"is_companion_thread": True})
    edges = EdgeIndex([flagged, edge("edge_worker", "companion", "a", "worker")])

    def fork(destination):
        return parse_event(
            {
                "type": "companion_edge",
                "source_node_logical_id": "a",
                "destination_node_logical_id": destination,
            }
        )

    assert edges.of(fork("poll")).logical_id == "edge_fork"
    assert edges.of(fork("worker")).logical_id == "edge_worker"


def test_waiting_match_is_no_transition():
    events = [
        parse_event({"type": "waiting_condition_matched", "edge_logical_id": "edge_1"}),
        parse_event({"type": "conditional_edge", "edge_logical_id": "edge_1", "args_filled": None}),
    ]

    found = list(read_transitions([TurnLog(1, TurnInput(), events)], EdgeIndex([])))

    assert [(hop.number, hop.kind) for hop in found] == [(1, "conditional_edge")]


def test_transition_condition_of_a_global_node():
    help_desk = NodeConfig(
        logical_id="help",
        global_node_config={
            "is_global": True,
            "condition": {"condition_freeform": "asks for help"},
            "reverse_conditional_edge": {"condition_freeform": "has been helped"},
        },
    )
    edges, nodes = EdgeIndex([]), {"help": help_desk}
    there = parse_event(
        {"type": "conditional_edge", "source_node_logical_id": "a", "destination_node_logical_id": "help"}
    )
    back = parse_event(
        {
            "type": "reverse_conditional_edge",
            "source_node_logical_id": "help",
            "destination_node_logical_id": "a",
        }
    )

    found = [
        transition_condition(hop, edges, nodes)
        for hop in read_transitions([TurnLog(1, TurnInput(), [there, back])], edges)
    ]

    assert found == ["asks for help", "has been helped"]


def counted_transition(number, source, destination, *, edge=None, thread="0"):
    return Transition(number, edge, source, destination, "direct_edge", "", 1, number, thread)


def test_path_count_has_first_last_and_threads():
    ways = [
        counted_transition(number, "a", "b", edge="a_b", thread=f"{number % 2}") for number in range(1, 6)
    ]

    trail = PathCounts.of(ways).by_edge["a_b"]

    assert (trail.first, trail.last, trail.count) == (ways[0], ways[4], 5)
    assert trail.latest == (3, 4, 5)
    assert trail.threads == {"0", "1"}


def test_path_counts_skip_self_loops():
    trails = PathCounts.of(
        [
            counted_transition(1, "a", "a"),
            counted_transition(2, "a", "a", edge="loop"),
            counted_transition(3, "a", "b"),
            counted_transition(4, "b", None),
        ]
    )

    assert list(trails.by_edge) == ["loop", "a > b", "b > None"]
    assert {node: trail.latest for node, trail in trails.by_node.items()} == {"a": (1, 2), "b": (3,)}


def test_a_copy_stays_as_it_is():
    trails = PathCounts.of([counted_transition(1, "a", "b")])
    copy = trails.copy()

    trails.add(counted_transition(2, "a", "b"))

    assert (trails.by_edge["a > b"].count, copy.by_edge["a > b"].count) == (2, 1)


NAMES = {"a": "Desk", "b": "Booking"}


def named_transition(source, destination, kind="conditional_edge", **fields):
    found = {"number": 1, "edge_id": None, "reason": "rule 7", "turn_number": 1, "event_index": 0}
    return Transition(source=source, destination=destination, kind=kind, thread_id="0", **{**found, **fields})


def test_transition_title_names_both_ends():
    assert transition_title(named_transition("a", "b"), NAMES) == "Desk → Booking"


def test_transition_title_of_the_end():
    assert transition_title(named_transition("a", None), NAMES) == "Desk → the end"


def test_transition_reason_is_the_freeform_condition():
    graph = Graph(workflow(say("a"), say("b"), when("a", "b", freeform="the caller wants to book")))

    assert (
        transition_reason(named_transition("a", "b", edge_id="edge_a_b"), graph)
        == "The caller wants to book."
    )


def test_transition_reason_is_the_edge_name():
    graph = Graph(workflow(say("a"), say("b"), when("a", "b", "[[x]] == 1", name="all known")))

    assert (
        transition_reason(named_transition("a", "b", edge_id="edge_a_b", edge_name="all known"), graph)
        == "All known."
    )


def test_transition_reason_hides_expressions():
    graph = Graph(workflow(say("a"), say("b"), when("a", "b", "[[x]] == 1")))

    assert transition_reason(named_transition("a", "b", edge_id="edge_a_b"), graph) == "Its condition holds."


def test_an_edge_without_a_condition_always_follows():
    graph = Graph(workflow(say("a"), say("b"), direct("a", "b")))

    assert (
        transition_reason(named_transition("a", "b", "direct_edge", edge_id="edge_a_b"), graph)
        == "This always comes next."
    )


def test_transition_reason_of_a_global_node():
    settings = everywhere("the caller asks for the hours", back="the caller goes on")
    graph = Graph(workflow(say("a"), say("b", global_node_config=settings)))

    assert transition_reason(named_transition("a", "b"), graph) == "The caller asks for the hours."
    assert (
        transition_reason(named_transition("b", "a", "reverse_conditional_edge"), graph)
        == "The caller goes on."
    )
