from __future__ import annotations

from debugger.engine.state import RunState
from debugger.engine.usage import UsageMeter, run_usage
from debugger.protocol.events import DiscardedMainLLMEvent, SayLLMEvent, WorkerLLMEvent


def usage(call_id, model="tea-1", latency=100.0, taken=10, given=5, **fields):
    return {
        "llm_response_id": call_id,
        "response_model": model,
        "provider": "custom",
        "used_user_api_key": True,
        "prompt_tokens": taken,
        "completion_tokens": given,
        "total_tokens": taken + given,
        "response_latency_milliseconds": latency,
        **fields,
    }


def test_totals_without_models_are_empty():
    state = RunState.at("a")
    meter = UsageMeter(state, 0.0)

    assert run_usage(state)[0] == {
        "total_input_tokens": 0,
        "total_output_tokens": 0,
        "total_tokens": 0,
        "call_count_with_user_keys": 0,
        "call_count_with_fallback_keys": 0,
        "call_count": 0,
        "breakdown_by_models": None,
    }
    assert run_usage(state)[1] == {
        "call_count": 0,
        "total_latency_milliseconds": 0,
        "average_latency_milliseconds": 0.0,
        "breakdown_by_models": None,
    }
    assert meter.metrics(1.0)["llm_call_latency_stats"] is None


def test_calls_are_summed_and_broken_down_by_model():
    state = RunState.at("a")
    meter = UsageMeter(state, 0.0)

    meter.add(SayLLMEvent(llm_usage_info=usage("r1")))
    meter.add(WorkerLLMEvent(llm_usage_info=usage("r2", latency=300.0)))
    meter.add(SayLLMEvent(llm_usage_info=usage("r3", "built-in rules", 1.6, 0, 0, used_user_api_key=False)))

    tokens, times = run_usage(state)
    assert (tokens["total_input_tokens"], tokens["total_output_tokens"], tokens["total_tokens"]) == (
        20,
        10,
        30,
    )
    assert (tokens["call_count"], tokens["call_count_with_user_keys"]) == (3, 2)
    assert tokens["breakdown_by_models"][0] == {
        "response_model": "tea-1",
        "provider": "custom",
        "total_input_tokens": 20,
        "total_output_tokens": 10,
        "total_tokens": 30,
        "call_count_with_user_keys": 2,
        "call_count_with_fallback_keys": 0,
        "call_count": 2,
    }
    assert [model["response_model"] for model in tokens["breakdown_by_models"]] == ["tea-1", "built-in rules"]
    assert (times["total_latency_milliseconds"], times["average_latency_milliseconds"]) == (402, 134.0)
    assert times["breakdown_by_models"][0]["average_latency_milliseconds"] == 200.0


def test_chunks_of_a_reply_count_once():
    state = RunState.at("a")
    meter = UsageMeter(state, 0.0)

    meter.add(SayLLMEvent(llm_usage_info=usage("r1", latency=50.0, given=1)))
    meter.add(SayLLMEvent(llm_usage_info=usage("r1", latency=90.0, given=4)))

    assert meter.metrics(1.0)["llm_call_count"] == 1
    assert meter.metrics(1.0)["llm_call_latency_stats"]["max_milliseconds"] == 90.0
    assert run_usage(state)[0]["total_tokens"] == 14
    assert run_usage(state)[1]["total_latency_milliseconds"] == 90.0


def test_discarded_answers_count():
    state = RunState.at("a")
    meter = UsageMeter(state, 0.0)

    meter.add(DiscardedMainLLMEvent(llm_usage_info=usage("r1")))
    meter.add(SayLLMEvent(llm_usage_info={}))

    assert run_usage(state)[0]["call_count"] == 1
    assert meter.metrics(1.0)["llm_call_count"] == 1


def test_totals_continue_in_next_turn():
    state = RunState.at("a")
    UsageMeter(state, 0.0).add(SayLLMEvent(llm_usage_info=usage("r1")))

    state = RunState.from_json(state.to_json())
    meter = UsageMeter(state, 5.0)
    meter.add(SayLLMEvent(llm_usage_info=usage("r2")))

    assert run_usage(state)[0]["call_count"] == 2
    assert run_usage(state)[0]["total_tokens"] == 30
    assert meter.metrics(6.0)["llm_call_count"] == 1


def test_durations_are_none_after_clock_set_back():
    meter = UsageMeter(RunState.at("chat"), started=1000.0)

    meter.add_tool_call(-5000.0)

    metrics = meter.metrics(now=990.0)
    assert metrics["e2e_latency_milliseconds"] == 0
    assert metrics["tool_call_latency_stats"]["min_milliseconds"] == 0.0
