from __future__ import annotations

import pytest

from debugger.analysis.position import position
from debugger.analysis.run_tables import node_table
from debugger.graph.graph import Graph
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import Workflow
from tests.analysis.played import played_turns
from tests.support.factories import direct, everywhere, say, static, tool, when, worker, workflow


def tea_shop() -> Graph:
    """A greeter, then an order desk that goes on to a farewell; help can be had from anywhere."""
    return Graph(
        Workflow.from_document(
            {
                "node_configs": [
                    {"logical_id": "greet", "name": "Greeter", "type": "say_static", "is_start": True},
                    {"logical_id": "order", "name": "Order desk", "type": "say_llm"},
                    {"logical_id": "bye", "name": "Farewell", "type": "say_static"},
                    {
                        "logical_id": "help",
                        "name": "Help",
                        "type": "say_llm",
                        "global_node_config": {
                            "is_global": True,
                            "condition": {"condition_freeform": "asks for help"},
                            "reverse_conditional_edge": {"condition_freeform": "has been helped"},
                        },
                    },
                ],
                "edge_configs": [
                    {
                        "logical_id": "edge_in",
                        "type": "direct",
                        "source_node_logical_id": "greet",
                        "destination_node_logical_id": "order",
                    },
                    {
                        "logical_id": "edge_done",
                        "name": "ordered",
                        "type": "conditional",
                        "source_node_logical_id": "order",
                        "destination_node_logical_id": "bye",
                        "condition": {"condition_expression": "[[tea]] != ''"},
                    },
                ],
            }
        )
    )


def node(kind, node_id, name=None, **fields):
    return parse_event(
        {
            "type": kind,
            "origin_thread_id": "0",
            "origin_node_logical_id": node_id,
            "origin_node_name": name,
            **fields,
        }
    )


def hop(kind, source, destination, **fields):
    return parse_event(
        {
            "type": kind,
            "origin_thread_id": "0",
            "edge_logical_id": None,
            "source_node_logical_id": source,
            "destination_node_logical_id": destination,
            **fields,
        }
    )


def first_turn() -> TurnLog:
    """Recorded order: the greeter speaks, the order desk waits (hosted: no start events, no edge id)."""
    return TurnLog(
        1,
        TurnInput(),
        [
            node("start_node_run", "greet", "Greeter"),
            node("say_static", "greet", "Greeter"),
            node("assistant_response", "greet", "Greeter", content="Welcome"),
            node("end_node_run", "greet", "Greeter", run_output={"type": "say_static"}),
            parse_event({"type": "workflow_show_state", "thread_id": "0"}),
            hop("direct_edge", "greet", "order"),
            node("workflow_navigation_message", "greet", "Greeter"),
            node("busy_wait_for_user_message", "order", "Order desk"),
        ],
    )


def self_loop_turn(number: int) -> TurnLog:
    return TurnLog(
        number,
        TurnInput.with_message("Assam"),
        [
            node("user_messages", "order", "Order desk"),
            node("start_node_run", "order", "Order desk"),
            node("end_node_run", "order", "Order desk", run_output={"type": "say_llm"}),
            hop("self_loop_edge", "order", "order"),
            node("busy_wait_for_user_message", "order", "Order desk"),
        ],
    )


def test_position_of_a_waiting_run():
    here = position([first_turn()], tea_shop(), "waiting_for_user_input")

    assert (here.current, here.state) == ("order", "waiting")
    assert here.visits == {"greet": 1}
    assert here.first_visit == {"greet": 1, "order": 1}
    assert here.unreached == ("bye", "help")


def test_position_numbers_transitions_by_edge():
    done = TurnLog(
        4,
        TurnInput(),
        [
            node("start_node_run", "order"),
            hop("conditional_edge", "order", "bye", edge_logical_id="edge_done", reason="LLM selected it"),
            node("start_node_run", "bye"),
        ],
    )

    here = position([first_turn(), self_loop_turn(2), self_loop_turn(3), done], tea_shop())

    assert [(hop.number, hop.edge_id, hop.turn_number) for hop in here.transitions] == [
        (1, "edge_in", 1),
        (2, None, 2),
        (3, None, 3),
        (4, "edge_done", 4),
    ]
    numbers = {way: trail.latest for way, trail in here.path_counts.by_edge.items()}
    assert numbers == {"edge_in": (1,), "edge_done": (4,)}
    assert here.transitions[3].reason == "LLM selected it"
    assert here.visits["order"] == 3


