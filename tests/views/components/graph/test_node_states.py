from __future__ import annotations

from debugger.analysis.metrics import NodeTime
from debugger.analysis.position import NextEdge, Position, position
from debugger.graph.graph import Graph
from debugger.graph.groups import Group
from debugger.protocol.events import (
    CompanionEdgeEvent,
    ConditionalEdgeEvent,
    DirectEdgeEvent,
    EndNodeRunEvent,
    EndThreadEvent,
    StartNodeRunEvent,
)
from debugger.views.components.graph.node_states import Badges, Figure, Mark, figures, node_states
from debugger.views.run_state import Element
from tests.support.factories import static, workflow
from tests.views.components.graph.small_runs import graph, hop, start, turn


def test_before_run_nothing_is_marked():
    subject = graph()

    made = node_states(position([], subject, "not_started"), subject)

    assert {node["state"] for node in made["nodes"].values()} == {"idle"}
    assert made["edges"] == {}
    assert made["current"] == []


def test_run_marks_where_it_is_where_it_was_and_where_it_can_go():
    subject = graph()
    turns = turn(start("greet"), hop("greet", "ask"), start("ask"))

    made = node_states(position(turns, subject, "waiting_for_user_input"), subject)

    states = {node: mark["state"] for node, mark in made["nodes"].items()}
    assert states == {"greet": "visited", "ask": "current", "bye": "next", "human": "unreached"}
    assert made["nodes"]["ask"]["note"] == "your turn"
    assert made["edges"] == {
        "edge_greet_ask": {"state": "taken", "order": "1", "taken": 1},
        "edge_ask_bye": {"state": "next", "order": ""},
    }


def test_steps_are_numbered_in_their_order_and_last_ones_are_kept():
    subject = graph()
    loop = [hop("ask", "bye", ConditionalEdgeEvent), start("bye"), hop("bye", "ask"), start("ask")]
    turns = turn(start("greet"), hop("greet", "ask"), start("ask"), *loop, *loop, *loop)

    made = node_states(position(turns, subject), subject)

    assert made["nodes"]["greet"]["order"] == "1"
    assert (made["nodes"]["ask"]["order"], made["nodes"]["ask"]["more"]) == ("4,6,8", 1)
    assert "more" not in made["nodes"]["greet"]
    assert made["nodes"]["ask"]["visits"] == 4
    assert made["edges"]["edge_bye_ask"]["order"] == "3,5,7"


def test_node_that_failed_is_marked_failed():
    subject = graph()
    failed = EndNodeRunEvent(
        origin_thread_id="0", origin_node_logical_id="greet", run_output={"success": False}
    )

    made = node_states(position(turn(start("greet"), failed), subject, "failed"), subject)

    assert made["nodes"]["greet"]["state"] == "failed"
    assert made["nodes"]["greet"]["note"] == "failed here"


def test_current_node_that_failed_is_still_current():
    subject = graph()
    failed = EndNodeRunEvent(
        origin_thread_id="0", origin_node_logical_id="greet", run_output={"success": False}
    )

    here = node_states(position(turn(start("greet"), failed), subject), subject)["nodes"]["greet"]
    later = node_states(position(turn(start("greet"), failed, start("bye")), subject), subject)

    assert (here["state"], here["here"]) == ("failed", True)
    assert "here" not in later["nodes"]["greet"]
    assert later["current"] == ["bye"]


def test_companion_is_marked_where_it_is_until_it_has_ended():
    subject = graph()
    poll = StartNodeRunEvent(origin_thread_id="0_companion_lab", origin_node_logical_id="bye")
    end = EndThreadEvent(origin_thread_id="0_companion_lab", last_node_logical_id="bye")

    during = node_states(position(turn(start("greet"), poll), subject), subject)
    after = node_states(position(turn(start("greet"), poll, end), subject), subject)

    assert during["current"] == ["greet", "bye"]
    assert (during["nodes"]["bye"]["state"], during["nodes"]["bye"]["note"]) == ("current", "companion lab")
    assert after["current"] == ["greet"]
    assert (after["nodes"]["bye"]["state"], after["nodes"]["bye"]["note"]) == ("visited", "")


def test_node_with_run_and_companion_tells_of_both():
    subject = graph()
    poll = StartNodeRunEvent(origin_thread_id="0_companion_lab", origin_node_logical_id="greet")

    made = node_states(position(turn(start("greet"), poll), subject, "waiting_for_user_input"), subject)

    assert made["nodes"]["greet"]["note"] == "your turn, companion lab"


