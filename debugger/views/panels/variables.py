"""Variables after the selected event: values, changes, watches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import streamlit as st

from debugger.analysis.differences import Difference
from debugger.analysis.variables import Scopes
from debugger.protocol.runs import MAIN_THREAD
from debugger.views import actions, refresh, state
from debugger.views.components.markdown import count, json_cell, plain, word_marks
from debugger.views.components.rows import Column, Row, rows_list
from debugger.views.components.tables import ROW, list_height, table_height
from debugger.views.components.toolbar import (
    Disclosure,
    Item,
    SegmentedControl,
    Spacer,
    TextInput,
    Toggle,
    bar,
)
from debugger.views.panels import watches
from debugger.views.panels.watches import watch_view
from debugger.views.run_view import RunHistory, RunView, run_history

VIEWS = ("Values", "Changes", "Watch")
_VIEW_KEY, _FIND_KEY = "state_view", "state_find"
_FIND = TextInput(_FIND_KEY, "Find a variable", "Find …", ":material/search:", grows=True)


class ChosenVariable(NamedTuple):
    """A variable that is looked at."""

    scope: str
    """The scope, as ``runtime`` or ``thread_lab``."""
    name: str


@dataclass
class VariableSelection:
    """The variable whose whole value is shown."""

    variable: ChosenVariable | None = None


def scopes_views() -> list[Item]:
    """Return the choice of view and the search."""
    state.begin_widget(_VIEW_KEY, VIEWS[0])
    find = [] if state.widget(_VIEW_KEY) == "Watch" else [_FIND]
    return [SegmentedControl(_VIEW_KEY, "Variables", VIEWS), *find]


def scopes_tab(view: RunView) -> None:
    """Draw one of the three views of the variables."""
    chosen_view, wanted = state.widget(_VIEW_KEY), state.widget(_FIND_KEY, "")
    if not view.turns:
        st.caption(
            "The variables of the run appear here, scope by scope, as they stood after the chosen event."
        )
        return
    at, held = view.last, run_history(view)
    if chosen_view == "Watch":
        watch_view(held, view.event)
    elif chosen_view == "Changes":
        changes_view(view, held, at, wanted)
    else:
        values_view(held, view.event, at, wanted)


_MOST_VARIABLES = 8
_COPIES = Toggle(
    "with_copies", "Copies by node", help="Each variable is also kept under its node's name: node.variable"
)
_COLUMNS = (
    Column("name", "Name", 116, help="+ added or ~ changed by the chosen event"),
    Column("set", "Set by", 66, help="Turn · event that set it last"),
    Column("value", "Value", 110, help="Choose a row to read the whole value", grows=True),
)


def values_view(held: RunHistory, event: int | None, at: int, wanted: str) -> None:
    """Draw the variables.

    Args:
        held: The run's past.
        event: The cursor; ``None`` is live.
        at: The last event up to it, counted over the run from 0.
        wanted: Words; only variables whose name or value has all of them.
    """
    changed = {change.path: change.sign for change in held.history.changed_at(at)} if at >= 0 else {}
    scopes = held.moments.scopes(event)
    tables = _Tables(held, event, changed, wanted)
    for title, lead, variables in _main_scopes(scopes):
        tables.draw(title, lead, variables, is_kept=lead == "runtime")
    system = tables.matching(scopes.system)
    copies: list[Item] = [Spacer(), _COPIES] if any(scopes.qualified.values()) else []
    if system or not wanted:
        box = Disclosure("system_scope", f"System ({len(system)})")
        bar("system_bar", [box, *copies], low=True)
        if box.is_open:
            tables.rows("", "system", system)
    if wanted and not tables.found and not system:
        st.caption("No variable has these words in its name or value.")


def _main_scopes(scopes: Scopes) -> list[tuple[str, str, Mapping[str, Any]]]:
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

    def __init__(self, held: RunHistory, event: int | None, changed: Mapping[str, str], wanted: str) -> None:
        self._held = held
        self._event = event
        self._changed = changed
        self._words = wanted.casefold().split()
        self.found = 0
        """How many variables were drawn."""

    def matching(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Return the variables that match the search."""
        if not self._words:
            return dict(variables)
        return {
            name: value
            for name, value in variables.items()
            if all(word in f"{name} {json_cell(value)}".casefold() for word in self._words)
        }

    def draw(self, title: str, lead: str, variables: Mapping[str, Any], *, is_kept: bool) -> None:
        """Draw a scope; an empty one only where it is always shown."""
        found = self.matching(variables)
        self.found += len(found)
        if not found and (self._words or not is_kept):
            return
        self.rows(title, lead, found)

    def rows(self, title: str, lead: str, variables: Mapping[str, Any]) -> None:
        """Draw the variables of a scope."""
        names = list(variables)
        scope, name = state.record(VariableSelection).variable or (None, "")
        at = names.index(name) if scope == lead and name in variables else None
        rows_list(
            f"variables_{lead}",
            _COLUMNS,
            [self._row(lead, name, value) for name, value in variables.items()],
            chosen=at,
            height=list_height(len(variables), _MOST_VARIABLES),
            aria_label=f"{title or lead.capitalize()} variables",
            on_choose=lambda name: _choose(lead, name),
            title=title,
            none="No variables.",
        )
        if at is not None:
            variable_detail(self._held, self._event, lead, names[at], variables[names[at]])

    def _row(self, lead: str, name: str, value: Any) -> Row:
        return Row([self._mark(f"{lead}.{name}") + name, self._set_by(lead, name), json_cell(value)], name)

    def _set_by(self, lead: str, name: str) -> str:
        setting = self._held.history.last_set(lead, name, self._event)
        return f"{setting.turn_number} · {setting.index}" if setting else ""

    def _mark(self, path: str) -> str:
        if path in self._changed:
            return f"{self._changed[path]} "
        return "~ " if any(each.startswith((f"{path}.", f"{path}[")) for each in self._changed) else ""


