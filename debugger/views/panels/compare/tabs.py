"""Tabs of transcript, variables and versions."""

from __future__ import annotations

import streamlit as st

from debugger.analysis.chat import ChatMessage
from debugger.analysis.comparison.tables import MessagePair, WorkflowChange
from debugger.analysis.differences import Span
from debugger.session.comparison import RunComparison
from debugger.views.components.markdown import count, plain
from debugger.views.components.tables import ROW, table_height
from debugger.views.help_links import empty_state
from debugger.views.panels.compare import actions
from debugger.views.panels.compare.differences import WORDS, difference_list, json_value, marked_piece

_PAGE = 40
"""Lines on view at once."""
_PAGE_KEY = "compare_lines_page"
_HEIGHT = 600
_ROLES = {
    "user": ":material/person: User",
    "agent": ":material/smart_toy: Agent",
    "warning": ":material/warning: Warning",
    "failure": ":material/error: Failure",
    "error": ":material/error: Error",
}


def transcript_tab(seen: RunComparison) -> None:
    """Draw a page of the lines, at first the first difference."""
    lines = seen.lines
    if not lines:
        empty_state(
            "The messages of both runs appear here side by side. Neither run has a message.",
            "forks#compare",
        )
        return
    differing = [place for place, line in enumerate(lines) if line.status != "same"]
    pages = -(-len(lines) // _PAGE)
    with st.container(horizontal=True, vertical_alignment="center", key="compare_words_line"):
        st.caption(
            f"{len(differing)} of {count(len(lines), 'line')} differ. "
            ":red-background[− A only] :blue-background[+ B only]",
            width="content",
        )
        page = 1
        if pages > 1:
            key = f"{_PAGE_KEY}_{actions.stamp(seen)}"
            page = int(st.pagination(pages, key=key, default=(differing or [0])[0] // _PAGE + 1))
    shown = lines[(page - 1) * _PAGE : page * _PAGE]
    rows = ["| | A | B |", "| --- | --- | --- |"]
    for line in shown:
        mark = "" if line.status == "same" else f"**{plain(WORDS[line.status])}**".replace(" ", "\u00a0")
        margin = f"Turn {line.turn} {_ROLES[line.role]} {mark}"
        rows.append(f"| {margin} | {_side(line, 'a')} | {_side(line, 'b')} |")
    with st.container(border=True, height=_HEIGHT, key="compare_words"):
        st.markdown("\n".join(rows))


def _side(line: MessagePair, side: str) -> str:
    message: ChatMessage | None = line.a if side == "a" else line.b
    if message is None:
        return ""
    name = f"*{plain(message.node_name)}* " if message.node_name and message.role != "user" else ""
    if line.status == "same":
        return name + plain(message.text)
    alone = Span(message.text, "removed" if side == "a" else "added")
    other = "added" if side == "a" else "removed"
    pieces = line.pieces if line.status == "changed" else [alone]
    return name + "".join(marked_piece(piece) for piece in pieces if piece.op != other).strip()


_MOST = 18


def state_tab(seen: RunComparison) -> None:
    """Draw the variables of both runs at the end of a chosen turn as a table."""
    if not seen.turns:
        empty_state("The variables of both runs appear here. Neither has a turn.", "forks#compare")
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="compare_state_line"):
        turn = st.selectbox(
            "At the end of turn",
            seen.turns[::-1],
            key=f"compare_turn_{actions.stamp(seen)}",
            format_func=lambda number: (
                f"After turn {number}" + (" (the end)" if number == seen.turns[-1] else "")
            ),
            label_visibility="collapsed",
            width=200,
        )
        with_same = st.toggle("Include equal values", key="compare_with_same")
        rows = seen.variables(turn, with_same=with_same)
        differing = sum(row.op != "same" for row in rows)
        st.caption(f"{count(differing, 'difference')}", width="content")
    if not rows:
        st.caption("The variables are the same in both runs, apart from what is ignored.")
        return
    st.dataframe(
        {
            "op": [f"{row.sign} {row.op}" for row in rows],
            "path": [row.path for row in rows],
            "a": ["" if row.op == "added" else json_value(row.a) for row in rows],
            "b": ["" if row.op == "removed" else json_value(row.b) for row in rows],
        },
        key="compare_variables",
        hide_index=True,
        row_height=ROW,
        height=table_height(len(rows), _MOST),
        placeholder="",
        column_config={
            "op": st.column_config.TextColumn("From A to B", width=92),
            "path": st.column_config.TextColumn("Path", width="medium"),
            "a": st.column_config.TextColumn("A", width="medium"),
            "b": st.column_config.TextColumn("B", width="medium"),
        },
        alt="Variables of both runs: path, value in A, value in B, and what changed from A to B",
    )


_VERSION_MOST = 16
_VERSION_HEIGHT = 520
_TABLE_KEY = "compare_structure"


def versions_tab(seen: RunComparison) -> None:
    """Draw the list of changes, and the fields of the chosen one."""
    missing = [
        f"{name}: {run.substitute_reason}"
        for name, run in (("A", seen.a), ("B", seen.b))
        if run.substitute_reason
    ]
    if missing:
        st.info(plain(" ".join(missing)), icon=":material/help:")
        st.caption("The versions can be compared when both can be read.")
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
        height=table_height(len(found), _VERSION_MOST),
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
    with st.container(border=True, height=_VERSION_HEIGHT, key="compare_fields"):
        difference_list(change.fields)
