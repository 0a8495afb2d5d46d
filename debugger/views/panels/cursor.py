"""Time cursor: its banner, its buttons and its scrubber."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from debugger.views import actions, refresh, state
from debugger.views.components.markdown import count
from debugger.views.components.toolbar import Badge, Button, Item, Scrubber, Text
from debugger.views.navigation import ViewMode
from debugger.views.panels.demo import cursor_events, reading_seconds
from debugger.views.run_state import CurrentRun, Cursor
from debugger.views.run_view import RunView, run_view
from debugger.views.shortcuts import keys

PAST = "The past is on view: go back to live (Esc), or fork from here."
"""Why a control is disabled that would change the run."""
_MOST_MARKS = 60


def banner(view: RunView) -> list[Item]:
    """Return the notice that the past is on view, the button to live, and the number of events since then.

    In the demo view the number is left out and the place is named by its turn alone.
    """
    added = len(view.rows) - state.record(Cursor).seen_events
    new = [Text(count(added, "new event"), look="strong", key="new_events")] if added > 0 else []
    live = Button(
        "back_to_live",
        "Back to live",
        refresh.refreshing("bar", actions.select_event),
        (None,),
        look="primary",
        help="Follow the run again",
        shortcut=keys("live"),
    )
    is_demo = state.record(ViewMode).is_demo
    words = f"Earlier: turn {view.turn_number}" if is_demo else f"Viewing {place_words(view)}"
    badge = Badge(words, ":material/history:", "orange", is_status=True, key="viewing")
    return [badge, live] if is_demo else [badge, live, *new]


def place_words(view: RunView) -> str:
    """Return the place of the cursor: ``turn 2, event 30``."""
    row = view.rows[view.last]
    turn = f"background work after turn {row.turn_number}" if row.is_background else f"turn {row.turn_number}"
    return f"{turn}, event {row.index}"


def cursor_buttons(view: RunView) -> list[Item]:
    """Return the buttons that move the cursor by an event."""
    return [_event_button(view, -1), _event_button(view, 1)]


def turn_buttons(view: RunView) -> list[Text | Button]:
    """Return the buttons that move the cursor by a turn, for a menu.

    A heading is before them. Empty without events; each is disabled where there is no turn in its direction.
    """
    if not view.rows:
        return []
    turns = [replace(_turn_button(view, by), shows="words", names_keys=True) for by in (-1, 1)]
    return [Text("Go to", look="heading"), *turns]


def cursor_scrubber(view: RunView) -> list[Item]:
    """Return the slider that moves and plays the cursor, and the cursor's place; empty without events.

    Its help says so where the filters of the timeline leave no event to stop at.
    """
    if not view.rows:
        return []
    last = len(view.rows) - 1
    scrubber = Scrubber(
        "scrubber",
        "Event on view",
        view.last,
        last,
        f"{place_words(view)} of {last}",
        _marks(view),
        refresh.refreshing("bar", move_to),
        refresh.refreshing("bar", play_event),
        refresh.refreshing("bar", pause_play),
        hold_ms=round(reading_seconds(view) * 1000),
        shortcut=keys("play"),
        help="" if cursor_events(view) else "No event matches the filters of the timeline.",
    )
    return [scrubber, Text(f"{view.last} / {last}", key="cursor_place", help="Event, of the last one")]


def next_place(events: Sequence[int], event: int | None, by: int) -> int | None:
    """Return the event that a cursor moves to by one step; ``None`` is live.

    Back from the first event it stays, back from live it is the last event; forward from the last it is live.

    Args:
        events: The indexes of the events on view, in order.
        event: The cursor; ``None`` is live.
        by: 1 for the next, -1 for the previous one.
    """
    if by < 0:
        at = (len(events) if event is None else bisect_left(events, event)) - 1
        return events[at] if at >= 0 else event
    if event is None:
        return None
    at = bisect_right(events, event)
    return events[at] if at < len(events) else None


def step_event(by: int) -> None:
    """Move the cursor to the next (1) or previous (-1) event on view; nothing without a run.

    After the last event on view it follows the run; before the first it stays. A play is ended.
    """
    session = state.record(CurrentRun).session
    if session is not None:
        view = run_view(session)
        actions.select_event(next_place(cursor_events(view), _event_on_view(view, by), by))


def play_event() -> None:
    """Move the cursor by one event of a play; live, or the last event, begins it with the first.

    The play ends when the cursor gets to live. Without a run nothing happens.
    """
    session, cursor = state.record(CurrentRun).session, state.record(Cursor)
    if session is None:
        return
    view = run_view(session)
    events = cursor_events(view)
    is_at_end = view.event is None or not events or view.event >= events[-1]
    if is_at_end and not cursor.is_playing:
        actions.select_event(events[0] if events else None)
    else:
        actions.select_event(next_place(events, view.event, 1))
    cursor.is_playing = cursor.event is not None


def pause_play() -> None:
    """Leave the cursor where a play has moved it."""
    state.record(Cursor).is_playing = False


def move_to(place: int) -> None:
    """Move the cursor to the first event on view from a place on, or backwards to the last one up to it.

    The last event of the run, and a place after the last one on view, are live. Without a run nothing
    happens.

    Args:
        place: The index of an event, on view or not.
    """
    session = state.record(CurrentRun).session
    if session is None:
        return
    view = run_view(session)
    events = cursor_events(view)
    at = bisect_left(events, place) if place > view.last else max(bisect_right(events, place) - 1, 0)
    is_end = place >= len(view.rows) - 1 or at >= len(events)
    actions.select_event(None if is_end else events[at])


def _marks(view: RunView) -> list[int]:
    """Return the indexes of the events with which turns begin, but for the first turn and background work.

    Of a long run it is every n-th of them, so that there are about `_MOST_MARKS` at most.
    """
    turns = view.projections.turn_rows
    firsts = view.memo(
        "turn_marks", lambda: [turn.first for turn in turns if turn.events and not turn.is_background][1:]
    )
    return firsts[:: len(firsts) // _MOST_MARKS + 1]


def _event_button(view: RunView, by: int) -> Button:
    """Return the button that moves the cursor by an event; disabled where there is none in that direction.

    From the last event of the run, forwards, it is disabled, too.
    """
    event = _event_on_view(view, by)
    is_end = next_place(cursor_events(view), event, by) == event or (
        by > 0 and view.event is not None and not view.is_past
    )
    reason = f"No {'later' if by > 0 else 'earlier'} event on view" if is_end else ""
    return _step_button("event", by, reason)


def _event_on_view(view: RunView, by: int) -> int | None:
    """Return the event that a step begins at: back from live leads to one before the last, shown or not."""
    return view.last if by < 0 and view.rows else view.event


def _turn_button(view: RunView, by: int) -> Button:
    """Return the button that moves the cursor by a turn; disabled where there is none in that direction.

    From a moment of the past the last turn is left forward to live.
    """
    last = view.turns[-1].number if view.turns else 0
    is_end = not 0 < view.turn_number + by <= last and not (by > 0 and view.is_past)
    reason = f"No {'later' if by > 0 else 'earlier'} turn" if is_end else ""
    return _step_button("turn", by, reason)


def _step_button(unit: Literal["event", "turn"], by: int, reason: str) -> Button:
    """Return the icon button that moves the cursor by an event or a turn; a reason disables it."""
    name = "next" if by > 0 else "previous"
    icon = "chevron" if unit == "event" else "keyboard_double_arrow"
    return Button(
        f"{name}_{unit}",
        f"{name.capitalize()} {unit}",
        refresh.refreshing("bar", step_event if unit == "event" else actions.step_turn),
        (by,),
        icon=f":material/{icon}_{'right' if by > 0 else 'left'}:",
        look="tertiary",
        shows="icon",
        disabled=bool(reason),
        help=reason,
        shortcut=keys(f"{name}_{unit}"),
        names_keys=False,  # there is no room for them; its help names them
        counts=True,
    )
