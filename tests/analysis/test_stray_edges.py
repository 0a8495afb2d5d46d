from __future__ import annotations

from debugger.analysis.position import position
from debugger.analysis.run_tables import stray_edges
from debugger.graph.graph import Graph
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput, TurnLog
from tests.factories import direct, everywhere, say, static, workflow


def graph():
    return Graph(
        workflow(
            static("greet", "Hi"),
            say("ask"),
            say("human", global_node_config=everywhere("wants a person", back="is done")),
            direct("greet", "ask"),
        )
    )


def hop(kind, source, destination, **fields):
    return parse_event(
        {
            "type": kind,
            "origin_thread_id": "0",
            "source_node_logical_id": source,
            "destination_node_logical_id": destination,
            **fields,
        }
    )


def strays(*events):
    subject = graph()
    return stray_edges(position([TurnLog(1, TurnInput(), list(events))], subject), subject)


def test_a_run_of_this_version_along_its_edges_strays_nowhere():
    by_id = hop("direct_edge", "greet", "ask", edge_logical_id="edge_greet_ask")
    by_ends = hop("direct_edge", "greet", "ask")

    assert strays(by_id, by_ends) == []


def test_an_edge_that_is_gone_is_a_ghost_under_its_own_id():
    (found,) = strays(hop("conditional_edge", "ask", "greet", edge_logical_id="old", edge_name="again"))

    assert (found.id, found.source, found.destination) == ("old", "ask", "greet")
    assert (found.kind, found.label) == ("ghost", "again")


def test_a_direct_hop_that_no_edge_explains_is_a_ghost_even_without_an_id():
    (found,) = strays(hop("direct_edge", "ask", "greet"))

    assert (found.id, found.kind) == ("ask > greet", "ghost")


def test_hops_into_a_global_node_and_back_need_no_edge():
    found = strays(hop("conditional_edge", "ask", "human"), hop("reverse_conditional_edge", "human", "ask"))

    assert [(stray.id, stray.kind, stray.label) for stray in found] == [
        ("ask > human", "hop", "global"),
        ("human > ask", "hop", "reverse conditional"),
    ]


def test_a_condition_that_led_elsewhere_than_to_a_global_node_had_an_edge_once():
    (found,) = strays(hop("conditional_edge", "ask", "greet"))

    assert found.kind == "ghost"


def test_a_way_is_told_once_however_often_it_was_gone():
    forced = hop("force_transfer_to_node", "greet", "human")

    assert len(strays(forced, forced, forced)) == 1


def test_a_node_that_goes_on_with_itself_strays_nowhere():
    assert strays(hop("self_loop_edge", "ask", "ask")) == []


def test_the_end_of_a_run_is_no_way():
    assert strays(hop("conditional_edge", "ask", None, edge_logical_id="old")) == []
