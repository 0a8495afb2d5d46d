"""Variables as of the cursor: values, changes, watches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import streamlit as st

from debugger.analysis.differences import Difference
from debugger.analysis.variable_history import VariableChange
from debugger.analysis.variables import Scopes
from debugger.protocol.runs import MAIN_THREAD
from debugger.protocol.workflow import Workflow
from debugger.views import actions, refresh, state
from debugger.views.components.markdown import count, draw_json, json_cell, plain, word_marks
from debugger.views.components.rows import Column, Columns, Row, Table, estimate_width, rows_list, table
from debugger.views.components.toolbar import Button, Item, SegmentedControl, Text, TextInput, Toggle, bar
from debugger.views.help_links import empty_state
from debugger.views.panels import watches
from debugger.views.panels.watches import INPUT, watch_view
from debugger.views.run_view import RunHistory, RunView, run_history

_FIND_KEY, _CHANGE_KEY = "state_find", "chosen_change"
_FIND = TextInput(_FIND_KEY, "Find a variable", "Find …", ":material/search:", grows=True, is_live=True)
_COPIES = Toggle(
    "with_copies", "Per-node copies", help="Each variable is also stored under its node's name: node.variable"
)


class ChosenVariable(NamedTuple):
    """A variable that is looked at."""

    scope: str
    """The scope, as ``runtime`` or ``thread_lab``."""
    name: str


@dataclass
class VariableSelection:
    """The variable whose whole value is shown."""

    variable: ChosenVariable | None = None


def values_tab(view: RunView) -> None:
    """Draw the variables with their values.

    Above them are the search and, where there are copies by node, the switch that shows these. A hint is
    drawn without turns.
    """
    if not _has_turns(view):
        return
    held = run_history(view)
    scopes = held.moments.scopes(view.event)
    copies = [_COPIES] if any(scopes.qualified.values()) else []
    bar("variables_bar", [_FIND, *copies], low=True)
    _values_view(view, held, scopes, state.widget(_FIND_KEY, ""))


def changes_tab(view: RunView) -> None:
    """Draw which variables were changed.

    Above them are the span, whose session key `changes_span` begins with the turn, and the search. A hint is
    drawn without turns.
    """
    if not _has_turns(view):
        return
    spans = SegmentedControl("changes_span", "Changes of", SPANS)
    state.begin_widget("changes_span", SPANS[1])
    bar("variables_bar", [spans, _FIND], low=True)
    _changes_view(view, run_history(view), state.widget(_FIND_KEY, ""))


def watch_tab(view: RunView) -> None:
    """Draw what is watched over the run."""
    if _has_turns(view):
        watch_view(run_history(view), view.event)


def _has_turns(view: RunView) -> bool:
    """Return whether there are turns, and so variables; draw a hint where there are none."""
    if not view.turns:
        empty_state(
            "The variables of the run appear here, scope by scope, as of the chosen event.",
            "first_run#the-run-input",
        )
    return bool(view.turns)


def _values_view(view: RunView, held: RunHistory, scopes: Scopes, wanted: str) -> None:
    """Draw the variables that match a search as a list that fills its pane, and the chosen one in full below.

    A click on a row writes `VariableSelection`. Without a match a caption is drawn; an empty scope has no
    title, except the runtime one without a search.
    """
    words = wanted.casefold().split()
    groups = [
        (title, [variable for variable in variables if _has(words, variable.name, variable.value)])
        for title, variables in _groups(scopes)
    ]
    groups = [group for group in groups if group[1] or (group[0] == _RUNTIME and not words)]
    if not groups:
        st.caption("No variable matches this search.")
        return
    shown = _values_table(view, held, groups)
    chosen = state.record(VariableSelection).variable
    place = shown.place_of(list(chosen)) if chosen else None
    rows_list("variables", shown, chosen=place, on_choose=_choose, fills=True)
    if chosen is not None and place is not None:
        every = (variable for _, variables in groups for variable in variables)
        _detail(held, view.event, next(each for each in every if each[:2] == chosen))


_RUNTIME = "Runtime"


class _Variable(NamedTuple):
    scope: str
    name: str
    value: Any


def _groups(scopes: Scopes) -> Iterator[tuple[str, list[_Variable]]]:
    """Yield the title and the variables of each scope.

    Runtime variables of the run input are among those of the main thread, which win over them.
    """
    with_copies = bool(state.widget(_COPIES.key))
    for thread, variables in (scopes.runtime or {MAIN_THREAD: {}}).items():
        is_main = thread == MAIN_THREAD
        copies = scopes.qualified.get(thread, {}) if with_copies else {}
        of_input = {name: value for name, value in scopes.seeds.items() if is_main and name not in variables}
        found = _variables("runtime" if is_main else f"thread_{thread}", {**variables, **copies})
        yield _RUNTIME if is_main else f"Runtime of thread {thread}", found + _variables(INPUT, of_input)
    yield "Workflow", _variables("workflow", scopes.workflow)
    yield "Dynamic", _variables("dynamic", scopes.dynamic)
    yield "System", _variables("system", scopes.system)


def _variables(scope: str, values: Mapping[str, Any]) -> list[_Variable]:
    return [_Variable(scope, name, value) for name, value in values.items()]


def _has(words: Sequence[str], *parts: Any) -> bool:
    text = " ".join(part if isinstance(part, str) else json_cell(part) for part in parts).casefold()
    return all(word in text for word in words)


def _values_table(
    view: RunView, held: RunHistory, groups: Sequence[tuple[str, Sequence[_Variable]]]
) -> Table:
    """Return a table with a title above each scope but the first, whose title heads the column of names.

    Names that the event at the cursor changed are marked. At least one scope is needed, else `IndexError` is
    raised.
    """
    changed = {change.path: change.sign for change in held.history.changed_at(view.last)} if view.rows else {}
    rows: list[Row] = []

    def mark(path: str) -> str:
        if path in changed:
            return f"{changed[path]} "
        return "~ " if any(each.startswith((f"{path}.", f"{path}[")) for each in changed) else ""

    for title, variables in groups:
        if rows or title != groups[0][0]:
            rows.append(Row([title], is_heading=True))
        for scope, name, value in variables:
            setting = held.history.last_set(scope, name, view.event)
            cells = [
                mark(f"{scope}.{name}") + name,
                json_cell(value),
                _set_in(view.session.workflow, scope, name, setting),
            ]
            rows.append(Row(cells, [scope, name]))
    fits = estimate_width(str(row.cells[0]) for row in rows if not row.is_heading)
    columns = [
        Column("name", groups[0][0], 120, help="+ added or ~ changed by the chosen event", fits=fits),
        Column("value", "Value", 120, help="Choose a row to read the whole value", grows=True),
        Column("set", "Set in", 74, help="The turn that set it last, or the run input"),
    ]
    return Table(columns, rows, "Variables: name, value and the turn that set it")


def _set_in(workflow: Workflow, scope: str, name: str, setting: VariableChange | None) -> str:
    """Return where a variable got its value: run input, default, or a turn; empty where nothing set it."""
    if setting is None:
        return ""
    if scope == INPUT:
        return "run input"
    defaults = {**workflow.dynamic_variables, **workflow.config.default_dynamic_variables}
    if scope == "dynamic" and name in defaults and setting.after == defaults[name]:
        return "default"
    return f"turn {setting.turn_number}"


def _choose(target: Any) -> None:
    state.record(VariableSelection).variable = ChosenVariable(*target) if target else None


SPANS = ("Event", "Turn", "Run")
_NOTHING = {
    "Event": "This event changed no variable. Choose “Turn”, or another event.",
    "Turn": "Nothing changed in this turn up to here.",
    "Run": "Nothing changed up to here.",
}


def _changes_view(view: RunView, held: RunHistory, wanted: str) -> None:
    """Draw the changes in a span that match a search as a list, and the chosen one in full below.

    A click on a row writes the session key `chosen_change`. Without a change a caption is drawn.
    """
    span, words = state.widget("changes_span"), wanted.casefold().split()
    found = [
        change
        for change in _changes(view, held, span)
        if _has(words, change.path, change.before, change.after)
    ]
    if not found:
        st.caption("No change matches this search." if words else _NOTHING[span])
        return
    columns: Columns[Difference] = [
        (Column("sign", "", 26, help="+ added, − removed, ~ changed"), lambda change: change.sign),
        (
            Column("variable", "Variable", 120, fits=estimate_width(change.path for change in found)),
            lambda change: change.path,
        ),
        (
            Column("before", "Before", 90, grows=True),
            lambda change: "" if change.op == "added" else json_cell(change.before),
        ),
        (
            Column("after", "After", 90, grows=True),
            lambda change: "" if change.op == "removed" else json_cell(change.after),
        ),
    ]
    label = "Variables that changed, with their values before and after"
    shown = table(label, found, columns, lambda change: change.path)
    place = shown.place_of(state.widget(_CHANGE_KEY))
    rows_list("changes", shown, chosen=place, on_choose=_choose_change, fills=True)
    if place is not None:
        _whole(found[place])


def _choose_change(path: Any) -> None:
    state.set_widget(_CHANGE_KEY, path)


def _changes(view: RunView, held: RunHistory, span: str) -> list[Difference]:
    """Return the changes by the event at the cursor, or from the begin of its turn or of the run up to it.

    Empty before any event.
    """
    at = view.last
    if at < 0:
        return []
    if span == "Event":
        return held.history.changed_at(at)
    first = view.rows[at].index - view.rows[at].position if span == "Turn" else 0
    return held.history.changed_between(first - 1, at)


def _whole(change: Difference) -> None:
    """Draw a change in a box: two texts as one with marked words, other values before and after it.

    A side that is not there, of an added or a removed variable, is left out.
    """
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


def _detail(held: RunHistory, event: int | None, variable: _Variable) -> None:
    """Draw a variable in full, since a cell shows only its beginning.

    Above it are the button to the event that set it and one that adds it to the watches; its earlier values
    follow.
    """
    scope, name, value = variable
    key = f"{scope}_{name}"
    setting = held.history.last_set(scope, name, event)
    watch = Button(
        f"watch_{key}",
        "Watch",
        watches.add_watch,
        (watches.watch_text(scope, name),),
        icon=":material/visibility:",
        look="tertiary",
        help="Follow its value over the run, under Watch",
    )
    with st.container(border=True, gap="xxsmall", key="variable"):
        bar("variable_bar", [Text(f"{scope}.{name}"), *_set_by(key, setting), watch], low=True)
        whole_value(value)
        _earlier(held, event, scope, name)


def whole_value(value: Any) -> None:
    """Draw a value in full: an object or a list as JSON, else a text, with words in place of an empty one."""
    if isinstance(value, dict | list):
        draw_json(value)
    elif isinstance(value, str):
        st.text(value or "(an empty text)")
    else:
        st.text(json_cell(value))


def _set_by(key: str, setting: VariableChange | None) -> list[Item]:
    """Return the button that moves the cursor to the event that set a variable; a text where nothing did."""
    if setting is None:
        return [Text("Nothing in this run set it.")]
    return [
        Button(
            f"who_{key}",
            f"Set by event {setting.index} · turn {setting.turn_number}",
            refresh.refreshing("look", actions.select_event),
            (setting.index,),
            icon=":material/my_location:",
            look="tertiary",
            help="Go to the event that changed it last before the chosen one",
        )
    ]


def _earlier(held: RunHistory, event: int | None, scope: str, name: str) -> None:
    """Draw the table of the values that a variable had up to the cursor, the last twelve at most.

    Nothing is drawn for fewer than two.
    """
    changes = held.history.changes(scope, name)
    settings = [setting for setting in changes if event is None or setting.index <= event]
    if len(settings) < 2:
        return
    shown = table(
        f"Values of {scope}.{name}: event, turn and value",
        settings[-_MOST_VALUES:],
        [
            (Column("event", "Event", 56, "number"), lambda setting: str(setting.index)),
            (Column("turn", "Turn", 46, "number"), lambda setting: str(setting.turn_number)),
            (
                Column("value", count(len(settings), "value") + " up to here", 120, grows=True),
                lambda setting: "removed" if setting.op == "removed" else json_cell(setting.after),
            ),
        ],
    )
    rows_list("variable_values", shown)
