"""Whole turns of a workflow whose models are really asked."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from debugger.engine.interpreter import Interpreter
from debugger.engine.models.base import ModelError, ToolSpec
from debugger.engine.outbound.gateway import LiveGateway
from debugger.errors import RunError
from debugger.protocol.runs import TurnInput
from tests.support.factories import everywhere, say, static, when, worker, workflow
from tests.support.model_server import KEY, prompt, provider_model, said, serving


def turn(made, text):
    """The events of one turn, as they travel."""
    interpreter = Interpreter(made, provider_model(), open_gateway=LiveGateway)
    given = TurnInput.with_message(text)
    return [event.to_wire() for event in interpreter.turn(interpreter.begin(given), given)]


def of_type(events, event_type):
    return [event for event in events if event["type"] == event_type]


def test_run_has_usage_and_no_key():
    with serving(said("Yes, we have.")) as server:
        events = turn(workflow(say("a", llms_config=server.llm())), "Have you any Assam?")

    (message,), (answer,) = of_type(events, "say_llm"), of_type(events, "assistant_response")
    assert answer["content"] == "Yes, we have."
    assert message["llm_usage_info"] == answer["llm_usage_info"]
    assert message["llm_usage_info"]["response_model"] == "tea-1-2026"
    assert message["llm_usage_info"]["total_tokens"] == 18
    assert message["llm_usage_info"]["used_user_api_key"]
    assert KEY not in json.dumps(events)


def test_a_model_takes_a_hop():
    call = ("Destination_Node__b", {"justification": "it was asked for"})

    with serving(said(None, call)) as server:
        made = workflow(
            say("a", llms_config=server.llm()), static("b", "Bye"), when("a", "b", freeform="it is time")
        )
        events = turn(made, "I must go.")

    assert [event["content"] for event in of_type(events, "assistant_response")] == ["Bye"]
    (hop,) = of_type(events, "conditional_edge")
    assert hop["args_filled"] == {"justification": "it was asked for"}


@pytest.mark.parametrize(
    ("written", "spoken"), [("Ada, I put you through.", "Ada, I put you through."), (None, "One moment.")]
)
def test_model_writes_the_edges_line(written, spoken):
    fixed = {"static_messages": ["One moment."]}
    lines = {
        "static_messages_config": fixed,
        "dynamic_messages_config": {"dynamic_message_prompt": "Name them"},
    }
    call = ("Destination_Node__b", {"justification": "so", "transition_message": written})

    with serving(said(None, call)) as server:
        edge = when("a", "b", freeform="it is time", condition=lines)
        made = workflow(say("a", llms_config=server.llm()), static("b", "Bye"), edge)
        events = turn(made, "I must go.")

    (offered,) = server.requests[0]["tools"]
    assert "Name them" in offered["function"]["parameters"]["properties"]["transition_message"]["description"]
    assert [event["content"] for event in of_type(events, "assistant_response")] == [spoken, "Bye"]
    assert of_type(events, "conditional_edge")[0]["args_filled"] == {"justification": "so"}


def test_verdict_brings_the_edges_line():
    lines = {"dynamic_messages_config": {"dynamic_message_prompt": "Name them"}}
    condition = {"condition_freeform": "wants it", **lines}
    settings = {**everywhere("", judged="independent_llm_evaluations"), "condition": condition}
    verdict = {"is_condition_met": True, "justification": "so", "transition_message": "Ada, come in."}

    with serving(said(None, ("give_verdict", verdict)), said("Hm.")) as server:
        desk = static("b", "Bye", global_node_config=settings)
        events = turn(workflow(say("a", llms_config=server.llm()), desk), "I must go.")

    assert [event["content"] for event in of_type(events, "assistant_response")] == ["Ada, come in.", "Bye"]


def test_a_worker_s_output_becomes_variables():
    with serving(said(None, ("structured_output", {"tea": "Assam"}))) as server:
        made = workflow(worker("a", {"tea": {"type": "string"}}, llms_config=server.llm()))
        events = turn(made, "Assam please")

    state = of_type(events, "workflow_show_state")[-1]
    assert state["runtime_variables"]["tea"] == "Assam"


@pytest.mark.parametrize("answer", [(401, {"error": {"message": f"bad key {KEY}"}}), (400, {}), "{ no JSON"])
def test_failed_model_speaks_error_message(answer):
    with serving(answer) as server:
        events = turn(workflow(say("a", llms_config=server.llm(), default_error_message="Sorry.")), "Hello")

    assert [event["content"] for event in of_type(events, "assistant_response")] == ["Sorry."]
    assert KEY not in json.dumps(events)


def test_unfitting_output_speaks_error_message():
    schema = {"input_schema": {"type": "object", "properties": {"cups": {"type": "integer"}}}}
    bad = said(None, ("structured_output", {"cups": "many"}))

    with serving(said("Sure."), bad) as server:
        made = workflow(
            say(
                "a",
                llms_config=server.llm(),
                structured_output_schema=schema,
                default_error_message="Sorry.",
            )
        )
        events = turn(made, "Some cups")

    assert "Sorry." in [event["content"] for event in of_type(events, "assistant_response")]
    assert "cups" not in of_type(events, "workflow_show_state")[-1]["runtime_variables"]


def test_import_loads_no_optional_packages():
    names = (
        "anthropic",
        "bm25s",
        "boto3",
        "httpx2",
        "jsonschema",
        "mcp",
        "numpy",
        "openai",
        "pydantic_ai",
        "scipy",
    )
    code = f"import sys, debugger.backends.embedded\nprint([name for name in {names} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_missing_client_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydantic_ai", None)

    with pytest.raises(RunError, match=r"pip install '.\[llm\]'"):
        provider_model().reply(prompt({"type": "openai_llm"}))


OPENAI, RESPONSES = {"type": "openai_llm"}, {"type": "openai_llm", "use_responses_api": True}
CLAUDE, GEMINI = {"type": "anthropic_llm"}, {"type": "google_llm"}
STOCK = ToolSpec("stock", "Counts what is left")


def refused(words):
    """OpenAI's answer of a model that refuses."""
    answer = said(None)
    answer["choices"][0]["message"]["refusal"] = words
    return answer


