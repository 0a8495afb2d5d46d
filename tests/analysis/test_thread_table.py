from __future__ import annotations

import pytest

from debugger.analysis.position import position
from debugger.analysis.run_tables import thread_names, thread_table
from debugger.graph.graph import Graph
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput, TurnLog
from debugger.protocol.workflow import Workflow
from tests.companions import lab

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


def test_a_run_that_has_not_begun_has_no_threads():
    assert rows(status="not_started") == []


def test_the_main_thread_comes_first_and_says_how_the_run_stands():
    found = rows(event("start_node_run", "poll", LAB), event("start_node_run", "chat"))

    assert [(row.name, row.status, row.node) for row in found] == [
        ("main", "waiting", "Chat"),
        ("labpoll", "in the background", "Poll"),
    ]


def test_a_companion_in_the_wait_between_two_attempts_says_when_it_goes_on():
    found = rows(
        event("start_node_run", "chat"),
        event("start_node_run", "poll", LAB),
        delay(LAB, 1_700_000_000.0, 30),
        delay("0_companion_other", 1_800_000_000.0, 1),
    )

    assert found[0].next_due is None
    assert found[1].next_due == 1_700_000_030.0


def test_a_companion_at_work_is_due_at_no_known_time():
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
