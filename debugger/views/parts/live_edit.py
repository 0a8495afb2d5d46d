"""The editor of a run's variables while it stands still: edits are pending until they are applied."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pandas as pd
import streamlit as st

from debugger.session.pending_edits import PendingEdits, Tier
from debugger.session.variable_rows import VALUE_TYPES, edited
from debugger.views import state, stepping_commands
from debugger.views.parts.heights import ROW
from debugger.views.parts.plain import count, plain
from debugger.views.reading import Reading

_MOST_SHOWN = 12
_WIDTH = 560


def live_edit(now: Reading) -> None:
    """Draw the editor behind a button."""
    page = state.page()
    stop = now.session.stop_point
    reason = now.session.backend.capabilities.reason_against("set_state")
    if page.pending_at != stop:
        page.pending, page.pending_at = now.session.pending_edits(), stop
    waiting = len(page.pending.edits) if page.pending else 0
    with st.popover(
        f"Edit variables ({waiting} pending)" if waiting else "Edit variables",
        icon=":material/edit:",
        key="live_edit",
        disabled=reason is not None or page.pending is None,
        help=plain(reason) if reason else "What follows sees the change",
        width="content",
    ):
        if page.pending is not None:
            with st.container(width=_WIDTH):
                _editor(page.pending)


def _editor(pending: PendingEdits) -> None:
    tiers = {_word(tier): tier for tier in pending.shown}
    words = list(tiers)
    if state.widget("live_tier") not in tiers:
        state.set_widget("live_tier", words[0])
    chosen = st.segmented_control(
        "Variables of", words, key="live_tier", required=True, label_visibility="collapsed"
    )
    _table(pending, tiers[chosen or words[0]])
    for problem in pending.problems:
        st.error(plain(problem), icon=":material/error:")
    _summary(pending)


def _word(tier: Tier) -> str:
    if tier.scope != "runtime":
        return tier.scope.capitalize()
    return "Runtime" if tier.thread_id == "0" else f"Runtime of {plain(tier.thread_id)}"


def _table(pending: PendingEdits, tier: Tier) -> None:
    page = state.page()
    key = f"live_{tier.scope}_{tier.thread_id}_{page.generation}"
    if state.widget(key) is None:
        page.tables[key] = pending.rows(tier)
    st.data_editor(
        pd.DataFrame(map(asdict, page.tables[key]), columns=["name", "type", "value"], dtype="str"),
        key=key,
        num_rows="dynamic",
        hide_index=True,
        row_height=ROW,
        on_change=_edited,
        args=(pending, tier, key),
        column_config={
            "name": st.column_config.TextColumn("Name", width=150, required=True),
            "type": st.column_config.SelectboxColumn(
                "Type", width=80, options=VALUE_TYPES, default="text", required=True
            ),
            "value": st.column_config.TextColumn("Value", width=280, default=""),
        },
        alt=f"{_word(tier)} variables: name, type and value",
    )


def _edited(pending: PendingEdits, tier: Tier, key: str) -> None:
    pending.set_rows(tier, edited(state.page().tables[key], state.widget(key)))


def _summary(pending: PendingEdits) -> None:
    """What would be different, with the way to do it and the way back."""
    changed = pending.differences
    if not changed:
        st.caption("Nothing is changed yet.")
    for found in changed[:_MOST_SHOWN]:
        before = "" if found.op == "added" else _shown(found.before)
        after = "" if found.op == "removed" else _shown(found.after)
        st.text(f"{found.sign} {found.path}: {before} → {after}")
    if len(changed) > _MOST_SHOWN:
        st.caption(f"and {count(len(changed) - _MOST_SHOWN, 'more difference')}")
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


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:59] + "…"