def response(*content, **fields):
    """An answer of OpenAI's Responses API."""
    message = {"type": "message", "id": "m1", "role": "assistant", "status": "completed", "content": content}
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "tea-1-2026",
        "status": "completed",
        "output": [message] if content else [],
        "usage": {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18, **details},
        "parallel_tool_calls": False,
        "tool_choice": "auto",
        "tools": [],
        **fields,
    }


def claude(*content, stop):
    """An answer of Anthropic."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "tea-1-2026",
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": {"input_tokens": 11, "output_tokens": 7},
    }


def gemini(*parts, finish):
    """An answer of Google."""
    return {
        "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": finish}],
        "usageMetadata": {"promptTokenCount": 11, "candidatesTokenCount": 7, "totalTokenCount": 18},
        "modelVersion": "tea-1-2026",
    }


def asking(server, llm, **fields):
    """A model's client at a server, and a prompt of it."""
    urls = ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "GOOGLE_GEMINI_BASE_URL")
    keys = dict.fromkeys(("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY"), KEY)
    asker = provider_model({**keys, **dict.fromkeys(urls, server.url)})
    return asker, prompt({"max_retries": 0, **llm}, tools=(STOCK,), **fields)


ROB = {"type": "tool_use", "id": "t", "name": "rob", "input": {}}
CUT = {**ROB, "name": "stock"}
BLOCKED = {**gemini(finish="STOP"), "candidates": [], "promptFeedback": {"blockReason": "SAFETY"}}
NOTHING, NOT_OFFERED = "answered with nothing", "but a call of 'rob', which was not offered"


