"""Transcripts of whole runs."""

from __future__ import annotations

from collections.abc import Sequence

from debugger.analysis.transcript import RunFacts, TranscriptReader, TranscriptRow
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import Workflow


def transcript(facts: RunFacts, turns: Sequence[TurnLog], workflow: Workflow | None) -> list[TranscriptRow]:
    """Return every message of a run as a row."""
    reader = TranscriptReader(facts, workflow)
    last = len(turns) - 1
    read = [reader.add_turn(turn, is_last=place == last) for place, turn in enumerate(turns)]
    return [row for turn in read for row in turn.rows]
