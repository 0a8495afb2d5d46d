from __future__ import annotations

import json

from debugger.analysis.position import position
from debugger.graph.graph import Graph
from debugger.graph.layout import layout
from debugger.protocol.events import (
    ConditionalEdgeEvent,
    DirectEdgeEvent,
    EndNodeRunEvent,
    EndThreadEvent,
    StartNodeRunEvent,
)
from debugger.protocol.runs import TurnInput, TurnLog
from debugger.views.parts.graph.scene import geometry, marks
from tests.factories import direct, everywhere, say, static, when, workflow


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


def test_before_a_run_nothing_is_marked():
    subject = graph()

    made = marks(position([], subject, "not_started"), subject)

    assert {node["state"] for node in made["nodes"].values()} == {"idle"}
    assert made["edges"] == {}
    assert made["current"] == []


def test_a_run_marks_where_it_is_where_it_was_and_where_it_can_go():
    subject = graph()
    turns = turn(start("greet"), hop("greet", "ask"), start("ask"))

    made = marks(position(turns, subject, "waiting_for_user_input"), subject)

    states = {node: mark["state"] for node, mark in made["nodes"].items()}
    assert states == {"greet": "visited", "ask": "current", "bye": "next", "human": "unreached"}
    assert made["nodes"]["ask"]["note"] == "your turn"
    assert made["edges"] == {
        "edge_greet_ask": {"state": "taken", "order": "1"},
        "edge_ask_bye": {"state": "next", "order": ""},
    }


def test_steps_are_numbered_in_their_order_and_the_last_ones_are_kept():
    subject = graph()
    loop = [hop("ask", "bye", ConditionalEdgeEvent), start("bye"), hop("bye", "ask"), start("ask")]
    turns = turn(start("greet"), hop("greet", "ask"), start("ask"), *loop, *loop, *loop)

    made = marks(position(turns, subject), subject)

    assert made["nodes"]["greet"]["order"] == "1"
    assert made["nodes"]["ask"]["order"] == "…6,8"
    assert made["nodes"]["ask"]["visits"] == 4
    assert made["edges"]["edge_bye_ask"]["order"] == "3,5,7"


def test_a_node_that_failed_is_marked_failed():
    subject = graph()
    failed = EndNodeRunEvent(
        origin_thread_id="0", origin_node_logical_id="greet", run_output={"success": False}
    )

    made = marks(position(turn(start("greet"), failed), subject, "failed"), subject)

    assert made["nodes"]["greet"]["state"] == "failed"
    assert made["nodes"]["greet"]["note"] == "failed here"


def test_nodes_that_the_version_lacks_are_drawn_below_it():
    subject = graph()
    placed = layout(subject)
    found = position(turn(start("greet"), start("gone")), subject)

    shape = geometry(placed, subject, found.ghosts)

    ghost = shape["nodes"][-1]
    assert (ghost["id"], ghost["ghost"], ghost["lines"]) == ("gone", True, ["Gone"])
    assert ghost["y"] > placed.height
    assert shape["height"] > ghost["y"]
    assert marks(found, subject)["nodes"]["gone"]["state"] in ("current", "ghost")


def test_the_whole_picture_is_plain_json():
    subject = graph()

    shape = geometry(layout(subject), subject, {})

    assert json.loads(json.dumps(shape, allow_nan=False))["nodes"][0]["title"].startswith("Greet\nsay_static")
    assert [edge["title"] for edge in shape["edges"]][1] == "[[done]] == true\nconditional edge"


def test_a_companion_is_marked_where_it_is_until_it_has_ended():
    subject = graph()
    poll = StartNodeRunEvent(origin_thread_id="0_companion_lab", origin_node_logical_id="bye")
    end = EndThreadEvent(origin_thread_id="0_companion_lab", last_node_logical_id="bye")

    during = marks(position(turn(start("greet"), poll), subject), subject)
    after = marks(position(turn(start("greet"), poll, end), subject), subject)

    assert during["current"] == ["greet", "bye"]
    assert (during["nodes"]["bye"]["state"], during["nodes"]["bye"]["note"]) == ("current", "companion lab")
    assert after["current"] == ["greet"]
    assert (after["nodes"]["bye"]["state"], after["nodes"]["bye"]["note"]) == ("visited", "")


def test_a_node_with_the_run_and_a_companion_tells_of_both():
    subject = graph()
    poll = StartNodeRunEvent(origin_thread_id="0_companion_lab", origin_node_logical_id="greet")

    made = marks(position(turn(start("greet"), poll), subject, "waiting_for_user_input"), subject)

    assert made["nodes"]["greet"]["note"] == "your turn, companion lab"


def test_a_run_inside_a_super_node_is_marked_at_it_with_the_node_inside():
    subject = graph()
    inner = StartNodeRunEvent(
        origin_thread_id="0", origin_node_logical_id="bye/name", origin_node_name="Name"
    )

    made = marks(position(turn(start("greet"), inner), subject, "waiting_for_user_input"), subject)

    assert (made["current"], made["nodes"]["bye"]["note"]) == (["bye"], "your turn, at Name")
    assert "bye/name" not in made["nodes"]


def test_a_node_that_was_passed_over_says_so():
    subject = graph()
    hop = DirectEdgeEvent(
        origin_thread_id="0", source_node_logical_id="greet", destination_node_logical_id="ask"
    )

    made = marks(position(turn(start("greet"), hop, start("bye")), subject), subject)

    assert (made["nodes"]["ask"]["state"], made["nodes"]["ask"]["note"]) == ("visited", "passed over")
