"""The columns of the timeline in each density: rows of a run as what a table draws."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from debugger.analysis.facts import iso_utc
from debugger.analysis.steps import Step
from debugger.analysis.timeline import TimelineRow
from debugger.analysis.turn_rows import TurnRow
from debugger.views.parts.plain import count

Target = tuple[int, str | None]
"""The event that a row is looked at by, and the node to choose with it."""

_NEUTRAL = frozenset({"end_node_run", "http_request"})
"""Types that tell of success and failure alike."""
_STEP_CHIPS = {"node": "ran", "user": "user", "wait": "your turn", "note": "note"}
_STEP_COLOURS = {"ran": "green", "failure": "red", "warning": "orange", "user": "blue", "your turn": "violet"}


@dataclass(frozen=True)
class Table:
    """What is drawn, and where each row leads."""

    data: dict[str, list[Any]]
    columns: dict[str, ColumnConfig]
    targets: list[Target]
    alt: str


def turns_table(rows: Sequence[TurnRow], times: str) -> Table:
    """A row a turn."""
    wrong = [_trouble(row) for row in rows]
    return Table(
        {
            "turn": [row.number for row in rows],
            **_background(rows),
            "time": _times([(row.at_ms, row.at_ms, row.time) for row in rows], times),
            "ms": [row.duration_ms for row in rows],
            "trouble": [[each] if each else [] for each in wrong],
            "user": [row.user for row in rows],
            "agent": [row.agent for row in rows],
            "path": [row.path for row in rows],
            "tokens": [row.tokens for row in rows],
            "calls": [row.calls for row in rows],
            "events": [row.events for row in rows],
        },
        {
            **_common(times),
            "user": st.column_config.TextColumn("User", width=220),
            "agent": st.column_config.TextColumn("Agent", width=300),
            "path": st.column_config.TextColumn("Path", width=230, help="The nodes that ran, in order"),
            "ms": _bar([row.duration_ms for row in rows], "How long the turn took, end to end"),
            "trouble": _chips("Trouble", wrong, lambda chip: "red" if "failure" in chip else "orange", 110),
            "calls": st.column_config.NumberColumn("Calls", width=56, help="Calls of models"),
            "events": st.column_config.NumberColumn("Events", width=60),
        },
        [(row.last, None) for row in rows],
        "Timeline: a row a turn, with what user and agent said, path, duration, tokens and failures",
    )


def steps_table(steps: Sequence[Step], times: str) -> Table:
    """A row a step."""
    chips = [step.trouble or _STEP_CHIPS[step.kind] for step in steps]
    return Table(
        {
            "#": [step.index for step in steps],
            "turn": [step.turn_number for step in steps],
            **_background(steps),
            **_threads([step.thread for step in steps]),
            "time": _times([(step.at_ms, step.since_turn_ms, step.time) for step in steps], times),
            "node": [step.node_name for step in steps],
            "status": [[chip] for chip in chips],
            "ms": [step.duration_ms for step in steps],
            "summary": [step.summary for step in steps],
            "tokens": [step.tokens or None for step in steps],
        },
        {
            **_common(times),
            "#": st.column_config.NumberColumn("#", width=50, help="The step's place in the run"),
            "status": _chips("Status", chips, lambda chip: _STEP_COLOURS.get(chip, "gray"), 96),
            "ms": _bar([step.duration_ms for step in steps], "How long the node ran"),
            "summary": st.column_config.TextColumn("Summary", width=560),
        },
        [(step.last, step.drawn_node) for step in steps],
        "Timeline: a row a step, with turn, time, node, status, duration, summary and tokens",
    )


def events_table(rows: Sequence[TimelineRow], times: str) -> Table:
    """A row an event."""
    chips = [_chip(row) for row in rows]
    return Table(
        {
            "#": [row.index for row in rows],
            "turn": [row.turn_number for row in rows],
            **_background(rows),
            **_threads([row.thread for row in rows]),
            "time": _times([(row.at_ms, row.since_turn_ms, row.time) for row in rows], times),
            "node": [row.node_name or row.node_logical_id or "" for row in rows],
            "type": [[chip] for chip in chips],
            "ms": [row.duration_ms for row in rows],
            "summary": [row.summary for row in rows],
        },
        {
            **_common(times),
            "#": st.column_config.NumberColumn("#", width=50, help="The event's place in the run"),
            "type": _chips("Type", chips, _colour, 196),
            "ms": st.column_config.NumberColumn(
                "Took", width=76, format="%.1f ms", help="How long a node ran"
            ),
            "summary": st.column_config.TextColumn("Summary", width=640),
        },
        [(row.index, row.drawn_node) for row in rows],
        "Timeline: a row an event, with turn, time, node, type, duration and summary",
    )


def _common(times: str) -> dict[str, ColumnConfig]:
    columns = st.column_config
    time = (
        columns.TextColumn("Time (UTC)", width=190)
        if times == "UTC"
        else columns.NumberColumn("Time", width=84, format="+%.3f s", help=_since(times))
    )
    return {
        "turn": columns.NumberColumn("Turn", width=50),
        "background": columns.CheckboxColumn(
            "Background", width=90, help="Happened in background work after the turn"
        ),
        "thread": columns.TextColumn("Thread", width=90, help="0 is the thread that talks with the user"),
        "time": time,
        "node": columns.TextColumn("Node", width=140),
        "tokens": columns.NumberColumn("Tokens", width=64, help="Of the model calls"),
    }


def _since(times: str) -> str:
    return "Since the turn began" if times == "Elapsed" else "Since the run began"


def _times(
    told: Iterable[tuple[float | None, float | None, float | None]], times: str
) -> list[float | None] | list[str]:
    """Of what is since the run, since the turn and by the clock, what was asked for."""
    if times == "UTC":
        return [iso_utc(clock) for _, _, clock in told]
    place = 1 if times == "Elapsed" else 0
    return [None if each[place] is None else (each[place] or 0.0) / 1000 for each in told]


def _background(rows: Sequence[TimelineRow] | Sequence[Step] | Sequence[TurnRow]) -> dict[str, list[Any]]:
    """A column more for a run that does something without its user."""
    told = [row.is_background for row in rows]
    return {"background": told} if any(told) else {}


def _threads(threads: list[str | None]) -> dict[str, list[Any]]:
    """A column more where several threads ran."""
    several = len({thread for thread in threads if thread is not None}) > 1
    return {"thread": [thread or "" for thread in threads]} if several else {}


def _bar(milliseconds: Sequence[float | None], told: str) -> ColumnConfig:
    """A number with a bar beside it, in proportion to the longest."""
    most = max((each for each in milliseconds if each is not None), default=0.0)
    return st.column_config.ProgressColumn(
        "Took", width=112, format="%.1f ms", min_value=0.0, max_value=most or 1.0, help=told
    )


def _chips(label: str, chips: Iterable[str], colour: Any, width: int) -> ColumnConfig:
    words = sorted({chip for chip in chips if chip})
    return st.column_config.MultiselectColumn(
        label, width=width, options=words, color=[colour(word) for word in words]
    )


def _trouble(row: TurnRow) -> str:
    told = [(row.failures, "failure"), (row.warnings, "warning")]
    return ", ".join(count(number, kind) for number, kind in told if number)


def _chip(row: TimelineRow) -> str:
    return f"{row.type} · failed" if row.is_failure and row.type in _NEUTRAL else row.type


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
