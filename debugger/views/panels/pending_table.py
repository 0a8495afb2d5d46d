"""A table of variables whose edits are pending, and what would be different by them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd
import streamlit as st

from debugger.analysis.differences import Difference
from debugger.session.variable_rows import VALUE_TYPES, PendingEdits, Tier, edited
from debugger.store import Role
from debugger.views import state
from debugger.views.actions import command
from debugger.views.auth.permissions import denied, requires
from debugger.views.components.markdown import count
from debugger.views.components.tables import ROW

_MOST_SHOWN = 12
_LONGEST = 60


def tier_word(tier: Tier) -> str:
    """What people call a set of variables."""
    if tier.scope != "runtime":
        return tier.scope.capitalize()
    return "Runtime" if tier.thread_id == "0" else f"Runtime of {tier.thread_id}"


def pending_table(pending: PendingEdits, tier: Tier, lead: str) -> None:
    """Draw the editor of one set of variables.

    Args:
        pending: Takes the edits.
        tier: The set.
        lead: What the editor's key begins with.
    """
    page = state.page()
    key = f"{lead}_{tier.scope}_{tier.thread_id}_{page.generation}"
    # The grid tells its edits against the rows that it was first given, so those stay while it lives.
    if state.widget(key) is None:
        page.tables[key] = pending.rows(tier)
    st.data_editor(
        pd.DataFrame(map(asdict, page.tables[key]), columns=["name", "type", "value"], dtype="str"),
        key=key,
        num_rows="dynamic",
        hide_index=True,
        row_height=ROW,
        height=ROW * 6,
        on_change=_take,
        args=(pending, tier, key),
        disabled=bool(denied(_take)),
        column_config={
            "name": st.column_config.TextColumn("Name", width=180, required=True),
            "type": st.column_config.SelectboxColumn(
                "Type", width=80, options=VALUE_TYPES, default="text", required=True
            ),
            "value": st.column_config.TextColumn("Value", width=340, default=""),
        },
        alt=f"{tier_word(tier)} variables: name, type and value",
    )


def pending_differences(found: Sequence[Difference]) -> None:
    """Draw what would be different, a line each."""
    if not found:
        st.caption("Nothing is changed yet.")
    for each in found[:_MOST_SHOWN]:
        before = "" if each.op == "added" else _shown(each.before)
        after = "" if each.op == "removed" else _shown(each.after)
        st.text(f"{each.sign} {each.path}: {before} → {after}")
    if len(found) > _MOST_SHOWN:
        st.caption(f"and {count(len(found) - _MOST_SHOWN, 'more difference')}")


@command
@requires(Role.RUN)
def _take(pending: PendingEdits, tier: Tier, key: str) -> None:
    pending.set_rows(tier, edited(state.page().tables[key], state.widget(key)))


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