@pytest.mark.parametrize(
    ("llm", "answer", "words"),
    [
        (OPENAI, refused("I cannot."), "refused to answer: I cannot"),
        (OPENAI, said(None, finish="content_filter"), "refused to answer"),
        (OPENAI, said(None), NOTHING),
        (OPENAI, said(None, ("rob", {})), NOT_OFFERED),
        (OPENAI, said(None, ("stock", "{nope")), "'stock' with arguments that are not a JSON object"),
        (RESPONSES, response({"type": "refusal", "refusal": "I cannot."}), "refused to answer: I cannot"),
        (
            RESPONSES,
            response(status="incomplete", incomplete_details={"reason": "content_filter"}),
            "refused to answer",
        ),
        (RESPONSES, response(), NOTHING),
        (CLAUDE, claude(stop="refusal"), "refused to answer"),
        (CLAUDE, claude(stop="end_turn"), NOTHING),
        (CLAUDE, claude(ROB, stop="tool_use"), NOT_OFFERED),
        (CLAUDE, claude(CUT, stop="max_tokens"), "because max_tokens were used up"),
        (GEMINI, gemini(finish="SAFETY"), "refused to answer"),
        (GEMINI, BLOCKED, "refused to answer"),
        (GEMINI, gemini(finish="STOP"), NOTHING),
        (GEMINI, gemini({"functionCall": {"name": "rob", "args": {}}}, finish="STOP"), NOT_OFFERED),
        (GEMINI, gemini(finish="MALFORMED_FUNCTION_CALL"), "finish reason MALFORMED_FUNCTION_CALL"),
    ],
)
def test_billed_answer_without_a_reply_counts(llm, answer, words):
    pytest.importorskip(
        {"anthropic_llm": "anthropic", "google_llm": "google.genai"}.get(llm["type"], "openai")
    )

    with serving(answer) as server, pytest.raises(ModelError, match=words) as failure:
        asker, asked = asking(server, llm)
        asker.reply(asked)

    (discarded,) = failure.value.discarded
    assert words in discarded.reason
    assert (discarded.usage["prompt_tokens"], discarded.usage["completion_tokens"]) == (11, 7)
    assert discarded.usage["response_model"] == "tea-1-2026" or answer is BLOCKED
    assert not discarded.usage["was_estimated"]
    assert discarded.usage["response_latency_milliseconds"] >= 0


@pytest.mark.parametrize("answer", [(500, {}), (401, {}), (429, {})])
def test_request_without_an_answer_costs_nothing(answer):
    with serving(answer) as server, pytest.raises(ModelError) as failure:
        asker, asked = asking(server, OPENAI)
        asker.reply(asked)

    assert failure.value.discarded == ()


def test_answer_that_cannot_be_read_is_estimated():
    with serving({**said("Hm."), "choices": []}) as server, pytest.raises(ModelError) as failure:
        asker, asked = asking(server, OPENAI)
        asker.reply(asked)

    (discarded,) = failure.value.discarded
    assert discarded.usage["was_estimated"]
    assert discarded.usage["prompt_tokens"] > 0


@pytest.mark.parametrize(
    ("llm", "answer", "why"),
    [
        (OPENAI, said("Half", finish="length"), "max_tokens were used up"),
        (OPENAI, said("Half", finish="content_filter"), "content filter"),
        (
            RESPONSES,
            response(
                {"type": "output_text", "text": "Half", "annotations": []},
                status="incomplete",
                incomplete_details={"reason": "max_output_tokens"},
            ),
            "max_tokens were used up",
        ),
        (CLAUDE, claude({"type": "text", "text": "Half"}, stop="max_tokens"), "max_tokens were used up"),
        (CLAUDE, claude({"type": "text", "text": "Half"}, stop="refusal"), "content filter"),
        (GEMINI, gemini({"text": "Half"}, finish="MAX_TOKENS"), "max_tokens were used up"),
        (GEMINI, gemini({"text": "Half"}, finish="SAFETY"), "content filter"),
    ],
)
def test_cut_reply_has_a_warning(llm, answer, why):
    pytest.importorskip(
        {"anthropic_llm": "anthropic", "google_llm": "google.genai"}.get(llm["type"], "openai")
    )

    with serving(answer) as server:
        asker, asked = asking(server, llm)
        reply = asker.reply(asked)

    ((kind, text),) = reply.troubles
    assert (reply.text, kind, why in text) == ("Half", "cut_reply", True)


def test_turn_warns_of_a_cut_reply():
    with serving(said("Half", finish="length")) as server:
        events = turn(workflow(say("a", llms_config=server.llm())), "Assam?")

    (warning,) = of_type(events, "workflow_warning")
    assert "was cut, because max_tokens were used up" in warning["warning_message"]
    assert warning["trouble"] == {"kind": "cut_reply", "node": "a"}


def test_call_of_what_was_not_offered_is_a_warning():
    with serving(said("Four.", ("rob", {}))) as server:
        asker, asked = asking(server, OPENAI)
        reply = asker.reply(asked)

    assert (reply.text, reply.calls) == ("Four.", ())
    assert "called 'rob', which was not offered" in str(reply.troubles)


