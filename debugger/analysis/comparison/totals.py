"""What a run comes to: turns, events, time and tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from debugger.analysis.facts import field
from debugger.protocol.runs import Run, TurnLog


@dataclass(frozen=True)
class Totals:
    """One run in figures."""

    turns: int
    events: int
    milliseconds: float | None
    """How long its turns took together; ``None`` where no closing event tells it."""
    tokens: int | None
    """What models read and wrote; ``None`` where the record does not tell it."""

    @classmethod
    def of(cls, run: Run, turns: Sequence[TurnLog]) -> Self:
        """The figures of a record.

        Source: iteration metrics and token usage in ``platform/engine.md`` 13.

        Args:
            run: The record.
            turns: Its turns.
        """
        events = [event for turn in turns for event in turn.events]
        metrics = (
            field(event, "iteration_metrics") for event in events if event.type == "end_workflow_iteration"
        )
        spent = [
            found for each in metrics if (found := _number(each, "e2e_latency_milliseconds")) is not None
        ]
        tokens = _number(run.llm_token_usage, "total_tokens")
        return cls(
            turns=turns[-1].number if turns else 0,
            events=len(events),
            milliseconds=sum(spent) if spent else None,
            tokens=None if tokens is None else int(tokens),
        )


def _number(values: Any, key: str) -> float | None:
    found = values.get(key) if isinstance(values, dict) else None
    return found if isinstance(found, int | float) and not isinstance(found, bool) else None
