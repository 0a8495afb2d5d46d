"""Editor of a paused run's variables.

Edits are pending until they are applied.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Literal

import pandas as pd
import streamlit as st

from debugger.analysis.differences import Difference
from debugger.engine.variables import VariableEdit
from debugger.protocol.events import reference_id
from debugger.session.session import DebugSession
from debugger.session.stepping import Stop
from debugger.session.variable_rows import VALUE_TYPES, PendingEdits, VariableRow, VariableScope, edited
from debugger.store import Role
from debugger.views import state
from debugger.views.actions import action
from debugger.views.auth.permissions import explain_denial, on_click
from debugger.views.components.markdown import difference_lines, plain
from debugger.views.components.tables import ROW
from debugger.views.components.toolbar import Badge, Disclosure, Item
from debugger.views.panels.stepping import WAIT_SECONDS
from debugger.views.run_view import RunView
from debugger.views.state import Editors

_SWITCH = "live_edit"
_LEAD = "live"
"""The begin of the keys of the editor's grids."""


@dataclass
class VariableEdits:
    """Edits of the variables of a paused run."""

    pending: PendingEdits | None = None
    stop: Stop | None = None
    """The pause at which they were started; ``None`` begins with new ones."""


def live_edit_switch(view: RunView) -> list[Item]:
    """Return the switch of the editor and the number of pending edits; nothing while the run is not paused.

    At another pause the edits of the pause before are discarded, and the editor is closed.
    """
    edits = state.record(VariableEdits)
    stop = view.session.stop_point
    if stop is None:
        return []
    if edits.stop != stop:
        if edits.stop is not None:
            state.set_widget(_SWITCH, False)
        edits.pending, edits.stop = view.session.pending_edits(), stop
        if any(key.startswith(_LEAD) for key in state.record(Editors).tables):
            state.renew_editors()  # the grid would show, and edit, the variables of the pause before
    if edits.pending is None or not edits.pending.edits:
        return [_switch(view)]
    return [_switch(view), Badge(f"{len(edits.pending.edits)} pending", colour="orange")]


def live_edit(view: RunView) -> None:
    """Draw the editor while it is shown.

    Nothing is drawn where the run is not paused, its edits are not begun, or the switch is closed.
    """
    pending = state.record(VariableEdits).pending
    if view.session.stop_point is not None and pending is not None and _switch(view).is_open:
        with st.container(border=True, key="live_editor"):  # style.css lets it float
            _editor(pending)


def _switch(view: RunView) -> Disclosure:
    """Return the switch of the editor; disabled where the backend, the role or missing edits forbid it.

    The reason of the first two is its help.
    """
    reason = view.session.backend.capabilities.reason_against("set_state") or explain_denial(apply_edits)
    return Disclosure(
        _SWITCH,
        "Edit variables",
        ":material/edit:",
        "secondary",
        help=reason or "The rest of the turn uses the changed values",
        disabled=bool(reason) or state.record(VariableEdits).pending is None,
        closing_key="Escape",
    )


def _editor(pending: PendingEdits) -> None:
    """Draw the choice of a set of variables, its table, the problems, the changes, and the edits' buttons.

    Sets the session key `live_tier` to the first set where it names none; without any set `IndexError` is
    raised. *Apply* needs an edit and no problem, *Discard* a change or a problem.
    """
    tiers = {tier_word(tier): tier for tier in pending.shown}
    words = list(tiers)
    if state.widget("live_tier") not in tiers:
        state.set_widget("live_tier", words[0])
    chosen = st.segmented_control(
        "Variables of", words, key="live_tier", required=True, label_visibility="collapsed"
    )
    pending_table(pending, tiers[chosen or words[0]], _LEAD)
    for problem in pending.problems:
        st.error(plain(problem), icon=":material/error:")
    changed = pending.differences
    pending_differences(changed)
    with st.container(horizontal=True, gap="xsmall"):
        st.button(
            "Apply",
            key="apply_edits",
            type="primary",
            icon=":material/check:",
            args=(pending.edits,),
            **on_click(apply_edits, disabled=not pending.edits or bool(pending.problems)),
        )
        st.button(
            "Discard",
            key="discard_edits",
            icon=":material/undo:",
            **on_click(_discard, disabled=not changed and not pending.problems),
        )


@action(role=Role.RUN)
def _discard() -> None:
    state.record(VariableEdits).stop = None
    state.renew_editors()


def tier_word(tier: VariableScope) -> str:
    """Return the name of a set of variables."""
    if tier.scope != "runtime":
        return tier.scope.capitalize()
    return "Runtime" if tier.thread_id == "0" else f"Runtime of thread {reference_id(tier.thread_id)}"


def pending_table(pending: PendingEdits, tier: VariableScope, lead: str) -> None:
    """Draw the editor of one set of variables.

    Args:
        pending: Takes the edits.
        tier: The set.
        lead: What the editor's key begins with.
    """
    variable_grid(
        f"{lead}_{tier.scope}_{tier.thread_id}_{state.record(Editors).generation}",
        f"{tier_word(tier)} variables",
        partial(pending.rows, tier),
        partial(pending.set_rows, tier),
        widths=(180, 80, 340),
        height=ROW * 6,
    )


def variable_grid(
    key: str,
    label: str,
    rows: Callable[[], list[VariableRow]],
    take: Callable[[list[VariableRow]], None],
    *,
    widths: tuple[int, int, int],
    height: int | Literal["auto"] = "auto",
    disabled: bool = False,
) -> None:
    """Draw a grid in which variables can be edited.

    Args:
        key: The widget's.
        label: Its description for screen readers.
        rows: Returns the first content.
        take: Takes the content after an edit.
        widths: Of the columns name, type and value, in pixels.
        height: In pixels, or by its rows.
        disabled: Whether nothing can be edited.
    """
    tables = state.record(Editors).tables
    # The grid tells its edits against the rows that it got first, so those stay while it lives.
    if state.widget(key) is None:
        tables[key] = rows()
    name, kind, value = widths
    st.data_editor(
        pd.DataFrame(map(asdict, tables[key]), columns=["name", "type", "value"], dtype="str"),
        key=key,
        num_rows="dynamic",
        hide_index=True,
        row_height=ROW,
        height=height,
        on_change=_take,
        args=(take, key),
        disabled=disabled or bool(explain_denial(_take)),
        column_config={
            "name": st.column_config.TextColumn("Name", width=name, required=True),
            "type": st.column_config.SelectboxColumn(
                "Type", width=kind, options=VALUE_TYPES, default="text", required=True
            ),
            "value": st.column_config.TextColumn("Value", width=value, default=""),
        },
        alt=f"{label}: name, type and value",
    )


@action(role=Role.RUN)
def _take(take: Callable[[list[VariableRow]], None], key: str) -> None:
    take(edited(state.record(Editors).tables[key], state.widget(key)))


def pending_differences(found: Sequence[Difference]) -> None:
    """Draw what would be different, a line each."""
    if not found:
        st.caption("No changes yet.")
    difference_lines(found)


@action(role=Role.RUN, takes_session=True)
def apply_edits(session: DebugSession, edits: Sequence[VariableEdit]) -> None:
    """Change variables of the paused run.

    Waits briefly for the effect, then discards the pending edits and lets all editors begin anew. Edits that
    are refused stay; the refusal is in the session's `error`, any other error in `LastAction`.
    """
    session.edit(edits)
    if session.error is not None:
        return
    session.wait_until_idle(WAIT_SECONDS)
    state.record(VariableEdits).stop = None
    state.renew_editors()
