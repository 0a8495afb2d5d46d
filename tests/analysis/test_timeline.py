from __future__ import annotations

from debugger.analysis.event_fields import EventFields
from debugger.analysis.timeline import FailureReasons
from debugger.analysis.trouble import Trouble
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog
from tests.support.timelines import build_timeline
from tests.support.transcripts import transcript_turns

STATIC_RUN_ORDER = [
    *("start_node_run", "say_static", "assistant_response", "end_node_run", "workflow_show_state"),
    *("direct_edge", "workflow_navigation_message"),
    *("start_node_run", "say_static", "assistant_response", "end_node_run", "workflow_show_state"),
    *("end_thread", "end_workflow_iteration", "end_workflow"),
]


def test_timeline_has_every_event_in_order():
    events = [parse_event({"type": kind, "timestamp": 1785200000.0}) for kind in STATIC_RUN_ORDER]
    turns = [TurnLog(1, TurnInput(), events)]

    rows = build_timeline(turns)

    assert [row.type for row in rows] == STATIC_RUN_ORDER
    assert [row.index for row in rows] == list(range(15))
    assert [row.position for row in rows] == list(range(15))


def test_importance_of_bookkeeping_is_low():
    events = [parse_event({"type": kind}) for kind in STATIC_RUN_ORDER[:7]]

    rows = build_timeline([TurnLog(1, TurnInput(), events)])

    assert {row.type for row in rows if row.importance == "high"} == {
        "say_static",
        "assistant_response",
        "direct_edge",
    }


def test_importance_of_input_and_errors_is_high():
    kinds = ["user_messages", "busy_wait_for_user_message", "http_request", "workflow_error", "end_workflow"]
    turn = TurnLog(1, TurnInput(), [parse_event({"type": kind}) for kind in kinds])

    rows = build_timeline([turn])

    assert {row.importance for row in rows} == {"high"}


def test_importance_of_tool_output_is_high():
    tool = parse_event({"type": "end_node_run", "run_output": {"type": "tool_node", "success": True}})
    static = parse_event({"type": "end_node_run", "run_output": {"type": "say_static"}})

    rows = build_timeline([TurnLog(1, TurnInput(), [tool, static])])

    assert [row.importance for row in rows] == ["high", "low"]


def test_importance_of_failed_runs_is_high():
    failed = parse_event(
        {
            "type": "end_node_run",
            "run_output": {"type": "http_request", "success": False, "error_message": "503"},
        }
    )

    (row,) = build_timeline([TurnLog(1, TurnInput(), [failed])])

    assert row.trouble == Trouble("http")
    assert row.importance == "high"


def test_times_are_relative_to_run_and_turn():
    first = TurnLog(1, TurnInput(), [parse_event({"type": "start_workflow", "timestamp": 1785200000.0})])
    second = TurnLog(
        2,
        TurnInput(),
        [
            parse_event({"type": "user_messages", "timestamp": 1785200010.5}),
            parse_event({"type": "start_node_run", "timestamp": 1785200010.75}),
        ],
    )

    rows = build_timeline([first, second])

    assert [(row.at_ms, row.since_turn_ms) for row in rows] == [(0, 0), (10500, 0), (10750, 250)]
    assert rows[1].timestamp == "2026-07-28T00:53:30.500Z"


def test_duration_of_runs_in_two_threads():
    def run(kind, seconds, thread):
        return parse_event(
            {
                "type": kind,
                "timestamp": 1785200000 + seconds,
                "origin_thread_id": thread,
                "origin_node_logical_id": "node_poll",
                "origin_node_run_id": "1",
            }
        )

    events = [
        run("start_node_run", 0, "0"),
        run("start_node_run", 1, "0_companion_lab"),
        run("end_node_run", 3, "0"),
        run("end_node_run", 3.5, "0_companion_lab"),
    ]

    rows = build_timeline([TurnLog(1, TurnInput(), events)])

    assert [row.duration_ms for row in rows] == [None, None, 3000, 2500]


def test_duration_of_an_end_without_start():
    end = parse_event({"type": "end_node_run", "timestamp": 1785200000, "origin_node_logical_id": "node_a"})

    (row,) = build_timeline([TurnLog(1, TurnInput(), [end])])

    assert row.duration_ms is None


def test_times_of_an_event_without_time():
    events = [
        parse_event({"type": "start_workflow"}),
        parse_event({"type": "end_workflow", "timestamp": 5.0}),
    ]

    rows = build_timeline([TurnLog(1, TurnInput(), events)])

    assert (rows[0].at_ms, rows[0].timestamp) == (None, "")
    assert rows[1].at_ms == 0


def test_timestamp_of_an_invalid_date_is_empty():
    event = parse_event({"type": "end_workflow", "timestamp": 1e18})

    (row,) = build_timeline([TurnLog(1, TurnInput(), [event])])

    assert row.timestamp == ""


def test_shorten_cuts_to_120_characters():
    event = parse_event({"type": "assistant_response", "content": "é" * 100_000})

    (row,) = build_timeline([TurnLog(1, TurnInput(), [event])])

    assert len(row.summary) == 120
    assert row.summary.endswith("é…")


def test_shorten_keeps_120_characters():
    event = parse_event({"type": "workflow_error", "error_message": "x" * 120})

    (row,) = build_timeline([TurnLog(1, TurnInput(), [event])])

    assert row.summary == "x" * 120


