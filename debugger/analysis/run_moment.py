"""A run as it was right after one of its events."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from debugger.analysis.position import Position, PositionTracker, RunState
from debugger.analysis.run_projection import Projections
from debugger.analysis.thread_positions import InputHint, can_have_background_work, input_hint, last_hint
from debugger.graph.graph import Graph
from debugger.protocol.runs import RunStatus
from debugger.protocol.turn_logs import TurnLog

_STATUSES: dict[RunState, RunStatus] = {
    "not_started": "not_started",
    "running": "running",
    "paused": "paused",
    "waiting": "waiting_for_user_input",
    "ended": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
    "looping": "aborted_looping_risk",
}


@dataclass(frozen=True)
class RunMoment:
    """The state of a run after one event, read from the events up to it."""

    event: int
    """The index of the event in the run."""
    turns: list[TurnLog]
    """The turns up to it; the last one ends with it."""
    position: Position
    status: RunStatus
    hint: InputHint


def moment_at(run: Projections, event: int, graph: Graph, names: Mapping[str, str]) -> RunMoment:
    """Return a run as it was right after an event.

    Only the events since the checkpoint before it are applied again, however long the run is.

    Args:
        run: The projections of the run.
        event: The index of the event in the run.
        graph: The workflow that ran.
        names: The author's node names by id.
    """
    turns = turns_until(run, event)
    tracker = _checkpoint_before(run.checkpoints, event, graph).catch_up(turns)
    position = tracker.position(None)
    status, threads = _STATUSES[position.state], tracker.threads
    is_between_turns = turns[-1].is_background or len(turns[-1].events) == len(
        run.turns[len(turns) - 1].events
    )
    can_work = can_have_background_work(threads, graph.workflow, status)
    hint = input_hint(
        last_hint(threads) if position.state == "waiting" else None,
        status,
        has_background_work=can_work and (is_between_turns or position.state == "waiting"),
        names=names,
    )
    return RunMoment(event, turns, position, status, hint)


def turns_until(run: Projections, event: int) -> list[TurnLog]:
    """Return the turns of a run up to an event."""
    row = run.timeline.rows[event]
    last = run.turns[row.place]
    return [*run.turns[: row.place], replace(last, events=last.events[: row.position + 1])]


def later_messages(run: Projections, event: int) -> list[bool]:
    """Return for each chat message whether it came after an event.

    A message of the user comes with its turn.
    """
    later = []
    for message in run.chat.messages:
        began = run.turn_rows[message.turn_index].first
        is_input = message.role == "user" or message.event_index is None
        later.append((began if is_input else message.event_index or 0) > event)
    return later


def _checkpoint_before(checkpoints: Sequence[PositionTracker], event: int, graph: Graph) -> PositionTracker:
    """Return a copy of the last checkpoint without the event, or a new tracker."""
    place = bisect_left(checkpoints, event + 1, key=lambda tracker: tracker.event_count)
    return checkpoints[place - 1].snapshot() if place else PositionTracker(graph)
