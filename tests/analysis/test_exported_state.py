from __future__ import annotations

import pytest

from debugger.analysis.exported_state import exported_state
from debugger.errors import InputError
from debugger.protocol.events import parse_event
from debugger.protocol.initial_state import read_state
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog


def node(kind, node_id, thread="0", **fields):
    return parse_event(
        {
            "type": kind,
            "origin_thread_id": thread,
            "origin_node_logical_id": node_id,
            "logical_id": "e",
            **fields,
        }
    )


def shown(runtime, shared=None, thread="0"):
    return parse_event(
        {
            "type": "workflow_show_state",
            "thread_id": thread,
            "runtime_variables": runtime,
            "workflow_runtime_variables": shared or {},
        }
    )


def order_turns() -> list[TurnLog]:
    first = TurnLog(
        1,
        TurnInput(dynamic_variables={"shop": "Leaf & Co"}, welcome_message="Hello"),
        [
            node("assistant_response", "order", content="Which tea?"),
            node("workflow_navigation_message", "order", message={"type": "ai", "content": "[memo]"}),
            node("busy_wait_for_user_message", "order"),
        ],
    )
    shared = {
        "_input_dynamic_variables": {"shop": "Leaf & Co"},
        "_evaluated_dynamic_variables": {"shop": "Leaf & Co", "now": "7"},
        "attempts": 2,
    }
    second = TurnLog(
        2,
        TurnInput.with_message("Assam", dynamic_variables={"vip": True}),
        [
            node("user_messages", "order", messages=[{"type": "human", "content": "Assam", "id": "m1"}]),
            node("start_node_run", "order"),
            node("say_llm", "order", message={"type": "ai", "content": "", "tool_calls": [{"name": "x"}]}),
            node("end_node_run", "order"),
            shown({"tea": "Assam", "order.tea": "Assam"}, shared),
            parse_event(
                {
                    "type": "conditional_edge",
                    "origin_thread_id": "0",
                    "source_node_logical_id": "order",
                    "destination_node_logical_id": "pay",
                }
            ),
            node("busy_wait_for_user_message", "pay"),
        ],
    )
    return [first, second]


def test_exported_state_has_all_parts():
    state = exported_state(order_turns())

    main = state["threads"]["0"]
    assert main["node_logical_id"] == "pay"
    assert main["runtime_variables"] == {"tea": "Assam", "order.tea": "Assam"}
    assert [(message["type"], message["content"]) for message in main["chat_history"]] == [
        ("ai", "Hello"),
        ("ai", "Which tea?"),
        ("human", "Assam"),
    ]
    assert state["workflow_runtime_variables"] == {"attempts": 2}
    assert state["dynamic_variables"] == {"shop": "Leaf & Co", "vip": True}


def test_exported_state_can_be_read():
    state = exported_state(order_turns())

    assert read_state(state).model_dump(mode="json") == state


def test_exported_state_round_trips():
    state = exported_state(order_turns())

    again = exported_state([TurnLog(1, TurnInput(initial_state=state))])

    assert again == state


def test_exported_state_after_an_earlier_turn():
    state = exported_state(order_turns(), up_to_turn=1)

    assert state["threads"]["0"]["node_logical_id"] == "order"
    assert state["threads"]["0"]["runtime_variables"] == {}
    assert state["dynamic_variables"] == {"shop": "Leaf & Co"}


def test_exported_state_before_the_first_turn():
    assert exported_state(order_turns(), up_to_turn=0) == {
        "threads": {},
        "workflow_runtime_variables": {},
        "dynamic_variables": {},
    }


@pytest.mark.parametrize("number", [3, -1])
def test_exported_state_rejects_unknown_turn(number):
    with pytest.raises(InputError, match=f"Turn {number} is not in this run, which has 2 turns"):
        exported_state(order_turns(), up_to_turn=number)


def test_qualified_copies_are_kept():
    state = exported_state(order_turns())

    assert state["threads"]["0"]["runtime_variables"] == {"tea": "Assam", "order.tea": "Assam"}


def test_exported_state_has_the_next_node():
    hop = {"type": "direct_edge", "source_node_logical_id": "a", "destination_node_logical_id": "b"}
    turn = TurnLog(
        1, TurnInput(), [node("start_node_run", "a"), parse_event({**hop, "origin_thread_id": "0"})]
    )

    assert exported_state([turn])["threads"]["0"]["node_logical_id"] == "b"


def test_exported_state_drops_ended_companions():
    lab, done = "0_companion_lab", "0_companion_done"
    events = [
        node("start_node_run", "poll", lab),
        shown({"lab_result": "pending"}, thread=lab),
        node("start_node_run", "mail", done),
        parse_event({"type": "end_thread", "origin_thread_id": done, "last_node_logical_id": "mail"}),
        node("busy_wait_for_user_message", "chat"),
    ]

    threads = exported_state([TurnLog(1, TurnInput(), events)])["threads"]

    assert set(threads) == {"0", lab}
    assert threads[lab]["node_logical_id"] == "poll"
    assert threads[lab]["runtime_variables"] == {"lab_result": "pending"}


def test_exported_state_keeps_callers_runtime_variables():
    turn = TurnLog(1, TurnInput(runtime_variables={"vip": True, "workflow_invoke_count": 0}))

    assert exported_state([turn])["workflow_runtime_variables"] == {"vip": True}


def test_exported_state_includes_background_work():
    def shown(result):
        start = {"type": "start_node_run", "origin_thread_id": "0", "origin_node_logical_id": "a"}
        state = {"type": "workflow_show_state", "thread_id": "0", "runtime_variables": {"result": result}}
        return [parse_event(start), parse_event(state)]

    turns = [
        TurnLog(1, TurnInput(), shown("none")),
        TurnLog(1, TurnInput(), shown("positive"), is_background=True),
        TurnLog(2, TurnInput(), shown("told")),
    ]

    state = exported_state(turns, 1)

    assert state["threads"]["0"]["runtime_variables"] == {"result": "positive"}