def _choose(scope: str, name: Any) -> None:
    state.record(VariableSelection).variable = ChosenVariable(scope, name) if isinstance(name, str) else None


SPANS = ("This event", "This turn", "The run")
_MOST_ROWS = 12
_NOTHING = {
    "This event": "This event changed no variable. Choose “This turn”, or another event.",
    "This turn": "Nothing changed in this turn up to here.",
    "The run": "Nothing changed up to here.",
}


def changes_view(view: RunView, held: RunHistory, at: int, wanted: str) -> None:
    """Draw the changes as a table, and the chosen one in full.

    Args:
        view: The run.
        held: Its past.
        at: The event, counted over the run from 0.
        wanted: Words; only changes whose path or values have all of them.
    """
    span = (
        st.segmented_control(
            "What changed by",
            SPANS,
            key="changes_span",
            default=SPANS[0],
            required=True,
            label_visibility="collapsed",
        )
        or SPANS[0]
    )
    words = wanted.casefold().split()
    found = [change for change in _changes(view, held, at, span) if _has(change, words)]
    if found:
        _table(found)
    else:
        st.caption("No change has these words." if words else _NOTHING[span])


def _changes(view: RunView, held: RunHistory, at: int, span: str) -> list[Difference]:
    if at < 0:
        return []
    if span == "This event":
        return held.history.changed_at(at)
    first = view.rows[at].index - view.rows[at].position if span == "This turn" else 0
    return held.history.changed_between(first - 1, at)


def _has(change: Difference, words: Sequence[str]) -> bool:
    place = f"{change.path} {json_cell(change.before)} {json_cell(change.after)}".casefold()
    return all(word in place for word in words)


