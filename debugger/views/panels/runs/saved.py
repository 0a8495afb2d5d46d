"""Filters of the list of runs, saved under names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

import streamlit as st

from debugger.analysis.run_statistics import PathFilter
from debugger.errors import DebuggerError
from debugger.protocol.base import JsonObject
from debugger.store import Role
from debugger.store.notes import MAX_NAME_CHARACTERS
from debugger.views import state
from debugger.views.actions import command
from debugger.views.auth.permissions import on_click, requires
from debugger.views.backends import local_store
from debugger.views.components.error_box import show_error
from debugger.views.components.markdown import plain
from debugger.views.panels.runs.scope import runs_state

_NAME_KEY = "filter_name"
_CHOSEN_KEY = "filter_chosen"
_PATH = "path"
_DATES = ("runs_since", "runs_until")


def saved_filters(keys: Sequence[str]) -> None:
    """Draw the menu of saved filters.

    Args:
        keys: The widgets of the filters.
    """
    with st.popover("Saved", icon=":material/bookmark:", key="saved_filters", help="Filters under names"):
        try:
            known = local_store().saved_filters.all()
        except DebuggerError as error:
            show_error(error)
            return
        _choose(known, keys)
        _save(keys)


def _choose(known: dict[str, JsonObject], keys: Sequence[str]) -> None:
    if not known:
        st.caption("Filters that you save appear here, for everybody who uses this store.")
        return
    chosen = st.selectbox("Saved filter", list(known), key=_CHOSEN_KEY, format_func=plain)
    with st.container(horizontal=True, gap="xsmall"):
        st.button(
            "Use",
            key="use_filter",
            icon=":material/filter_alt:",
            type="primary",
            on_click=use,
            args=(known.get(chosen, {}), keys),
            help="Replace the filters on the page",
        )
        st.button(
            "Delete",
            key="delete_filter",
            icon=":material/delete:",
            args=(chosen,),
            **on_click(_delete, help="Delete it for everybody"),
        )


def _save(keys: Sequence[str]) -> None:
    st.text_input(
        "Save the filters on the page as", key=_NAME_KEY, max_chars=MAX_NAME_CHARACTERS, placeholder="Name"
    )
    st.button(
        "Save",
        key="save_filter",
        icon=":material/bookmark_add:",
        args=(keys,),
        **on_click(_store, help="A filter of the same name is replaced"),
    )


@command
@requires(Role.REVIEW)
def _store(keys: Sequence[str]) -> None:
    name = local_store().saved_filters.save(str(state.widget(_NAME_KEY, "")), _values(keys))
    state.set_widget(_NAME_KEY, "")
    state.set_widget(_CHOSEN_KEY, name)


@command
@requires(Role.REVIEW)
def _delete(name: str) -> None:
    local_store().saved_filters.delete(name)
    state.forget_widget(_CHOSEN_KEY)


@command
def use(saved: JsonObject, keys: Sequence[str]) -> None:
    """Set the filters of the page to saved ones; filters that are not saved find everything."""
    page = state.page()
    page.run_filters.clear()
    for key in (*keys, "runs_page"):
        state.forget_widget(key)
    for key in keys:
        value = _read(key, saved.get(key))
        if value is not None:
            state.set_widget_from_callback(key, value)
            page.run_filters[key] = value
    path = saved.get(_PATH)
    runs_state().path = PathFilter(**path) if isinstance(path, dict) else None


def _values(keys: Sequence[str]) -> JsonObject:
    held = {key: state.widget(key) for key in keys}
    found: JsonObject = {
        key: value.isoformat() if isinstance(value, date) else value for key, value in held.items() if value
    }
    if state.widget("runs_version") is not None:
        found["runs_version"] = state.widget("runs_version")
    path = runs_state().path
    return {**found, _PATH: asdict(path)} if path else found


def _read(key: str, value: Any) -> Any:
    if key in _DATES and isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    return value
