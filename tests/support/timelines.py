"""Timelines of whole runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from debugger.analysis.timeline import TimelineBuilder, TimelineRow
from debugger.protocol.turn_logs import TurnLog


def build_timeline(turns: Sequence[TurnLog], names: Mapping[str, str] | None = None) -> list[TimelineRow]:
    """Return every event of a run as a row."""
    return TimelineBuilder(names or {}).catch_up(turns).rows