def test_position_next_edges_include_global_nodes():
    here = position([first_turn()], tea_shop(), "waiting_for_user_input")

    ways = [(way.edge_id, way.destination, way.condition, way.label, way.kind) for way in here.next_edges]

    assert ways == [
        ("edge_done", "bye", "[[tea]] != ''", "ordered", "edge"),
        (None, "help", "asks for help", "Help", "global"),
    ]


def test_edge_that_was_taken_leaves_no_other_ahead():
    graph = Graph(
        workflow(
            tool("coin", "def toss():\n    return 1"),
            static("win"),
            static("lose"),
            when("coin", "win", "[[coin]] == 1"),
            when("coin", "lose", "[[coin]] == 2"),
        )
    )
    events = [node("start_node_run", "coin"), node("end_node_run", "coin")]

    def ahead(*more):
        return [
            way.destination for way in position([TurnLog(1, TurnInput(), [*events, *more])], graph).next_edges
        ]

    assert ahead() == ["win", "lose"]
    assert ahead(hop("conditional_edge", "coin", "win", edge_logical_id="edge_coin_win")) == ["win"]


def test_position_next_edge_back_to_caller():
    asked = TurnLog(
        2,
        TurnInput(),
        [
            hop("conditional_edge", "order", "help"),
            node("start_node_run", "help"),
            hop("self_loop_edge", "help", "help"),
            node("busy_wait_for_user_message", "help"),
        ],
    )

    here = position([first_turn(), asked], tea_shop())

    assert [(way.destination, way.condition, way.kind) for way in here.next_edges] == [
        ("order", "has been helped", "reverse")
    ]


def test_next_edge_back_of_nested_global_nodes():
    graph, turns = played_turns(
        say("desk"),
        say("help", global_node_config=everywhere("help", "done")),
        say("rude", global_node_config=everywhere("rude", "calm")),
        says=("help", "rude", "calm"),
    )

    back = [
        [way.destination for way in position(turns[:number], graph).next_edges if way.kind == "reverse"]
        for number in (1, 2, 3)
    ]

    assert back == [["desk"], ["help"], ["desk"]]


def test_error_after_companion_worker_is_at_its_host():
    graph, turns = played_turns(
        say("ask"),
        worker("note", {"tea": {"type": "string"}}),
        static("bye", "Bye"),
        {**direct("ask", "note"), "type": "companion"},
        when("ask", "bye", "[[tea]] < 3"),
        says=("mate",),
    )

    here = position(turns, graph)

    assert (here.state, here.current, here.failed) == ("failed", "ask", ("ask",))
    assert here.visits == {"ask": 1, "note": 1}


def test_transition_to_global_node_beside_edge_to_it():
    graph, turns = played_turns(
        say("desk"),
        say("help", global_node_config=everywhere("help")),
        when("desk", "help", "[[lost]] == true"),
        says=("help",),
    )

    here = position(turns, graph)

    assert [made.edge_id for made in here.transitions] == [None, None]
    assert list(here.path_counts.by_edge) == ["desk > help"]


def test_every_node_of_skipped_chain_is_skipped():
    graph, turns = played_turns(
        static("a", "Hello"),
        static("b", "Off", disabled=True),
        static("c", "Off", disabled=True),
        static("d", "Bye"),
        direct("a", "b"),
        direct("b", "c"),
        direct("c", "d"),
    )

    here = position(turns, graph)

    assert (here.skipped, here.unreached) == (("b", "c"), ())


