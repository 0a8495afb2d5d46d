"""The tree of a run and its forks, in a dialog whose rows open the runs."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from debugger.analysis.event_fields import iso_utc
from debugger.analysis.run_tree import TreeRow
from debugger.session.verification import Fidelity
from debugger.views import actions, state
from debugger.views.components import fidelity_badge
from debugger.views.components.status_badges import LOOKS
from debugger.views.components.tables import ROW, table_height
from debugger.views.panels import fork_actions

_TABLE_KEY = "run_tree"
_IDS_KEY = "run_tree_ids"
_MOST_ROWS = 14


def run_tree_dialog(rows: Sequence[TreeRow], run_id: str) -> None:
    """Draw the dialog while it is open.

    Args:
        rows: The tree.
        run_id: The run on view.
    """
    if not state.page().shows_tree:
        return
    shown = st.dialog(
        "Run tree", width="large", icon=":material/account_tree:", on_dismiss=fork_actions.close_tree
    )
    shown(_body)(rows, run_id)


def _body(rows: Sequence[TreeRow], run_id: str) -> None:
    if not state.page().shows_tree:
        st.rerun()  # only that closes a dialog
    st.caption("Each fork stands below the run that it left. Choose a row to open the run.")
    state.set_widget(_IDS_KEY, [row.run_id for row in rows])
    st.dataframe(
        _columns(rows, run_id),
        key=_TABLE_KEY,
        hide_index=True,
        row_height=ROW,
        height=table_height(len(rows), _MOST_ROWS),
        on_select=_open,
        selection_mode="single-cell",
        column_config={
            "run": st.column_config.TextColumn("Run", width=190),
            "status": st.column_config.TextColumn("Status", width=96),
            "fidelity": st.column_config.TextColumn("Fidelity", width=96),
            "changed": st.column_config.TextColumn("Changed", width=190),
            "note": st.column_config.TextColumn("Note", width=120),
            "by": st.column_config.TextColumn("By", width=60),
            "at": st.column_config.TextColumn("Made (UTC)", width=140),
            "id": st.column_config.TextColumn("Run id", width=210),
        },
        alt="The run and its forks, each below the run that it left",
    )
    st.button("Close", key="close_tree", type="tertiary", on_click=fork_actions.close_tree)


def _columns(rows: Sequence[TreeRow], run_id: str) -> dict[str, list[str]]:
    return {
        "run": [_branch(row, is_here=row.run_id == run_id) for row in rows],
        "status": [LOOKS[row.status].word if row.status else "" for row in rows],
        "fidelity": [_fidelity(row) for row in rows],
        "changed": [", ".join(row.changed) for row in rows],
        "note": [row.fork.note if row.fork else "" for row in rows],
        "by": [row.fork.forked_by if row.fork else "" for row in rows],
        "at": [iso_utc(row.fork.created_at)[:19].replace("T", " ") if row.fork else "" for row in rows],
        "id": [row.run_id for row in rows],
    }


def _branch(row: TreeRow, *, is_here: bool) -> str:
    lead = "\u2003" * (row.depth - 1) + "└ " if row.depth else ""
    return f"{lead}{row.label}{' ● on view' if is_here else ''}"


def _fidelity(row: TreeRow) -> str:
    if row.fork is None:
        return ""
    return fidelity_badge.LOOKS[Fidelity.from_json(row.fork.fidelity).verdict].word


def _open() -> None:
    cells = (state.widget(_TABLE_KEY) or {}).get("selection", {}).get("cells", [])
    if cells:
        fork_actions.close_tree()
        actions.open_run(state.widget(_IDS_KEY)[cells[0][0]])
        state.forget_widget(_TABLE_KEY)
