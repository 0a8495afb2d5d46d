"""What differs between the versions that ran."""

from __future__ import annotations

import streamlit as st

from debugger.analysis.comparison.tables import WorkflowChange
from debugger.session.comparison import SideBySide
from debugger.views.components.markdown import plain
from debugger.views.components.tables import ROW, table_height
from debugger.views.panels.compare.difference_list import difference_list

_MOST = 16
_HEIGHT = 520
_TABLE_KEY = "compare_structure"


def versions_tab(seen: SideBySide) -> None:
    """Draw the list of changes, and the fields of the chosen one."""
    missing = [
        f"{name}: {run.drawn_instead}" for name, run in (("A", seen.a), ("B", seen.b)) if run.drawn_instead
    ]
    if missing:
        st.info(plain(" ".join(missing)), icon=":material/help:")
        st.caption("The versions can be compared when both are at hand.")
        return
    found = seen.structure
    if not found:
        st.caption("Both runs ran on the same workflow: no node, edge or setting differs.")
        return
    left, right = st.columns([1.2, 1], gap="small")
    with left:
        place = _list(found)
    with right:
        _fields(found[place] if place is not None and place < len(found) else None)


def _list(found: list[WorkflowChange]) -> int | None:
    picked = st.dataframe(
        {
            "op": [f"{change.sign} {change.op}" for change in found],
            "part": [change.part for change in found],
            "name": [change.name for change in found],
            "fields": [", ".join(field.path for field in change.fields) for change in found],
        },
        key=_TABLE_KEY,
        hide_index=True,
        row_height=ROW,
        height=table_height(len(found), _MOST),
        on_select="rerun",
        selection_mode="single-cell",
        placeholder="",
        column_config={
            "op": st.column_config.TextColumn("From A to B", width=92),
            "part": st.column_config.TextColumn("Part", width=70),
            "name": st.column_config.TextColumn("Name", width=260),
            "fields": st.column_config.TextColumn("Fields", width="large"),
        },
        alt="Nodes, edges and settings that differ between the versions, with the fields that changed",
    )
    cells = picked["selection"]["cells"]
    return cells[0][0] if cells else None


def _fields(change: WorkflowChange | None) -> None:
    if change is None:
        st.caption("Choose a row to see what changed in it.")
        return
    st.markdown(f"###### {plain(change.name)}")
    if not change.fields:
        st.caption(
            f"{plain(change.part)} {plain(change.id)} is in {'B' if change.op == 'added' else 'A'} only."
        )
        return
    with st.container(border=True, height=_HEIGHT, key="compare_fields"):
        difference_list(change.fields)
