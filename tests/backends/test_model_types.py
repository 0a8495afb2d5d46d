"""A workflow for each type of model and of group, whose model is really asked (``platform.md#models``)."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Any

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol.runs import TurnInput
from debugger.settings import Settings
from tests.support.factories import Json, document, say
from tests.support.model_server import KEY, said, send, serving

ANTHROPIC = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x",
    "content": [{"type": "text", "text": "Yes."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 11, "output_tokens": 7},
}
GOOGLE = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": "Yes."}]}, "finishReason": "STOP"}],
    "usageMetadata": {"promptTokenCount": 11, "candidatesTokenCount": 7, "totalTokenCount": 18},
    "modelVersion": "gemini-x",
}
BEDROCK = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Yes."}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 11, "outputTokens": 7, "totalTokens": 18},
    "metrics": {"latencyMs": 1},
}
OPENAI = said("Yes.")
CUSTOM = {"type": "custom_llm", "model": "tea-1", "base_url": "SERVER/v1"}
TYPES: dict[str, tuple[Json, Json, Json, str]] = {
    "openai_llm": ({}, {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": "SERVER"}, OPENAI, "openai"),
    "azure_openai_llm": (
        {},
        {"AZURE_OPENAI_API_KEY": KEY, "AZURE_OPENAI_ENDPOINT": "SERVER"},
        OPENAI,
        "azure_openai",
    ),
    "google_llm": ({}, {"GEMINI_API_KEY": KEY, "GOOGLE_GEMINI_BASE_URL": "SERVER"}, GOOGLE, "google"),
    "anthropic_llm": ({}, {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": "SERVER"}, ANTHROPIC, "anthropic"),
    "bedrock_llm": (
        {},
        {
            "AWS_ACCESS_KEY_ID": "AKIA0123456789",
            "AWS_SECRET_ACCESS_KEY": KEY,
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "SERVER",
        },
        BEDROCK,
        "bedrock",
    ),
    "custom_llm": (CUSTOM, {}, OPENAI, "custom"),
    "global_default_llm": ({}, {}, OPENAI, "custom"),
    "no_llm": ({}, {}, OPENAI, "custom"),
}
"""By type: its configuration, the environment, what the server answers, and the provider in the usage."""


def open_backend(folder: Any, url: str) -> EmbeddedBackend:
    default = f"custom_llm default-1 {url}/v1"
    database = f"sqlite:///{folder}/runs.sqlite3"
    return EmbeddedBackend(Settings(database=database, responder="model", default_model=default))


def one_turn(backend: EmbeddedBackend, llm: Json, **config: Any) -> list[Json]:
    """The events of a turn from the node's start on."""
    made = backend.create_workflow(document(say("chat", llms_config=llm), **config))
    events = backend.execute(made.id, TurnInput.with_message("Tea?")).finish().events
    backend.close()
    return events[[event["type"] for event in events].index("start_node_run") :]


@pytest.mark.parametrize("kind", TYPES)
def test_model_of_each_type_reports_usage(tmp_path, monkeypatch, kind):
    fields, environment, answer, provider = TYPES[kind]

    with serving(answer) as server:
        for name, value in environment.items():
            monkeypatch.setenv(name, value.replace("SERVER", server.url))
        llm = {name: value.replace("SERVER", server.url) for name, value in fields.items()}
        shared = {"llms_config": {**CUSTOM, "model": "shared-1", "base_url": f"{server.url}/v1"}}
        events = one_turn(
            open_backend(tmp_path, server.url),
            {"type": kind, "max_retries": 0, **llm},
            **(shared if kind == "global_default_llm" else {}),
        )

    assert [event["type"] for event in events] == [
        "start_node_run",
        "say_llm",
        "assistant_response",
        "end_node_run",
        "workflow_show_state",
        "self_loop_edge",
        "busy_wait_for_user_message",
        "end_workflow_iteration",
        "workflow_ready_for_input",
    ]
    message, response = events[1], events[2]
    usage = message["llm_usage_info"]
    assert message["message"]["content"] == response["content"] == "Yes."
    assert response["llm_usage_info"] == usage
    assert (usage["provider"], usage["used_user_api_key"], usage["was_estimated"]) == (provider, True, False)
    assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (11, 7, 18)
    assert type(usage["response_latency_milliseconds"]) is int
    assert usage["llm_response_id"].startswith("response_")
    assert KEY not in str(events)


@pytest.mark.parametrize(
    ("kind", "asked"), [("no_llm", "default-1"), ("global_default_llm", "shared-1"), ("custom_llm", "tea-1")]
)
def test_model_follows_node_workflow_and_setting(tmp_path, kind, asked):
    with serving(OPENAI) as server:
        own = {**CUSTOM, "base_url": f"{server.url}/v1"} if kind == "custom_llm" else {"type": kind}
        shared = {"llms_config": {**CUSTOM, "model": "shared-1", "base_url": f"{server.url}/v1"}}
        one_turn(open_backend(tmp_path, server.url), own, **shared)

    assert [request["model"] for request in server.requests] == [asked]


@pytest.mark.parametrize("mode", ["sequential_with_proactive", "parallel_select_one"])
def test_group_answers_with_first_in_time(tmp_path, mode):
    with ExitStack() as stack:
        late, quick = stack.enter_context(serving(None)), stack.enter_context(serving(said("Quick.")))
        late.answers[0] = late.late(said("Late."))
        llms = [late.llm(model="m1"), quick.llm(model="m2")]
        group = {"type": "llm_group", "llms": llms, "operation_mode": mode, "min_patience_time_ms": 50}
        events = one_turn(open_backend(tmp_path, quick.url), group)

    assert [event["type"] for event in events[:4]] == [
        "start_node_run",
        "say_llm",
        "assistant_response",
        "end_node_run",
    ]
    assert events[1]["message"]["content"] == events[2]["content"] == "Quick."
    assert len(late.requests) == len(quick.requests) == 1


@pytest.mark.parametrize("by_model", [True, False])
def test_group_with_backchannel_fills_the_time(tmp_path, by_model):
    with ExitStack() as stack:
        main, filler = stack.enter_context(serving(None)), stack.enter_context(serving(said("Hm.")))

        def slowly(handler: Any) -> None:
            time.sleep(0.3)
            send(handler, 200, said("Well, we have."))

        main.answers[0] = slowly
        own = {"backchannel_llm_config": {"type": "llm_group", "llms": [filler.llm()]}} if by_model else {}
        group = {
            "type": "llm_group_with_backchannel",
            "main_llm_config": {"type": "llm_group", "llms": [main.llm()]},
            "backchannel_static_responses": [] if by_model else ["Hm."],
            "backchannel_min_patience_time_ms": 50,
            "non_backchannel_response_prefix": "Well,",
            **own,
        }
        events = one_turn(open_backend(tmp_path, main.url), group)

    assert [event["type"] for event in events[:5]] == [
        "start_node_run",
        "assistant_response",
        "say_llm",
        "assistant_response",
        "end_node_run",
    ]
    assert (events[1]["content"], events[1]["response_metadata"]) == (
        "Hm.",
        {"message_type": "backchannel"},
    )
    assert events[3]["content"].strip() == "we have."
