from __future__ import annotations

from debugger.analysis.transitions import EdgeFinder, condition_of, hops
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput, TurnLog
from debugger.protocol.workflow import EdgeConfig, NodeConfig


def edge(edge_id, kind, source, destination, **fields):
    return EdgeConfig(
        logical_id=edge_id,
        type=kind,
        source_node_logical_id=source,
        destination_node_logical_id=destination,
        **fields,
    )


def test_a_direct_hop_recorded_without_an_id_is_found_by_its_ends():
    edges = EdgeFinder([edge("edge_1", "direct", "node_a", "node_b", name="next")])
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

    (hop,) = hops([TurnLog(3, TurnInput(), [event])], edges)

    assert (hop.edge_id, hop.edge_name, hop.turn_number) == ("edge_1", "next", 3)
    assert hop.event_index == 0
    assert hop.reason == "Direct edge triggered from node_a to node_b"


def test_of_two_edges_between_the_same_nodes_the_type_and_the_name_decide():
    edges = EdgeFinder(
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


def test_an_id_that_the_workflow_does_not_have_is_kept_as_it_was_told():
    edges = EdgeFinder([edge("edge_1", "conditional", "node_a", "node_b")])
    event = parse_event(
        {
            "type": "conditional_edge",
            "edge_logical_id": "edge_of_version_7",
            "source_node_logical_id": "node_a",
            "destination_node_logical_id": "node_b",
        }
    )

    (hop,) = hops([TurnLog(1, TurnInput(), [event])], edges)

    assert hop.edge_id == "edge_of_version_7"


def test_a_self_loop_follows_no_edge():
    event = parse_event(
        {"type": "self_loop_edge", "source_node_logical_id": "chat", "destination_node_logical_id": "chat"}
    )

    (hop,) = hops([TurnLog(1, TurnInput(), [event])], EdgeFinder([]))

    assert (hop.edge_id, hop.source, hop.destination) == (None, "chat", "chat")


def test_a_companion_hop_is_found_among_companion_edges_and_flagged_direct_ones():
    flagged = edge("edge_fork", "direct", "a", "poll", companion_thread_config={"is_companion_thread": True})
    edges = EdgeFinder([flagged, edge("edge_worker", "companion", "a", "worker")])

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


def test_a_condition_that_matched_while_waiting_is_no_hop_of_its_own():
    events = [
        parse_event({"type": "waiting_condition_matched", "edge_logical_id": "edge_1"}),
        parse_event({"type": "conditional_edge", "edge_logical_id": "edge_1", "args_filled": None}),
    ]

    found = list(hops([TurnLog(1, TurnInput(), events)], EdgeFinder([])))

    assert [(hop.number, hop.kind) for hop in found] == [(1, "conditional_edge")]


def test_the_condition_of_a_hop_into_a_global_node_and_back_stands_at_that_node():
    help_desk = NodeConfig(
        logical_id="help",
        global_node_config={
            "is_global": True,
            "condition": {"condition_freeform": "asks for help"},
            "reverse_conditional_edge": {"condition_freeform": "has been helped"},
        },
    )
    edges, nodes = EdgeFinder([]), {"help": help_desk}
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

    found = [condition_of(hop, edges, nodes) for hop in hops([TurnLog(1, TurnInput(), [there, back])], edges)]

    assert found == ["asks for help", "has been helped"]