def _table(found: Sequence[Difference]) -> None:
    picked = st.dataframe(
        {
            "": [change.sign for change in found],
            "variable": [change.path for change in found],
            "before": ["" if change.op == "added" else json_cell(change.before) for change in found],
            "after": ["" if change.op == "removed" else json_cell(change.after) for change in found],
        },
        key="changes",
        hide_index=True,
        row_height=ROW,
        height=table_height(len(found), _MOST_ROWS),
        on_select="rerun",
        selection_mode="single-cell",
        column_config={
            "": st.column_config.TextColumn("", width=28, help="+ added, − removed, ~ changed"),
            "variable": st.column_config.TextColumn("Variable", width=112),
            "before": st.column_config.TextColumn("Before", width=72),
            "after": st.column_config.TextColumn("After"),
        },
        alt="Variables that changed, with their values before and after",
    )
    cells = picked["selection"]["cells"]
    if cells and cells[0][0] < len(found):
        _whole(found[cells[0][0]])
    else:
        st.caption("Choose a row to read both values in full.")


def _whole(change: Difference) -> None:
    with st.container(border=True, gap="xxsmall", key="change"):
        st.caption(plain(f"{change.sign} {change.path} {change.op}"))
        if isinstance(change.before, str) and isinstance(change.after, str):
            word_marks(change.before, change.after)
            return
        _side("Before", change.before, is_there=change.op != "added")
        _side("After", change.after, is_there=change.op != "removed")


def _side(title: str, value: Any, *, is_there: bool) -> None:
    if is_there:
        st.caption(title)
        whole_value(value)


_MOST_VALUES = 12


def variable_detail(held: RunHistory, event: int | None, scope: str, name: str, value: Any) -> None:
    """Draw a variable in full, since a cell shows only its beginning.

    Args:
        held: The run's past.
        event: The cursor; ``None`` is live.
        scope: The variable's scope, as ``runtime`` or ``thread_lab``.
        name: Its name in it.
        value: Its value at the chosen event.
    """
    key = f"{scope}_{name}"
    with st.container(border=True, gap="xxsmall", key=f"detail_{scope}"):
        st.caption(plain(f"{scope}.{name}"))
        whole_value(value)
        with st.container(horizontal=True, gap="xxsmall"):
            _who(held, event, scope, name)
            st.button(
                "Watch",
                key=f"watch_{key}",
                icon=":material/visibility:",
                type="tertiary",
                on_click=watches.add_watch,
                args=(f"{scope}.{name}",),
                help="Follow its value over the run, under Watch",
            )
        _earlier(held, event, scope, name)


def whole_value(value: Any) -> None:
    """Draw a value in full."""
    if isinstance(value, dict | list):
        st.json(value, expanded=2)
    elif isinstance(value, str):
        st.text(value or "(an empty text)")
    else:
        st.text(json_cell(value))


def _who(held: RunHistory, event: int | None, scope: str, name: str) -> None:
    setting = held.history.last_set(scope, name, event)
    if setting is None:
        st.caption("Nothing in this run set it.", width="content")
        return
    st.button(
        f"Set by event {setting.index} · turn {setting.turn_number}",
        key=f"who_{scope}_{name}",
        icon=":material/my_location:",
        type="tertiary",
        on_click=refresh.refreshing("look", actions.select_event),
        args=(setting.index,),
        help="Who set this? Go to the event that changed it last before the chosen one",
    )


def _earlier(held: RunHistory, event: int | None, scope: str, name: str) -> None:
    changes = held.history.changes(scope, name)
    settings = [setting for setting in changes if event is None or setting.index <= event]
    if len(settings) < 2:
        return
    shown = settings[-_MOST_VALUES:]
    with st.expander(count(len(settings), "value") + " up to here", type="compact", key=f"values_{scope}"):
        st.table(
            {
                "event": [setting.index for setting in shown],
                "turn": [setting.turn_number for setting in shown],
                "value": [
                    "removed" if setting.op == "removed" else plain(json_cell(setting.after))
                    for setting in shown
                ],
            }
        )
