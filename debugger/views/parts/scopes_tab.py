"""The variables of a run as they stood after the chosen event."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from debugger.analysis.difference import Difference
from debugger.analysis.scopes import Scopes, changed_variables, scopes_at
from debugger.protocol.runs import MAIN_THREAD
from debugger.views import state
from debugger.views.parts.heights import ROW, table_height
from debugger.views.parts.plain import plain
from debugger.views.reading import Reading

_MOST_VARIABLES = 8
_NAME_HELP = "+ added or ~ changed by the chosen event"
_SIGNS = {"added": "+ added", "removed": "− removed", "changed": "~ changed"}


def scopes_tab(now: Reading) -> None:
    """Draw the variables, scope by scope, and what the event changed among them."""
    if not now.turns:
        st.caption(
            "The variables of the run appear here, scope by scope, as they stood after the chosen event."
        )
        return
    index = state.page().event
    at = len(now.rows) - 1 if index is None else index
    changed = changed_variables(now.turns, at) if at >= 0 else []
    _changes(changed)
    _scopes(scopes_at(now.turns, index), {change.path: _SIGNS[change.op][0] for change in changed})


def _changes(changed: list[Difference]) -> None:
    if not changed:
        return
    st.markdown("###### Changed by this event")
    st.dataframe(
        {
            "": [_SIGNS[change.op] for change in changed],
            "variable": [change.path for change in changed],
            "before": ["" if change.op == "added" else _shown(change.before) for change in changed],
            "after": ["" if change.op == "removed" else _shown(change.after) for change in changed],
        },
        key="changes",
        hide_index=True,
        row_height=ROW,
        alt="Variables that the chosen event changed",
    )


def _scopes(scopes: Scopes, changed: Mapping[str, str]) -> None:
    with_copies = any(scopes.qualified.values()) and st.toggle(
        "Copies by node",
        key="with_copies",
        help="Each variable is also kept under its node's name: node.variable",
    )
    for thread, variables in (scopes.runtime or {MAIN_THREAD: {}}).items():
        title = "Runtime" if thread == MAIN_THREAD else f"Runtime of thread {thread}"
        lead = "runtime" if thread == MAIN_THREAD else f"thread_{thread}"
        copies = scopes.qualified.get(thread, {}) if with_copies else {}
        _variables(title, {**variables, **copies}, f"runtime_{thread}", changed, lead)
    for title, variables in (
        ("Workflow", scopes.workflow),
        ("Dynamic", scopes.dynamic),
        ("Given as runtime input", scopes.seeds),
    ):
        if variables:
            _variables(title, variables, title.lower(), changed, title.lower())
    with st.expander(f"System ({len(scopes.system)})", type="compact", key="system_scope"):
        _variables("System", scopes.system, "system", changed, "system")


def _variables(
    title: str, variables: Mapping[str, Any], key: str, changed: Mapping[str, str], lead: str
) -> None:
    st.markdown(f"###### {plain(title)}")
    if not variables:
        st.caption("No variables.")
        return
    picked = st.dataframe(
        {
            "name": [_mark(f"{lead}.{name}", changed) + name for name in variables],
            "value": [_shown(value) for value in variables.values()],
        },
        key=f"variables_{key}",
        hide_index=True,
        row_height=ROW,
        height=table_height(len(variables), _MOST_VARIABLES),
        on_select="rerun",
        selection_mode="single-cell",
        column_config={
            "name": st.column_config.TextColumn("Name", width=128, help=_NAME_HELP),
            "value": st.column_config.TextColumn("Value", help="Choose a row to read the whole value"),
        },
        alt=f"{title} variables",
    )
    _whole(variables, picked["selection"]["cells"])


def _whole(variables: Mapping[str, Any], cells: list[tuple[int, str]]) -> None:
    """The chosen variable in full, since a cell shows only its beginning."""
    if not cells or cells[0][0] >= len(variables):
        return
    name, value = list(variables.items())[cells[0][0]]
    with st.container(border=True, gap="xxsmall"):
        st.caption(plain(name))
        if isinstance(value, dict | list):
            st.json(value, expanded=2)
        else:
            st.text(_shown(value))


def _mark(path: str, changed: Mapping[str, str]) -> str:
    """The sign before the name of a variable that the event has changed, as a whole or in a part."""
    if path in changed:
        return f"{changed[path]} "
    return "~ " if any(other.startswith((f"{path}.", f"{path}[")) for other in changed) else ""


def _shown(value: Any) -> str:
    """A value in one cell, as JSON: so 42 and "42" can be told apart."""
    return json.dumps(value, ensure_ascii=False)
