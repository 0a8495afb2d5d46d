"""Verdict, comment and rubric of the run under review, and the verdicts of others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import streamlit as st

from debugger.errors import DebuggerError
from debugger.protocol.notes import MAX_COMMENT_CHARACTERS, Target
from debugger.protocol.reviews import MAX_CHECKS, CheckResult, Verdict, VerdictValue, target_words
from debugger.store import Role
from debugger.store.edited_tables import Stored
from debugger.views import state
from debugger.views.actions import action
from debugger.views.auth.permissions import on_change, on_click
from debugger.views.backends import local_store
from debugger.views.components.error_box import show_error
from debugger.views.components.markdown import count, plain
from debugger.views.components.text_box import text_box
from debugger.views.components.toolbar import Button, Colour, Item, Spacer, Text, Toggle, bar
from debugger.views.edits import begin_box, show_change, store_edit
from debugger.views.panels.notes import author
from debugger.views.panels.review.actions import (
    Draft,
    change_draft,
    choose_target,
    decide,
    delete_verdict,
    draft_on,
    may_delete,
    move_target,
    reason_against_verdicts,
    reveal,
    review,
    show_present_verdict,
    show_run,
    undo,
)
from debugger.views.panels.review.queue import ReviewQueue
from debugger.views.shortcuts import keys

_COMMENT_HEIGHT = 84
_RUBRIC_HEIGHT = 200
MOVING_ON_KEY = "review_moves_on"
"""The switch that lets a verdict lead to the next open run."""

VERDICT_LOOKS: Final[dict[VerdictValue, tuple[str, str, Colour]]] = {
    "pass": ("Pass", ":material/check:", "green"),
    "fail": ("Fail", ":material/close:", "red"),
    "unsure": ("Unsure", ":material/question_mark:", "yellow"),
}
"""Word, icon and colour of each verdict."""
_CHECK_WORDS: Final[dict[CheckResult, str]] = {
    "pass": ":material/check: Pass",
    "fail": ":material/close: Fail",
    "not_applicable": "n/a",
}


def decision_bar(
    run_id: str, target: Target, own: Verdict | None, queue: ReviewQueue, open_runs: Sequence[str]
) -> None:
    """Draw in one line what is decided on, the buttons that decide with their keys, and those that lead on.

    Args:
        run_id: The run.
        target: The chosen part.
        own: The user's verdict on it.
        queue: The runs to review.
        open_runs: Those without the user's verdict.
    """
    state.begin_widget(MOVING_ON_KEY, review().opens_next_run)
    subject = Text(f"Verdict on {target_words(target)}", look="strong", key="review_subject")
    decides, walks = _verdict_items(run_id, target, own), walk_items(queue, run_id, open_runs)
    bar("review_decision", [subject, *decides, *_target_items(target), Spacer(), *walks])


def _target_items(target: Target) -> list[Item]:
    """Return the buttons that choose the previous part, the next part, and the run as a whole.

    The last one is disabled while the run as a whole is chosen.
    """
    return [
        _target_button("previous_target", "Previous part", ":material/arrow_upward:", -1),
        _target_button("next_target", "Next part", ":material/arrow_downward:", 1),
        Button(
            "whole_run",
            "Whole run",
            choose_target,
            (Target(),),
            look="tertiary",
            disabled=target.kind == "run",
            shortcut=keys("whole_run"),
            help="Judge the run as a whole again",
        ),
    ]


def _target_button(name: str, label: str, icon: str, step: int) -> Button:
    """Return the button that moves the chosen part by a step; `name` is its key and names its shortcut."""
    return Button(
        name,
        label,
        move_target,
        (step,),
        icon=icon,
        look="tertiary",
        shows="icon",
        shortcut=keys(name),
        counts=True,
    )


def _verdict_items(run_id: str, target: Target, own: Verdict | None) -> list[Item]:
    """Return a button for each verdict; a press stores it, and that of the user's own verdict is highlighted.

    All are disabled, with the reason as their help, where a run out of a file is on view.
    """
    reason = reason_against_verdicts()
    return [
        Button(
            # The run is part of the key: a second press does not decide on a run that was not seen.
            f"verdict_{value}_{run_id}",
            word,
            decide,
            (run_id, target, value),
            icon=icon,
            look="primary" if own and own.value == value else "secondary",
            disabled=bool(reason),
            help=reason,
            shortcut=keys(f"verdict_{value}"),
        )
        for value, (word, icon, _) in VERDICT_LOOKS.items()
    ]


def walk_items(queue: ReviewQueue, run_id: str, open_runs: Sequence[str]) -> list[Item]:
    """Return the buttons to the run before and to the next open one, "Undo", and the switch to move on.

    A button without such a run, or without a verdict to undo, is disabled. The first two choose a run of the
    queue, the switch writes `ReviewState.opens_next_run`.
    """
    open_next = queue.next_open(run_id, set(open_runs))
    back = queue.neighbour(run_id, -1)
    steps = review().steps
    return [
        Button(
            "previous_reviewed",
            "Back",
            show_run,
            (back,),
            icon=":material/chevron_left:",
            disabled=back == run_id,
            shortcut=keys("previous_reviewed"),
            help="The previous run, decided or not",
        ),
        Button(
            "next_open",
            "Next open",
            show_run,
            (open_next,),
            icon=":material/chevron_right:",
            disabled=open_next == run_id,
            shortcut=keys("next_open"),
            help="The next run without your verdict",
        ),
        Button(
            "undo_verdict",
            "Undo",
            undo,
            icon=":material/undo:",
            look="tertiary",
            disabled=not steps,
            shortcut=keys("undo_verdict"),
            help=f"Undo your last verdict: {steps[-1].verdict.value}" if steps else "Nothing to undo",
        ),
        Toggle(
            MOVING_ON_KEY,
            "Go to next run",
            help="A verdict on the whole run leads to the next open one",
            on_change=_moving_on_changed,
        ),
    ]


@action()
def _moving_on_changed() -> None:
    review().opens_next_run = bool(state.widget(MOVING_ON_KEY))


def changed_verdict(present: Verdict | None) -> None:
    """Draw that another tab has changed the user's verdict since it came on view; deleted it for ``None``.

    A press of the button drops `ReviewState.base_of`, so that the stored verdict comes on view.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        words = "was deleted" if present is None else f"is {present.value!r} by now"
        st.caption(f"Your verdict {words}: it was changed in another tab.", width="stretch")
        st.button(
            "Show it",
            key="review_present_verdict",
            icon=":material/refresh:",
            type="tertiary",
            on_click=show_present_verdict,
        )


