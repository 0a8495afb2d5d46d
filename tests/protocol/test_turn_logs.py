from __future__ import annotations

import pytest

from debugger.protocol.events import parse_event
from debugger.protocol.turn_logs import LazyEvents


def read(*types):
    return [parse_event({"type": kind, "logical_id": f"{place}"}) for place, kind in enumerate(types)]


def recorded(*types, reads=None):
    def again():
        reads.append(types)
        return read(*types)

    return LazyEvents(again, read(*types))


def crowd_out():
    for _ in range(100):
        recorded("start_thread")


def test_they_are_a_list_of_events():
    events = recorded("start_workflow", "start_thread", "end_thread")

    assert len(events) == 3
    assert [event.type for event in events] == ["start_workflow", "start_thread", "end_thread"]
    assert [event.type for event in reversed(events)] == ["end_thread", "start_thread", "start_workflow"]
    assert events[1].type == "start_thread"
    assert [event.type for event in events[:2]] == ["start_workflow", "start_thread"]
    assert events == read("start_workflow", "start_thread", "end_thread")


def test_just_after_the_reading_they_are_at_hand():
    reads = []
    events = recorded("start_workflow", "start_thread", reads=reads)

    list(events)

    assert reads == []


def test_once_others_were_read_they_are_read_again_and_their_number_is_known_without():
    reads = []
    events = recorded("start_workflow", "start_thread", "end_thread", reads=reads)
    crowd_out()

    assert len(events) == 3
    assert reads == []
    assert [event.type for event in events] == ["start_workflow", "start_thread", "end_thread"]
    assert len(reads) == 1


def test_both_ends_are_the_same_events_however_often_they_are_read():
    events = recorded("start_workflow", "start_thread", "end_thread", reads=[])
    first, last = events[0], events[-1]
    crowd_out()

    assert events[0] is first
    assert events[-1] is last


def test_no_event_is_no_fault():
    events = recorded(reads=[])
    crowd_out()

    assert list(events) == []
    with pytest.raises(IndexError):
        events[0]
