"""The editor of a run's variables while it stands still: edits are pending until they are applied."""

from __future__ import annotations

import streamlit as st

from debugger.session.pending_edits import PendingEdits
from debugger.views import state, stepping_commands
from debugger.views.parts.pending_table import pending_differences, pending_table, tier_word
from debugger.views.parts.plain import plain
from debugger.views.reading import Reading

_WIDTH = 560


def live_edit(now: Reading) -> None:
    """Draw the editor behind a button."""
    page = state.page()
    stop = now.session.stop_point
    reason = now.session.backend.capabilities.reason_against("set_state")
    if page.pending_at != stop:
        page.pending, page.pending_at = now.session.pending_edits(), stop
    # Told of to the server, so that it stays open when all around it is drawn anew; with another label it
    # would be another box, and closed.
    editor = st.popover(
        "Edit variables",
        icon=":material/edit:",
        key="live_edit",
        disabled=reason is not None or page.pending is None,
        help=plain(reason) if reason else "What follows sees the change",
        width="content",
        on_change="rerun",
    )
    if page.pending is not None and page.pending.edits:
        st.badge(f"{len(page.pending.edits)} pending", color="orange")
    if editor.open and page.pending is not None:
        with editor, st.container(width=_WIDTH):
            _editor(page.pending)


def _editor(pending: PendingEdits) -> None:
    tiers = {tier_word(tier): tier for tier in pending.shown}
    words = list(tiers)
    if state.widget("live_tier") not in tiers:
        state.set_widget("live_tier", words[0])
    chosen = st.segmented_control(
        "Variables of", words, key="live_tier", required=True, label_visibility="collapsed"
    )
    pending_table(pending, tiers[chosen or words[0]], "live")
    for problem in pending.problems:
        st.error(plain(problem), icon=":material/error:")
    _summary(pending)


def _summary(pending: PendingEdits) -> None:
    """What would be different, with the way to do it and the way back."""
    changed = pending.differences
    pending_differences(changed)
    with st.container(horizontal=True, gap="xsmall"):
        st.button(
            "Apply",
            key="apply_edits",
            type="primary",
            icon=":material/check:",
            on_click=stepping_commands.apply_edits,
            args=(pending.edits,),
            disabled=not pending.edits or bool(pending.problems),
        )
        st.button(
            "Discard",
            key="discard_edits",
            icon=":material/undo:",
            on_click=_discard,
            disabled=not changed and not pending.problems,
        )


def _discard() -> None:
    state.page().pending_at = None
    state.renew_editors()
