from __future__ import annotations

import pytest

from debugger.views.components.scrubber import Scrubber


@pytest.fixture
def heard():
    return []


def scrubber(heard, **fields):
    places = {"value": 3, "last": 9, "words": "turn 1, event 3 of 9", "marks": [0, 5]}
    calls = {"on_play": lambda: heard.append("play"), "on_pause": lambda: heard.append("pause")}
    return Scrubber("scrubber", "Event on view", on_move=heard.append, **places, **calls, **fields)


def test_scrubber_tells_place_marks_and_words(heard):
    props = scrubber(heard).to_props()

    assert (props["value"], props["last"], props["marks"]) == (3, 9, [0, 5])
    assert props["words"] == "turn 1, event 3 of 9"
    assert not props["disabled"]
    assert (props["hold_ms"], props["shortcut"]) == (1000, None)


def test_scrubber_sends_hold_time_and_key(heard):
    props = scrubber(heard, hold_seconds=2.5, shortcut="Space").to_props()

    assert (props["hold_ms"], props["shortcut"]) == (2500, "Space")


@pytest.mark.parametrize("value", [0, 9, "play", "pause"])
def test_scrubber_hands_on_places_and_play(heard, value):
    scrubber(heard).on_event(value)

    assert heard == [value]


@pytest.mark.parametrize("value", [-1, 10, True, None, "5", 1.5])
def test_scrubber_ignores_what_is_no_place(heard, value):
    scrubber(heard).on_event(value)

    assert heard == []


def test_scrubber_with_reason_does_nothing(heard):
    still = scrubber(heard, reason="No event matches.")

    still.on_event(2)

    assert heard == []
    assert (still.to_props()["disabled"], still.to_props()["help"]) == (True, "No event matches.")
