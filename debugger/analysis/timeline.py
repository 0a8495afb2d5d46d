"""The timeline: every event of a run as one row, in the order it happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from debugger.analysis.event_fields import EventFields, field, fields_of, iso_utc, node_name_of, node_of, text
from debugger.analysis.node_origins import author_node_id, label_of
from debugger.protocol.events import EndNodeRunEvent, Event
from debugger.protocol.turn_logs import TurnLog

Importance = Literal["high", "low"]
Trouble = Literal["failure", "warning"]
TROUBLES: tuple[Trouble, ...] = ("failure", "warning")

LOW_TYPES = frozenset(
    {
        "start_workflow",
        "start_thread",
        "end_workflow_iteration",
        "workflow_ready_for_input",
        "companion_step_boundary",
        "waiting_evaluation_boundary",
        "workflow_debug_log",
        "workflow_show_state",
        "start_node_run",
        "end_node_run",
        "workflow_navigation_message",
    }
)
"""Bookkeeping: what a reader of the conversation can do without. A type that is unknown counts as high."""

_NOWHERE = (None, None)
_LASTING = frozenset({"start_node_run", "end_node_run"})

MAX_SUMMARY = 120
_ELLIPSIS = "…"


@dataclass(slots=True)  # not frozen, which takes five times as long to make, and a run has tens of thousands
class TimelineRow:
    """One event. Times are in milliseconds and ``None`` where the event bears no time."""

    index: int
    """Counts the run's events from 0."""
    turn_number: int
    """Of background work, that of the turn after which it was done."""
    position: int
    """Counts the events of the turn, or of the piece of background work, from 0."""
    type: str
    importance: Importance
    node_logical_id: str | None
    node_name: str | None
    """With the super nodes around it: ``Booking › Ask``."""
    thread: str | None
    at_ms: float | None
    """Since the run's first event."""
    since_turn_ms: float | None
    """Since the turn's first event."""
    duration_ms: float | None
    """The duration of the node run without pauses; on its last event only."""
    time: float | None
    """Seconds since the epoch."""
    summary: str
    """The event in one line of at most 120 characters."""
    is_failure: bool
    place: int = 0
    """Which of the run's turns and pieces of background work the event is in, from 0."""
    is_background: bool = False
    """Whether it happened in background work."""
    drawn_node: str | None = None
    """The id of the node of the author's graph: of an event inside a super node that super node."""

    @property
    def timestamp(self) -> str:
        """ISO 8601, UTC; empty where the event bears no time."""
        return iso_utc(self.time)


def timeline(turns: Sequence[TurnLog], names: Mapping[str, str] | None = None) -> list[TimelineRow]:
    """Every event of a run as a row.

    Args:
        turns: The run's turns; the last one may still be growing.
        names: The author's node names by id.
    """
    reader = TimelineBuilder(names or {})
    for place, turn in enumerate(turns):
        reader.take(turn, place, fields_of(turn.events))
    return reader.rows


def trouble_of(row: TimelineRow) -> Trouble | None:
    """Whether a row warns, or tells of a failure."""
    if row.type == "workflow_warning":
        return "warning"
    return "failure" if row.is_failure else None


def shorten(summary: str) -> str:
    """A summary in one line, cut with an ellipsis where it is too long."""
    if len(summary) <= MAX_SUMMARY and summary.isprintable():
        return summary  # as nearly all are; the rest takes a while
    cut = summary if len(summary) <= MAX_SUMMARY else summary[: MAX_SUMMARY - 1] + _ELLIPSIS
    return " ".join(cut.splitlines())