def test_run_inside_super_node_is_marked_at_it_with_node_inside():
    subject = graph()
    inner = StartNodeRunEvent(
        origin_thread_id="0", origin_node_logical_id="bye/name", origin_node_name="Name"
    )

    made = node_states(position(turn(start("greet"), inner), subject, "waiting_for_user_input"), subject)

    assert (made["current"], made["nodes"]["bye"]["note"]) == (["bye"], "your turn, at Name")
    assert "bye/name" not in made["nodes"]


def test_node_that_was_passed_over_says_so():
    subject = graph()
    hop = DirectEdgeEvent(
        origin_thread_id="0", source_node_logical_id="greet", destination_node_logical_id="ask"
    )

    made = node_states(position(turn(start("greet"), hop, start("bye")), subject), subject)

    assert (made["nodes"]["ask"]["state"], made["nodes"]["ask"]["note"]) == ("visited", "skipped")


def test_thread_alone_shows_its_own_way_and_where_it_stands():
    subject = graph()
    fork = CompanionEdgeEvent(
        origin_thread_id="0_companion_lab",
        edge_logical_id="edge_ask_bye",
        source_node_logical_id="ask",
        destination_node_logical_id="bye",
    )
    poll = StartNodeRunEvent(origin_thread_id="0_companion_lab", origin_node_logical_id="bye")
    where = position(turn(start("greet"), fork, hop("greet", "ask"), poll, start("ask")), subject)

    everything = node_states(where, subject)
    main = node_states(where, subject, thread="0")
    companion = node_states(where, subject, thread="0_companion_lab")

    assert set(everything["edges"]) == {"edge_greet_ask", "edge_ask_bye"}
    assert everything["edges"]["edge_ask_bye"] == {"state": "taken", "order": "1", "taken": 1, "lane": 1}
    assert main["edges"]["edge_greet_ask"]["order"] == "2"
    assert main["edges"]["edge_ask_bye"]["state"] == "next"
    assert (main["current"], companion["current"]) == (["ask"], ["bye"])
    assert companion["nodes"]["greet"]["state"] == "unreached"
    assert (companion["nodes"]["bye"]["order"], companion["nodes"]["bye"]["visits"]) == ("2", 1)
    assert (companion["next_steps"], "edge_greet_ask" in companion["edges"]) == ([], False)


def test_threads_at_one_node_are_named_side_by_side_each_with_sign_of_its_own():
    subject = graph()
    polls = [
        StartNodeRunEvent(origin_thread_id=f"0_companion_{name}", origin_node_logical_id="bye")
        for name in ("lab", "mail")
    ]

    made = node_states(position(turn(start("bye"), *polls), subject, "waiting_for_user_input"), subject)

    assert made["nodes"]["bye"]["chips"] == [
        {"lane": 0, "text": "your turn"},
        {"lane": 1, "text": "◆ lab"},
        {"lane": 2, "text": "▲ mail"},
    ]
    assert made["lanes"] == [{"lane": 1, "text": "◆ lab"}, {"lane": 2, "text": "▲ mail"}]


def test_breakpoints_and_pins_are_put_on_what_they_are_set_on():
    subject = graph()
    badges = Badges(
        {
            Element("node", "ask"): Mark("verified", "stops before Ask"),
            Element("edge", "edge_ask_bye"): Mark("hollow", "this backend cannot stop on an edge"),
            Element("node", "nowhere"): Mark("verified", "no such node"),
        },
        {"greet": "says Hello", "nowhere": "no such node"},
    )

    made = node_states(position([], subject, "not_started"), subject, badges=badges)

    assert made["nodes"]["ask"]["breakpoint"] == {"look": "verified", "title": "stops before Ask"}
    assert made["nodes"]["greet"]["pin"] == "says Hello"
    assert made["edges"]["edge_ask_bye"]["breakpoint"]["look"] == "hollow"
    assert made["edges"]["edge_ask_bye"]["state"] == ""
    assert "nowhere" not in made["nodes"]


