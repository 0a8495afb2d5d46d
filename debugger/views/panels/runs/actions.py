"""Actions on the ticked runs, or on all that the filters find.

They take the runs that are chosen when they are used: a tick may come right before them, and be drawn after.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

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
from debugger.views.components.toolbar import Button, Item, Menu, Text, bar
from debugger.views.panels import notes
from debugger.views.panels.exports import ExportScope, open_export_dialog
from debugger.views.panels.notes import known_tags, marks_form
from debugger.views.panels.replays.start import NEEDS_EMBEDDED, can_replay, show_start
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
    Scope,
    chosen_ids,
    found_ids,
    runs_state,
)
from debugger.views.state import LastAction, PageLinks
from debugger.views.url_state import CompareAddress, RunPlace

_ONE = "Tick one run by its box"
_ADDED_KEY, _REMOVED_KEY = "bulk_tags_added", "bulk_tags_removed"
_COMMENT_KEY = "bulk_verdict_comment"


def run_actions(ticked: list[str], marks: Mapping[str, RunLabels], total: int) -> None:
    """Draw the actions.

    Args:
        ticked: The ticked runs, at least one.
        marks: Star, tags and note of the runs on the page.
        total: The number of runs that the filters find.
    """
    scope = runs_state().scope
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="run_actions"):
        bar("run_actions_bar", _first_items(ticked, scope, total), low=True, width="content")
        _tags(ticked, marks, scope)
        _verdict()
        bar("run_actions_end", _last_items(ticked, marks, scope), low=True, width="content")


def _first_items(ticked: list[str], scope: Scope, total: int) -> list[Item]:
    """Return the number of chosen runs, and the buttons that choose, open, compare, export or replay them.

    The choice between the ticked runs and all that the filters find is offered where these are more. "Open"
    needs one ticked run, "Compare" two; both are disabled while all found runs are chosen.
    """
    chosen = total if scope == "found" else len(ticked)
    items: list[Item] = [Text(f"{chosen:,} selected", "strong", key="chosen_count")]
    if scope == "found":
        only = Button("choose_ticked", f"Only {len(ticked):,}", _act_on, ("ticked",), look="tertiary")
        items.append(replace(only, help="Only the ticked runs"))
    elif total > len(ticked):
        every = Button("choose_found", f"All {total:,}", _act_on, ("found",), look="tertiary")
        items.append(replace(every, help="All runs that the filters find"))
    return [
        *items,
        Button(
            "open_chosen",
            "Open",
            _open,
            look="tertiary",
            disabled=scope == "found" or len(ticked) != 1,
            help=_ONE,
        ),
        Button(
            "compare_chosen",
            "Compare",
            _compare,
            look="tertiary",
            disabled=scope == "found" or len(ticked) != 2,
            help="Compare two ticked runs",
        ),
        Button(
            "export_chosen",
            "Export",
            open_export,
            look="tertiary",
            help="The selected runs as one file",
        ),
        Button(
            "review_chosen",
            "Review",
            open_review,
            look="tertiary",
            help="Review them one after the other",
        ),
        Button(
            "replay_chosen",
            "Replay",
            show_start,
            look="tertiary",
            disabled=not can_replay(),
            help="Replay on another version, with recorded answers" if can_replay() else NEEDS_EMBEDDED,
        ),
    ]


def _last_items(ticked: list[str], marks: Mapping[str, RunLabels], scope: Scope) -> list[Item]:
    """Return the buttons that star or delete the chosen runs, and the menu that erases a run or unticks all.

    "Unstar" takes the place of "Star" where all ticked runs have a star. Deletions are disabled for another
    backend than the embedded engine, that of every trace also unless one run is ticked and alone chosen.
    """
    has_all = scope == "ticked" and all(run_id in marks and marks[run_id].starred for run_id in ticked)
    cannot, is_one = not _can_delete(), scope == "ticked" and len(ticked) == 1
    erase = Button(
        "erase_chosen",
        "Delete every trace",
        ask_to_erase,
        icon=":material/delete_forever:",
        disabled=cannot or not is_one,
        help=_CANNOT_DELETE if cannot else f"Personal data: at once and for good. {_ONE}",
    )
    return [
        Button(
            "star_chosen",
            "Unstar" if has_all else "Star",
            partial(star, starred=not has_all),
            look="tertiary",
            help="Find them again by the filter “Starred only”",
        ),
        Button(
            "delete_chosen",
            "Delete",
            ask_to_delete,
            look="tertiary",
            disabled=cannot,
            help=_CANNOT_DELETE if cannot else "Deleted runs can be restored for some days",
        ),
        Menu(
            "more_actions",
            "More actions",
            [erase, Button("untick", "Untick all", _untick, icon=":material/check_box_outline_blank:")],
            icon=":material/more_horiz:",
            shows="icon",
            look="tertiary",
        ),
    ]


_CANNOT_DELETE = "The API that the platform documents has no call that deletes a run"


def _act_on(scope: Scope) -> None:
    runs_state().scope = scope


def _untick() -> None:
    runs_state().ticked = []


def _can_delete() -> bool:
    return state.record(CurrentBackend).name == "embedded"


def _tags(ticked: Sequence[str], marks: Mapping[str, RunLabels], scope: Scope) -> None:
    """Draw the menu of tags: of a single chosen run with its note, of several the tags to add or remove."""
    is_one = scope == "ticked" and len(ticked) == 1
    with st.popover("Tags and note" if is_one else "Tags", key="marks_chosen"):
        if is_one:
            marks_form(ticked[0], marks.get(ticked[0], RunLabels()))
        else:
            _bulk_tags()


def _bulk_tags() -> None:
    """Draw the tags to add and to remove, and the button that changes those of the chosen runs."""
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
        **on_click(_change_tags),
    )


def _verdict() -> None:
    """Draw the menu of a verdict on the chosen runs, with a comment; disabled for a run out of a file."""
    reason = reason_against_verdicts()
    help = reason or "Your verdict on each run as a whole"
    with st.popover("Verdict", disabled=bool(reason), help=help, key="verdict_chosen"):
        if reason:
            return
        st.caption("Your verdict on each of the runs as a whole replaces your earlier one.")
        st.text_input("Comment", key=_COMMENT_KEY, placeholder="Why", max_chars=5_000)
        with st.container(horizontal=True, gap="xsmall"):
            for value, (word, icon, _) in VERDICT_LOOKS.items():
                st.button(
                    word,
                    key=f"bulk_{value}",
                    icon=icon,
                    args=(value,),
                    **on_click(_decide),
                )


@action(role=Role.REVIEW)
def star(*, starred: bool) -> None:
    """Give the chosen runs a star, or take it, and report their number above the list.

    An error is stored in `LastAction`, not raised; nothing is then reported.
    """
    ids = chosen_ids()
    notes.star(ids, starred=starred)
    _report(f"{count(len(ids), 'run')} {'starred' if starred else 'without a star'}.")


@action(role=Role.REVIEW)
def _change_tags() -> None:
    """Add tags to the chosen runs and remove others, as the boxes say; then empty the boxes and report it.

    An error is stored in `LastAction`, not raised, as an InputError where neither box has a tag.
    """
    added, removed = state.widget(_ADDED_KEY, []), state.widget(_REMOVED_KEY, [])
    if not added and not removed:
        raise InputError("No tag was changed.", advice="Choose tags to add or to remove.")
    ids = chosen_ids()
    local_notes().change_tags(ids, added, removed)
    state.set_widget(_ADDED_KEY, [])
    state.set_widget(_REMOVED_KEY, [])
    _report(f"Tags of {count(len(ids), 'run')} changed.")


@action(role=Role.REVIEW)
def _decide(value: VerdictValue) -> None:
    """Store the user's verdict on each of the chosen runs as a whole, with the comment of the box.

    All or none are stored; then the box is emptied and the number reported. An error is stored in
    `LastAction`, not raised.
    """
    ids = chosen_ids()
    draft = Draft(str(state.widget(_COMMENT_KEY, "")))
    store_verdicts(ids, Target(), value, draft, own_verdicts(ids, Target()))
    state.set_widget(_COMMENT_KEY, "")
    _report(f"Verdict “{value}” on {count(len(ids), 'run')}.")


def _report(notice: str) -> None:
    state.record(BackendCache).expire()
    if state.record(LastAction).error is None:
        runs_state().notice = notice


@action()
def open_export(scope: Scope | None = None) -> None:
    """Open the export dialog for ticked runs and the filters.

    Where the runs of the filters cannot be read, only the ticked ones are offered; without those, or where
    the others come first, the error is stored in `LastAction` and no dialog opens.

    Args:
        scope: What comes first; ``None`` is what the actions are for.
    """
    held, backend = runs_state(), current_backend()
    wanted, ticked, scope = held.wanted, held.ticked, scope or held.scope
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
def open_review() -> None:
    """Go to the page Review with the chosen runs.

    All found runs are handed over as a filter, where that page has fields for all of it, else by their ids.
    An error is stored in `LastAction`, not raised; the page then stays.
    """
    held = runs_state()
    if held.scope == "found" and held.wanted is not None:
        whole = ReviewFilter.of_list(held.wanted)
        if whole.wanted == held.wanted:
            begin_review(whole)
            return
    begin_review(ReviewFilter(runs=tuple(chosen_ids())))


def _open() -> None:
    if len(runs_state().ticked) == 1:
        [runs_state().clicked] = runs_state().ticked


def _compare() -> None:
    if len(runs_state().ticked) == 2:
        runs_state().compared = list(runs_state().ticked)


def compare_requested() -> None:
    """Go to the page Compare with the two runs that were requested; a callback cannot switch pages.

    Nothing happens without a request, which is forgotten; with one the call does not return. The later run is
    B.
    """
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