def test_node_is_skipped_where_thread_ends():
    graph, turns = played_turns(static("a", "Hello"), static("b", "Off", disabled=True), direct("a", "b"))

    here = position(turns, graph)

    assert (here.current, here.skipped, here.unreached) == ("b", ("b",), ())


def test_no_way_back_from_global_node_entered_by_edge():
    graph, turns = played_turns(
        static("greet", "Hello"),
        say("help", global_node_config=everywhere("help", "done")),
        direct("greet", "help"),
    )

    here = position(turns, graph)

    assert (here.current, here.next_edges) == ("help", ())


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("not_started", "not_started"),
        ("pending", "running"),
        ("started", "running"),
        ("running", "running"),
        ("paused", "paused"),
        ("waiting_for_user_input", "waiting"),
        ("completed", "ended"),
        ("failed", "failed"),
        ("cancelled", "cancelled"),
        ("aborted_looping_risk", "looping"),
    ],
)
def test_position_has_a_state_per_status(status, state):
    assert position([], tea_shop(), status).state == state


def test_a_run_that_is_over_leads_nowhere():
    here = position([first_turn()], tea_shop(), "cancelled")

    assert here.next_edges == ()


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([], "not_started"),
        ([node("start_node_run", "greet")], "running"),
        ([node("busy_wait_for_user_message", "order")], "waiting"),
        ([node("start_node_run", "bye"), parse_event({"type": "end_workflow"})], "ended"),
        ([node("start_node_run", "bye"), parse_event({"type": "workflow_error"})], "failed"),
    ],
)
def test_position_state_from_events(events, state):
    assert position([TurnLog(1, TurnInput(), events)], tea_shop()).state == state


def test_position_failed_nodes():
    failed = node("end_node_run", "order", run_output={"success": False, "error_message": "503"})
    turn = TurnLog(1, TurnInput(), [node("start_node_run", "order"), failed])

    assert position([turn], tea_shop()).failed == ("order",)


def test_position_clears_failure_after_success():
    failed = node("end_node_run", "order", run_output={"success": False})
    fine = node("end_node_run", "order", run_output={"success": True})

    assert position([TurnLog(1, TurnInput(), [failed, fine])], tea_shop()).failed == ()


def test_position_of_a_failed_model_lasts_to_its_next_run():
    failed = parse_event({"type": "workflow_warning", "trouble": {"kind": "model", "node": "order"}})
    run = [node("start_node_run", "order"), failed, node("end_node_run", "order")]
    other = {"kind": "configuration", "node": "order"}
    warned = [*run[:1], parse_event({"type": "workflow_warning", "trouble": other}), *run[2:]]

    assert position([TurnLog(1, TurnInput(), run)], tea_shop()).failed == ("order",)
    assert position([TurnLog(1, TurnInput(), run + warned)], tea_shop()).failed == ()


def test_position_failed_node_of_run_error():
    events = [
        node("start_node_run", "order"),
        parse_event({"type": "workflow_error", "error_message": "boom"}),
    ]

    here = position([TurnLog(1, TurnInput(), events)], tea_shop(), "failed")

    assert (here.current, here.failed) == ("order", ("order",))


def test_position_missing_nodes_are_unknown():
    turn = TurnLog(
        1,
        TurnInput(),
        [
            node("start_node_run", "upsell", "Upsell"),
            hop("direct_edge", "upsell", "gift", destination_node_name="Gift wrap"),
        ],
    )

    here = position([turn], tea_shop())

    assert here.missing_nodes == {"upsell": "Upsell", "gift": "Gift wrap"}
    assert here.current == "upsell"
    assert here.next_edges == ()


def test_position_ignores_companion_moves():
    poll = parse_event(
        {
            "type": "start_node_run",
            "origin_thread_id": "0_companion_lab",
            "origin_node_logical_id": "bye",
        }
    )
    turn = first_turn()
    turn.events.append(poll)

    here = position([turn], tea_shop())

    assert (here.current, here.state) == ("order", "waiting")
    assert here.threads == {"0": "order", "0_companion_lab": "bye"}


