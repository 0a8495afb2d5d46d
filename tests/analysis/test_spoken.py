from __future__ import annotations

import pytest

from debugger.analysis.chat import spoken
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput, TurnLog


def test_what_an_input_sent_counts_until_an_event_tells_it():
    pending = TurnLog(1, TurnInput.saying("Assam"))
    told = TurnLog(
        1,
        TurnInput.saying("Assam"),
        [parse_event({"type": "user_messages", "messages": [{"type": "human", "content": "Assam"}]})],
    )

    assert [(words.text, words.event_index) for words in spoken([pending])] == [("Assam", None)]
    assert [(words.text, words.event_index) for words in spoken([told])] == [("Assam", 0)]


def test_a_message_in_the_role_form_is_the_users():
    event = parse_event({"type": "user_messages", "messages": [{"role": "user", "content": "Hi"}]})

    assert [(words.role, words.text) for words in spoken([TurnLog(1, TurnInput(), [event])])] == [
        ("user", "Hi")
    ]


def test_messages_of_models_and_tools_in_an_input_are_not_the_users_words():
    messages = [{"type": "system", "content": "be kind"}, {"type": "human", "content": "Hi"}]
    event = parse_event({"type": "user_messages", "messages": messages})

    assert [words.text for words in spoken([TurnLog(1, TurnInput(), [event])])] == ["Hi"]


def test_the_words_of_content_parts_are_joined():
    parts = [{"type": "text", "text": "Which "}, {"type": "text", "text": "tea?"}]
    event = parse_event({"type": "assistant_response", "content": parts})

    assert [words.text for words in spoken([TurnLog(1, TurnInput(), [event])])] == ["Which tea?"]


def test_only_the_first_turn_welcomes():
    turns = [
        TurnLog(1, TurnInput(welcome_message="Hello")),
        TurnLog(2, TurnInput(welcome_message="Hello again")),
    ]

    assert [(words.role, words.text) for words in spoken(turns)] == [("agent", "Hello")]


def test_an_answer_with_null_usage_is_still_said():
    event = parse_event({"type": "assistant_response", "content": "Hi", "llm_usage_info": None})

    assert [words.text for words in spoken([TurnLog(1, TurnInput(), [event])])] == ["Hi"]


@pytest.mark.parametrize("messages", [5, "Hi", ["Hi", None, 5], [{"content": [5, None]}], None])
def test_messages_in_no_known_shape_say_nothing(messages):
    event = parse_event({"type": "user_messages", "messages": messages})

    assert "".join(words.text for words in spoken([TurnLog(1, TurnInput(), [event])])) == ""
