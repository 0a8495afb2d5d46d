from __future__ import annotations

import pytest

from debugger.engine.models.base import ModelError, ToolCall, ToolSpec, TransitionOption
from debugger.engine.models.providers.answers import without_blanks
from debugger.protocol.messages import ai_message, human_message
from tests.support.model_server import prompt, provider_model, said, serving

ORDER = TransitionOption("edge_1", "the user orders tea", "order", "Order")
SIZED = TransitionOption(
    "edge_2",
    "the user names a size",
    "order",
    "Order",
    args_schema={"type": "object", "properties": {"size": {"type": "string"}}, "required": ["size"]},
)
SCHEMA = {
    "type": "object",
    "properties": {"tea": {"type": "string"}, "cups": {"type": "integer"}},
    "required": ["tea"],
}


def test_answer_has_text_and_usage():
    with serving(said("Yes, we have.")) as server:
        reply = provider_model().reply(prompt(server.llm(named_llm_config_id="saved_1")))

    assert (reply.text, reply.chosen, reply.calls) == ("Yes, we have.", None, ())
    assert reply.model == "tea-1-2026"
    assert reply.usage == {
        "response_model": "tea-1-2026",
        "provider": "custom",
        "named_llm_config_id": "saved_1",
        "named_llm_config_name": None,
        "used_user_api_key": True,
        "finish_reason": ["stop"],
        "prompt_tokens": 11,
        "completion_tokens": 7,
        "total_tokens": 18,
        "was_streamed": False,
        "was_estimated": False,
    }


def test_usage_is_estimated_without_counts():
    answer = said("Yes, we have.")
    del answer["usage"]

    with serving(answer) as server:
        usage = provider_model().reply(prompt(server.llm())).usage

    assert usage["was_estimated"]
    assert usage["prompt_tokens"] == 7
    assert usage["completion_tokens"] == 4
    assert usage["total_tokens"] == 11


def test_messages_have_memos_as_notes():
    history = [
        ai_message("Welcome.", message_id="welcome_message"),
        human_message("Hello"),
        ai_message("[Internal-only memo]: moved", message_id="nav_msg_1"),
    ]

    with serving(said("Hi")) as server:
        provider_model().reply(prompt(server.llm(), message="Hello", history=lambda: history))

    assert server.requests[0]["messages"] == [
        {"role": "system", "content": "Sell tea."},
        {"role": "assistant", "content": "Welcome."},
        {"role": "user", "content": "Hello"},
        {"role": "user", "content": "[Internal-only memo]: moved"},
    ]


def test_messages_add_a_missing_newest_one():
    with serving(said("Hi")) as server:
        provider_model().reply(prompt(server.llm(), message="Tea?", history=lambda: []))

    assert server.requests[0]["messages"][-1] == {"role": "user", "content": "Tea?"}


def test_messages_end_with_a_users_note():
    history = [ai_message("Welcome.", message_id="welcome_message")]

    with serving(said("Hi")) as server:
        provider_model().reply(prompt(server.llm(), message="", history=lambda: history))

    assert server.requests[0]["messages"][-1] == {
        "role": "user",
        "content": "(The user has said nothing new.)",
    }


@pytest.mark.parametrize(
    ("recent", "sent"),
    [
        (2, ["three", "four"]),
        (0, ["(The user has said nothing new.)"]),
        (None, ["one", "two", "three", "four"]),
    ],
)
def test_messages_are_cut_to_recent_ones(recent, sent):
    history = [human_message(text) for text in ("one", "two", "three")]

    with serving(said("Hi")) as server:
        llm = server.llm(truncated_max_recent_messages=recent)
        provider_model().reply(prompt(llm, message="four", history=lambda: history))

    assert [message["content"] for message in server.requests[0]["messages"][1:]] == sent


def test_answer_chooses_an_edge_with_arguments():
    call = ("Destination_Node__order_2", {"size": "large", "justification": "it was said"})

    with serving(said(None, call)) as server:
        reply = provider_model().reply(prompt(server.llm(), choices=(ORDER, SIZED)))

    tools = [tool["function"] for tool in server.requests[0]["tools"]]
    assert [tool["name"] for tool in tools] == ["Destination_Node__order", "Destination_Node__order_2"]
    assert [tool["description"] for tool in tools] == [ORDER.condition, SIZED.condition]
    assert list(tools[1]["parameters"]["properties"]) == ["justification", "size"]
    assert reply.chosen is SIZED
    assert reply.args == {"size": "large"}
    assert reply.reason == "it was said"


