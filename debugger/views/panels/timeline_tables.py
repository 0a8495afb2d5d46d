"""Columns of the timeline in each density."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, NamedTuple, TypeVar

from debugger.analysis.event_fields import iso_utc
from debugger.analysis.steps import Step, TurnRow
from debugger.analysis.timeline import TimelineRow
from debugger.views.components.markdown import count
from debugger.views.components.rows import Cell, Column, Table, estimate_width, table

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


Source = tuple[Column, Callable[[Of], Cell]]


def turns_table(rows: Sequence[TurnRow], times: str) -> Table:
    """Return a row for each turn."""
    longest = _longest([row.duration_ms for row in rows])
    columns: list[Source[TurnRow]] = [
        (_TURN, lambda row: str(row.number)),
        *_background(rows),
        (_time(times), lambda row: _at(times, row.at_ms, row.at_ms, row.time)),
        (Column("trouble", "Problems", 112, "chip"), _trouble),
        (Column("user", "User", 130, grows=True), lambda row: row.user),
        (Column("agent", "Agent", 130, grows=True), lambda row: row.agent),
        (Column("path", "Path", 110, help="The nodes that ran, in order", grows=True), lambda row: row.path),
        (_TOKENS, lambda row: _number(row.tokens)),
        (Column("calls", "Calls", 52, "number", help="Model calls"), lambda row: _number(row.calls)),
        (Column("events", "Events", 58, "number"), lambda row: _number(row.events)),
        (_duration("Of the turn, end to end", "bar"), lambda row: _bar(row.duration_ms, longest)),
    ]
    what = "one row per turn, with user and agent messages, path, duration, tokens and failures"
    return table(f"Timeline: {what}", rows, columns, lambda row: list(Target(row.last, None)))


def steps_table(steps: Sequence[Step], times: str) -> Table:
    """Return a row for each step."""
    longest = _longest([step.duration_ms for step in steps])
    columns: list[Source[Step]] = [
        (Column("#", "#", 46, "number", help="The step's place in the run"), lambda step: str(step.index)),
        (_TURN, lambda step: str(step.turn_number)),
        *_background(steps),
        *_threads(steps),
        (_time(times), lambda step: _at(times, step.at_ms, step.since_turn_ms, step.time)),
        (_NODE, lambda step: step.node_name or ""),
        (Column("status", "Status", 88, "chip"), _status),
        (_SUMMARY, lambda step: step.summary),
        (_TOKENS, lambda step: _number(step.tokens or None)),
        (_duration("Of the node run", "bar"), lambda step: _bar(step.duration_ms, longest)),
    ]
    what = "one row per step, with turn, time, node, status, summary, tokens and duration"
    drawn = table(f"Timeline: {what}", steps, columns, lambda step: list(Target(step.last, step.drawn_node)))
    return _by_turn(drawn, [step.turn_number for step in steps])


def events_table(rows: Sequence[TimelineRow], times: str, latencies: Mapping[int, float]) -> Table:
    """Return a row for each event.

    Args:
        rows: The events.
        times: The kind of the times.
        latencies: Milliseconds of the model calls, by their events.
    """
    columns: list[Source[TimelineRow]] = [
        (Column("#", "#", 46, "number", help="The event's place in the run"), lambda row: str(row.index)),
        (_TURN, lambda row: str(row.turn_number)),
        *_background(rows),
        *_threads(rows),
        (_time(times), lambda row: _at(times, row.at_ms, row.since_turn_ms, row.time)),
        (_NODE, lambda row: row.node_name or row.node_logical_id or ""),
        (Column("type", "Type", 136, "chip", fits=estimate_width(row.type for row in rows)), _type),
        (_SUMMARY, lambda row: row.summary),
        (
            _duration("Of the node run or the model call"),
            lambda row: _milliseconds(
                latencies.get(row.index) if row.duration_ms is None else row.duration_ms
            ),
        ),
    ]
    what = "one row per event, with turn, time, node, type, summary and duration"
    drawn = table(f"Timeline: {what}", rows, columns, lambda row: list(Target(row.index, row.drawn_node)))
    return _by_turn(drawn, [row.turn_number for row in rows])


_TURN = Column("turn", "Turn", 44, "number")
_NODE = Column("node", "Node", 124)
_SUMMARY = Column("summary", "Summary", 180, grows=True)
_TOKENS = Column("tokens", "Tokens", 60, "number", help="Of the model calls")


def _by_turn(drawn: Table, turns: Sequence[int]) -> Table:
    """Return a table with a line above the first row of each later turn."""
    rows = [
        row._replace(begins=place > 0 and turns[place] != turns[place - 1])
        for place, row in enumerate(drawn.rows)
    ]
    return replace(drawn, rows=rows)


def _time(times: str) -> Column:
    if times == "UTC":
        return Column("time", "Time (UTC)", 190)
    since = "Since the turn started" if times == "Elapsed" else "Since the run started"
    return Column("time", "Time", 84, "number", help=since)


def _at(times: str, at_ms: float | None, since_turn_ms: float | None, clock: float | None) -> Cell:
    if times == "UTC":
        return iso_utc(clock)
    milliseconds = since_turn_ms if times == "Elapsed" else at_ms
    return None if milliseconds is None else f"+{milliseconds / 1000:,.3f} s"


def _background(rows: Sequence[Of]) -> list[Source[Of]]:
    if not any(row.is_background for row in rows):
        return []
    column = Column("background", "Background", 84, help="Happened in background work after the turn")
    return [(column, lambda row: "✓" if row.is_background else None)]


def _threads(rows: Sequence[Threaded]) -> list[Source[Threaded]]:
    if len({row.thread for row in rows} - {None}) < 2:
        return []
    column = Column("thread", "Thread", 84, help="0 is the thread that talks with the user")
    return [(column, lambda row: row.thread)]


def _duration(hint: str, kind: Literal["number", "bar"] = "number") -> Column:
    return Column("ms", "Duration", 132 if kind == "bar" else 76, kind, help=hint)


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
