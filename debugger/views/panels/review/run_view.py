"""The run under review: facts and transcript."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

import streamlit as st

from debugger.errors import DebuggerError
from debugger.protocol.notes import Target
from debugger.protocol.reviews import Verdict, VerdictValue
from debugger.views import state
from debugger.views.backends import CurrentBackend, local_notes
from debugger.views.components.markdown import plain
from debugger.views.components.reading import draw_transcript
from debugger.views.components.status_badges import status_badge
from debugger.views.components.toolbar import Badge, Item, Text, bar
from debugger.views.panels.review.actions import ReadRun, choose_target, review
from debugger.views.panels.runs.scope import connection_of_runs
from debugger.views.state import PageLinks
from debugger.views.times import shown_time, zone_name
from debugger.views.url_state import Address

_HEIGHT = 460
MAX_TURNS = 60
"""On one page of a transcript."""


def run_facts(read: ReadRun, names: Mapping[str, str]) -> None:
    """Draw the line that names the run.

    Args:
        read: The run.
        names: Workflows by id.
    """
    run = read.recorded.run
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="review_facts"):
        bar("review_facts_bar", _facts(read, names), low=True)
        st.page_link(
            state.record(PageLinks).by_name["debug"],
            label="Open in Debug",
            icon=":material/bug_report:",
            query_params=Address(
                state.record(CurrentBackend).name,
                run.workflow_id,
                run.workflow_run_id,
                connection=connection_of_runs(),
            ).to_parameters(),
        )
    if read.recorded.substitute_reason:
        st.caption(plain(read.recorded.substitute_reason))


def _facts(read: ReadRun, names: Mapping[str, str]) -> list[Item]:
    """Return workflow and version, status, begin, tags and id of a run, for the line that names it.

    Begin and tags are left out where there are none, the tags also where they cannot be read. The name of the
    workflow falls back to that of its version, then to its id.
    """
    run = read.recorded.run
    began = shown_time(run.created_at, seconds=False)
    name = names.get(run.workflow_id) or read.recorded.workflow.name or run.workflow_id
    items: list[Item] = [
        Text(f"{name} · v{run.version_number}", look="strong"),
        status_badge(run.status),
    ]
    if began:
        items.append(Text(began, help=f"Started, in the time zone {zone_name()}"))
    with suppress(DebuggerError):  # the verdicts, which are in the same store, show its error
        items += (Badge(tag, ":material/sell:") for tag in local_notes().of(run.workflow_run_id).tags)
    return [*items, Text(run.workflow_run_id, look="code", yields=True)]


def transcript_view(read: ReadRun, own: Sequence[Verdict]) -> None:
    """Draw the transcript with the user's own verdicts.

    Args:
        read: The run.
        own: The verdicts to show.
    """
    held = review()
    run_id = read.recorded.run.workflow_run_id
    marks: dict[tuple[str, str], VerdictValue] = {
        (verdict.target.kind, verdict.target.key): verdict.value for verdict in own
    }
    pages = max(-(-len(read.turns) // MAX_TURNS), 1)
    key = f"review_turns_{run_id}"
    if held.shown_target != held.target:
        held.shown_target = held.target
        state.set_widget(key, _page_of(read, held.target) or state.widget(key) or 1)
    number = min(state.widget(key) or 1, pages)
    first = (number - 1) * MAX_TURNS
    draw_transcript(
        "review_transcript",
        read.turns[first : first + MAX_TURNS],
        marks,
        chosen=held.target,
        height=_HEIGHT,
        page=f"{run_id} {number}",
        on_choose=choose_target,
    )
    if pages > 1:
        st.pagination(pages, key=key)


def _page_of(read: ReadRun, target: Target) -> int | None:
    """Return the page of the transcript, from 1, that has a turn or message.

    ``None`` for the run as a whole, and for a part that the run does not have.
    """
    for place, turn in enumerate(read.turns):
        keys = {("turn", str(turn.number)), *(("message", str(row.seq)) for row in turn.messages)}
        if (target.kind, target.key) in keys:
            return place // MAX_TURNS + 1
    return None
