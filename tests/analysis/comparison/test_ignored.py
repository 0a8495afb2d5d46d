from __future__ import annotations

import pytest

from debugger.analysis.comparison.ignored import IGNORED, IGNORED_BETWEEN_REPLAYS, event_filter
from debugger.protocol.runs import TurnInput

NAMES = [one.name for one in IGNORED]


def left(wire, *ignoring, given=None):
    return event_filter(ignoring, given or TurnInput()).filter_object(wire)


def test_nothing_goes_where_nothing_is_ignored():
    wire = {"type": "say_llm", "logical_id": "event_1", "timestamp": 1.0, "message": {"id": "m"}}

    assert left(wire) == wire


@pytest.mark.parametrize(
    ("name", "wire", "rest"),
    [
        ("ids", {"logical_id": "e", "message": {"id": "m", "content": "Hi"}}, {"message": {"content": "Hi"}}),
        ("ids", {"messages": [{"id": "1", "content": "a"}]}, {"messages": [{"content": "a"}]}),
        (
            "ids",
            {"message": {"tool_calls": [{"id": "1", "name": "t"}]}},
            {"message": {"tool_calls": [{"name": "t"}]}},
        ),
        (
            "ids",
            {"run_input": {"workflow_run_id": "r", "command": "data"}},
            {"run_input": {"command": "data"}},
        ),
        ("times", {"timestamp": 1.5, "type": "t"}, {"type": "t"}),
        (
            "durations",
            {"llm_usage_info": {"response_latency_milliseconds": 4, "provider": "p"}},
            {"llm_usage_info": {"provider": "p"}},
        ),
        (
            "tokens",
            {"llm_usage_info": {"total_tokens": 4, "provider": "p"}},
            {"llm_usage_info": {"provider": "p"}},
        ),
        (
            "engine",
            {"llm_usage_info": {"total_tokens": 4, "provider": "p"}},
            {"llm_usage_info": {"total_tokens": 4}},
        ),
        (
            "version and user",
            {"run_input": {"run_by": "qa", "command": "data"}},
            {"run_input": {"command": "data"}},
        ),
        ("comments", {"comments": [{"text": "odd"}], "type": "t"}, {"type": "t"}),
        ("repetitions", {"run_input_output_pair": {}, "iteration_number": 2}, {"iteration_number": 2}),
        ("counters", {"origin_node_run_id": "2", "type": "t"}, {"type": "t"}),
        (
            "justifications",
            {"args_filled": {"justification": "rule 5", "day": "Tue"}},
            {"args_filled": {"day": "Tue"}},
        ),
        (
            "justifications",
            {"runtime_variables": {"desk.justification": "rule 5", "day": 1}},
            {"runtime_variables": {"day": 1}},
        ),
        (
            "random values",
            {"workflow_runtime_variables": {"_evaluated_dynamic_variables": {"rand_int": 1, "shop": "Leaf"}}},
            {"workflow_runtime_variables": {"_evaluated_dynamic_variables": {"shop": "Leaf"}}},
        ),
    ],
)
def test_event_filter_removes_only_its_kind(name, wire, rest):
    assert left(wire, name) == rest
    assert left(wire, *(other for other in NAMES if other != name)) != rest


def test_event_filter_keeps_callers_clock_variable():
    wire = {"workflow_runtime_variables": {"_evaluated_dynamic_variables": {"date": "May 4", "now": "noon"}}}
    given = TurnInput(dynamic_variables={"date": "May 4"})

    assert left(wire, "times")["workflow_runtime_variables"] == {"_evaluated_dynamic_variables": {}}
    kept = left(wire, "times", given=given)["workflow_runtime_variables"]
    assert kept == {"_evaluated_dynamic_variables": {"date": "May 4"}}


def test_event_filter_keeps_author_variables():
    names = ("logical_id", "timestamp", "date", "rand_int", "total_tokens", "comments", "id", "message")
    wire = {
        "runtime_variables": dict.fromkeys(names, 1),
        "workflow_runtime_variables": dict.fromkeys(names, 1),
    }

    assert left(wire, *NAMES) == wire


def test_event_filter_enters_nested_turns():
    event = {"type": "say_llm", "logical_id": "e"}
    output = {"events": [event], "thread_to_node_outputs": {"0": [{"events": [event], "type": "say_llm"}]}}
    wire = {"run_input_output_pair": {"run_input": {"workflow_run_id": "r"}, "run_output": output}}

    bare = {"type": "say_llm"}
    outputs = {"events": [bare], "thread_to_node_outputs": {"0": [{"events": [bare], "type": "say_llm"}]}}
    assert left(wire, "ids") == {"run_input_output_pair": {"run_input": {}, "run_output": outputs}}


def test_event_filter_skips_removed_objects():
    wire = {"run_input": {"runtime_variables": {"all_dynamic_variables": {"now": "noon"}, "tea": "Assam"}}}

    assert left(wire, "repetitions", "times") == {"run_input": {"runtime_variables": {"tea": "Assam"}}}


def test_a_name_that_is_none_is_refused():
    with pytest.raises(KeyError, match="nonsense"):
        event_filter({"nonsense"}, TurnInput())


def test_event_filter_leaves_its_argument_unchanged():
    wire = {"logical_id": "e", "message": {"id": "m"}}

    left(wire, *IGNORED_BETWEEN_REPLAYS)

    assert wire == {"logical_id": "e", "message": {"id": "m"}}
