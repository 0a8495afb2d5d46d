"""Progress, filter and reviewer above the run under review."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from debugger.backends.base import Backend
from debugger.protocol.scenario_runs import OUTCOMES
from debugger.store import Role
from debugger.views import state
from debugger.views.actions import action
from debugger.views.auth.permissions import current_user, on_change
from debugger.views.backends import current_backend
from debugger.views.components.markdown import count, plain
from debugger.views.components.status_badges import LOOKS
from debugger.views.components.toolbar import Badge, Button, Item, Progress, Spacer, Text, bar
from debugger.views.panels import notes
from debugger.views.panels.exports.dialog import open_export_dialog
from debugger.views.panels.exports.scope import THIS_RUN, ExportScope
from debugger.views.panels.review.actions import filter_runs, refresh_queue, review
from debugger.views.panels.review.queue import MAX_RUNS, ReviewFilter, ReviewQueue
from debugger.views.panels.review.sheet_import import import_button
from debugger.views.panels.runs.filters import VERDICT_WORDS, scenario_names
from debugger.views.panels.runs.scope import distinct
from debugger.views.times import zone_name

_NAME_KEY = "review_author"


def progress_bar(queue: ReviewQueue, open_runs: list[str], run_id: str) -> None:
    """Draw how many runs are decided, and the buttons that refresh the queue, export it and import a sheet.

    It also says where the run on view is in the queue, or that it is not in it, and how many runs the filter
    finds where the queue has not all. Without runs there is no progress, and the export is disabled.
    """
    decided = len(queue.runs) - len(open_runs)
    words = f"{decided:,} of {len(queue.runs):,} decided, {len(open_runs):,} open"
    items: list[Item] = [Progress(words, decided / len(queue.runs))] if queue.runs else []
    if queue.runs and not open_runs:
        items.append(
            Badge("Every run of the filter is decided", ":material/task_alt:", "green", is_status=True)
        )
    if run_id in queue.runs:
        items.append(Text(f"Run {queue.runs.index(run_id) + 1:,} of {len(queue.runs):,}"))
    elif run_id:
        items.append(Text("This run is not among those of the filter"))
    if queue.total > len(queue.runs):
        items.append(
            Text(
                f"The first {MAX_RUNS:,} of {count(queue.total, 'run')}",
                help="Narrow the filter to reach the others",
            )
        )
    items += [
        Spacer(),
        Button(
            "review_refresh",
            "Refresh",
            refresh_queue,
            icon=":material/refresh:",
            look="tertiary",
            help="Read the runs of the filter again",
        ),
        Button(
            "review_export",
            "Export",
            _export,
            (queue, run_id),
            icon=":material/download:",
            look="tertiary",
            disabled=not queue.runs,
            help="Save the runs of the filter with all verdicts, to continue elsewhere",
        ),
        import_button(),
    ]
    bar("review_progress", items, low=True)


@action()
def _export(queue: ReviewQueue, run_id: str) -> None:
    backend = current_backend()
    all_runs = ExportScope.here(backend, queue.runs, "Runs of the filter")
    open_export_dialog(all_runs, ExportScope.here(backend, [run_id], THIS_RUN))


def reviewer_name() -> None:
    """Draw the box with the name under which verdicts are stored.

    A change sets the name in this tab; for a signed-in user, and without the role REVIEW, the box is
    disabled.
    """
    state.set_widget(_NAME_KEY, notes.author())
    st.text_input(
        "Reviewing as",
        key=_NAME_KEY,
        icon=":material/person:",
        max_chars=80,
        label_visibility="collapsed",
        width=140,
        **on_change(
            _name_changed,
            disabled=not current_user().is_local,
            help="Your verdicts are stored under this name",
        ),
    )


@action(role=Role.REVIEW)
def _name_changed() -> None:
    notes.call_author(state.widget(_NAME_KEY) or "")


def filter_form(backend: Backend, names: dict[str, str]) -> None:
    """Draw the filter of the runs; once applied or cleared, it is stored and the page is rerun.

    Runs that were chosen one by one stay while only the two switches are set.

    Args:
        backend: Has the runs.
        names: Workflows by id.
    """
    wanted = review().wanted
    reason = backend.capabilities.reason_against("run_search")
    with st.form("review_filter", border=False):
        values = _fields(wanted, names, reason)
        with st.container(horizontal=True, gap="small"):
            applies = st.form_submit_button("Apply", key="review_apply", type="primary")
            clears = st.form_submit_button("All runs", key="review_clear")
    if applies or clears:
        found = ReviewFilter(**values)
        chosen = ReviewFilter(is_open_only=found.is_open_only, with_scenarios=found.with_scenarios)
        if found == chosen:  # nothing replaces the chosen runs
            found = replace(found, runs=wanted.runs)
        filter_runs(found if applies else ReviewFilter())
        st.rerun()


def _fields(wanted: ReviewFilter, names: dict[str, str], reason: str | None) -> dict[str, Any]:
    """Draw the fields of the filter, set to a filter; return their values by the fields of `ReviewFilter`.

    With a `reason` those that the backend cannot search are disabled and missing in the answer, as the chosen
    runs are in any case: a caption says how many they are.
    """
    if wanted.runs:
        st.caption(f"Now: {count(len(wanted.runs), 'run')} that were chosen one by one.")
    workflow = _choice(st.selectbox, "Workflow", "All workflows", distinct(names), wanted.workflow)
    left, right = st.columns(2, gap="small")
    days = f"Days in the time zone {plain(zone_name())}"
    since = left.date_input("From", wanted.since, format="YYYY-MM-DD", help=days)
    until = right.date_input("To", wanted.until, format="YYYY-MM-DD", help=days)
    statuses = {status: look.word for status, look in LOOKS.items()}
    status = _choice(right.selectbox, "Status", "Any status", statuses, wanted.status)
    found: dict[str, Any] = {"workflow": workflow, "status": status, "since": since, "until": until}
    found |= _store_fields(wanted, reason, left, right)
    found["is_open_only"] = right.toggle(
        "Open only", wanted.is_open_only, help="Only runs on which you have no verdict yet"
    )
    found["with_scenarios"] = right.toggle(
        "Runs of tests",
        wanted.with_scenarios,
        help="Also runs that suites and the command test have made; a scenario or result includes them",
    )
    found["text"] = st.text_input("Search", wanted.text, placeholder="Messages, names, notes …").strip()
    return found


def _store_fields(
    wanted: ReviewFilter, reason: str | None, left: DeltaGenerator, right: DeltaGenerator
) -> dict[str, Any]:
    """Draw the fields that a hosted API cannot search; return their values.

    With a `reason` they are disabled, and the answer is empty.
    """
    help = plain(reason) if reason else None
    is_off = reason is not None
    version = left.number_input(
        "Version", 0, None, wanted.version, 1, disabled=is_off, placeholder="Any", help=help
    )
    tags = {} if is_off else {tag: tag for tag in notes.known_tags()}
    tag = _choice(left.selectbox, "Tag", "Any tag", tags, wanted.tag, disabled=is_off, help=help)
    verdict = _choice(
        right.selectbox,
        "Verdict",
        "Any verdict",
        VERDICT_WORDS,
        wanted.verdict,
        disabled=is_off,
        help=help or "The verdict of any reviewer on the run as a whole",
    )
    scenarios = {} if is_off else {name: name for name in scenario_names()}
    scenario = _choice(
        left.selectbox,
        "Scenario",
        "Any scenario",
        scenarios,
        wanted.scenario,
        disabled=is_off,
        help=help or "Runs of tests by the name of their scenario",
    )
    outcome = _choice(
        right.selectbox,
        "Scenario result",
        "Any result",
        {each: each.capitalize() for each in OUTCOMES},
        wanted.scenario_outcome,
        disabled=is_off,
        help=help or "Runs of tests by the result of their scenario",
    )
    starred = left.toggle("Starred only", wanted.starred, disabled=is_off, help=help)
    if is_off:
        return {}
    number = None if version is None else int(version)
    return {
        "version": number,
        "tag": tag,
        "verdict": verdict,
        "scenario": scenario,
        "scenario_outcome": outcome,
        "starred": starred,
    }


def _choice(
    draw: Callable[..., str], label: str, nothing: str, known: Mapping[str, str], value: str, **wanted: Any
) -> str:
    """Draw a choice of a key by its name, with one for nothing, and return the key, which is then empty.

    A present value that is not known is offered as it is.
    """
    options = {"": nothing, **known}
    options.setdefault(value, value)  # a workflow or a tag that is gone
    keys = list(options)
    return draw(label, keys, index=keys.index(value), format_func=options.__getitem__, **wanted)
