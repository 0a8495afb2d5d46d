from __future__ import annotations

import re

import pytest

from debugger.protocol.messages import human_message, message_problem


@pytest.mark.parametrize(
    "message",
    [
        human_message("Hello"),
        {"type": "ai", "content": ""},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": ["Hel", "lo"]},
        {"type": "human", "content": []},
        {"type": "human", "content": [{"type": "text", "text": "Hello"}, {"text": "there"}]},
        {"type": "human", "content": [{"type": "image_url", "image_url": {"url": "https://x"}}]},
    ],
)
def test_understood_message_has_no_problem(message):
    assert message_problem(message) is None


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ({}, "neither a type nor a role"),
        ({"text": "Hello"}, "neither a type nor a role"),
        ({"content": "Hello"}, "neither a type nor a role"),
        ({"type": "message", "role": "user", "content": "Hello"}, "'message' is no type"),
        ({"role": "customer", "content": "Hello"}, "'customer' is no type or role"),
        ({"type": ["human"], "content": "Hello"}, "is no type or role"),
        ({"type": "human"}, "missing or null"),
        ({"type": "human", "content": None}, "missing or null"),
        ({"type": "human", "content": 7}, "of the type int"),
        ({"type": "human", "content": {"text": "Hello"}}, "of the type dict"),
        ({"type": "human", "content": ["Hello", 7]}, r"content\[1\]"),
        ({"type": "human", "content": [{"type": "text"}]}, r"content\[0\]"),
        ({"type": "human", "content": [{"words": "Hello"}]}, r"content\[0\]"),
    ],
)
def test_message_problem_names_what_is_wrong(message, problem):
    assert re.search(problem, message_problem(message) or "")
