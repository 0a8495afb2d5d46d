from __future__ import annotations

import pytest

from debugger.analysis.chat import ChatMessage, chat_messages, group_warnings, spoken_messages
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput, background_input
from debugger.protocol.turn_logs import TurnLog


def said(text, node_id="order", name="Order desk", **fields):
    return parse_event(
        {
            "type": "assistant_response",
            "origin_thread_id": "0",
            "origin_node_logical_id": node_id,
            "origin_node_name": name,
            "content": text,
            **fields,
        }
    )


def heard(text):
    return parse_event({"type": "user_messages", "messages": [{"type": "human", "content": text}]})


def test_the_chat_shows_both_sides_in_order():
    first = TurnLog(1, TurnInput.with_message("Hello"), [heard("Hello"), said("Which tea?")])
    second = TurnLog(
        2, TurnInput.with_message("Assam"), [heard("Assam"), said("Enjoy it!", "bye", "Farewell")]
    )

    found = chat_messages([first, second])

    assert [(message.role, message.text, message.turn_number) for message in found] == [
        ("user", "Hello", 1),
        ("agent", "Which tea?", 1),
        ("user", "Assam", 2),
        ("agent", "Enjoy it!", 2),
    ]
    assert found[3] == ChatMessage("agent", "Enjoy it!", "Farewell", 2, 3)


@pytest.mark.parametrize("event", [{}, {"messages": None}, {"messages": []}])
def test_event_without_messages_hides_no_input(event):
    turn = TurnLog(1, TurnInput.with_message("Hello"), [parse_event({"type": "user_messages", **event})])

    assert [message.text for message in chat_messages([turn])] == ["Hello"]


def test_chat_marks_background_messages():
    asked = TurnLog(1, TurnInput.with_message("Hello"))
    goodbye = TurnLog(1, background_input(), [said("Bye")], is_background=True)
    asked_more = TurnLog(2, TurnInput.with_message("Wait!"))

    found = chat_messages([asked, goodbye, asked_more])

    assert [(message.text, message.turn_number, message.is_background) for message in found] == [
        ("Hello", 1, False),
        ("Bye", 1, True),
        ("Wait!", 2, False),
    ]


def test_chat_begins_with_the_welcome():
    turn = TurnLog(1, TurnInput.with_message("Hi", welcome_message="Welcome to Leaf & Co"))

    assert [(message.role, message.text) for message in chat_messages([turn])] == [
        ("agent", "Welcome to Leaf & Co"),
        ("user", "Hi"),
    ]


def test_chat_shows_warnings_and_errors_in_place():
    turn = TurnLog(
        1,
        TurnInput(),
        [
            parse_event({"type": "workflow_warning", "warning_message": "no tool of that name"}),
            said("Hm."),
            parse_event(
                {"type": "workflow_warning", "warning_message": "no answer", "trouble": {"kind": "model"}}
            ),
            parse_event({"type": "workflow_error", "error_message": "boom"}),
        ],
    )

    assert [(message.role, message.text) for message in chat_messages([turn])] == [
        ("warning", "no tool of that name"),
        ("agent", "Hm."),
        ("failure", "no answer"),
        ("error", "boom"),
    ]


def test_chat_skips_navigation_memos():
    memo = parse_event(
        {"type": "workflow_navigation_message", "message": {"type": "ai", "content": "[memo]"}}
    )

    assert chat_messages([TurnLog(1, TurnInput(), [memo])]) == []


@pytest.mark.parametrize("role", ["warning", "failure"])
def test_group_warnings_joins_many_in_a_row(role):
    warnings = [ChatMessage(role, f"w{place}", "", 1, place) for place in range(3)]
    words = ChatMessage("agent", "Hello", "A", 1, 3)

    few = group_warnings([*warnings[:2], words])
    many = group_warnings([words, *warnings, words])

    assert few == [[warnings[0]], [warnings[1]], [words]]
    assert many == [[words], warnings, [words]]


def test_spoken_input_until_its_event_arrives():
    pending = TurnLog(1, TurnInput.with_message("Assam"))
    told = TurnLog(
        1,
        TurnInput.with_message("Assam"),
        [parse_event({"type": "user_messages", "messages": [{"type": "human", "content": "Assam"}]})],
    )

    assert [(words.text, words.event_index) for words in spoken_messages([pending])] == [("Assam", None)]
    assert [(words.text, words.event_index) for words in spoken_messages([told])] == [("Assam", 0)]


def test_spoken_role_form_is_the_users():
    event = parse_event({"type": "user_messages", "messages": [{"role": "user", "content": "Hi"}]})

    assert [(words.role, words.text) for words in spoken_messages([TurnLog(1, TurnInput(), [event])])] == [
        ("user", "Hi")
    ]


def test_spoken_skips_model_and_tool_messages():
    messages = [{"type": "system", "content": "be kind"}, {"type": "human", "content": "Hi"}]
    event = parse_event({"type": "user_messages", "messages": messages})

    assert [words.text for words in spoken_messages([TurnLog(1, TurnInput(), [event])])] == ["Hi"]


def test_the_words_of_content_parts_are_joined():
    parts = [{"type": "text", "text": "Which "}, {"type": "text", "text": "tea?"}]
    event = parse_event({"type": "assistant_response", "content": parts})

    assert [words.text for words in spoken_messages([TurnLog(1, TurnInput(), [event])])] == ["Which tea?"]


def test_only_the_first_turn_welcomes():
    turns = [
        TurnLog(1, TurnInput(welcome_message="Hello")),
        TurnLog(2, TurnInput(welcome_message="Hello again")),
    ]

    assert [(words.role, words.text) for words in spoken_messages(turns)] == [("agent", "Hello")]


def test_spoken_answer_with_null_usage():
    event = parse_event({"type": "assistant_response", "content": "Hi", "llm_usage_info": None})

    assert [words.text for words in spoken_messages([TurnLog(1, TurnInput(), [event])])] == ["Hi"]


@pytest.mark.parametrize("messages", [5, "Hi", ["Hi", None, 5], [{"content": [5, None]}], None])
def test_messages_in_no_known_shape_say_nothing(messages):
    event = parse_event({"type": "user_messages", "messages": messages})

    assert "".join(words.text for words in spoken_messages([TurnLog(1, TurnInput(), [event])])) == ""
