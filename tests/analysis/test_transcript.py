from __future__ import annotations

from debugger.analysis.differences import Difference
from debugger.analysis.transcript import reviewed_turns
from debugger.protocol.events import parse_event
from debugger.protocol.runs import Run, TurnInput, background_input
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import Workflow
from tests.support.timelines import build_timeline
from tests.support.transcripts import transcript, transcript_turns

START = 1785200000.0


def node(kind, node_id, name, seconds=0.0, **fields):
    return parse_event(
        {
            "type": kind,
            "timestamp": START + seconds,
            "origin_thread_id": "0",
            "thread_reference_id": "0",
            "origin_node_logical_id": node_id,
            "origin_node_name": name,
            **fields,
        }
    )


def step(kind, source, destination, **fields):
    return parse_event(
        {
            "type": kind,
            "timestamp": START,
            "origin_thread_id": "0",
            "source_node_logical_id": source,
            "destination_node_logical_id": destination,
            **fields,
        }
    )


def shown(**variables):
    return parse_event({"type": "workflow_show_state", "thread_id": "0", "runtime_variables": variables})


def tea_shop() -> Workflow:
    return Workflow.from_document(
        {
            "node_configs": [
                {"logical_id": "order", "name": "Order desk", "type": "say_llm", "is_start": True},
                {"logical_id": "bye", "name": "Farewell", "type": "say_static"},
            ],
            "edge_configs": [
                {
                    "logical_id": "edge_done",
                    "name": "ordered",
                    "type": "conditional",
                    "source_node_logical_id": "order",
                    "destination_node_logical_id": "bye",
                    "condition": {"condition_freeform": "a tea was named"},
                }
            ],
        }
    )


def conversation() -> list[TurnLog]:
    """A self-looping chat that is left by a condition, in the recorded order of a hosted run."""
    asked = TurnLog(
        1,
        TurnInput.with_message("Hello"),
        [
            node("user_messages", "order", "Order desk", messages=[{"type": "human", "content": "Hello"}]),
            node("start_node_run", "order", "Order desk", 0.1),
            node("say_llm", "order", "Order desk", 0.9, message={"type": "ai", "content": "Which tea?"}),
            node(
                "assistant_response",
                "order",
                "Order desk",
                1,
                content="Which tea?",
                llm_usage_info={"response_latency_milliseconds": 640},
            ),
            node("end_node_run", "order", "Order desk", 1),
            shown(),
            step("self_loop_edge", "order", "order", edge_logical_id=None, edge_name=None),
            node("busy_wait_for_user_message", "order", "Order desk", 1.1),
        ],
    )
    ordered = TurnLog(
        2,
        TurnInput.with_message("Assam"),
        [
            node("user_messages", "order", "Order desk", 5, messages=[{"type": "human", "content": "Assam"}]),
            node("start_node_run", "order", "Order desk", 5),
            node("end_node_run", "order", "Order desk", 6),
            shown(tea="Assam"),
            step("conditional_edge", "order", "bye", edge_logical_id="edge_done", edge_name="ordered"),
            node("start_node_run", "bye", "Farewell", 6),
            node(
                "assistant_response", "bye", "Farewell", 6.5, content="Enjoy your Assam!", llm_usage_info={}
            ),
            node("end_node_run", "bye", "Farewell", 7),
            shown(tea="Assam"),
            parse_event({"type": "end_thread", "origin_thread_id": "0", "last_node_logical_id": "bye"}),
            parse_event({"type": "end_workflow"}),
        ],
    )
    return [asked, ordered]


def test_transcript_has_a_row_per_message():
    first, second = transcript_turns(conversation(), tea_shop())
    rows = [*first.rows, *second.rows]

    told = [
        (number, row.seq, row.role, row.text, row.node_name, row.at_ms)
        for number, turn in enumerate((first, second), start=1)
        for row in turn.rows
    ]
    assert told == [
        (1, 1, "user", "Hello", "Order desk", 0),
        (1, 2, "agent", "Which tea?", "Order desk", 1000),
        (2, 3, "user", "Assam", "Order desk", 5000),
        (2, 4, "agent", "Enjoy your Assam!", "Farewell", 6500),
    ]
    assert [row.node_type for row in rows] == ["say_llm", "say_llm", "say_llm", "say_static"]
    assert [row.latency_ms for row in rows] == [None, 640, None, None]
    assert rows[1].at == "2026-07-28T00:53:21.000Z"


