"""Dialog that accepts a group of a replay."""

from __future__ import annotations

import streamlit as st

from debugger.replays.groups import ReplayGroup
from debugger.replays.results import VERDICT_LABELS
from debugger.store import Role
from debugger.views import state
from debugger.views.actions import action
from debugger.views.auth.permissions import current_user, on_change, on_click
from debugger.views.components.error_box import show_failures, show_unexpected_errors
from debugger.views.components.markdown import count, plain
from debugger.views.components.side_dialog import dialog_footer, side_dialog
from debugger.views.confirmations import OpenQuestions
from debugger.views.panels.notes import author, call_author
from debugger.views.panels.replays import actions
from debugger.views.panels.replays.actions import COMMENT_KEY, MAX_COMMENT_CHARACTERS, AcceptanceDialog
from debugger.views.panels.replays.groups import what, where

_NAME_KEY = "replay_accepted_by"


def acceptance_dialog() -> None:
    """Draw the dialog while it is open."""
    if state.record(AcceptanceDialog).group is not None and not state.record(OpenQuestions).is_open:
        side_dialog("Accept the difference", icon=":material/check:", on_dismiss=actions.close_acceptance)(
            _body
        )()


@show_unexpected_errors("The dialog")
def _body() -> None:
    """Draw what is accepted, the name and the comment, and the button that accepts.

    Where the dialog is closed, the page is rerun.
    """
    group = state.record(AcceptanceDialog).group
    if group is None:
        st.rerun()  # only that closes a dialog
    with st.container(key="replay_acceptance", gap="small"):
        _subject(group)
        state.set_widget(_NAME_KEY, author())
        st.text_input(
            "Your name",
            key=_NAME_KEY,
            icon=":material/person:",
            max_chars=80,
            **on_change(_name_changed, disabled=not current_user().is_local),
        )
        st.text_area(
            "Comment",
            key=COMMENT_KEY,
            placeholder="Why it is on purpose",
            max_chars=MAX_COMMENT_CHARACTERS,
        )
        st.caption(
            "It stays accepted: replays of this workflow, also earlier ones, count it apart wherever the "
            "same differs at the same node."
        )
        show_failures("replay_acceptance")
    with dialog_footer():
        st.button("Accept", key="accept", type="primary", icon=":material/check:", **on_click(actions.accept))


def _subject(group: ReplayGroup) -> None:
    """Draw how many runs differ, where, and in what."""
    st.markdown(
        f"**{VERDICT_LABELS[group.verdict]}** at **{plain(where(group))}** in {count(group.count, 'run')}"
    )
    st.markdown(plain(what(group)))


@action(role=Role.REVIEW)
def _name_changed() -> None:
    call_author(state.widget(_NAME_KEY) or "")