def usage_of(events):
    """Model calls and tokens of a turn, by its last events."""
    metrics = of_type(events, "end_workflow_iteration")[0]["iteration_metrics"]
    used = of_type(events, "end_workflow")[0]["llm_token_usage"]
    return metrics["llm_call_count"], used["total_input_tokens"], used["total_output_tokens"]


@pytest.mark.parametrize("node", [say, worker])
def test_turn_counts_a_refused_answer(node):
    with serving(refused("I cannot.")) as server:
        fields = ({"tea": {"type": "string"}},) if node is worker else ()
        events = turn(workflow(node("a", *fields, llms_config=server.llm(), self_loop=False)), "Assam?")

    (discarded,) = of_type(events, "discarded_main_llm")
    assert "refused to answer: I cannot." in discarded["reason"]
    assert discarded["origin_node_logical_id"] == "a"
    assert discarded["llm_usage_info"]["llm_response_id"]
    assert usage_of(events) == (1, 11, 7)


def test_turn_counts_a_verdict_that_cannot_be_read():
    settings = everywhere("wants it", judged="independent_llm_evaluations")
    bad = said(None, ("give_verdict", {"is_condition_met": "perhaps"}))

    with serving(bad, bad, said("Hm.")) as server:
        llm = server.llm(max_parse_retries=1)
        made = workflow(
            say("a", llms_config=llm, self_loop=False), static("b", "Bye", global_node_config=settings)
        )
        events = turn(made, "I must go.")

    (discarded,) = of_type(events, "discarded_main_llm")
    retries = discarded["llm_usage_info"]["structured_output_retry_metadata"]
    assert "gave no verdict" in discarded["reason"]
    assert (retries["retry_count"], len(retries["failed_attempts"])) == (1, 2)
    assert usage_of(events)[0] == 2
    assert usage_of(events)[1:] == (33, 21)


def test_answers_of_the_other_models_of_a_group_count():
    with serving(refused("I cannot."), said("Four are left.")) as server:
        members = {"a": server.llm(), "b": server.llm()}
        group = {"type": "llm_group", "llms": list(members.values())}
        reply = provider_model().reply(prompt(group))

    (discarded,) = reply.discarded
    assert reply.text == "Four are left."
    assert (reply.usage["total_tokens"], discarded.usage["total_tokens"]) == (18, 18)
    assert "refused to answer" in discarded.reason


def test_answers_before_the_time_runs_out_count():
    bad = said(None, ("structured_output", {"tea": 4}))
    schema = {"type": "object", "properties": {"tea": {"type": "string"}}}

    with serving(bad, None) as server, pytest.raises(ModelError, match="no answer within") as failure:
        server.answers[1] = server.late(bad)
        provider_model().reply(prompt(server.llm(), kind="work", schema=schema, seconds=1.0))

    (discarded,) = failure.value.discarded
    assert discarded.usage["total_tokens"] == 18


def test_failed_requests_are_in_the_usage():
    busy = 429, {"error": {"message": "slow down", "type": "limit", "code": None}}

    with serving(busy, (503, {}), said("Four are left.")) as server:
        reply = provider_model().reply(prompt(server.llm()))

    retries = reply.usage["request_retry_metadata"]
    assert retries["retry_count"] == 2
    assert [attempt["attempt_number"] for attempt in retries["failed_attempts"]] == [1, 2]
    assert retries["failed_attempts"][0]["error_message"].endswith("answered with HTTP 429: slow down")
    assert retries["failed_attempts"][1]["error_message"].endswith("answered with HTTP 503")


def test_warning_names_what_all_requests_met_once():
    with serving((500, {"error": {"message": "overloaded", "type": "x", "code": None}})) as server:
        events = turn(workflow(say("a", llms_config=server.llm(max_retries=2))), "Assam?")

    (warning,) = of_type(events, "workflow_warning")
    assert warning["warning_message"].count("overloaded") == 1
    assert warning["warning_message"].endswith("overloaded. All 3 requests failed in this way.")


def test_warning_names_the_failed_requests():
    busy = 429, {"error": {"message": "slow down", "type": "limit", "code": None}}

    with serving(busy, busy, (503, {})) as server:
        events = turn(workflow(say("a", llms_config=server.llm(max_retries=2))), "Assam?")

    (warning,) = of_type(events, "workflow_warning")
    _, _, requests = warning["warning_message"].partition(" Its requests failed: ")
    assert requests.count("HTTP 429: slow down (2 times); ") == 1
    assert requests.endswith("HTTP 503.")
