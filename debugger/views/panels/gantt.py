"""Gantt chart of one turn: node runs, model calls, outside calls, pauses."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from debugger.analysis.gantt import Bar, BarKind, bars
from debugger.analysis.steps import TurnRow
from debugger.views import actions, refresh
from debugger.views.components.markdown import count, milliseconds
from debugger.views.components.rows import Column, Columns, estimate_width, rows_list, table
from debugger.views.components.toolbar import Colour, Item, Text
from debugger.views.help_links import empty_state
from debugger.views.run_view import RunView

_COLOURS: dict[BarKind, Colour] = {
    "node run": "blue",
    "model call": "violet",
    "external call": "orange",
    "pause": "gray",
}


def turn_on_view(view: RunView) -> TurnRow | None:
    """Return the turn whose chart is drawn, or ``None``."""
    if not view.projections.turn_rows:
        return None
    return view.projections.turn_rows[-1 if view.event is None else view.rows[view.event].place]


def gantt_line(turn: TurnRow | None) -> list[Item]:
    """Return one text with the turn's duration, pauses, steps and model calls; empty without a turn."""
    if turn is None:
        return []
    what = f"Background work after turn {turn.number}" if turn.is_background else f"Turn {turn.number}"
    words = milliseconds(turn.duration_ms)
    took = [words] if words else []
    paused = sum(pause.ended_at - pause.began_at for pause in turn.pauses)
    waits = [f"{paused:,.1f} s paused"] if turn.pauses else []
    parts = [what, *took, *waits, count(turn.steps, "step"), count(turn.calls, "model call")]
    return [Text(" · ".join(parts))]


def gantt(view: RunView, turn: TurnRow | None) -> None:
    """Draw the chart of a turn, a row per bar, in order of start; a click on a bar selects its event.

    Without a turn, or without an event that has a duration, a text is drawn instead.

    Args:
        view: The view of the run.
        turn: The turn, or ``None``.
    """
    if turn is None:
        empty_state(
            "The duration of each step of a turn appears here as bars: start the run to see some.",
            "stepping#the-timeline",
        )
        return
    drawn = view.memo(("gantt", turn.place), lambda: _bars(view, turn))
    if not drawn:
        st.caption("No event of this turn has a duration.")
        return
    whole = max(turn.duration_ms or 0.0, *(bar.end_ms for bar in drawn)) or 1.0
    columns: Columns[Bar] = [
        (
            Column(
                "lane",
                "Node",
                130,
                help="With the thread before it, if not the main one",
                fits=estimate_width(bar.lane for bar in drawn),
            ),
            lambda bar: bar.lane,
        ),
        (Column("kind", "Kind", 96, "chip"), lambda bar: (bar.kind, _colour(bar))),
        (
            Column("span", f"0 to {whole:,.1f} ms", 180, "span", help="Since the turn started", grows=True),
            lambda bar: (_words(bar), bar.begin_ms / whole, bar.duration_ms / whole, _colour(bar)),
        ),
        (Column("begin", "Start", 84, "number"), lambda bar: f"{bar.begin_ms:+,.1f} ms"),
        (Column("took", "Duration", 80, "number"), lambda bar: milliseconds(bar.duration_ms)),
        (Column("what", "Summary", 150, grows=True), lambda bar: bar.name),
    ]
    shown = table(
        f"Gantt chart of turn {turn.number}: node, kind, begin and duration of each bar",
        drawn,
        columns,
        lambda bar: None if bar.index is None else [bar.index],
    )
    rows_list(
        "gantt",
        shown,
        chosen=None if view.event is None else shown.place_of([view.event]),
        on_choose=refresh.refreshing("look", lambda target: actions.select_event(target and target[0])),
        fills=True,
        later=[at for at, bar in enumerate(drawn) if view.is_past and _is_later(bar, view)],
        page=(id(view.session), turn.place),
    )


def _bars(view: RunView, turn: TurnRow) -> Sequence[Bar]:
    of_event = view.projections.step_of_event[turn.first : turn.first + turn.events]
    steps = [view.projections.steps[at] for at in sorted(set(of_event) - {-1})]
    effects = [effect for effect in view.effects if effect.place == turn.place]
    return bars(steps, effects, turn.pauses)


def _is_later(bar: Bar, view: RunView) -> bool:
    if bar.index is not None:
        return bar.index > view.last
    return bar.begin_ms > (view.rows[view.last].since_turn_ms or 0.0)


def _colour(bar: Bar) -> Colour:
    return "red" if bar.is_failure else _COLOURS[bar.kind]


def _words(bar: Bar) -> str:
    return f"{bar.begin_ms:,.1f} to {bar.end_ms:,.1f} ms{', failed' if bar.is_failure else ''}"
