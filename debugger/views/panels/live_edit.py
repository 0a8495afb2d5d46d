"""The editor of a run's variables while it stands still: edits are pending until they are applied."""

from __future__ import annotations

import streamlit as st

from debugger.session.variable_rows import PendingEdits
from debugger.store import Role
from debugger.views import state
from debugger.views.actions import command
from debugger.views.auth.permissions import denied, on_click, requires
from debugger.views.components.markdown import plain
from debugger.views.components.toolbar import Badge, Disclosure, Item
from debugger.views.panels import stepping_commands
from debugger.views.panels.pending_table import pending_differences, pending_table, tier_word
from debugger.views.run_view import Reading


def live_edit_switch(now: Reading) -> list[Item]:
    """What shows and hides the editor, with how much is pending; nothing while the run goes on."""
    page = state.page()
    stop = now.session.stop_point
    if stop is None:
        return []
    if page.pending_at != stop:
        page.pending, page.pending_at = now.session.pending_edits(), stop
    if page.pending is None or not page.pending.edits:
        return [_switch(now)]
    return [_switch(now), Badge(f"{len(page.pending.edits)} pending", colour="orange")]


def live_edit(now: Reading) -> None:
    """Draw the editor while it is shown."""
    pending = state.page().pending
    if now.session.stop_point is not None and pending is not None and _switch(now).is_open:
        with st.container(border=True, key="live_editor"):  # style.css lets it float
            _editor(pending)


def _switch(now: Reading) -> Disclosure:
    reason = now.session.backend.capabilities.reason_against("set_state") or denied(
        stepping_commands.apply_edits
    )
    return Disclosure(
        "live_edit",
        "Edit variables",
        ":material/edit:",
        "secondary",
        help=reason or "What follows sees the change",
        disabled=bool(reason) or state.page().pending is None,
        closing_key="Escape",
    )


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
            args=(pending.edits,),
            **on_click(stepping_commands.apply_edits, disabled=not pending.edits or bool(pending.problems)),
        )
        st.button(
            "Discard",
            key="discard_edits",
            icon=":material/undo:",
            **on_click(_discard, disabled=not changed and not pending.problems),
        )


@command
@requires(Role.RUN)
def _discard() -> None:
    state.page().pending_at = None
    state.renew_editors()