class TimelineBuilder:
    """The rows so far, followed from turn to turn, and what a row needs to know of the events before it.

    Args:
        names: The author's node names by id.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self.rows: list[TimelineRow] = []
        self.important: list[int] = []
        """The places of the rows that matter to whoever reads a conversation."""
        self.trouble: Counter[Trouble] = Counter()
        """How many rows tell of a failure, and how many warn."""
        self._own = names
        self._turn_start: float | None = None
        self._run_start: float | None = None
        self._node_starts: dict[tuple[str | None, ...], float] = {}
        self._pauses: list[Pause] = []
        """The pauses of the turn so far."""
        self._names: dict[str, str] = {}
        self._places: dict[tuple[str, str | None], tuple[str | None, str]] = {}
        self._reasons = FailureReasons()

    def take(self, turn: TurnLog, place: int, events: Sequence[EventFields]) -> None:
        """Take in the next turn, or piece of background work.

        Args:
            turn: The turn.
            place: Its place among them, from 0.
            events: Its events.
        """
        self._turn_start = None
        self._pauses = []
        for position, event in enumerate(events):
            row = self._row(turn, place, position, event)
            self.rows.append(row)
            if row.importance == "high":
                self.important.append(row.index)
            if (told := trouble_of(row)) is not None:
                self.trouble[told] += 1

    def copy(self) -> TimelineBuilder:
        """Another one that stands here, to go on by itself."""
        other = TimelineBuilder(self._own)
        other.rows, other._run_start = self.rows.copy(), self._run_start
        other.important, other.trouble = self.important.copy(), self.trouble.copy()
        other._node_starts, other._names = self._node_starts.copy(), self._names.copy()
        other._places = self._places  # what is known of a name stays true
        other._reasons = self._reasons.copy()
        return other

    def _row(self, turn: TurnLog, place: int, position: int, event: EventFields) -> TimelineRow:
        time = event.time
        if time is not None:
            self._start_clocks(time)
        self._reasons.learn(event.event)
        self._pauses += pauses_of(event.event)
        name, drawn = self._place(event.node, event.node_name) if event.node else _NOWHERE
        return TimelineRow(
            len(self.rows),
            turn.number,
            position,
            event.type,
            _importance(event),
            event.node,
            name,
            event.thread,
            _milliseconds(self._run_start, time),
            _milliseconds(self._turn_start, time),
            self._duration(event) if event.type in _LASTING else None,
            time,
            shorten(self._summary(event)),
            event.is_failure,
            place,
            turn.is_background,
            drawn,
        )

    def _start_clocks(self, time: float) -> None:
        if self._run_start is None:
            self._run_start = time
        if self._turn_start is None:
            self._turn_start = time

    def _summary(self, event: EventFields) -> str:
        return self._reasons.summary(event.event) if event.is_failure else event.event.summary

    def _place(self, node: str, told: str | None) -> tuple[str | None, str]:
        """A node's name, and the node that is drawn.

        Args:
            node: The node.
            told: Its name as the event tells it; else it is called as an earlier event told.
        """
        if told:
            self._names[node] = told
        known = told or self._names.get(node)
        found = self._places.get((node, known))
        if found is None:
            name = label_of(node, known, self._own) if known else None
            found = self._places[node, known] = name, author_node_id(node, self._own)
        return found

    def _duration(self, event: EventFields) -> float | None:
        if event.time is None:
            return None
        key = (event.event.origin_thread_id, event.node, text(event.event, "origin_node_run_id"))
        if event.type == "start_node_run":
            self._node_starts[key] = event.time
            return None
        start = self._node_starts.pop(key, None)
        took = _milliseconds(start, event.time)
        if took is None or start is None or not self._pauses:
            return took
        return round(took - paused_ms(self._pauses, start, event.time), 3)


def _importance(event: EventFields) -> Importance:
    """How much an event matters to whoever reads a conversation.

    What went wrong always matters, and so does the output of a tool node: no other event tells of it
    (``platform/engine.md`` 7.2 (d)).
    """
    if event.type not in LOW_TYPES or event.is_failure:
        return "high"
    end = event.event
    is_tool = isinstance(end, EndNodeRunEvent) and (end.run_output or {}).get("type") == "tool_node"
    return "high" if is_tool else "low"


def _milliseconds(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else round((end - start) * 1000, 3)


class FailureReasons:
    """Remembers what went wrong in each node run, from event to event."""

    def __init__(self) -> None:
        self._told: dict[tuple[str | None, ...], str] = {}

    def copy(self) -> FailureReasons:
        """Another one that remembers the same, to go on by itself."""
        other = FailureReasons()
        other._told = self._told.copy()
        return other

    def learn(self, event: Event) -> None:
        """Take in one event; of several that tell of one node run the last counts."""
        # Few events have an error at all.
        told = text(event, "error") if "error" in event.__dict__ or event.__pydantic_extra__ else None
        if told and event.type != "end_node_run":
            self._told[_run_of(event)] = told

    def of(self, event: Event) -> str | None:
        """Why a node run failed, given the event of its end; ``None`` where nothing tells it."""
        output = field(event, "run_output")
        own = output.get("error_message") if isinstance(output, dict) else None
        return str(own) if own else self._told.get(_run_of(event))

    def summary(self, event: Event) -> str:
        """An event in one line, with the reason where it is the end of a node run that failed."""
        reason = self.of(event) if event.type == "end_node_run" and event.is_failure else None
        return f"{node_name_of(event) or node_of(event)} failed: {reason}" if reason else event.summary


def _run_of(event: Event) -> tuple[str | None, ...]:
    return event.origin_thread_id, node_of(event), text(event, "origin_node_run_id")


LABELS = {"paused": "Paused", "manual_answer": "Waited for manual answer"}
"""Labels by kind; an unknown kind counts as ``paused``."""

_KEY = "paused_intervals"


@dataclass(frozen=True, slots=True)
class Pause:
    """Time in which a turn waited for the user of the debugger."""

    kind: str
    began_at: float
    """Seconds since the epoch."""
    ended_at: float

    @property
    def label(self) -> str:
        """Return the kind in words."""
        return LABELS.get(self.kind, LABELS["paused"])


def pauses_of(event: Event) -> list[Pause]:
    """Return the pauses that an event records, all before it; what is malformed is left out."""
    intervals = field(event, _KEY)
    if not isinstance(intervals, list):
        return []
    found = [_pause(interval) for interval in intervals if isinstance(interval, dict)]
    return [pause for pause in found if pause is not None]


def paused_ms(pauses: Iterable[Pause], began: float, ended: float) -> float:
    """Return how many milliseconds of a span, given in seconds since the epoch, were paused."""
    shared = (min(pause.ended_at, ended) - max(pause.began_at, began) for pause in pauses)
    return sum(seconds for seconds in shared if seconds > 0) * 1000


def _pause(interval: dict[str, object]) -> Pause | None:
    began, ended = interval.get("began_at"), interval.get("ended_at")
    if not isinstance(began, int | float) or not isinstance(ended, int | float) or ended < began:
        return None
    return Pause(str(interval.get("kind") or ""), float(began), float(ended))


def _search_text(row: TimelineRow) -> str:
    return f"{row.summary} {row.type} {row.node_name or ''} {row.node_logical_id or ''}".casefold()


class SearchTexts:
    """What each row is searched by, made when a search first asks for it and kept.

    Rows of turns that are over stay; those of the last turns may be other ones at the next search.
    """

    def __init__(self) -> None:
        self._rows: Sequence[TimelineRow] = []
        self._texts: list[str] = []

    def of(self, rows: Sequence[TimelineRow]) -> list[str]:
        """The texts of rows, in any case."""
        same = min(len(self._rows), len(rows))
        while same and self._rows[same - 1] is not rows[same - 1]:
            same -= 1
        self._texts = self._texts[:same] + [_search_text(row) for row in rows[same:]]
        self._rows = rows
        return self._texts