def test_tool_names_are_valid_and_mapped_back():
    tools = (
        ToolSpec("find tea!", "Finds tea"),
        ToolSpec("find tea?", "Finds more"),
        ToolSpec("1" * 80, ""),
    )
    calls = (("find_tea", {"name": "Assam"}), ("find_tea_2", {}), ("_" + "1" * 63, {}))

    with serving(said("Let me look.", *calls)) as server:
        reply = provider_model().reply(prompt(server.llm(), tools=tools))

    assert reply.calls == (
        ToolCall("find tea!", {"name": "Assam"}),
        ToolCall("find tea?"),
        ToolCall("1" * 80),
    )
    assert reply.text == "Let me look."


def test_messages_have_tool_calls_and_results():
    asked = ai_message(
        "One moment.", message_id="m", tool_calls=[{"name": "find tea", "args": {"q": 1}, "id": "c1"}]
    )
    exchange = (asked, {"type": "tool", "content": "3 found", "tool_call_id": "c1"})

    with serving(said("Three.")) as server:
        provider_model().reply(prompt(server.llm(), exchange=exchange, tools=(ToolSpec("find tea", ""),)))

    call, result = server.requests[0]["messages"][-2:]
    assert call["content"] == "One moment."
    assert call["tool_calls"][0]["function"] == {"name": "find_tea", "arguments": '{"q":1}'}
    assert (result["role"], result["tool_call_id"], result["content"]) == (
        "tool",
        call["tool_calls"][0]["id"],
        "3 found",
    )


def test_answer_ignores_calls_never_offered():
    with serving(said(None, ("rob_bank", {}))) as server, pytest.raises(ModelError, match="with nothing"):
        provider_model().reply(prompt(server.llm(), choices=(ORDER,)))


def test_arguments_that_are_no_object_are_none():
    with serving(said(None, ("Destination_Node__order", "[1, 2"))) as server:
        reply = provider_model().reply(prompt(server.llm(), choices=(ORDER,)))

    assert (reply.chosen, reply.args) == (ORDER, {})


@pytest.mark.parametrize("arguments", ['{"day": "Mon', "[1]", '"Monday"'])
def test_tool_call_with_unreadable_arguments_fails(arguments):
    tool = ToolSpec(
        "cancel", "Cancels bookings", {"type": "object", "properties": {"day": {"type": "string"}}}
    )

    with (
        serving(said(None, ("cancel", arguments))) as server,
        pytest.raises(ModelError, match=r"called 'cancel' with arguments that are not a JSON object$"),
    ):
        provider_model().reply(prompt(server.llm(), tools=(tool,)))


def test_tool_call_cut_off_names_max_tokens():
    answer = said(None, ("stock", '{"tea": "As'))
    answer["choices"][0]["finish_reason"] = "length"

    with serving(answer) as server, pytest.raises(ModelError, match=r"because max_tokens were used up$"):
        provider_model().reply(prompt(server.llm(), tools=(ToolSpec("stock", "Counts"),)))


def test_call_of_tool_without_arguments_may_be_null():
    with serving(said(None, ("stock", "null"))) as server:
        reply = provider_model().reply(prompt(server.llm(), tools=(ToolSpec("stock", "Counts"),)))

    assert reply.calls == (ToolCall("stock"),)


@pytest.mark.parametrize("kind", ["say", "work"])
def test_refusal_is_quoted_and_not_repeated(kind):
    answer = said(None)
    answer["choices"][0]["message"]["refusal"] = "I cannot help with that."

    with serving(answer) as server, pytest.raises(ModelError, match=r"refused to answer: I cannot help with"):
        provider_model().reply(prompt(server.llm(), kind=kind, schema=SCHEMA))

    assert len(server.requests) == 1


def test_nothing_said_names_max_tokens():
    with (
        serving(said(None, finish="length")) as server,
        pytest.raises(ModelError, match=r"answered with nothing, because max_tokens were used up$"),
    ):
        provider_model().reply(prompt(server.llm()))


def test_output_is_extracted_after_tool_results():
    schema = {"type": "object", "properties": {"left": {"type": "integer"}}}
    call = {"name": "stock", "args": {}, "id": "c1", "type": "tool_call"}
    result = {"type": "tool", "content": "4", "tool_call_id": "c1", "name": "stock"}
    exchange = (ai_message("", message_id="m", tool_calls=[call]), result)

    with serving(said("Four are left."), said(None, ("structured_output", {"left": 4}))) as server:
        reply = provider_model().reply(prompt(server.llm(), exchange=exchange, schema=schema))

    sent = server.requests[1]["messages"]
    assert [message["role"] for message in sent] == [
        "system",
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
    ]
    assert sent[4]["content"] == "Four are left."
    assert reply.fields == {"left": 4}


