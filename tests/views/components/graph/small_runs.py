"""A small workflow and the events of runs through it, for tests of what is drawn of them."""

from __future__ import annotations

from debugger.graph.graph import Graph
from debugger.protocol.events import (
    DirectEdgeEvent,
    StartNodeRunEvent,
)
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog
from tests.support.factories import direct, everywhere, say, static, when, workflow


def graph():
    return Graph(
        workflow(
            static("greet", "Hi"),
            say("ask"),
            static("bye", "Bye"),
            say("human", global_node_config=everywhere("the user wants a person")),
            direct("greet", "ask"),
            when("ask", "bye", "[[done]] == true"),
            direct("bye", "ask"),
        )
    )


def turn(*events):
    return [TurnLog(1, TurnInput(), list(events))]


def start(node):
    return StartNodeRunEvent(
        origin_thread_id="0", origin_node_logical_id=node, origin_node_name=node.capitalize()
    )


def hop(source, destination, cls=DirectEdgeEvent):
    return cls(
        origin_thread_id="0",
        edge_logical_id=f"edge_{source}_{destination}",
        source_node_logical_id=source,
        destination_node_logical_id=destination,
    )
