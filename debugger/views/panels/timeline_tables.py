"""Columns of the timeline in each density."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from debugger.analysis.event_fields import iso_utc
from debugger.analysis.steps import Step, TurnRow
from debugger.analysis.timeline import TimelineRow
from debugger.views.components.markdown import count
from debugger.views.components.rows import Cell, Column, Row

Of = TypeVar("Of", TimelineRow, Step, TurnRow)
Threaded = TypeVar("Threaded", TimelineRow, Step)

_NEUTRAL = frozenset({"end_node_run", "http_request"})
"""Types that tell of success and failure alike."""
_STEP_CHIPS = {"node": "ran", "user": "user", "wait": "your turn", "note": "note"}
_STEP_COLOURS = {"ran": "green", "failure": "red", "warning": "orange", "user": "blue", "your turn": "violet"}


class Target(NamedTuple):
    """Target of a row: its event and node."""

    event: int
    """The event that it is looked at by, by its place in the run from 0."""
    node: str | None
    """The node that is chosen with it."""

    @classmethod
    def from_browser(cls, value: Any) -> Target | None:
        """Read the list's value; ``None`` where no row is selected."""
        if not isinstance(value, list) or len(value) != len(cls._fields) or not isinstance(value[0], int):
            return None
        return cls(value[0], None if value[1] is None else str(value[1]))


@dataclass(frozen=True)
class Table:
    """Columns and rows to draw."""

    columns: list[Column]
    rows: list[Row]
    aria_label: str


@dataclass(frozen=True)
class _ColumnSource(Generic[Of]):
    """A column, and what it tells of each row."""

    column: Column
    cell: Callable[[Of], Cell]


def turns_table(rows: Sequence[TurnRow], times: str) -> Table:
    """Return a row for each turn."""
    longest = _longest([row.duration_ms for row in rows])
    sources: list[_ColumnSource[TurnRow]] = [
        _ColumnSource(_TURN, lambda row: str(row.number)),
        *_background(rows),
        _ColumnSource(_time(times), lambda row: _at(times, row.at_ms, row.at_ms, row.time)),
        _ColumnSource(
            _took("How long the turn took, end to end"), lambda row: _bar(row.duration_ms, longest)
        ),
        _ColumnSource(Column("trouble", "Trouble", 112, "chip"), _trouble),
        _ColumnSource(Column("user", "User", 180, grows=True), lambda row: row.user),
        _ColumnSource(Column("agent", "Agent", 220, grows=True), lambda row: row.agent),
        _ColumnSource(
            Column("path", "Path", 180, help="The nodes that ran, in order", grows=True), lambda row: row.path
        ),
        _ColumnSource(_TOKENS, lambda row: _number(row.tokens)),
        _ColumnSource(
            Column("calls", "Calls", 60, "number", help="Calls of models"), lambda row: _number(row.calls)
        ),
        _ColumnSource(Column("events", "Events", 66, "number"), lambda row: _number(row.events)),
    ]
    targets = [Target(row.last, None) for row in rows]
    what = "a row a turn, with what user and agent said, path, duration, tokens and failures"
    return _table(sources, rows, targets, [], what)


def steps_table(steps: Sequence[Step], times: str) -> Table:
    """Return a row for each step."""
    longest = _longest([step.duration_ms for step in steps])
    sources: list[_ColumnSource[Step]] = [
        _ColumnSource(
            Column("#", "#", 56, "number", help="The step's place in the run"), lambda step: str(step.index)
        ),
        _ColumnSource(_TURN, lambda step: str(step.turn_number)),
        *_background(steps),
        *_threads(steps),
        _ColumnSource(_time(times), lambda step: _at(times, step.at_ms, step.since_turn_ms, step.time)),
        _ColumnSource(_NODE, lambda step: step.node_name or ""),
        _ColumnSource(Column("status", "Status", 104, "chip"), _status),
        _ColumnSource(_took("How long the node ran"), lambda step: _bar(step.duration_ms, longest)),
        _ColumnSource(_SUMMARY, lambda step: step.summary),
        _ColumnSource(_TOKENS, lambda step: _number(step.tokens or None)),
    ]
    targets = [Target(step.last, step.drawn_node) for step in steps]
    what = "a row a step, with turn, time, node, status, duration, summary and tokens"
    return _table(sources, steps, targets, [step.turn_number for step in steps], what)


