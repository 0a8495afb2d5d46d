"""Transcripts of whole runs."""

from __future__ import annotations

from collections.abc import Sequence

from debugger.analysis.transcript import TranscriptReader, TranscriptRow, TranscriptTurn
from debugger.protocol.runs import RunStatus
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import Workflow


def transcript_turns(
    turns: Sequence[TurnLog], workflow: Workflow | None, status: RunStatus = "running"
) -> list[TranscriptTurn]:
    """Return the turns of a run with their messages."""
    reader = TranscriptReader(status, workflow)
    last = len(turns) - 1
    return [reader.add_turn(turn, is_last=place == last) for place, turn in enumerate(turns)]


def transcript(turns: Sequence[TurnLog], workflow: Workflow | None) -> list[TranscriptRow]:
    """Return every message of a run as a row."""
    return [row for turn in transcript_turns(turns, workflow) for row in turn.rows]
