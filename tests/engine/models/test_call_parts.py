from __future__ import annotations

from debugger.engine.models import Prompt, TransitionOption
from debugger.engine.models.base import ToolSpec
from debugger.engine.models.call_parts import (
    EXTRACT,
    call_json,
    chat_lines,
    object_schema,
    offers_of,
    system_text,
)
from debugger.protocol.messages import ai_message, human_message

CHOICE = TransitionOption("e1", "the user pays", "pay", "Pay")


def prompt_with(*history, **fields):
    known = {"kind": "say", "node_logical_id": "chat", "node_name": "Chat", "system": "Talk.", "message": ""}
    return Prompt(**{**known, "history": lambda: history, "variables": {}, "visit": 1, **fields})


def test_system_text_of_judge_names_condition():
    text = system_text(prompt_with(kind="judge", system="the user pays", choices=(CHOICE,)))

    assert text.endswith("Condition: the user pays")
    assert text.startswith("Decide")


def test_system_text_of_worker_without_prompt_asks_for_output():
    assert system_text(prompt_with(kind="work", system="", schema={"type": "object"})) == EXTRACT
    assert system_text(prompt_with(kind="work", system="")) == ""


def test_chat_lines_end_with_user_and_keep_recent():
    chat = [
        human_message("Hi"),
        ai_message("Hello", message_id="m1"),
        ai_message("?", message_id="nav_msg_1"),
    ]

    assert [line.role for line in chat_lines(prompt_with(*chat), recent=None)] == [
        "user",
        "assistant",
        "user",
    ]
    assert [line.text for line in chat_lines(prompt_with(*chat[:2]), recent=1)] == [
        "Hello",
        "(The user has said nothing new.)",
    ]


def test_chat_lines_add_message_once():
    assert [line.text for line in chat_lines(prompt_with(message="Hi"), recent=None)] == ["Hi"]
    heard = prompt_with(human_message("Hi there"), message="Hi")
    assert [line.text for line in chat_lines(heard, recent=None)] == ["Hi there"]


def test_offers_have_distinct_names_and_justification():
    offers = offers_of(prompt_with(tools=(ToolSpec("pay", "Pays."),), choices=(CHOICE, CHOICE)), ("pay",))

    assert [offer.name for offer in offers] == [
        "pay_2",
        "Destination_Node__pay",
        "Destination_Node__pay_2",
    ]
    assert list(offers[1].schema["properties"]) == ["justification"]


def test_call_json_has_exchange_and_no_tools_of_judge():
    call = {"name": "pay", "args": {"sum": 1}, "id": "c1", "type": "tool_call"}
    asked = ai_message("", message_id="m1", tool_calls=[call])
    result = {"type": "tool", "content": "done", "tool_call_id": "c1"}

    found = call_json(prompt_with(human_message("Pay"), exchange=(asked, result)), recent=None)

    assert found["messages"][-2:] == [
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "c1", "name": "pay", "arguments": {"sum": 1}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "done"},
    ]
    judged = call_json(prompt_with(kind="judge", choices=(CHOICE,)), recent=None)
    assert judged["tools"] == []


def test_object_schema_is_always_an_object():
    assert object_schema(None) == {"type": "object", "properties": {}}
    assert object_schema({"type": "array", "properties": 5}) == {"type": "object", "properties": {}}