def test_edge_taken_on_agent_rows_only():
    rows = transcript(conversation(), tea_shop())

    assert [(row.edge_taken, row.edge_condition) for row in rows] == [
        ("", ""),
        ("", ""),
        ("", ""),
        ("ordered", "a tea was named"),
    ]


def test_path_leads_to_the_message():
    rows = transcript(conversation(), tea_shop())

    assert [(row.path, row.path_after) for row in rows] == [
        ("", ""),
        ("", "Order desk > stays > Order desk"),
        ("", ""),
        ("Order desk > ordered > Farewell", ""),
    ]


def test_edge_taken_names_every_edge_since_the_last_message():
    turn = TurnLog(
        1,
        TurnInput(),
        [
            step("conditional_edge", "order", "bye", edge_logical_id="edge_done", edge_name="ordered"),
            step("direct_edge", "bye", "order"),
            node("assistant_response", "order", "Order desk", content="And?"),
        ],
    )

    (row,) = transcript([turn], tea_shop())

    assert row.edge_taken == "ordered > always"
    assert (row.edge_condition, row.edge_verdict) == ("ordered: a tea was named", "ordered: condition held")


def test_turn_names_the_waiting_node():
    [turn] = transcript_turns(conversation()[:1], tea_shop(), "waiting_for_user_input")

    assert (turn.hint.kind, turn.hint.who) == ("message", "Order desk")


def test_last_turn_of_an_ended_run():
    turns = transcript_turns(conversation(), tea_shop(), "completed")

    assert [turn.hint.kind for turn in turns] == ["message", "ended"]


def test_turn_has_changed_variables():
    first, second = transcript_turns(conversation(), tea_shop())

    assert first.changes == []
    assert second.changes == [Difference("runtime.tea", None, "Assam", "added")]
    assert second.variables == {"runtime.tea": "Assam"}


def test_turn_has_the_run_error():
    turn = TurnLog(
        1,
        TurnInput.with_message("Hello"),
        [
            node("user_messages", "order", "Order desk", messages=[{"type": "human", "content": "Hello"}]),
            parse_event({"type": "workflow_error", "error_message": "no model", "stack_trace": None}),
        ],
    )

    [read] = transcript_turns([turn], tea_shop(), "failed")

    assert [(row.role, row.is_error) for row in read.rows] == [("user", False)]
    assert (read.error_type, read.error_message) == ("workflow_error", "no model")


def test_turn_has_a_node_failure():
    output = {"type": "tool_node", "success": False, "error_message": "503 from the till"}
    turn = TurnLog(
        1,
        TurnInput(),
        [
            node("end_node_run", "till", "Till", run_output=output),
            node("assistant_response", "order", "Order desk", content="Sorry."),
        ],
    )

    [read] = transcript_turns([turn], None)

    assert (read.error_type, read.error_message) == ("node_failure", "503 from the till")


def test_turn_has_the_reason_that_a_warning_tells():
    text = "Node 'Text' failed: the number is missing"
    mark = {"kind": "connector", "node": "text"}
    told = {"type": "workflow_warning", "origin_thread_id": "0", "warning_message": text, "trouble": mark}
    output = {"type": "send_sms", "success": False}
    events = [
        node("start_node_run", "text", "Text", node_run_id="text_1"),
        parse_event(told),
        node("end_node_run", "text", "Text", run_output=output, origin_node_run_id="text_1", trouble=None),
    ]

    (turn,) = transcript_turns([TurnLog(1, TurnInput(), events)], None)

    assert (turn.error_type, turn.error_message) == ("node_failure", text)
    assert [row.summary for row in build_timeline([TurnLog(1, TurnInput(), events)])][1:] == [text, text]