def test_argument_that_is_not_finite_is_null():
    with serving(said(None, ("Destination_Node__order", '{"cups": NaN, "sizes": [Infinity]}'))) as server:
        reply = provider_model().reply(prompt(server.llm(), choices=(ORDER,)))

    assert reply.args == {"cups": None, "sizes": [None]}


@pytest.mark.parametrize("is_met", [True, False])
def test_verdict_is_a_call_of_its_own(is_met):
    verdict = {"is_condition_met": is_met, "justification": "clear", "arguments": {"size": "large"}}

    with serving(said(None, ("give_verdict", verdict))) as server:
        reply = provider_model().reply(
            prompt(server.llm(), kind="judge", system=SIZED.condition, choices=(SIZED,))
        )

    assert reply.chosen == (SIZED if is_met else None)
    assert reply.args == ({"size": "large"} if is_met else {})
    assert reply.reason == "clear"
    (tool,) = server.requests[0]["tools"]
    assert tool["function"]["parameters"]["required"] == ["is_condition_met"]
    assert "Condition: the user names a size" in server.requests[0]["messages"][0]["content"]


def test_verdict_of_no_needs_no_arguments():
    verdict = {"is_condition_met": False, "justification": "none named", "arguments": {}}

    with serving(said(None, ("give_verdict", verdict))) as server:
        reply = provider_model().reply(prompt(server.llm(), kind="judge", choices=(SIZED,)))

    assert (reply.chosen, reply.reason) == (None, "none named")
    assert len(server.requests) == 1


def test_number_that_is_not_finite_is_null():
    schema = {"type": "object", "properties": {"rate": {"type": ["number", "null"]}}, "required": ["rate"]}

    with serving(said(None, ("structured_output", '{"rate": 1e999}'))) as server:
        reply = provider_model().reply(prompt(server.llm(), kind="work", schema=schema))

    assert (reply.fields, reply.fields_error) == ({"rate": None}, None)


def test_justification_of_null_is_empty():
    with serving(said(None, ("Destination_Node__order", {"justification": None}))) as server:
        reply = provider_model().reply(prompt(server.llm(), choices=(ORDER,)))

    assert (reply.chosen, reply.args, reply.reason) == (ORDER, {}, "")


def test_a_judge_that_never_decides_is_a_failure():
    with (
        serving(said(None, ("give_verdict", {"is_condition_met": "perhaps"}))) as server,
        pytest.raises(ModelError, match="gave no verdict: is_condition_met: 'perhaps' is not of type"),
    ):
        provider_model().reply(prompt(server.llm(), kind="judge", choices=(ORDER,)))

    assert len(server.requests) == 4


def test_worker_must_give_structured_output():
    with serving(said(None, ("structured_output", {"tea": "Assam", "cups": 2}))) as server:
        reply = provider_model().reply(prompt(server.llm(), kind="work", schema=SCHEMA, choices=(ORDER,)))

    assert reply.fields == {"tea": "Assam", "cups": 2}
    assert reply.fields_error is None
    assert reply.usage["structured_output_retry_metadata"] is None
    assert server.requests[0]["tool_choice"] == "required"
    names = [tool["function"]["name"] for tool in server.requests[0]["tools"]]
    assert sorted(names) == ["Destination_Node__order", "structured_output"]


def test_worker_may_take_an_edge_instead():
    with serving(said(None, ("Destination_Node__order", {"justification": "so"}))) as server:
        reply = provider_model().reply(prompt(server.llm(), kind="work", schema=SCHEMA, choices=(ORDER,)))

    assert (reply.chosen, reply.fields, reply.fields_error) == (ORDER, {}, None)
    assert len(server.requests) == 1


def test_structured_output_is_retried_with_the_reason():
    bad, good = {"tea": "Assam", "cups": "two"}, {"tea": "Assam", "cups": 2}

    with serving(said(None, ("structured_output", bad)), said(None, ("structured_output", good))) as server:
        reply = provider_model().reply(prompt(server.llm(), kind="work", schema=SCHEMA))

    assert reply.fields == good
    told = reply.usage["structured_output_retry_metadata"]
    (failed,) = told["failed_attempts"]
    assert told["retry_count"] == 1
    assert (failed["attempt_number"], failed["error_message"]) == (1, "cups: 'two' is not of type 'integer'")
    assert type(failed["latency_milliseconds"]) is int
    assert "cups: 'two' is not of type 'integer'" in server.requests[1]["messages"][-1]["content"]
    assert reply.usage["total_tokens"] == 36


