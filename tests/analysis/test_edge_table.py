from __future__ import annotations

from debugger.analysis.position import position
from debugger.analysis.run_tables import edge_table
from debugger.graph.graph import Graph
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput, TurnLog
from tests.factories import direct, say, static, when, workflow


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


def test_how_often_an_edge_was_taken_is_counted_with_the_turn_of_the_last_time():
    rows = table([start("greet"), hop("greet", "ask"), start("ask")], [hop("greet", "ask"), start("ask")])

    assert (rows["edge_greet_ask"].taken, rows["edge_greet_ask"].last_turn) == (2, 2)


def test_each_edge_says_whether_it_was_taken_or_may_be():
    rows = table([start("greet"), hop("greet", "ask"), start("ask")])

    assert {key: row.status for key, row in rows.items()} == {
        "edge_greet_ask": "taken",
        "edge_ask_bye": "next",
        "edge_ask_greet": "disabled",
        "edge_bye_nowhere": "not taken",
    }


def test_ways_that_the_version_does_not_have_come_last():
    rows = table([start("greet"), hop("greet", "gone", "old"), start("gone")])

    last = list(rows.values())[-1]
    assert (last.id, last.destination, last.status, last.taken) == ("old", "gone", "not in this version", 1)
    assert last.condition == "it was so"