def test_shorten_joins_lines():
    event = parse_event({"type": "workflow_error", "error_message": "no answer\nfrom the\r\nserver"})

    (row,) = build_timeline([TurnLog(1, TurnInput(), [event])])

    assert row.summary == "no answer from the server"


def test_shorten_keeps_emoji_and_rtl_text():
    event = parse_event({"type": "assistant_response", "content": "שלום 🫖"})

    (row,) = build_timeline([TurnLog(1, TurnInput(), [event])])

    assert row.summary == "agent: שלום 🫖"


def test_thread_of_a_state_event():
    event = parse_event(
        {
            "type": "workflow_show_state",
            "origin_thread_id": None,
            "thread_reference_id": None,
            "thread_id": "0_companion_lab",
        }
    )

    (row,) = build_timeline([TurnLog(1, TurnInput(), [event])])

    assert row.thread == "lab"


def test_node_of_a_transition_is_its_source():
    event = parse_event(
        {
            "type": "direct_edge",
            "source_node_logical_id": "node_a",
            "source_node_name": "Greeter",
            "edge_name": None,
        }
    )

    (row,) = build_timeline([TurnLog(1, TurnInput(), [event])])

    assert (row.node_logical_id, row.node_name) == ("node_a", "Greeter")


def test_node_name_from_an_earlier_event():
    events = [
        parse_event(
            {"type": "start_node_run", "origin_node_logical_id": "node_a", "origin_node_name": "Greeter"}
        ),
        parse_event({"type": "end_thread", "last_node_logical_id": "node_a"}),
    ]

    rows = build_timeline([TurnLog(1, TurnInput(), events)])

    assert rows[1].node_name == "Greeter"


def test_node_of_an_invalid_event():
    event = parse_event(
        {
            "type": "assistant_response",
            "content": "Hi",
            "llm_usage_info": None,
            "origin_node_logical_id": "node_a",
        }
    )

    (row,) = build_timeline([TurnLog(1, TurnInput(), [event])])

    assert row.node_logical_id == "node_a"


def test_importance_of_unknown_types_is_high():
    (row,) = build_timeline(
        [TurnLog(1, TurnInput(), [parse_event({"type": "dtmf_received", "digits": "1"})])]
    )

    assert (row.type, row.importance, row.summary) == ("dtmf_received", "high", "dtmf received")


def test_a_run_without_events_has_no_rows():
    assert build_timeline([TurnLog(1, TurnInput())]) == []
    assert build_timeline([]) == []


def test_rows_of_background_work():
    asked = TurnLog(1, TurnInput(), [parse_event({"type": "start_workflow"})])
    work = TurnLog(1, TurnInput(), [parse_event({"type": "end_workflow"})], is_background=True)

    rows = build_timeline([asked, work])

    assert [(row.index, row.turn_number, row.place, row.position, row.is_background) for row in rows] == [
        (0, 1, 0, 0, False),
        (1, 1, 1, 0, True),
    ]


def test_warnings_and_failures_are_told_apart():
    warning = parse_event({"type": "workflow_warning", "warning_message": "odd"})
    failure = parse_event({"type": "workflow_error", "error_message": "boom"})
    fine = parse_event({"type": "start_workflow"})

    rows = build_timeline([TurnLog(1, TurnInput(), [warning, warning, failure, fine])])

    severities = [row.trouble and row.trouble.severity for row in rows]
    assert severities == ["warning", "warning", "failure", None]


PLACE = {"origin_node_logical_id": "save", "origin_node_name": "Save", "origin_node_run_id": "1"}
CALL = parse_event({"type": "http_request", **PLACE, "error": "POST x was not called."})


def ended(success=False, run="1", **output):
    """The end of a node run."""
    told = {"type": "http_request", "success": success, **output}
    return parse_event({"type": "end_node_run", **PLACE, "origin_node_run_id": run, "run_output": told})


def learned(*events):
    reasons = FailureReasons()
    reasons.add_turn(TurnLog(1, TurnInput(), list(events)))
    return reasons


def test_failure_reason_from_a_call():
    reasons = learned(CALL)

    assert reasons.of(ended()) == "POST x was not called."
    assert reasons.summary(ended()) == "Save failed: POST x was not called."


def test_what_the_end_itself_tells_comes_first():
    assert learned(CALL).of(ended(error_message="boom")) == "boom"


def test_failure_reason_of_run_without_id():
    reasons, node = FailureReasons(), {"origin_node_logical_id": "call"}
    failed = parse_event({"type": "end_node_run", **node, "run_output": {"success": False}})
    for event in (
        {"type": "start_node_run", **node},
        {"type": "http_request", **node, "error": "503"},
        {"type": "start_node_run", **node},
    ):
        reasons.apply(EventFields(parse_event(event)))

    assert reasons.of(failed) is None


def test_failure_reason_only_for_its_run():
    reasons = learned(CALL)

    assert reasons.of(ended(run="2")) is None
    assert reasons.summary(ended(run="2")) == ended(run="2").summary
    assert reasons.summary(ended(success=True)) == "Save ends"


def test_timeline_and_transcript_tell_the_reason():
    turns = [TurnLog(1, TurnInput(), [CALL, ended()])]

    rows = build_timeline(turns)
    [turn] = transcript_turns(turns, None)

    assert rows[1].summary == "Save failed: POST x was not called."
    assert (turn.error_type, turn.error_message) == ("node_failure", "POST x was not called.")
