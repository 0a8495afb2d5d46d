from __future__ import annotations

import pytest

from debugger.analysis.position import position
from debugger.analysis.run_tables import edge_table, thread_names, thread_table, unmapped_edges
from debugger.graph.graph import Graph
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import Workflow
from tests.support.companions import lab
from tests.support.factories import direct, everywhere, say, static, when, workflow


def graph():
    return Graph(
        workflow(
            static("greet", "Hi"),
            say("ask"),
            static("bye", "Bye"),
            direct("greet", "ask"),
            when("ask", "bye", "[[done]] == true", name="done"),
            when("ask", "greet", "[[again]] == true", disabled=True),
            direct("bye", "nowhere"),
        )
    )


def hop(source, destination, edge=None):
    return parse_event(
        {
            "type": "direct_edge",
            "origin_thread_id": "0",
            "source_node_logical_id": source,
            "destination_node_logical_id": destination,
            "edge_logical_id": edge or f"edge_{source}_{destination}",
            "reason": "it was so",
        }
    )


def start(node):
    return parse_event({"type": "start_node_run", "origin_thread_id": "0", "origin_node_logical_id": node})


def table(*turns, status="waiting_for_user_input"):
    subject = graph()
    logs = [TurnLog(number, TurnInput(), list(events)) for number, events in enumerate(turns, start=1)]
    return {row.id: row for row in edge_table(position(logs, subject, status), subject)}


def test_every_edge_is_there_before_a_run():
    rows = table(status="not_started")

    assert list(rows) == ["edge_greet_ask", "edge_ask_bye", "edge_ask_greet", "edge_bye_nowhere"]
    assert [row.condition for row in rows.values()][:2] == ["always", "[[done]] == true"]
    assert (rows["edge_ask_bye"].source, rows["edge_ask_bye"].destination) == ("Ask", "Bye")
    assert rows["edge_bye_nowhere"].destination == "nowhere"
    assert {row.taken for row in rows.values()} == {0}


def test_edge_table_counts_uses():
    rows = table([start("greet"), hop("greet", "ask"), start("ask")], [hop("greet", "ask"), start("ask")])

    assert (rows["edge_greet_ask"].taken, rows["edge_greet_ask"].last_turn) == (2, 2)


def test_edge_table_status():
    rows = table([start("greet"), hop("greet", "ask"), start("ask")])

    assert {key: row.status for key, row in rows.items()} == {
        "edge_greet_ask": "taken",
        "edge_ask_bye": "next",
        "edge_ask_greet": "disabled",
        "edge_bye_nowhere": "not taken",
    }


def test_edge_table_lists_unmapped_edges_last():
    rows = table([start("greet"), hop("greet", "gone", "old"), start("gone")])

    last = list(rows.values())[-1]
    assert (last.id, last.destination, last.status, last.taken) == ("old", "gone", "not in this version", 1)
    assert last.condition == "it was so"


def test_edge_table_of_edge_that_led_elsewhere():
    rows = table([start("greet"), hop("greet", "bye", "edge_greet_ask"), start("bye")])

    last = list(rows.values())[-1]
    assert (rows["edge_greet_ask"].status, rows["edge_greet_ask"].taken) == ("not taken", 0)
    assert (last.id, last.status, last.taken) == ("greet > bye", "not in this version", 1)


def bare_graph():
    return Graph(
        workflow(
            static("greet", "Hi"),
            say("ask"),
            say("human", global_node_config=everywhere("wants a person", back="is done")),
            direct("greet", "ask"),
        )
    )


def edge_event(kind, source, destination, **fields):
    return parse_event(
        {
            "type": kind,
            "origin_thread_id": "0",
            "source_node_logical_id": source,
            "destination_node_logical_id": destination,
            **fields,
        }
    )


def unmapped(*events):
    subject = bare_graph()
    return unmapped_edges(position([TurnLog(1, TurnInput(), list(events))], subject), subject)


def test_unmapped_edges_empty_for_this_version():
    by_id = edge_event("direct_edge", "greet", "ask", edge_logical_id="edge_greet_ask")
    by_ends = edge_event("direct_edge", "greet", "ask")

    assert unmapped(by_id, by_ends) == []


