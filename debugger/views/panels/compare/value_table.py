"""A table of values: the path, what A has and what B has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from debugger.views.components.tables import ROW, table_height
from debugger.views.panels.compare.marks import shown

_MOST = 16

ValueRow = tuple[str, str, Any, Any, str]
"""Sign, path, value in A, value in B, and the operation from A to B."""


def value_table(key: str, rows: Sequence[ValueRow], *, alt: str, most: int = _MOST) -> None:
    """Draw the table."""
    st.dataframe(
        {
            "op": [f"{sign} {op}" for sign, _, _, _, op in rows],
            "path": [path for _, path, _, _, _ in rows],
            "a": ["" if op == "added" else shown(a) for _, _, a, _, op in rows],
            "b": ["" if op == "removed" else shown(b) for _, _, _, b, op in rows],
        },
        key=key,
        hide_index=True,
        row_height=ROW,
        height=table_height(len(rows), most),
        placeholder="",
        column_config={
            "op": st.column_config.TextColumn("From A to B", width=92),
            "path": st.column_config.TextColumn("Path", width="medium"),
            "a": st.column_config.TextColumn("A", width="medium"),
            "b": st.column_config.TextColumn("B", width="medium"),
        },
        alt=alt,
    )
