"""Turns of a run as they were at an earlier event."""

from __future__ import annotations

from collections.abc import Sequence

from debugger.protocol.turn_logs import TurnLog


def until(turns: Sequence[TurnLog], event: int) -> list[TurnLog]:
    """Return the turns as they had come in right after an event."""
    shown = []
    for turn in turns:
        if event < 0:
            break
        shown.append(
            TurnLog(turn.number, turn.run_input, turn.events[: event + 1], is_background=turn.is_background)
        )
        event -= len(turn.events)
    return shown