def test_unmapped_edges_edge_of_another_version_is_removed():
    (found,) = unmapped(
        edge_event("conditional_edge", "ask", "greet", edge_logical_id="old", edge_name="again")
    )

    assert (found.id, found.source, found.destination) == ("old", "ask", "greet")
    assert (found.kind, found.label) == ("removed", "again")


def test_unmapped_edges_direct_transition_is_removed():
    (found,) = unmapped(edge_event("direct_edge", "ask", "greet"))

    assert (found.id, found.kind) == ("ask > greet", "removed")


def test_unmapped_edges_of_global_nodes():
    found = unmapped(
        edge_event("conditional_edge", "ask", "human"), edge_event("reverse_conditional_edge", "human", "ask")
    )

    assert [(transition.id, transition.kind, transition.label) for transition in found] == [
        ("ask > human", "without_edge", "global"),
        ("human > ask", "without_edge", "reverse conditional"),
    ]


def test_unmapped_edges_condition_needs_an_edge():
    (found,) = unmapped(edge_event("conditional_edge", "ask", "greet"))

    assert found.kind == "removed"


def test_unmapped_edges_lists_each_once():
    forced = edge_event("force_transfer_to_node", "greet", "human")

    assert len(unmapped(forced, forced, forced)) == 1


def test_unmapped_edges_skips_self_loops():
    assert unmapped(edge_event("self_loop_edge", "ask", "ask")) == []


def test_unmapped_edges_skips_the_end():
    assert unmapped(edge_event("conditional_edge", "ask", None, edge_logical_id="old")) == []


LAB = "0_companion_labpoll"


def event(kind, node, thread="0", **fields):
    place = "last_node_logical_id" if kind == "end_thread" else "origin_node_logical_id"
    return parse_event({"type": kind, "origin_thread_id": thread, place: node, **fields})


def delay(thread, at, seconds):
    return parse_event(
        {
            "type": "self_loop_delay",
            "origin_thread_id": thread,
            "source_node_logical_id": "poll",
            "timestamp": at,
            "delay_seconds": seconds,
        }
    )


def rows(*events, status="waiting_for_user_input"):
    graph = Graph(Workflow.from_document(lab()))
    names = {node.logical_id: node.label for node in graph.nodes.values()}
    turns = [TurnLog(1, TurnInput(), list(events))]
    return thread_table(position(turns, graph, status), names, turns)


def test_thread_table_before_the_run():
    assert rows(status="not_started") == []


def test_thread_table_begins_with_main_thread():
    found = rows(event("start_node_run", "poll", LAB), event("start_node_run", "chat"))

    assert [(row.name, row.status, row.node) for row in found] == [
        ("main", "waiting", "Chat"),
        ("labpoll", "in the background", "Poll"),
    ]


def test_thread_table_next_due_of_a_delay():
    found = rows(
        event("start_node_run", "chat"),
        event("start_node_run", "poll", LAB),
        delay(LAB, 1_700_000_000.0, 30),
        delay("0_companion_other", 1_800_000_000.0, 1),
    )

    assert found[0].next_due is None
    assert found[1].next_due == 1_700_000_030.0


def test_thread_table_next_due_while_running():
    found = rows(delay(LAB, 1_700_000_000.0, 30), event("start_node_run", "poll", LAB))

    assert found[0].next_due is None


@pytest.mark.parametrize(
    ("more", "status", "told"),
    [
        ([event("end_thread", "landing", LAB)], "waiting_for_user_input", "ended"),
        ([], "cancelled", "stopped"),
    ],
)
def test_a_companion_that_is_over_says_why(more, status, told):
    found = rows(event("start_node_run", "chat"), event("start_node_run", "poll", LAB), *more, status=status)

    assert (found[1].status, found[1].next_due) == (told, None)


def test_threads_are_called_as_people_know_them():
    graph = Graph(Workflow.from_document(lab()))
    events = [event("start_node_run", "poll", LAB), event("start_node_run", "chat")]

    assert thread_names(position([TurnLog(1, TurnInput(), events)], graph)) == {"0": "main", LAB: "labpoll"}