def test_breakpoint_leaves_what_run_made_of_its_edge():
    subject = graph()
    badges = Badges({Element("edge", "edge_greet_ask"): Mark("log", "writes down [[done]]")})

    made = node_states(position(turn(start("greet"), hop("greet", "ask")), subject), subject, badges=badges)

    assert made["edges"]["edge_greet_ask"]["state"] == "taken"
    assert made["edges"]["edge_greet_ask"]["breakpoint"]["look"] == "log"


def test_time_is_shown_where_it_was_spent_if_it_is_asked_for():
    subject = graph()
    where = position(turn(start("greet"), hop("greet", "ask"), start("ask")), subject)

    made = node_states(where, subject, times={"greet": NodeTime(30.0, 0.25), "ask": NodeTime(90.0, 0.75)})

    assert (made["nodes"]["ask"]["share"], made["nodes"]["ask"]["heat"]) == ("75 %", 0.75)
    assert "share" not in made["nodes"]["bye"]
    assert "share" not in node_states(where, subject)["nodes"]["ask"]


def test_ways_on_tell_their_whole_condition():
    subject = graph()

    made = node_states(position(turn(start("ask")), subject, "waiting_for_user_input"), subject)

    assert made["next_steps"] == [
        {
            "edge": "edge_ask_bye",
            "to_id": "bye",
            "to": "Bye",
            "label": "[[done]] == true",
            "condition": "[[done]] == true",
        },
        {
            "edge": "",
            "to_id": "human",
            "to": "Human",
            "label": "Human",
            "condition": "the user wants a person",
        },
    ]


def test_all_next_steps_are_listed():
    edges = tuple(NextEdge(f"edge_{number}", "bye", "", "") for number in range(14))

    made = node_states(Position(current="ask", state="waiting", next_edges=edges), graph())

    assert [step["edge"] for step in made["next_steps"]] == [edge.edge_id for edge in edges]


def test_hop_without_edge_is_marked_by_its_ends():
    subject = graph()
    away = ConditionalEdgeEvent(
        origin_thread_id="0", source_node_logical_id="ask", destination_node_logical_id="human"
    )

    made = node_states(position(turn(start("ask"), away, start("human")), subject), subject)

    assert made["edges"]["ask > human"] == {"state": "taken", "order": "1", "taken": 1}


def test_opened_super_node_has_state_of_nodes_inside():
    graph = Graph(
        workflow(static("a", "Hi"), static("box", "Hi"), static("box/in", "Hi"), static("box/out", "Hi"))
    )
    group = Group("box", "Box", ("box/in", "box/out"), "super_node")

    def state(**position):
        return node_states(Position(state="waiting", **position), graph, groups=(group,))["nodes"]["box"][
            "state"
        ]

    assert state(current="box/in", first_visit={"box/in": 1}) == "current"
    assert state(current="a", first_visit={"box/in": 1}) == "visited"
    assert state(current="a", failed=("box/out",)) == "failed"
    assert state(current="a", next_edges=(NextEdge("e", "box/in", "", ""),)) == "next"
    assert state(current="a") == "unreached"


def test_threads_have_the_signs_of_their_order_in_the_workflow():
    graph = Graph(workflow(static("a", "Hi"), static("one", "Hi"), static("two", "Hi")))
    groups = (Group("t1", "first", ("one",), "thread"), Group("t2", "second", ("two",), "thread"))
    position = Position(
        current="a",
        state="waiting",
        threads={"0": "a", "0_companion_second": "two"},
        companions={"second": "two"},
    )

    made = node_states(position, graph, groups=groups)

    assert made["lanes"] == [{"lane": 1, "text": "◆ first"}, {"lane": 2, "text": "▲ second"}]
    assert made["nodes"]["t2"] == {"state": "thread", "lane": 2, "sign": "▲"}
    assert made["nodes"]["two"]["chips"] == [{"lane": 2, "text": "▲ second"}]


def test_figures_are_on_their_nodes_and_edges():
    marks = figures(["a", "b"], {"a": Figure("4 of 5 · 80%", 0.80004)}, {"e": Figure("51%", 0.5)})

    assert marks["nodes"]["a"] == {
        "state": "common",
        "visits": 0,
        "order": "",
        "note": "",
        "figure": "4 of 5 · 80%",
        "heat": 0.8,
    }
    assert marks["nodes"]["b"]["state"] == "unreached"
    assert "figure" not in marks["nodes"]["b"]
    assert marks["edges"] == {"e": {"state": "", "order": "", "figure": "51%", "heat": 0.5}}