def comment_box(run_id: str, target: Target, own: Verdict | None) -> None:
    """Draw the box of the comment that goes with the verdict, filled with that of the draft or the verdict.

    A change stores the comment, in the draft until there is a verdict. The box is disabled without the role
    REVIEW and for a run out of a file.
    """
    draft = draft_on(run_id, target, own)
    key = f"review_comment_{run_id}_{target.kind}_{target.key}"
    state.set_widget(key, draft.comment)
    text_box(
        "Comment",
        key,
        height=_COMMENT_HEIGHT,
        max_chars=MAX_COMMENT_CHARACTERS,
        placeholder="Why? It is stored with the verdict.",
        args=(run_id, target, key),
        **on_change(_comment_changed, disabled=bool(reason_against_verdicts())),
    )


@action(role=Role.REVIEW)
def _comment_changed(run_id: str, target: Target, key: str) -> None:
    comment: str = state.widget(key) or ""
    change_draft(run_id, target, lambda draft: replace(draft, comment=comment))


def rubric_checks(run_id: str, own: Verdict | None, workflow_id: str) -> None:
    """Draw the rubric's checks of the run as a whole, and the menu in which the rubric is edited.

    A chosen result is stored, in the draft until there is a verdict. Where the rubric cannot be read, only
    the error is drawn. The controls of results are disabled without the role REVIEW and for a run out of a
    file.
    """
    try:
        stored = local_store().reviews.stored_rubric(workflow_id)
    except DebuggerError as error:
        show_error(error)
        return
    draft, checks = draft_on(run_id, Target(), own), stored.content
    for place, check in enumerate(checks):
        key = f"review_check_{place}_{run_id}"
        state.set_widget(key, draft.checks.get(check))
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"{key}_line"):
            st.markdown(plain(check), width="stretch")
            st.segmented_control(
                check,
                list(_CHECK_WORDS),
                key=key,
                label_visibility="collapsed",
                format_func=_CHECK_WORDS.__getitem__,
                args=(run_id, check, key),
                **on_change(_check_changed, disabled=bool(reason_against_verdicts())),
            )
    label = "Edit the rubric" if checks else "Add a rubric"
    with st.popover(label, icon=":material/checklist:", type="tertiary", key="review_rubric"):
        _rubric_form(workflow_id, stored)


