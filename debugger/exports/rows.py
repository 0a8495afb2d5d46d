"""Rows of runs: one for each turn, message or event."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from debugger.analysis.event_fields import EventFields, fields_of
from debugger.analysis.metrics import Costs, costs
from debugger.analysis.mocked_events import is_fault_at, is_mocked
from debugger.analysis.side_effects import ledger_of
from debugger.analysis.steps import TurnRow, steps_of_turn, turn_duration, turn_row
from debugger.analysis.timeline import TimelineBuilder, TimelineRow
from debugger.analysis.transcript import TranscriptReader, TranscriptRow, TranscriptTurn
from debugger.exports.records import ExportedRun
from debugger.protocol.notes import Target
from debugger.protocol.runs import Turn
from debugger.protocol.scenario_runs import ScenarioCheck
from debugger.protocol.turn_logs import LazyRun, TurnLog
from debugger.protocol.workflow import Workflow
from debugger.settings import read_settings

Shape = Literal["turn", "message", "event"]


@dataclass(slots=True)
class TurnTokens:
    """The tokens and time of one turn."""

    prompt: int
    completion: int
    calls: int
    latency_ms: float | None
    """Of all model calls."""
    duration_ms: float | None
    costs: Costs
    """Costs by the prices in the settings."""


@dataclass(slots=True)
class TurnFacts:
    """The facts that the rows of one turn share."""

    run_ms: float | None
    """The time of the run's turns up to this one."""
    mocked_nodes: frozenset[str]
    """The nodes with a call that something else answered in the place of a service or model, by their ids.

    In rows of events only those of which the ledger says it."""
    problems: Sequence[TimelineRow] = ()
    """What went wrong, warnings of the configuration left out; none in rows of events."""
    is_faulted: bool = False
    """Whether a fault of the debugger's user was applied; not known in rows of events."""


@dataclass(slots=True)
class ExportRow:
    """One row before its columns are chosen."""

    run: ExportedRun
    log: TurnLog
    facts: TurnFacts
    turn: TranscriptTurn | None = None
    """Of the shapes turn and message."""
    tokens: TurnTokens | None = None
    message: TranscriptRow | None = None
    is_last: bool = True
    """Whether it is the last row of its turn."""
    checks: Sequence[ScenarioCheck] = ()
    """Those of the run's scenario on the turn, on its last row."""
    event: TimelineRow | None = None
    payload: dict[str, Any] | None = None
    """The event as it was sent."""

    @property
    def target(self) -> Target | None:
        """Return what a verdict on this row is on; ``None`` of background work, which is no turn."""
        return self.turn_target if self.message is None else Target.message(self.message.seq)

    @property
    def turn_target(self) -> Target | None:
        """Return what a verdict on this row's turn is on; ``None`` of background work."""
        return None if self.log.is_background else Target.turn(self.log.number)


def export_rows(run: ExportedRun, shape: Shape) -> Iterator[ExportRow]:
    """Yield the rows of a run in order.

    Args:
        run: The run.
        shape: What a row is of.
    """
    if shape == "event":
        return _event_rows(run)
    return _message_rows(run) if shape == "message" else _turn_rows(run)


def count_messages(record: LazyRun) -> int:
    """Return the number of a run's rows of the shape message."""
    return sum(1 for _ in export_rows(ExportedRun(record), "message"))


def _event_rows(run: ExportedRun) -> Iterator[ExportRow]:
    """Yield a row for each event of the finished turns, in order; a turn in progress is left out.

    Nothing is read before the first row is asked for, and then one turn at a time, so that the error of a
    damaged turn is raised between rows. A turn without events has no row.
    """
    builder = TimelineBuilder(_names(run.workflow), has_whole_summaries=True)
    clock = _RunClock()
    for turn, log in run.turns():
        builder.forget()
        builder.add_turn(log)
        facts = TurnFacts(clock.add(turn_duration(log)), _simulated(turn))
        last = len(log.events) - 1
        for at, (event, row) in enumerate(zip(log.events, builder.rows, strict=True)):
            yield ExportRow(run, log, facts, is_last=at == last, event=row, payload=event.to_wire())


