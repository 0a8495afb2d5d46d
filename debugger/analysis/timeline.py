"""The timeline of a run, with pauses and reasons of failures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from debugger.analysis.event_fields import (
    EventFields,
    elapsed_ms,
    is_failed_run,
    iso_utc,
    node_name_of,
    node_of,
    text,
    thread_id_of,
    values_of,
)
from debugger.analysis.fold import EventFold
from debugger.analysis.node_origins import author_node_id, label_of
from debugger.analysis.trouble import Severity, Trouble
from debugger.protocol.event_values import PausedInterval
from debugger.protocol.events import EndNodeRunEvent, Event
from debugger.protocol.turn_logs import TurnLog

Importance = Literal["high", "low"]

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
"""Bookkeeping that a reader of the conversation does not need. An unknown type counts as high."""

MAX_SUMMARY = 120
PAUSE_LABELS = {"paused": "Paused", "manual_answer": "Waited for manual answer"}
"""Labels by kind of pause; an unknown kind counts as ``paused``."""

_RUN_TYPES = frozenset({"start_node_run", "end_node_run"})
_NO_NODE = (None, None)


@dataclass(slots=True)  # not frozen: that takes five times as long to make, and a run has tens of thousands
class TimelineRow:
    """One event of the timeline.

    Times are in milliseconds, and ``None`` if the event has no time.
    """

    index: int
    """The index in the run."""
    turn_number: int
    """For background work, that of the turn before it."""
    position: int
    """The index in the turn, or in the piece of background work."""
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
    """The event in one line of at most `MAX_SUMMARY` characters, or in whole: see `TimelineBuilder`."""
    trouble: Trouble | None
    """Trouble at the event; filters never hide those rows."""
    place: int = 0
    """The index of its turn among the run's turns and pieces of background work."""
    is_background: bool = False
    """Whether it happened in background work."""
    drawn_node: str | None = None
    """The id of the node of the author's graph: for an event inside a super node that super node."""

    @property
    def timestamp(self) -> str:
        """Return the time in ISO 8601, UTC; empty if the event has none."""
        return iso_utc(self.time)


def shorten(text: str, length: int = MAX_SUMMARY) -> str:
    """Cut a text to one line of so many characters."""
    if len(text) <= length and text.isprintable():
        return text  # nearly all of them
    cut = text if len(text) <= length else text[: length - 1] + "…"
    return " ".join(cut.splitlines())


class TimelineBuilder(EventFold):
    """The rows of a run, made event by event; see `EventFold`.

    Args:
        names: The labels of the author's nodes by their ids.
        has_whole_summaries: Whether summaries stay as they are, to be masked before they are shortened.
    """

    def __init__(self, names: Mapping[str, str], *, has_whole_summaries: bool = False) -> None:
        """Begin without rows; names are those of the author's nodes, by id."""
        super().__init__()
        self._has_whole_summaries = has_whole_summaries
        self.rows: list[TimelineRow] = []
        self.important: list[int] = []
        """The indexes of the rows of high importance."""
        self.trouble: Counter[Severity] = Counter()
        """How many rows are failures, and how many are warnings."""
        self._author_names = names
        self._turn_start: float | None = None
        self._run_start: float | None = None
        self._node_starts: dict[tuple[str | None, ...], float] = {}
        self._pauses: list[Pause] = []
        self._names: dict[str, str] = {}
        self._nodes: dict[tuple[str, str | None], tuple[str | None, str]] = {}
        self._reasons = FailureReasons()

    def forget(self) -> None:
        """Drop the rows so far; `trouble`, clocks and names stay."""
        self.rows.clear()
        self.important.clear()

    def begin_turn(self, turn: TurnLog) -> None:
        """Restart the turn's clock."""
        self._turn_start = None
        self._pauses = []

    def apply(self, event: EventFields) -> None:
        """Add the row of an event, and count its trouble."""
        time, turn = event.time, self.turn
        if time is not None:
            if self._run_start is None:
                self._run_start = time
            if self._turn_start is None:
                self._turn_start = time
        self._reasons.apply(event)
        self._pauses += pauses_of(event.event)
        name, drawn = self._node(event.node, event.node_name) if event.node else _NO_NODE
        may_have_failed = event.trouble is not None or event.type == "end_node_run"
        summary = self._reasons.summary(event.event) if may_have_failed else event.event.summary
        row = TimelineRow(
            self.event_count,
            turn.number,
            self.turn_events,
            event.type,
            _importance(event),
            event.node,
            name,
            event.thread,
            elapsed_ms(self._run_start, time),
            elapsed_ms(self._turn_start, time),
            self._duration(event) if event.type in _RUN_TYPES else None,
            time,
            summary if self._has_whole_summaries else shorten(summary),
            event.trouble,
            self.turn_index,
            turn.is_background,
            drawn,
        )
        self.rows.append(row)
        if row.importance == "high":
            self.important.append(row.index)
        if event.trouble is not None:
            self.trouble[event.trouble.severity] += 1

    def _node(self, node: str, event_name: str | None) -> tuple[str | None, str]:
        """Return a node's label, ``None`` without a name, and the node that is drawn; remember its name."""
        if event_name:
            self._names[node] = event_name
        name = event_name or self._names.get(node)
        found = self._nodes.get((node, name))
        if found is None:
            label = label_of(node, name, self._author_names) if name else None
            found = self._nodes[node, name] = label, author_node_id(node, self._author_names)
        return found

    def _duration(self, event: EventFields) -> float | None:
        """Return the milliseconds of the node run that an event ends, without pauses; remember a start.

        ``None`` for a start, and where either time is not known; never below 0.
        """
        if event.time is None:
            return None
        key = _node_run_key(event.event)
        if event.type == "start_node_run":
            self._node_starts[key] = event.time
            return None
        start = self._node_starts.pop(key, None)
        took = elapsed_ms(start, event.time)
        if took is None or start is None:
            return None
        # Clocks of several machines may differ.
        return max(round(took - paused_ms(self._pauses, start, event.time), 3), 0.0)


