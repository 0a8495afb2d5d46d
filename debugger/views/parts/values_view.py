"""The variables after the chosen event, scope by scope, each with the event that set it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from debugger.analysis.scopes import Scopes
from debugger.protocol.runs import MAIN_THREAD
from debugger.views import state
from debugger.views.parts.heights import ROW, table_height
from debugger.views.parts.json_cell import json_cell
from debugger.views.parts.plain import plain
from debugger.views.parts.variable_detail import variable_detail
from debugger.views.past import Past

_MOST_VARIABLES = 8
_NAME_HELP = "+ added or ~ changed by the chosen event"


def values_view(held: Past, at: int, wanted: str) -> None:
    """Draw the variables.

    Args:
        held: The run's past.
        at: The event, counted over the run from 0.
        wanted: Words; only variables whose name or value has all of them.
    """
    changed = {change.path: change.sign for change in held.history.changed_at(at)} if at >= 0 else {}
    scopes = held.moments.scopes(state.page().event)
    tables = _Tables(held, changed, wanted)
    for title, lead, variables in _main_scopes(scopes):
        tables.draw(title, lead, variables, is_kept=lead == "runtime")
    system = tables.matching(scopes.system)
    if system or not wanted:
        box = st.expander(f"System ({len(system)})", type="compact", key="system_scope", on_change="rerun")
        if box.open:
            with box:
                tables.draw("System", "system", scopes.system, is_kept=True)
    if wanted and not tables.found and not system:
        st.caption("No variable has these words in its name or value.")


def _main_scopes(scopes: Scopes) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Each scope's title, what its paths begin with, and its variables."""
    with_copies = any(scopes.qualified.values()) and st.toggle(
        "Copies by node",
        key="with_copies",
        help="Each variable is also kept under its node's name: node.variable",
    )
    found: list[tuple[str, str, Mapping[str, Any]]] = []
    for thread, variables in (scopes.runtime or {MAIN_THREAD: {}}).items():
        title = "Runtime" if thread == MAIN_THREAD else f"Runtime of thread {thread}"
        lead = "runtime" if thread == MAIN_THREAD else f"thread_{thread}"
        copies = scopes.qualified.get(thread, {}) if with_copies else {}
        found.append((title, lead, {**variables, **copies}))
    return [
        *found,
        ("Workflow", "workflow", scopes.workflow),
        ("Dynamic", "dynamic", scopes.dynamic),
        ("Given as runtime input", "input", scopes.seeds),
    ]


class _Tables:
    """The tables of one drawing."""

    def __init__(self, held: Past, changed: Mapping[str, str], wanted: str) -> None:
        self._held = held
        self._changed = changed
        self._words = wanted.casefold().split()
        self.found = 0
        """How many variables were drawn."""

    def matching(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the variables that are looked for."""
        if not self._words:
            return dict(variables)
        return {
            name: value
            for name, value in variables.items()
            if all(word in f"{name} {json_cell(value)}".casefold() for word in self._words)
        }

    def draw(self, title: str, lead: str, variables: Mapping[str, Any], *, is_kept: bool) -> None:
        """Draw a scope; one without variables only where it is kept."""
        found = self.matching(variables)
        self.found += len(found)
        if not found and (self._words or not is_kept):
            return
        st.markdown(f"###### {plain(title)}")
        if found:
            self._table(title, lead, found)
        else:
            st.caption("No variables.")

    def _table(self, title: str, lead: str, variables: Mapping[str, Any]) -> None:
        picked = st.dataframe(
            {
                "name": [self._mark(f"{lead}.{name}") + name for name in variables],
                "set": [self._set_by(lead, name) for name in variables],
                "value": [json_cell(value) for value in variables.values()],
            },
            key=f"variables_{lead}",
            hide_index=True,
            row_height=ROW,
            height=table_height(len(variables), _MOST_VARIABLES),
            on_select="rerun",
            selection_mode="single-cell",
            column_config={
                "name": st.column_config.TextColumn("Name", width=116, help=_NAME_HELP),
                "set": st.column_config.TextColumn("Set by", width=64, help="Turn · event that set it last"),
                "value": st.column_config.TextColumn("Value", help="Choose a row to read the whole value"),
            },
            alt=f"{title} variables",
        )
        cells = picked["selection"]["cells"]
        if cells and cells[0][0] < len(variables):
            name, value = list(variables.items())[cells[0][0]]
            variable_detail(self._held, lead, name, value)

    def _set_by(self, lead: str, name: str) -> str:
        setting = self._held.history.last_set(lead, name, state.page().event)
        return f"{setting.turn_number} · {setting.index}" if setting else ""

    def _mark(self, path: str) -> str:
        """The sign before the name of a variable that the event has changed, as a whole or in a part."""
        if path in self._changed:
            return f"{self._changed[path]} "
        return "~ " if any(each.startswith((f"{path}.", f"{path}[")) for each in self._changed) else ""
