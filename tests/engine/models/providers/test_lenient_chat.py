from __future__ import annotations

import pytest

from debugger.engine.models.base import ModelError, ToolCall, ToolSpec
from tests.support.model_server import prompt, provider_model, said, serving

STOCK = ToolSpec("stock", "Counts", {"type": "object", "properties": {"tea": {"type": "string"}}})


@pytest.mark.parametrize(
    "usage", [{}, {"total_tokens": 12}, {"prompt_tokens": None, "completion_tokens": "7"}]
)
def test_incomplete_usage_is_estimated(usage):
    with serving({**said("We have."), "usage": usage}) as server:
        reply = provider_model().reply(prompt(server.llm()))

    assert (reply.text, reply.usage["was_estimated"]) == ("We have.", True)


def test_usage_needs_no_total():
    with serving({**said("x"), "usage": {"prompt_tokens": 5, "completion_tokens": 2}}) as server:
        usage = provider_model().reply(prompt(server.llm())).usage

    assert (usage["total_tokens"], usage["was_estimated"]) == (7, False)


def test_answer_needs_nothing_but_a_message():
    with serving({"choices": [{"message": {"content": "We have."}}]}) as server:
        reply = provider_model().reply(prompt(server.llm()))

    assert (reply.text, reply.model) == ("We have.", "tea-1")


@pytest.mark.parametrize(("arguments", "args"), [({"tea": "Assam"}, {"tea": "Assam"}), (None, {})])
def test_tool_call_may_lack_id_and_text(arguments, args):
    calls = [{"function": {"name": "stock", "arguments": arguments}}]
    answer = said(None)
    answer["choices"][0]["message"]["tool_calls"] = calls

    with serving(answer) as server:
        reply = provider_model().reply(prompt(server.llm(), tools=(STOCK,)))

    assert reply.calls == (ToolCall("stock", args),)


def test_answer_without_choice_cannot_be_read():
    with serving({**said("x"), "choices": []}) as server, pytest.raises(ModelError, match="cannot be read"):
        provider_model().reply(prompt(server.llm()))


@pytest.mark.parametrize(("code", "status", "sent"), [(429, 429, 2), ("no_credit", 400, 1)])
def test_error_with_status_200_is_quoted(code, status, sent):
    answer = {"error": {"message": "out of tea", "code": code}}

    with serving(answer) as server, pytest.raises(ModelError, match=f"HTTP {status}: out of tea$"):
        provider_model().reply(prompt(server.llm(max_retries=1)))

    assert len(server.requests) == sent