def test_the_table_says_the_same_in_words():
    graph = tea_shop()

    rows = node_table(position([first_turn()], graph), graph)

    assert [(row.name, row.type, row.visits, row.first_turn, row.entered_by, row.status) for row in rows] == [
        ("Greeter", "say_static", 1, 1, "", "visited"),
        ("Order desk", "say_llm", 0, 1, "edge_in", "waiting here"),
        ("Farewell", "say_static", 0, None, "", "next"),
        ("Help", "say_llm", 0, None, "", "not reached"),
    ]


def test_node_table_lists_missing_nodes_and_failures():
    graph = tea_shop()
    turn = TurnLog(
        1,
        TurnInput(),
        [
            node("end_node_run", "greet", run_output={"success": False}),
            node("start_node_run", "upsell", "Upsell"),
        ],
    )

    rows = node_table(position([turn], graph), graph)

    assert (rows[0].id, rows[0].status) == ("greet", "failed")
    assert (rows[-1].name, rows[-1].type, rows[-1].status) == ("Upsell", "", "not in this version")


def test_position_transition_that_ends_the_run():
    escalation = hop("guardrail_escalation_edge", "order", None, num_guardrail_nodes_entered=3)

    here = position([TurnLog(1, TurnInput(), [node("start_node_run", "order"), escalation])], tea_shop())

    assert (here.transitions[0].kind, here.transitions[0].destination) == ("guardrail_escalation_edge", None)
    assert here.current == "order"


def test_position_accepts_null_fields():
    events = [
        node("start_node_run", "order"),
        hop("conditional_edge", "order", "bye", args_filled=None, edge_name=None, reason=None),
        node("start_node_run", "bye"),
        parse_event({"type": "end_thread", "last_node_logical_id": None}),
    ]

    here = position([TurnLog(1, TurnInput(), events)], tea_shop())

    assert {way: trail.latest for way, trail in here.path_counts.by_edge.items()} == {"edge_done": (1,)}
    assert here.current == "bye"


def test_position_failed_at_unstarted_node():
    events = [
        node("start_node_run", "greet"),
        node("end_node_run", "greet"),
        hop("direct_edge", "greet", "order"),
        parse_event({"type": "workflow_error", "error_message": "order cannot be run"}),
    ]

    here = position([TurnLog(1, TurnInput(), events)], tea_shop(), "failed")

    assert here.current == "order"
    assert here.failed == ("order",)


def in_companion(kind, **fields):
    return parse_event({"type": kind, "origin_thread_id": "0_companion_lab", **fields})


def test_position_of_a_companion_over_time():
    events = [
        in_companion("companion_edge", source_node_logical_id="greet", destination_node_logical_id="bye"),
        in_companion("start_node_run", origin_node_logical_id="help"),
        in_companion("end_thread", last_node_logical_id="help"),
    ]

    seen = [position([TurnLog(1, TurnInput(), events[:count])], tea_shop()).companions for count in range(4)]

    assert seen == [{}, {"lab": "bye"}, {"lab": "help"}, {}]


def test_node_table_names_threads_at_nodes():
    graph = tea_shop()
    turn = first_turn()
    turn.events.append(in_companion("start_node_run", origin_node_logical_id="order"))

    rows = {row.id: row.status for row in node_table(position([turn], graph), graph)}

    assert rows["order"] == "waiting here, companion lab here"


@pytest.mark.parametrize(("flag", "reached"), [("on", ["chat"]), ("off", ["rude", "chat", "help"])])
def test_next_edges_leave_out_blocked_guardrail_nodes(flag, reached):
    helping = say("help", is_guardrail_node=True, global_node_config=everywhere("asks for help"))
    graph, turns = played_turns(
        say("angry", is_guardrail_node=True),
        say("rude", is_guardrail_node=True),
        say("chat"),
        helping,
        when("angry", "rude", freeform="is rude"),
        when("angry", "chat", freeform="is calm"),
        miscellaneous={"no_hopping_between_guardrail_nodes": flag},
    )

    assert [way.destination for way in position(turns, graph).next_edges] == reached
