from __future__ import annotations

import pytest

from debugger.backends.base import TurnStream
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnResult


@pytest.mark.parametrize("pulled", [0, 1, 2])
def test_a_turn_is_finished_from_wherever_it_stands(pulled):
    def turn():
        yield parse_event({"type": "start_workflow"})
        yield parse_event({"type": "end_workflow"})
        return TurnResult(
            run_id="run1", status="completed", turn_number=1, is_waiting_for_input=False, is_completed=True
        )

    stream = TurnStream(None, turn())
    events = iter(stream)
    for _ in range(pulled):
        next(events)

    assert stream.finish().run_id == stream.run_id == "run1"


def test_finished_turn_keeps_its_result():
    def turn():
        yield parse_event({"type": "end_workflow"})
        return TurnResult(
            run_id="run1", status="completed", turn_number=1, is_waiting_for_input=False, is_completed=True
        )

    stream = TurnStream(None, turn())
    first = stream.finish()

    assert list(stream) == []
    assert stream.finish() is first


def test_closed_stream_has_no_more_events():
    def events():
        yield from ()
        raise AssertionError

    stream = TurnStream("run", events())
    stream.close()

    assert list(stream) == []
    assert stream.result is None