@action(role=Role.REVIEW)
def _check_changed(run_id: str, check: str, key: str) -> None:
    """Store the result of a check in the draft or the verdict on the run; a cleared control removes it.

    The value is that of the widget `key`. An error is stored in `LastAction`, not raised.
    """
    result: CheckResult | None = state.widget(key)

    def change(draft: Draft) -> Draft:
        """Return the draft with the result of the check, or without the check."""
        others = {name: value for name, value in draft.checks.items() if name != check}
        return replace(draft, checks=others | ({check: result} if result else {}))

    change_draft(run_id, Target(), change)


def _rubric_form(workflow_id: str, stored: Stored[list[str]]) -> None:
    """Draw the box and the button of the rubric, and what another user has stored since the box was filled.

    The box is filled as it is drawn first; its text then stays.
    """
    st.caption(
        f"Named checks that reviewers of this workflow go through, one a line, {MAX_CHECKS} at most. "
        "Their results are stored with each verdict."
    )
    key, place, text = f"review_rubric_{workflow_id}", ("rubric", workflow_id), "\n".join(stored.content)
    is_changed = begin_box(key, place, text, stored.revision)
    text_box("Checks", key, height=_RUBRIC_HEIGHT, placeholder="Greets the caller\nAsks for the name")
    st.button(
        "Save the rubric",
        key="review_rubric_save",
        args=(workflow_id, key),
        **on_click(_save_rubric),
    )
    if is_changed:
        show_change("The rubric", key, place, text, stored)


@action(role=Role.REVIEW)
def _save_rubric(workflow_id: str, key: str) -> None:
    """Store the lines of the box as the rubric for all users, or ask where another user has changed it.

    Blank lines are left out, and white space is one space. Once stored, the box shows the checks. An error,
    as of two equal checks, is stored in `LastAction`, not raised.
    """
    lines = (state.widget(key) or "").splitlines()
    checks = [" ".join(line.split()) for line in lines if line.strip()]

    def show(found: Sequence[str] | None) -> None:
        state.set_widget_from_callback(key, "\n".join(found or ()))

    is_stored = store_edit(
        ("rubric", workflow_id),
        Role.REVIEW,
        lambda expected: local_store().reviews.set_rubric(
            workflow_id, checks, by=author(), expected=expected
        ),
        subject="The rubric",
        mine="\n".join(checks),
        words="\n".join,
        keep_theirs=show,
    )
    if is_stored:
        show(checks)


def verdict_list(run_id: str, found: Sequence[Verdict]) -> None:
    """Draw the user's verdicts, and those of others once the user has decided on the run as a whole.

    Before, a caption has the number of those of others, and a button shows them.

    Args:
        run_id: The run.
        found: All verdicts on the run.
    """
    own_name = author()
    own = [verdict for verdict in found if verdict.reviewer == own_name]
    others = [verdict for verdict in found if verdict.reviewer != own_name]
    is_decided = any(verdict.target.kind == "run" for verdict in own)
    is_shown = is_decided or run_id in review().revealed
    for verdict in [*own, *(others if is_shown else [])]:
        _verdict(verdict)
    if others and not is_shown:
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.caption(f"{count(len(others), 'verdict')} of others, shown once you have decided.")
            st.button(
                "Show now",
                key="review_reveal",
                type="tertiary",
                icon=":material/visibility:",
                args=(run_id,),
                **on_click(reveal),
            )


def _verdict(verdict: Verdict) -> None:
    """Draw a verdict in a line: value, reviewer, target, comment, failed checks, and the button to delete it.

    The button is disabled where the user may not delete the verdict.
    """
    word, icon, colour = VERDICT_LOOKS[verdict.value]
    key = f"review_verdict_{verdict.reviewer}_{verdict.target.kind}_{verdict.target.key}"
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"{key}_line"):
        st.badge(word, icon=icon, color=colour)
        failed = [name for name, result in verdict.checks.items() if result == "fail"]
        parts = [f"{verdict.reviewer} on {target_words(verdict.target)}", verdict.comment]
        parts.append(f"fails: {', '.join(failed)}" if failed else "")
        st.caption(plain(" · ".join(filter(None, parts))), width="stretch")
        st.button(
            "Delete the verdict",
            key=f"remove_{key}",
            type="tertiary",
            icon=":material/delete:",
            args=(verdict,),
            **on_click(delete_verdict, disabled=not may_delete(verdict)),
        )
