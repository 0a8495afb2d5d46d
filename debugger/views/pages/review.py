"""Page on which the runs of a filter are decided one after the other."""

from __future__ import annotations

import streamlit as st

from debugger.backends.base import Backend
from debugger.errors import DebuggerError
from debugger.protocol.notes import Target
from debugger.protocol.reviews import Verdict
from debugger.views.backends import current_backend, local_store
from debugger.views.components.error_box import show_backend_error, show_error, show_failures
from debugger.views.components.toolbar import bar
from debugger.views.help_links import empty_page
from debugger.views.navigation import start_button
from debugger.views.panels.exports.dialog import export_dialog
from debugger.views.panels.notes import author
from debugger.views.panels.review import actions
from debugger.views.panels.review.decision import (
    changed_verdict,
    comment_box,
    decision_bar,
    rubric_checks,
    verdict_list,
    walk_items,
)
from debugger.views.panels.review.header import filter_form, progress_bar, reviewer_name
from debugger.views.panels.review.queue import ReviewQueue
from debugger.views.panels.review.run_view import run_facts, transcript_view
from debugger.views.panels.review.sheet_import import sheet_import
from debugger.views.panels.runs.scope import connection_of_runs, workflow_names


def render() -> None:
    """Draw the page Review, which follows and updates the address.

    Without a usable backend it draws the error, without a queue head and error. Where no run is chosen, the
    first open run, else the first one, is.
    """
    actions.follow_address()
    try:
        backend = current_backend()
    except DebuggerError as error:
        st.markdown("### Review")
        show_backend_error(error)
        return
    try:
        names = workflow_names(backend)
        queue = actions.load_queue()
        open_runs = actions.open_runs(queue)
    except DebuggerError as error:
        _head(backend, {}, ReviewQueue(), [])
        show_error(error)
        return
    held = actions.review()
    if not held.run_id:
        held.run_id = next(iter([*open_runs, *queue.runs]), "")
    _head(backend, names, queue, open_runs)
    with st.container(key="review_failures"):  # a box that stays, see `_body`
        show_failures()
    if held.is_importing:
        sheet_import()
    elif held.run_id:
        _body(names, queue, held.run_id, open_runs)
    else:
        _empty()
    actions.show_address()
    export_dialog()


def _head(backend: Backend, names: dict[str, str], queue: ReviewQueue, open_runs: list[str]) -> None:
    """Draw title, progress, reviewer and the menu of the filter."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="review_head"):
        st.markdown("### Review", width="content")
        progress_bar(queue, open_runs, actions.review().run_id)
        reviewer_name()
        label = "Filter" if actions.review().wanted.is_everything else "Filter: on"
        with st.popover(label, icon=":material/filter_alt:", key="review_filter_menu"):
            filter_form(backend, names)


def _empty() -> None:
    """Draw why there is no run to review.

    Without a filter a button that leads to the page Debug follows, else one that clears the filter.
    """
    wanted = actions.review().wanted
    if wanted.is_everything:
        text = "There is no run to review yet; those of tests are left out unless the filter has them."
        with empty_page(text, "review#review"):
            start_button()
        return
    words = "open run" if wanted.is_open_only else "run"
    with empty_page(f"No {words} matches the filter: there is nothing to review."):
        st.button(
            "Review all runs",
            key="review_all",
            type="primary",
            on_click=actions.filter_runs,
            args=(type(wanted)(),),
        )


def _body(names: dict[str, str], queue: ReviewQueue, run_id: str, open_runs: list[str]) -> None:
    """Draw decision, facts and transcript of a run, with the user's own verdicts and the verdicts of all.

    Where run or verdicts cannot be read, the buttons to other runs and the error are drawn.
    """
    try:
        read = actions.read_run(run_id)
        found = local_store().reviews.verdicts([run_id], connection=connection_of_runs()).get(run_id, [])
    except DebuggerError as error:
        bar("review_decision", walk_items(queue, run_id, open_runs))
        show_error(error)
        return
    own, target = [verdict for verdict in found if verdict.reviewer == author()], actions.review().target
    present = next((verdict for verdict in own if verdict.target == target), None)
    base = actions.base_verdict(run_id, target, present)
    # Nothing above the transcript comes or goes with a verdict: it would be built anew, at its beginning.
    decision_bar(run_id, target, base, queue, open_runs)
    left, right = st.columns([1.8, 1], gap="small")
    with left:
        run_facts(read, names)
        transcript_view(read, own)
    with right, st.container(key="review_panel", gap="small"):
        if (base and base.revision) != (present and present.revision):
            changed_verdict(present)
        _decide(read, target, base, found)


def _decide(read: actions.ReadRun, target: Target, base: Verdict | None, found: list[Verdict]) -> None:
    """Draw the comment, for a whole run the rubric's checks, and the list of verdicts."""
    run = read.recorded.run
    comment_box(run.workflow_run_id, target, base)
    if target.kind == "run":
        rubric_checks(run.workflow_run_id, base, run.workflow_id)
    verdict_list(run.workflow_run_id, found)