def _message_rows(run: ExportedRun) -> Iterator[ExportRow]:
    """Yield a row for each message, in order; what is known of the turn's end is on its last row."""
    for row in _turn_rows(run):
        assert row.turn is not None
        last = len(row.turn.rows) - 1
        for place, message in enumerate(row.turn.rows):
            yield ExportRow(
                run,
                row.log,
                row.facts,
                row.turn,
                row.tokens,
                message=message,
                is_last=place == last,
                checks=row.checks if place == last else (),
            )


def _turn_rows(run: ExportedRun) -> Iterator[ExportRow]:
    """Yield a row for each turn and piece of background work, in order."""
    reader = TranscriptReader(run.run.status, run.workflow)
    meter = _TokenReader(run.workflow)
    clock = _RunClock()
    for place, (turn, log, is_last) in enumerate(run.last_of()):
        events = fields_of(log.events)
        read = reader.add_turn(log, events, is_last=is_last)
        tokens = meter.add_turn(log, events)
        wires = [(event.node or "", event.event.to_wire()) for event in events]
        facts = TurnFacts(
            clock.add(tokens.duration_ms),
            _simulated(turn).union(node for node, wire in wires if is_mocked(wire)),
            meter.problems,
            any(event.trouble is not None and event.trouble.is_faulted for event in events)
            or any(is_fault_at(wire) for _, wire in wires),
        )
        checks = run.scenario_checks.get(place, ())
        yield ExportRow(run, log, facts, read, tokens, checks=checks)


class _RunClock:
    """Adds up the time of a run's turns."""

    def __init__(self) -> None:
        self._total: float | None = None

    def add(self, milliseconds: float | None) -> float | None:
        """Add the time of a turn, if it has one, and return the sum."""
        if milliseconds is not None:
            self._total = round((self._total or 0.0) + milliseconds, 3)
        return self._total


class _TokenReader:
    """Reads tokens and time of a run turn by turn."""

    def __init__(self, workflow: Workflow | None) -> None:
        """Begin before the first turn, with the prices of the settings.

        Raises `SettingsError` where the settings cannot be read.
        """
        self._timeline = TimelineBuilder(_names(workflow), has_whole_summaries=True)
        self._first = 0
        self._prices = read_settings().model_prices
        self.problems: list[TimelineRow] = []
        """The rows of the newest turn at which something went wrong."""

    def add_turn(self, log: TurnLog, events: list[EventFields]) -> TurnTokens:
        """Return tokens, time and costs of the next turn, and keep its problems in `problems`."""
        self._timeline.forget()
        self._timeline.add_turn(log, events)
        rows = self._timeline.rows
        self.problems = [row for row in rows if row.trouble is not None and row.trouble.is_problem]
        steps, _ = steps_of_turn(log, rows)
        turn: TurnRow = turn_row(log, 0, self._first, rows, steps, [])
        self._first += len(rows)
        calls = [call for step in steps for call in step.calls]
        latencies = [call.latency_ms for call in calls if call.latency_ms is not None]
        return TurnTokens(
            sum(call.prompt_tokens for call in calls),
            sum(call.completion_tokens for call in calls),
            len(calls),
            sum(latencies) if latencies else None,
            turn.duration_ms,
            costs(calls, self._prices),
        )


def _names(workflow: Workflow | None) -> dict[str, str]:
    return {node.logical_id: node.label for node in workflow.node_configs} if workflow else {}


def _simulated(turn: Turn) -> frozenset[str]:
    """Return the ids of the nodes of a turn whose calls were simulated, by its ledger; empty without one."""
    entries = [entry for found in ledger_of(turn).values() for entry in found]
    return frozenset(
        str(entry.get("node_logical_id"))
        for entry in entries
        if isinstance(entry, dict) and entry.get("how") == "simulated"
    )
