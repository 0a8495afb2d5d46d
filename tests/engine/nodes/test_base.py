from __future__ import annotations

import random

from debugger.engine.environment import Environment
from debugger.engine.nodes.base import pick_message
from debugger.engine.state import RunState
from debugger.protocol.workflow import StaticMessagesConfig


def test_message_sequence_ends_on_last_text():
    config = StaticMessagesConfig(static_messages=["one", "two"], static_messages_selection_mode="sequence")
    state = RunState.at("a")

    picked = [pick_message(config, "a", state, Environment()) for _ in range(3)]

    assert picked == ["one", "two", "two"]
    assert pick_message(config, "b", state, Environment()) == "one"


def test_a_random_text_is_one_of_them():
    config = StaticMessagesConfig(static_messages=["one", "two"])
    world = Environment(random=random.Random(1))

    picked = {pick_message(config, "a", RunState.at("a"), world) for _ in range(30)}

    assert picked == {"one", "two"}


def test_no_text_is_nothing_to_say():
    assert pick_message(StaticMessagesConfig(), "a", RunState.at("a"), Environment()) is None
