from __future__ import annotations

import pytest

from debugger.protocol.first_turn_keys import input_notes
from debugger.protocol.runs import TurnInput


def notes(*, is_first_turn, **fields):
    return list(input_notes(TurnInput.from_wire(fields), is_first_turn=is_first_turn))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("start_node_logical_id", "ask"),
        ("initial_state", {"threads": {}}),
        ("welcome_message", "Hello"),
    ],
)
def test_key_has_no_effect_on_later_turn(key, value):
    [note] = notes(is_first_turn=False, **{key: value})

    assert note.startswith(f"{key} has no effect on this turn: only a first turn ")


def test_welcome_message_of_first_turn_is_said_by_no_event():
    [note] = notes(is_first_turn=True, welcome_message="Hello", start_node_logical_id="ask")

    assert note == "welcome_message: Models read it as the agent's first message, and no event says it."


def test_repeated_and_empty_keys_are_fine():
    empty = {"start_node_logical_id": None, "initial_state": None, "welcome_message": ""}

    assert notes(is_first_turn=False, run_by="qa", version_number=3, **empty) == []