def events_table(rows: Sequence[TimelineRow], times: str) -> Table:
    """Return a row for each event."""
    sources: list[_ColumnSource[TimelineRow]] = [
        _ColumnSource(
            Column("#", "#", 56, "number", help="The event's place in the run"), lambda row: str(row.index)
        ),
        _ColumnSource(_TURN, lambda row: str(row.turn_number)),
        *_background(rows),
        *_threads(rows),
        _ColumnSource(_time(times), lambda row: _at(times, row.at_ms, row.since_turn_ms, row.time)),
        _ColumnSource(_NODE, lambda row: row.node_name or row.node_logical_id or ""),
        _ColumnSource(Column("type", "Type", 206, "chip"), _type),
        _ColumnSource(
            Column("ms", "Took", 84, "number", help="How long a node ran"),
            lambda row: _milliseconds(row.duration_ms),
        ),
        _ColumnSource(_SUMMARY, lambda row: row.summary),
    ]
    targets = [Target(row.index, row.drawn_node) for row in rows]
    what = "a row an event, with turn, time, node, type, duration and summary"
    return _table(sources, rows, targets, [row.turn_number for row in rows], what)


_TURN = Column("turn", "Turn", 54, "number")
_NODE = Column("node", "Node", 150)
_SUMMARY = Column("summary", "Summary", 260, grows=True)
_TOKENS = Column("tokens", "Tokens", 70, "number", help="Of the model calls")


def _table(
    sources: Sequence[_ColumnSource[Of]],
    rows: Sequence[Of],
    targets: list[Target],
    turns: list[int],
    what: str,
) -> Table:
    begins = [place > 0 and turn != turns[place - 1] for place, turn in enumerate(turns)]
    cells = [[each.cell(row) for each in sources] for row in rows]
    drawn = [
        Row(of_row, list(target), bool(begins) and begins[place])
        for place, (of_row, target) in enumerate(zip(cells, targets, strict=True))
    ]
    return Table([each.column for each in sources], drawn, f"Timeline: {what}")


def _time(times: str) -> Column:
    if times == "UTC":
        return Column("time", "Time (UTC)", 200)
    since = "Since the turn began" if times == "Elapsed" else "Since the run began"
    return Column("time", "Time", 92, "number", help=since)


def _at(times: str, at_ms: float | None, since_turn_ms: float | None, clock: float | None) -> Cell:
    if times == "UTC":
        return iso_utc(clock)
    milliseconds = since_turn_ms if times == "Elapsed" else at_ms
    return None if milliseconds is None else f"+{milliseconds / 1000:,.3f} s"


def _background(rows: Sequence[Of]) -> list[_ColumnSource[Of]]:
    if not any(row.is_background for row in rows):
        return []
    column = Column("background", "Background", 96, help="Happened in background work after the turn")
    return [_ColumnSource(column, lambda row: "✓" if row.is_background else None)]


def _threads(rows: Sequence[Threaded]) -> list[_ColumnSource[Threaded]]:
    if len({row.thread for row in rows} - {None}) < 2:
        return []
    column = Column("thread", "Thread", 96, help="0 is the thread that talks with the user")
    return [_ColumnSource(column, lambda row: row.thread)]


def _took(what: str) -> Column:
    return Column("ms", "Took", 148, "bar", help=what)


def _longest(milliseconds: Sequence[float | None]) -> float:
    return max((each for each in milliseconds if each is not None), default=0.0) or 1.0


def _bar(milliseconds: float | None, longest: float) -> Cell:
    if milliseconds is None:
        return None
    return f"{milliseconds:,.1f} ms", round(max(milliseconds, 0.0) / longest, 3)


def _milliseconds(milliseconds: float | None) -> Cell:
    return None if milliseconds is None else f"{milliseconds:,.1f} ms"


def _number(number: int | None) -> Cell:
    return None if number is None else f"{number:,}"


def _status(step: Step) -> Cell:
    chip = step.trouble or _STEP_CHIPS[step.kind]
    return chip, _STEP_COLOURS.get(chip, "gray")


def _type(row: TimelineRow) -> Cell:
    chip = f"{row.type} · failed" if row.is_failure and row.type in _NEUTRAL else row.type
    return chip, _colour(chip)


def _trouble(row: TurnRow) -> Cell:
    counts = [(row.failures, "failure"), (row.warnings, "warning")]
    chip = ", ".join(count(number, kind) for number, kind in counts if number)
    return (chip, "red" if row.failures else "orange") if chip else None


def _colour(chip: str) -> str:
    if chip.endswith(" · failed") or chip in ("workflow_error", "node_expired"):
        return "red"
    if chip == "workflow_warning":
        return "orange"
    if chip.endswith("_edge") or chip in ("force_transfer_to_node", "waiting_condition_matched"):
        return "green"
    if chip in ("user_messages", "busy_wait_for_user_message"):
        return "violet"
    if chip in ("assistant_response", "say_static", "say_llm", "worker_llm"):
        return "blue"
    return "gray"
