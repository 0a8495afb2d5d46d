"""Rows of the list of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from debugger.analysis.run_facts import RunSummary
from debugger.protocol.notes import RunLabels
from debugger.protocol.reviews import Verdict
from debugger.protocol.runs import Run
from debugger.store.snippets import Snippet
from debugger.views import state
from debugger.views.components.status_badges import LOOKS
from debugger.views.components.tables import ROW, table_height
from debugger.views.times import shown_time, zone_name

TABLE_KEY = "runs"
_IDS_KEY = "run_ids"
_MOST_ROWS = 18
_VERDICT_COLOURS = {"Pass": "green", "Fail": "red", "Unsure": "orange"}


@dataclass(frozen=True)
class RowFacts:
    """Everything that the rows show besides the runs themselves, by run."""

    names: Mapping[str, str]
    """Workflows by id."""
    place: str = ""
    """The backend, or the connection, that has the runs."""
    marks: Mapping[str, RunLabels] = field(default_factory=dict)
    summaries: Mapping[str, RunSummary] = field(default_factory=dict)
    verdicts: Mapping[str, Sequence[Verdict]] = field(default_factory=dict)
    snippets: Mapping[str, Sequence[Snippet]] = field(default_factory=dict)


def clicked_run() -> str | None:
    """Return the clicked run once, before the list is drawn again."""
    held = state.widget(TABLE_KEY)
    cells = held["selection"]["cells"] if held else []
    if not cells:
        return None
    state.forget_widget(TABLE_KEY)
    found: str = state.widget(_IDS_KEY)[cells[0][0]]
    return found


def chosen_runs(rows: Sequence[Run]) -> list[str]:
    """Return the ticked runs in the list's order.

    Boxes move along with their rows.
    """
    held, before = state.widget(TABLE_KEY), state.widget(_IDS_KEY, [])
    ids = [row.workflow_run_id for row in rows]
    ticked = {before[place] for place in held["selection"]["rows"]} if held else set()
    if held and ids != before:
        places = [place for place, run_id in enumerate(ids) if run_id in ticked]
        state.set_widget(TABLE_KEY, {"selection": {"rows": places, "columns": [], "cells": []}})
    state.set_widget(_IDS_KEY, ids)
    return [run_id for run_id in ids if run_id in ticked]


def run_table(rows: Sequence[Run], facts: RowFacts) -> None:
    """Draw the rows."""
    ids = [row.workflow_run_id for row in rows]
    noted = [facts.marks.get(run_id, RunLabels()) for run_id in ids]
    st.dataframe(
        {
            "star": ["★" if mark.starred else "" for mark in noted],
            "began": [shown_time(row.created_at) for row in rows],
            **_found_columns(ids, facts),
            **_summary_columns(ids, facts),
            "workflow": [facts.names.get(row.workflow_id) or _own_name(row) for row in rows],
            "version": [row.version_number for row in rows],
            "status": [[LOOKS[row.status].word] for row in rows],
            "verdict": [verdict_words(facts.verdicts.get(run_id, ())) for run_id in ids],
            "tags": [mark.tags for mark in noted],
            "note": [" ".join(mark.note.split()) for mark in noted],
            "by": [row.run_by or "" for row in rows],
            "parent": [_parent(row) for row in rows],
            "place": [facts.place for _ in rows],
            "id": ids,
        },
        key=TABLE_KEY,
        hide_index=True,
        row_height=ROW,
        height=table_height(len(rows), _MOST_ROWS),
        on_select="rerun",
        selection_mode=["multi-row", "single-cell"],
        placeholder="",
        column_config=_columns(rows, sorted({tag for mark in noted for tag in mark.tags})),
        alt="Runs, the newest first",
    )


def _found_columns(ids: Sequence[str], facts: RowFacts) -> dict[str, Any]:
    if not facts.snippets:
        return {}
    return {"found": [snippet_words(facts.snippets.get(run_id, ())) for run_id in ids]}


def _summary_columns(ids: Sequence[str], facts: RowFacts) -> dict[str, Any]:
    known = [facts.summaries.get(run_id) for run_id in ids]
    return {
        "first": [one.first_words if one else None for one in known],
        "last": [one.last_words if one else None for one in known],
        "turns": [one.turns if one else None for one in known],
        "duration": [duration_words(one.duration_ms) if one else None for one in known],
        "problems": [(one.problems or None) if one else None for one in known],
    }


def snippet_words(snippets: Sequence[Snippet]) -> str:
    """Return found words in marks, with the text around them."""
    parts = []
    for snippet in snippets:
        lead = "" if snippet.place == "said" else f"{snippet.place}: "
        parts.append(f"{lead}{snippet.before}«{snippet.word}»{snippet.after}")
    return " · ".join(" ".join(part.split()) for part in parts)


def verdict_words(verdicts: Sequence[Verdict]) -> list[str]:
    """Return the verdicts on a run, else the number on its parts."""
    own = [verdict.value.capitalize() for verdict in verdicts if verdict.target.kind == "run"]
    if own:
        return list(dict.fromkeys(own))
    return [f"on {len(verdicts)} part{'' if len(verdicts) == 1 else 's'}"] if verdicts else []


def duration_words(milliseconds: float | None) -> str:
    """Return a duration in its two largest units: ``1 m 5 s``."""
    if milliseconds is None:
        return ""
    if milliseconds < 10_000:
        return f"{milliseconds / 1000:.1f} s"
    seconds = round(milliseconds / 1000)
    for size, unit, small, small_unit in ((86_400, "d", 3600, "h"), (3600, "h", 60, "m"), (60, "m", 1, "s")):
        if seconds >= size:
            return f"{seconds // size} {unit} {seconds % size // small} {small_unit}"
    return f"{seconds} s"


def _own_name(run: Run) -> str:
    """Return a workflow's name as the run's record has it."""
    return str((run.model_extra or {}).get("workflow_name") or run.workflow_id)


def _parent(run: Run) -> str:
    source, index = run.source_workflow_run_id, run.checkpoint_source_turn_index
    if not source:
        return ""
    return f"…{source[-6:]}" if index is None else f"…{source[-6:]} · turn {index + 1}"


def _columns(rows: Sequence[Run], tags: Sequence[str]) -> dict[str, Any]:
    columns = st.column_config
    words = sorted({LOOKS[row.status].word for row in rows})
    colours = {look.word: look.colour for look in LOOKS.values()}
    return {
        "star": columns.TextColumn("Star", width=46, help="★: starred by a user"),
        "began": columns.TextColumn("Started", width=146, help=f"In the time zone {zone_name()}"),
        "found": columns.TextColumn("Found", width=280, help="The words of the search where they were found"),
        "first": columns.TextColumn("First words", width=190, help="Of the user, else of the agent"),
        "last": columns.TextColumn("Last words", width=190, help="Of the user or the agent"),
        "turns": columns.NumberColumn("Turns", width=56, help="Turns of the user"),
        "duration": columns.TextColumn(
            "Duration", width=80, help="From the first event to the last, waiting for the user included"
        ),
        "problems": columns.NumberColumn(
            "Problems", width=72, help="Failed node runs, and errors of the workflow"
        ),
        "workflow": columns.TextColumn("Workflow", width=140),
        "version": columns.NumberColumn("Version", width=62, format="v%d"),
        "status": columns.MultiselectColumn(
            "Status", width=112, options=words, color=[colours[word] for word in words]
        ),
        "verdict": columns.MultiselectColumn(
            "Verdict",
            width=90,
            options=list(_VERDICT_COLOURS),
            color=list(_VERDICT_COLOURS.values()),
            help="Of the reviewers, on the run as a whole",
        ),
        "tags": columns.MultiselectColumn("Tags", width=104, options=list(tags)),
        "note": columns.TextColumn("Note", width=120),
        "by": columns.TextColumn("Started by", width=76),
        "parent": columns.TextColumn("Forked from", width=112, help="The run that it is a fork of"),
        "place": columns.TextColumn("Runs on", width=110, help="The backend, or its connection"),
        "id": columns.TextColumn("Run id", width=200),
    }
