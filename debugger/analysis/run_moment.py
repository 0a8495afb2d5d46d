"""A run as it was right after one of its events."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from debugger.analysis.event_fields import iso_utc
from debugger.analysis.position import Position, PositionTracker
from debugger.analysis.run_projection import Projections
from debugger.analysis.side_effects import SideEffect
from debugger.analysis.steps import Step, TurnRow, steps_of_turn, turn_row
from debugger.analysis.thread_positions import InputHint, can_have_background_work, input_hint, last_hint
from debugger.graph.graph import Graph
from debugger.protocol.runs import RunStatus
from debugger.protocol.turn_logs import TurnLog


@dataclass(frozen=True)
class RunMoment:
    """The state of a run right after one event."""

    event: int
    """The index of the event in the run."""
    turns: list[TurnLog]
    """The turns up to it; the last one ends with it."""
    position: Position
    status: RunStatus
    hint: InputHint


def moment_at(run: Projections, event: int, graph: Graph, names: Mapping[str, str]) -> RunMoment:
    """Return a run as it was right after an event; the run itself is not changed.

    Only the events since the checkpoint before it are applied again, however long the run is.
    """
    turns = turns_until(run, event)
    place = bisect_left(run.checkpoints, event + 1, key=lambda checkpoint: checkpoint.event_count)
    tracker = run.checkpoints[place - 1].snapshot() if place else PositionTracker(graph)
    tracker.catch_up(turns)
    position = tracker.position(None)
    status, threads = tracker.threads.status, tracker.threads
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


def steps_until(run: Projections, event: int) -> tuple[list[TurnRow], list[Step]]:
    """Return turns and steps up to an event, which ends the last turn; those of that turn are made anew."""
    turns = turns_until(run, event)
    place = len(turns) - 1
    whole = run.turn_rows[place]
    rows = run.timeline.rows[whole.first : event + 1]
    earlier = run.steps[: bisect_left(run.steps, place, key=lambda step: step.place)]
    steps, _ = steps_of_turn(turns[-1], rows, len(earlier))
    messages = [
        message
        for message, is_later in zip(run.chat.messages, later_messages(run, event), strict=True)
        if message.turn_index == place and not is_later
    ]
    last = turn_row(turns[-1], place, whole.first, rows, steps, messages)
    return [*run.turn_rows[:place], last], [*earlier, *steps]


def effects_until(run: Projections, effects: Sequence[SideEffect], event: int) -> list[SideEffect]:
    """Return the side effects up to an event.

    A call has no event of its own. Within the turn of the event its node must have started and its time must
    not be later; where the time is unknown, the turn must have ended.
    """
    row = run.timeline.rows[event]
    turn = run.turn_rows[row.place]
    then = iso_utc(row.time) if event < turn.last else None
    started = {each.node_logical_id for each in run.timeline.rows[turn.first : event + 1]}
    return [
        effect
        for effect in effects
        if effect.place < turn.place
        or (
            effect.place == turn.place
            and (then is None or (effect.node_logical_id in started and "" < effect.time <= then))
        )
    ]


def later_messages(run: Projections, event: int) -> list[bool]:
    """Return for each chat message whether it came after an event.

    A message of the user comes with its turn.
    """
    messages, place = run.chat.messages, run.timeline.rows[event].place
    began = run.turn_rows[place].first
    first = bisect_left(messages, place, key=lambda message: message.turn_index)
    end = bisect_right(messages, place, key=lambda message: message.turn_index)
    own = [
        (began if message.role == "user" or message.event_index is None else message.event_index) > event
        for message in messages[first:end]
    ]
    return [*[False] * first, *own, *[True] * (len(messages) - end)]