def test_system_row_of_a_silent_turn():
    silent = TurnLog(1, TurnInput(), [node("busy_wait_for_user_message", "order", "Order desk")])
    wrote = TurnLog(2, TurnInput(), [shown(tea="Assam")])
    failed = TurnLog(3, TurnInput(), [parse_event({"type": "workflow_error", "error_message": "boom"})])

    read = transcript_turns([silent, wrote, failed], None)

    assert [[(row.role, row.text, row.is_error) for row in turn.rows] for turn in read] == [
        [],
        [("system", "", False)],
        [("system", "boom", True)],
    ]


def test_transcript_accepts_null_fields():
    event = parse_event(
        {
            "type": "assistant_response",
            "content": "Hi",
            "llm_usage_info": None,
            "response_metadata": None,
            "origin_node_logical_id": None,
            "origin_thread_id": None,
        }
    )

    (row,) = transcript([TurnLog(1, TurnInput(), [event])], tea_shop())

    assert (row.text, row.node_logical_id, row.thread_id, row.at, row.at_ms) == ("Hi", "", "0", "", None)


def test_transcript_keeps_long_messages_whole():
    event = node("assistant_response", "order", "Order desk", content="🫖" * 25_000)

    (row,) = transcript([TurnLog(1, TurnInput(), [event])], None)

    assert row.text == "🫖" * 25_000


def test_a_run_without_turns_has_no_rows():
    assert transcript([], None) == []


def test_transcript_rows_of_background_work():
    goodbye = TurnLog(
        2, background_input(), [node("assistant_response", "bye", "Farewell", content="Bye")], True
    )

    read = transcript_turns([*conversation(), goodbye], tea_shop())

    assert [[(row.is_background, row.text) for row in turn.rows] for turn in read] == [
        [(False, "Hello"), (False, "Which tea?")],
        [(False, "Assam"), (False, "Enjoy your Assam!")],
        [(True, "Bye")],
    ]


REVIEWED = Run(workflow_run_id="665f0c2b9a3e4d5f6a7b8c90", workflow_id="w", status="failed")
FAILED = parse_event({"type": "workflow_error", "error_message": "It broke"})


def spoken(text):
    return node("assistant_response", "a", "Ask", content=text)


def test_turn_holds_its_background_work():
    turns = [
        TurnLog(
            1, TurnInput.with_message("Hi"), [step("direct_edge", "a", "b", edge_name="yes"), spoken("Hello")]
        ),
        TurnLog(1, background_input(), [step("direct_edge", "b", "c"), spoken("Done")], is_background=True),
        TurnLog(2, TurnInput.with_message("Bye"), []),
    ]

    first, second = reviewed_turns(REVIEWED, turns, Workflow())

    assert [(row.seq, row.role, row.text) for row in first.messages] == [
        (1, "user", "Hi"),
        (2, "agent", "Hello"),
        (3, "agent", "Done"),
    ]
    assert [row.is_background for row in first.messages] == [False, False, True]
    assert first.path == "a > yes > b > always > c"
    assert (second.number, [row.text for row in second.messages], second.path) == (2, ["Bye"], "")


def test_error_of_a_turn_is_shown():
    turns = [TurnLog(1, TurnInput.with_message("Hi"), [FAILED])]

    [turn] = reviewed_turns(REVIEWED, turns, Workflow())

    assert turn.error == "It broke"


def test_turn_without_messages_has_a_row():
    turns = [TurnLog(1, TurnInput.with_message(None), [FAILED])]

    [turn] = reviewed_turns(REVIEWED, turns, Workflow())

    assert [(row.seq, row.role, row.text) for row in turn.messages] == [(1, "system", "It broke")]
    assert turn.error == ""


def test_long_path_shows_both_ends():
    steps = [step("direct_edge", f"n{number}", f"n{number + 1}") for number in range(40)]

    [turn] = reviewed_turns(REVIEWED, [TurnLog(1, TurnInput.with_message("Hi"), steps)], Workflow())

    assert turn.path.startswith("n0 > always > n1 > ")
    assert " > … > n34 > " in turn.path
    assert turn.path.endswith(" > n40")
    assert len(turn.path.split(" > ")) == 27