def _importance(event: EventFields) -> Importance:
    """Return how much an event matters to readers of the conversation.

    Failures and warnings always matter, and so does the output of a tool node, which no other event has
    (``platform.md#event-order``).
    """
    if event.type not in LOW_TYPES or event.trouble is not None:
        return "high"
    end = event.event
    is_tool = isinstance(end, EndNodeRunEvent) and (end.run_output or {}).get("type") == "tool_node"
    return "high" if is_tool else "low"


class SearchTexts:
    """The texts that rows are searched by, computed when needed.

    Rows of finished turns stay; those of the last turns may be other objects at the next search.
    """

    def __init__(self) -> None:
        self._known: tuple[Sequence[TimelineRow], list[str]] = [], []
        """Replaced as one, because threads may share it."""

    def of(self, rows: Sequence[TimelineRow]) -> list[str]:
        """Return the texts of rows in their order, case folded: summary, type, node's name and id."""
        known, texts = self._known
        same = min(len(known), len(rows))
        while same and known[same - 1] is not rows[same - 1]:
            same -= 1
        texts = texts[:same] + [
            f"{row.summary} {row.type} {row.node_name or ''} {row.node_logical_id or ''}".casefold()
            for row in rows[same:]
        ]
        self._known = rows, texts
        return texts


class FailureReasons(EventFold):
    """Reasons of failed node runs, from their end or an earlier event."""

    def __init__(self) -> None:
        super().__init__()
        self._errors: dict[tuple[str | None, ...], str] = {}
        self._told: dict[tuple[str | None, ...], str] = {}
        """Warnings that report a failure, by thread and node: they name no run."""

    def apply(self, event: EventFields) -> None:
        """Note an event's error, the last one of a node run, or a warning of a failure.

        A new start forgets them.
        """
        error = text(event.event, "error")
        if event.type == "start_node_run":  # a run need not have an id
            self._errors.pop(_node_run_key(event.event), None)
            self._told.pop((event.thread_id, event.node), None)
        elif error and event.type != "end_node_run":
            self._errors[_node_run_key(event.event)] = error
        elif event.type == "workflow_warning" and event.trouble is not None and event.trouble.is_failure:
            self._told[event.thread_id, event.node] = event.event.summary

    def of(self, event: Event) -> str | None:
        """Return why a node run failed, by the event of its end."""
        own = values_of(event).run_output.error_message
        return own or self._errors.get(_node_run_key(event)) or self._told_of(event)

    def _told_of(self, event: Event) -> str | None:
        return self._told.get((thread_id_of(event), node_of(event)))

    def summary(self, event: Event) -> str:
        """Return an event in one line, with the reason of a failure."""
        reason = self.of(event) if is_failed_run(event) and event.type == "end_node_run" else None
        if reason is None or reason == self._told_of(event):  # such a warning names the node
            return reason or event.summary
        return f"{node_name_of(event) or node_of(event)} failed: {reason}"


def _node_run_key(event: Event) -> tuple[str | None, ...]:
    return event.origin_thread_id, node_of(event), text(event, "origin_node_run_id")


@dataclass(frozen=True, slots=True)
class Pause:
    """Time in which a turn waited for the debugger's user.

    It belongs to no node, model or turn.
    """

    kind: str
    began_at: float
    """Seconds since the epoch."""
    ended_at: float

    @property
    def label(self) -> str:
        """The kind in words."""
        return PAUSE_LABELS.get(self.kind, PAUSE_LABELS["paused"])


def pauses_of(event: Event) -> list[Pause]:
    """Return the valid pauses that an event records, all before it; empty for none."""
    if "paused_intervals" not in event.to_wire():  # of nearly all events, and each is asked twice
        return []
    pauses = []
    for interval in map(PausedInterval, values_of(event).paused_intervals):
        began, ended = interval.began_at, interval.ended_at
        if began is not None and ended is not None and began <= ended:
            pauses.append(Pause(interval.kind, float(began), float(ended)))
    return pauses


def paused_ms(pauses: Iterable[Pause], began: float, ended: float) -> float:
    """Return the paused milliseconds between two times in seconds."""
    shared = (min(pause.ended_at, ended) - max(pause.began_at, began) for pause in pauses)
    return sum(seconds for seconds in shared if seconds > 0) * 1000
