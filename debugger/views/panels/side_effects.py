"""Log of outside calls, with their policies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from debugger.analysis.node_origins import author_node_id
from debugger.analysis.outbound_policies import HOSTED_NOTICE, policy_rows, policy_summary
from debugger.analysis.side_effects import SideEffect, blocked_call_advice
from debugger.errors import DebuggerError
from debugger.exports.csv_files import side_effect_rows, side_effects_csv
from debugger.settings import Settings, read_settings
from debugger.views import actions, refresh, state
from debugger.views.audit import audited_file
from debugger.views.backends import CurrentBackend
from debugger.views.components.error_box import show_error
from debugger.views.components.markdown import plain
from debugger.views.components.tables import ROW, table_height
from debugger.views.components.toolbar import Item, Text
from debugger.views.run_view import RunView

TABLE_KEY = "side_effects"
_NODES_KEY = "side_effect_nodes"
_MOST_ROWS = 8
_COLOURS = {
    "live": "blue",
    "simulated": "violet",
    "blocked": "orange",
    "ok": "green",
    "failed": "red",
    "not made": "orange",
}


def side_effects_words(view: RunView) -> list[Item]:
    """The totals, for a bar."""
    return [Text(view.outside)] if view.effects else []


def side_effects_file(view: RunView) -> None:
    """Draw the button that saves them."""
    if view.effects:
        _download(view)


def side_effects(view: RunView) -> None:
    """Draw the log, advice on blocked calls, and the selected call."""
    if view.session.ledger.error is not None:
        show_error(view.session.ledger.error)
    if not view.effects:
        _nothing(view)
        return
    for sentence in blocked_call_advice(view.effects):
        st.caption(f":material/block: {plain(sentence)}")
    chosen = _table(view)
    if chosen is not None:
        _whole(chosen)


def _nothing(view: RunView) -> None:
    ended = "No turn has called anything outside yet." if view.turns else "A run's calls outside appear here."
    st.caption(f"{ended} They are told when a turn has ended. {plain(policies_of(view))}")


def _table(view: RunView) -> SideEffect | None:
    effects = view.effects
    state.set_widget(_NODES_KEY, [author_node_id(effect.node_logical_id, view.names) for effect in effects])
    picked = st.dataframe(
        {
            "seq": list(range(1, len(effects) + 1)),
            "turn": [effect.turn_number for effect in effects],
            **_background(effects),
            "node": [effect.node_name for effect in effects],
            "class": [effect.call_class for effect in effects],
            "kind": [effect.kind for effect in effects],
            "target": [effect.target for effect in effects],
            "how": [[effect.how] for effect in effects],
            "outcome": [[effect.outcome] for effect in effects],
            "status": [effect.status_code for effect in effects],
            "took": [effect.duration_milliseconds for effect in effects],
            "error": [effect.error for effect in effects],
        },
        key=TABLE_KEY,
        height=table_height(len(effects), _MOST_ROWS),
        row_height=ROW,
        hide_index=True,
        on_select=refresh.refreshing("look", _choose),
        selection_mode="single-cell",
        column_config=_columns(effects),
        placeholder="",
        alt="Side effects: a row a call, with turn, node, class, target, how it was treated and its outcome",
    )
    cells = picked["selection"]["cells"]
    return effects[cells[0][0]] if cells and cells[0][0] < len(effects) else None


def _background(effects: Sequence[SideEffect]) -> dict[str, list[bool]]:
    hint = [effect.is_background for effect in effects]
    return {"background": hint} if any(hint) else {}


def _columns(effects: Sequence[SideEffect]) -> dict[str, Any]:
    columns = st.column_config
    return {
        "seq": columns.NumberColumn("#", width=44),
        "turn": columns.NumberColumn("Turn", width=50),
        "background": columns.CheckboxColumn(
            "Background", width=90, help="Made in background work after the turn"
        ),
        "node": columns.TextColumn("Node", width=132),
        "class": columns.TextColumn("Class", width=64, help="talk, read, write or contact"),
        "kind": columns.TextColumn("Kind", width=60),
        "target": columns.TextColumn("Where to", width=226),
        "how": _chips(
            "How", "live: made for real; simulated: answered here; blocked: refused", effects, "how"
        ),
        "outcome": _chips("Outcome", "What came of it", effects, "outcome"),
        "status": columns.NumberColumn("Status", width=60, format="%d"),
        "took": columns.NumberColumn("Took", width=76, format="%.1f ms"),
        "error": columns.TextColumn("Error", width=360, help="Choose a row to read it in full"),
    }


def _chips(label: str, hint: str, effects: Sequence[SideEffect], name: str) -> Any:
    words = sorted({str(getattr(effect, name)) for effect in effects})
    return st.column_config.MultiselectColumn(
        label, width=92, options=words, color=[_COLOURS.get(word, "gray") for word in words], help=hint
    )


def _choose() -> None:
    cells = state.widget(TABLE_KEY)["selection"]["cells"]
    nodes = state.widget(_NODES_KEY)
    if cells and cells[0][0] < len(nodes):
        actions.select_node(nodes[cells[0][0]])


def _whole(effect: SideEffect) -> None:
    with st.container(border=True, gap="xxsmall", key="side_effect"):
        st.text(effect.target)  # never Markdown: it would make links of addresses
        where = f"{effect.node_name}, {effect.call_class} call, {effect.how}, {effect.outcome}"
        st.caption(plain(f"{where}, {effect.time}" if effect.time else where))
        if effect.error:
            st.text(effect.error)
        st.caption("Sent" if effect.how == "live" else "Would have been sent")
        st.json(dict(effect.request), expanded=2)


def _download(view: RunView) -> None:
    session = view.session
    if session.run_id is None or session.busy:
        return
    st.download_button(
        "Side effects CSV",
        key="download_side_effects",
        data=audited_file(
            lambda: side_effects_csv(side_effect_rows(session.run_id or "", view.effects)),
            session.run_id,
            format="side_effects",
        ),
        file_name=f"run-{session.run_id}-side-effects.csv",
        mime="text/csv; charset=utf-8",
        icon=":material/download:",
        on_click="ignore",
        help="A row for each call",
    )


def policies_of(view: RunView) -> str:
    """Return a sentence on models and the policies of calls."""
    if state.record(CurrentBackend).name != "embedded":
        return HOSTED_NOTICE
    try:
        return policy_summary(read_settings(), has_script=view.is_scripted)
    except DebuggerError:
        return ""  # the page Connection tells what is wrong with the settings


def policy_table(settings: Settings) -> None:
    """Draw the policy of each class of calls."""
    rows = policy_rows(settings)
    st.dataframe(
        {
            "class": [row.call_class for row in rows],
            "what": [row.what for row in rows],
            "policy": [f"{row.policy}: {row.meaning}" for row in rows],
            "setting": [row.setting for row in rows],
        },
        key="policies",
        hide_index=True,
        row_height=ROW,
        column_config={
            "class": st.column_config.TextColumn("Class", width=80),
            "what": st.column_config.TextColumn("Calls outside", width=210),
            "policy": st.column_config.TextColumn("What happens", width=190),
            "setting": st.column_config.TextColumn("Set by", width=300),
        },
        alt="Policy of each class of calls to the outside, and the variable that sets it",
    )
