"""The variables after the chosen event, scope by scope, each with the event that set it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from debugger.analysis.variables import Scopes
from debugger.protocol.runs import MAIN_THREAD
from debugger.views import state
from debugger.views.components.json_cell import json_cell
from debugger.views.components.rows import Column, Row, rows_list
from debugger.views.components.tables import list_height
from debugger.views.components.toolbar import Disclosure, Item, Space, Toggle, bar
from debugger.views.history_cache import Past
from debugger.views.panels.variable_detail import variable_detail

_MOST_VARIABLES = 8
_COPIES = Toggle(
    "with_copies", "Copies by node", help="Each variable is also kept under its node's name: node.variable"
)
_COLUMNS = (
    Column("name", "Name", 116, help="+ added or ~ changed by the chosen event"),
    Column("set", "Set by", 66, help="Turn · event that set it last"),
    Column("value", "Value", 110, help="Choose a row to read the whole value", grows=True),
)


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
        tables.draw(title, lead, variables, is_persisted=lead == "runtime")
    system = tables.matching(scopes.system)
    copies: list[Item] = [Space(), _COPIES] if any(scopes.qualified.values()) else []
    if system or not wanted:
        box = Disclosure("system_scope", f"System ({len(system)})")
        bar("system_bar", [box, *copies], low=True)
        if box.is_open:
            tables.rows("", "system", system)
    if wanted and not tables.found and not system:
        st.caption("No variable has these words in its name or value.")


def _main_scopes(scopes: Scopes) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Each scope's title, what its paths begin with, and its variables."""
    with_copies = bool(state.widget(_COPIES.key))
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

    def draw(self, title: str, lead: str, variables: Mapping[str, Any], *, is_persisted: bool) -> None:
        """Draw a scope; one without variables only where it is kept."""
        found = self.matching(variables)
        self.found += len(found)
        if not found and (self._words or not is_persisted):
            return
        self.rows(title, lead, found)

    def rows(self, title: str, lead: str, variables: Mapping[str, Any]) -> None:
        """Draw the variables of a scope, below its title if there is one."""
        names = list(variables)
        scope, name = state.page().variable or (None, "")
        at = names.index(name) if scope == lead and name in variables else None
        rows_list(
            f"variables_{lead}",
            _COLUMNS,
            [self._row(lead, name, value) for name, value in variables.items()],
            chosen=at,
            height=list_height(len(variables), _MOST_VARIABLES),
            told=f"{title or lead.capitalize()} variables",
            on_choose=lambda name: _choose(lead, name),
            title=title,
            none="No variables.",
        )
        if at is not None:
            variable_detail(self._held, lead, names[at], variables[names[at]])

    def _row(self, lead: str, name: str, value: Any) -> Row:
        return Row([self._mark(f"{lead}.{name}") + name, self._set_by(lead, name), json_cell(value)], name)

    def _set_by(self, lead: str, name: str) -> str:
        setting = self._held.history.last_set(lead, name, state.page().event)
        return f"{setting.turn_number} · {setting.index}" if setting else ""

    def _mark(self, path: str) -> str:
        """The sign before the name of a variable that the event has changed, as a whole or in a part."""
        if path in self._changed:
            return f"{self._changed[path]} "
        return "~ " if any(each.startswith((f"{path}.", f"{path}[")) for each in self._changed) else ""


def _choose(scope: str, name: Any) -> None:
    state.page().variable = state.ChosenVariable(scope, name) if isinstance(name, str) else None