def test_structured_output_fails_after_its_retries():
    with serving(said(None, ("structured_output", {"cups": 2}))) as server:
        reply = provider_model().reply(prompt(server.llm(max_parse_retries=2), kind="work", schema=SCHEMA))

    assert reply.fields == {}
    assert (reply.fields_error, reply.fields_trouble) == ("'tea' is a required property", "schema")
    assert reply.usage["structured_output_retry_metadata"]["retry_count"] == 2
    assert len(reply.usage["structured_output_retry_metadata"]["failed_attempts"]) == 3
    assert len(server.requests) == 3


def test_structured_output_is_read_from_text():
    with serving(said('```json\n{"tea": "Assam"}\n```')) as server:
        reply = provider_model().reply(prompt(server.llm(), kind="work", schema=SCHEMA))

    assert reply.fields == {"tea": "Assam"}


def test_prose_instead_of_output_is_asked_for_again():
    with serving(said("I think Assam."), said(None, ("structured_output", {"tea": "Assam"}))) as server:
        reply = provider_model().reply(prompt(server.llm(), kind="work", schema=SCHEMA))

    assert reply.fields == {"tea": "Assam"}
    attempts = reply.usage["structured_output_retry_metadata"]["failed_attempts"]
    assert [attempt["error_message"] for attempt in attempts] == ["this is not a JSON object"]


def test_structured_output_drops_unfitting_blanks():
    with serving(said(None, ("structured_output", {"tea": "", "cups": ""}))) as server:
        reply = provider_model().reply(prompt(server.llm(), kind="work", schema=SCHEMA))

    assert reply.fields == {"tea": ""}


def test_speakers_output_is_a_second_call():
    with serving(said("Assam it is."), said(None, ("structured_output", {"tea": "Assam"}))) as server:
        reply = provider_model().reply(prompt(server.llm(), schema=SCHEMA))

    assert (reply.text, reply.fields) == ("Assam it is.", {"tea": "Assam"})
    assert "tools" not in server.requests[0]
    assert {"role": "assistant", "content": "Assam it is."} in server.requests[1]["messages"]
    assert reply.usage["finish_reason"] == ["stop", "tool_call"]
    assert reply.usage["total_tokens"] == 36


def test_failed_extraction_leaves_the_text():
    with serving(said("We have."), (400, {"error": {"message": "no tools"}})) as server:
        reply = provider_model().reply(prompt(server.llm(), schema=SCHEMA))

    assert (reply.text, reply.fields, reply.usage["total_tokens"]) == ("We have.", {}, 18)
    assert reply.fields_error.endswith("HTTP 400: no tools")
    assert reply.fields_trouble == "model"


def test_the_author_s_settings_reach_the_server():
    llm = {
        "temperature": 0.4,
        "max_tokens": 99,
        "seed": 5,
        "reasoning_effort": "high",
        "model_kwargs": {"top_p": 0.5, "house": "style"},
        "default_headers": {"X-Shop": "tea", "Authorization": "Bearer sk-of-the-workflow"},
    }

    with serving(said("Hi")) as server:
        provider_model().reply(prompt(server.llm(**llm)))

    (sent,) = server.requests
    assert (sent["seed"], sent["reasoning_effort"], sent["house"]) == (5, "high", "style")
    assert (sent["temperature"], sent["top_p"], sent["max_completion_tokens"]) == (0.4, 0.5, 99)
    assert server.headers[0]["x-shop"] == "tea"
    assert "sk-of-the-workflow" not in str(server.headers)


@pytest.mark.parametrize("answer", [{"result": said("Hi")}, said("Hi")])
def test_an_answer_that_the_server_wraps_is_unwrapped(answer):
    with serving(answer) as server:
        reply = provider_model().reply(prompt(server.llm(response_unwrap_key="result")))

    assert reply.text == "Hi"


def test_without_blanks_keeps_fitting_blanks():
    schema = {
        "properties": {"cups": {"type": "integer"}, "tea": {"type": "string"}, "size": {"type": "integer"}},
        "required": ["size"],
    }

    assert without_blanks({"cups": None, "tea": "", "size": ""}, schema) == {"tea": "", "size": ""}
    assert without_blanks({"cups": ""}, {"properties": 5}) == {"cups": ""}
