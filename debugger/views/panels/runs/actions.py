"""Actions on the ticked runs, or on all that the filters find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import cast

import streamlit as st

from debugger.errors import DebuggerError, InputError
from debugger.protocol.notes import RunLabels, Target
from debugger.protocol.reviews import VerdictValue
from debugger.store import Role
from debugger.views import state
from debugger.views.actions import action
from debugger.views.auth.permissions import on_click
from debugger.views.backend_cache import BackendCache
from debugger.views.backends import CurrentBackend, current_backend, local_notes
from debugger.views.components.markdown import count
from debugger.views.components.toolbar import Button, Item, SegmentedControl, bar
from debugger.views.panels import notes
from debugger.views.panels.exports import ExportScope, open_export_dialog
from debugger.views.panels.notes import known_tags, marks_form
from debugger.views.panels.review.actions import (
    Draft,
    begin_review,
    own_verdicts,
    reason_against_verdicts,
    store_verdicts,
)
from debugger.views.panels.review.decision import VERDICT_LOOKS
from debugger.views.panels.review.queue import ReviewFilter
from debugger.views.panels.runs.deletion import ask_to_delete
from debugger.views.panels.runs.erasure import ask_to_erase
from debugger.views.panels.runs.scope import (
    SCOPE_KEY,
    Scope,
    found_ids,
    runs_state,
    scope_ids,
)
from debugger.views.state import LastAction, PageLinks
from debugger.views.url_state import CompareAddress, RunPlace

_ONE = "Choose one run by its box"
_NONE = "Tick runs by their boxes, or choose “All matches”"
_ADDED_KEY, _REMOVED_KEY = "bulk_tags_added", "bulk_tags_removed"
_COMMENT_KEY = "bulk_verdict_comment"


def run_actions(ticked: Sequence[str], marks: Mapping[str, RunLabels], total: int) -> None:
    """Draw the actions.

    Args:
        ticked: The ticked runs.
        marks: Star, tags and note of the runs on the page.
        total: The number of runs that the filters find.
    """
    state.begin_widget(SCOPE_KEY, "ticked")
    scope = cast(Scope, state.widget(SCOPE_KEY))
    is_empty = scope == "ticked" and not ticked
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="run_actions"):
        bar("run_actions_bar", _items(list(ticked), marks, scope, total, is_empty), low=True, width="content")
        _tags(ticked, marks, scope, is_empty)
        _verdict(ticked, scope, is_empty)
        if notice := runs_state().notice:
            st.caption(notice, width="content")
        elif not ticked:
            st.caption("Click a row to open it; tick boxes for more.", width="content")


def _items(
    ticked: list[str], marks: Mapping[str, RunLabels], scope: Scope, total: int, is_empty: bool
) -> list[Item]:
    has_all = (
        scope == "ticked"
        and bool(ticked)
        and all(run_id in marks and marks[run_id].starred for run_id in ticked)
    )
    words = {"ticked": f"Ticked: {len(ticked):,}", "found": f"All matches: {total:,}"}
    none = _NONE if is_empty else ""
    is_one, cannot = len(ticked) == 1, not _can_delete()
    of_scope = (scope, ticked)
    return [
        Button(
            "open_chosen",
            "Open",
            _open,
            (ticked,),
            icon=":material/open_in_new:",
            disabled=not is_one,
            help=_ONE,
        ),
        Button(
            "compare_chosen",
            "Compare",
            _compare,
            (ticked,),
            icon=":material/difference:",
            disabled=len(ticked) != 2,
            help="Compare two chosen runs",
        ),
        SegmentedControl(
            SCOPE_KEY,
            "Runs to act on",
            ["ticked", "found"],
            words,
            help="The runs that the actions to the right are for",
        ),
        Button(
            "star_chosen",
            "Unstar" if has_all else "Star",
            partial(star, starred=not has_all),
            of_scope,
            icon=":material/star:",
            disabled=is_empty,
            help=none or "Find it again with “Starred only”",
        ),
        Button(
            "export_chosen",
            "Export",
            open_export,
            of_scope,
            icon=":material/download:",
            help="The ticked runs, or all that the filters find, as one file",
        ),
        Button(
            "review_chosen",
            "Review",
            open_review,
            of_scope,
            icon=":material/rate_review:",
            disabled=is_empty,
            help=none or "Review them one after the other",
        ),
        Button(
            "delete_chosen",
            "Delete",
            ask_to_delete,
            of_scope,
            icon=":material/delete:",
            disabled=is_empty or cannot,
            help=_delete_help(is_empty),
        ),
        Button(
            "erase_chosen",
            "Delete every trace",
            ask_to_erase,
            (ticked,),
            icon=":material/delete_forever:",
            disabled=not is_one or cannot,
            help=_delete_help(False) if cannot else f"Personal data: at once and for good. {_ONE}",
        ),
    ]


def _can_delete() -> bool:
    return state.record(CurrentBackend).name == "embedded"


def _delete_help(is_empty: bool) -> str:
    if not _can_delete():
        return "The API that the platform documents has no call that deletes a run"
    return _NONE if is_empty else "Deleted runs can be restored for some days"


def _tags(ticked: Sequence[str], marks: Mapping[str, RunLabels], scope: Scope, is_empty: bool) -> None:
    is_one = scope == "ticked" and len(ticked) == 1
    label = "Tags and note" if is_one else "Tags"
    with st.popover(
        label, icon=":material/sell:", disabled=is_empty, help=_NONE if is_empty else None, key="marks_chosen"
    ):
        if is_one:
            marks_form(ticked[0], marks.get(ticked[0], RunLabels()))
        elif not is_empty:
            _bulk_tags(ticked, scope)


def _bulk_tags(ticked: Sequence[str], scope: Scope) -> None:
    known = known_tags()
    st.multiselect(
        "Add tags",
        known,
        key=_ADDED_KEY,
        accept_new_options=True,
        placeholder="Choose or type a tag",
    )
    st.multiselect("Remove tags", known, key=_REMOVED_KEY, placeholder="Choose a tag")
    st.button(
        "Change tags",
        key="bulk_tags",
        icon=":material/sell:",
        args=(scope, list(ticked)),
        **on_click(_change_tags),
    )


def _verdict(ticked: Sequence[str], scope: Scope, is_empty: bool) -> None:
    reason = reason_against_verdicts()
    is_closed = is_empty or bool(reason)
    with st.popover(
        "Verdict",
        icon=":material/gavel:",
        disabled=is_closed,
        help=reason or (_NONE if is_empty else "Your verdict on each run as a whole"),
        key="verdict_chosen",
    ):
        if is_closed:
            return
        st.caption("Your verdict on each of the runs as a whole replaces your earlier one.")
        st.text_input("Comment", key=_COMMENT_KEY, placeholder="Why", max_chars=5_000)
        with st.container(horizontal=True, gap="xsmall"):
            for value, (word, icon, _) in VERDICT_LOOKS.items():
                st.button(
                    word,
                    key=f"bulk_{value}",
                    icon=icon,
                    args=(scope, list(ticked), value),
                    **on_click(_decide),
                )


@action(role=Role.REVIEW)
def star(scope: Scope, ticked: Sequence[str], *, starred: bool) -> None:
    """Give the runs of a scope a star, or take it."""
    ids = scope_ids(scope, ticked)
    notes.star(ids, starred=starred)
    _report(f"{count(len(ids), 'run')} {'starred' if starred else 'without a star'}.")


@action(role=Role.REVIEW)
def _change_tags(scope: Scope, ticked: Sequence[str]) -> None:
    added, removed = state.widget(_ADDED_KEY, []), state.widget(_REMOVED_KEY, [])
    if not added and not removed:
        raise InputError("No tag was changed.", advice="Choose tags to add or to remove.")
    ids = scope_ids(scope, ticked)
    local_notes().change_tags(ids, added, removed)
    state.set_widget(_ADDED_KEY, [])
    state.set_widget(_REMOVED_KEY, [])
    _report(f"Tags of {count(len(ids), 'run')} changed.")


@action(role=Role.REVIEW)
def _decide(scope: Scope, ticked: Sequence[str], value: VerdictValue) -> None:
    ids = scope_ids(scope, ticked)
    draft = Draft(str(state.widget(_COMMENT_KEY, "")))
    store_verdicts(ids, Target(), value, draft, own_verdicts(ids, Target()))
    state.set_widget(_COMMENT_KEY, "")
    _report(f"Verdict “{value}” on {count(len(ids), 'run')}.")


def _report(notice: str) -> None:
    state.record(BackendCache).expire()
    if state.record(LastAction).error is None:
        runs_state().notice = notice


@action()
def open_export(scope: Scope, ticked: Sequence[str]) -> None:
    """Open the export dialog for ticked runs and the filters."""
    backend, wanted = current_backend(), runs_state().wanted
    scopes = [ExportScope.here(backend, ticked, "Ticked runs")] if ticked else []
    if wanted is not None:
        found = ExportScope.here(backend, label="Runs of the filters")
        try:
            if not wanted.needs_summaries:
                found = replace(found, wanted=wanted)
            else:
                found = replace(found, run_ids=tuple(found_ids(backend, wanted)))
            scopes = [found, *scopes] if scope == "found" else [*scopes, found]
        except DebuggerError:
            if scope == "found" or not ticked:
                raise  # the ticked runs do not need the others
    open_export_dialog(*scopes)


@action(role=Role.REVIEW)
def open_review(scope: Scope, ticked: Sequence[str]) -> None:
    """Go to the page Review with the runs of a scope."""
    wanted = runs_state().wanted
    if scope == "ticked" or wanted is None:
        begin_review(ReviewFilter(runs=tuple(ticked)))
    elif wanted.needs_summaries or wanted.search.source_workflow_run_id:
        begin_review(ReviewFilter(runs=tuple(found_ids(current_backend(), wanted))))
    else:
        begin_review(ReviewFilter.of_list(wanted))


def _open(ticked: Sequence[str]) -> None:
    runs_state().clicked = ticked[0]


def _compare(ticked: Sequence[str]) -> None:
    runs_state().compared = list(ticked)


def compare_requested() -> None:
    """Go to the comparison that was requested; a callback cannot switch pages."""
    held = runs_state()
    chosen, held.compared = held.compared, []
    if not chosen:
        return
    later, earlier = (
        RunPlace(state.record(CurrentBackend).name, run_id).text("embedded") for run_id in chosen
    )
    st.switch_page(
        state.record(PageLinks).by_name["compare"],
        query_params=CompareAddress(earlier, later).to_parameters(),
    )
