"""Filters of the list of runs, saved under names."""

from __future__ import annotations

from dataclasses import asdict

import streamlit as st

from debugger.analysis.run_statistics import PathFilter
from debugger.errors import DebuggerError
from debugger.protocol.base import JsonObject
from debugger.store import Role
from debugger.store.edited_tables import NEVER_WRITTEN, Stored
from debugger.store.saved_names import MAX_NAME_CHARACTERS
from debugger.views import state
from debugger.views.actions import action
from debugger.views.auth.permissions import on_click
from debugger.views.backends import local_store
from debugger.views.components.error_box import show_error
from debugger.views.edits import DELETED, Place, json_words, see, store_edit
from debugger.views.panels.notes import author
from debugger.views.panels.runs.scope import NOTHING, first_page, runs_state

_NAME_KEY = "filter_name"
_CHOSEN_KEY = "filter_chosen"
_PATH = "path"


def saved_filters() -> None:
    """Draw the saved filters, and the field that saves those of the page; an error in place of both.

    Without a saved filter only the field is drawn.
    """
    try:
        known = local_store().saved_filters.stored()
    except DebuggerError as error:
        show_error(error)
        return
    if known:
        _choose(known)
    _save()


def _choose(known: dict[str, Stored[JsonObject]]) -> None:
    """Draw the choice of a saved filter, with the buttons that use and delete it.

    Deletion is disabled without the role REVIEW.
    """
    chosen = st.selectbox("Saved filter", list(known), key=_CHOSEN_KEY)
    stored = known.get(chosen, Stored({}, NEVER_WRITTEN))
    with st.container(horizontal=True, gap="xsmall"):
        st.button(
            "Use",
            key="use_filter",
            icon=":material/filter_alt:",
            type="primary",
            on_click=use,
            args=(chosen, stored),
            help="Replace the filters on the page",
        )
        st.button(
            "Delete",
            key="delete_filter",
            icon=":material/delete:",
            args=(chosen, stored.revision),
            **on_click(_delete, help="Delete it for all users"),
        )


def _save() -> None:
    """Draw the field of a name, and the button that saves the filters under it.

    The button is disabled without the role REVIEW.
    """
    st.text_input(
        "Save the filters for all users as",
        key=_NAME_KEY,
        max_chars=MAX_NAME_CHARACTERS,
        placeholder="Name",
    )
    st.button(
        "Save",
        key="save_filter",
        icon=":material/bookmark_add:",
        **on_click(_store, help="You are asked before another filter of the same name is replaced"),
    )


@action(role=Role.REVIEW)
def _store() -> None:
    """Save the filters that filter something, and the part of the picture, for all users under a name.

    The name is that of the field. Where another user has changed the filter of that name, or this tab has not
    used it, the user is asked. Once saved, the field is empty and the filter chosen. An error is stored in
    `LastAction`, not raised.
    """
    values: JsonObject = {key: state.widget(key) for key in NOTHING if state.widget(key)}
    if path := runs_state().path:
        values[_PATH] = asdict(path)
    name = " ".join(str(state.widget(_NAME_KEY, "")).split())

    def store(expected: int) -> int:
        """Save the filters in place of a revision, set both widgets, and return the new revision."""
        saved = local_store().saved_filters.save(name, values, by=author(), expected=expected)
        state.set_widget_from_callback(_NAME_KEY, "")
        state.set_widget_from_callback(_CHOSEN_KEY, name)
        return saved.revision

    store_edit(
        _place(name),
        Role.REVIEW,
        store,
        subject=f"The filter “{name}”",
        mine=json_words(values),
        words=json_words,
    )


@action(role=Role.REVIEW)
def _delete(name: str, listed: int) -> None:
    """Delete a saved filter for all users; the filters of the page stay.

    Where another user has changed it since this tab used it, the user is asked first. Once deleted, the first
    other filter is chosen. An error is stored in `LastAction`, not raised.
    """
    saved = local_store().saved_filters

    def delete(expected: int) -> int:
        saved.delete(name, expected=expected)
        state.set_widget_from_callback(_CHOSEN_KEY, next(iter(saved.all()), None))
        return NEVER_WRITTEN

    store_edit(
        _place(name),
        Role.REVIEW,
        delete,
        subject=f"The filter “{name}”",
        mine=DELETED,
        words=json_words,
        listed=listed,
    )


def _place(name: str) -> Place:
    return "filter", name


@action()
def use(name: str, stored: Stored[JsonObject]) -> None:
    """Replace the filters of the page by saved ones, also the part of the picture.

    What is not saved filters nothing, and the list begins at its first page. An error, as of a malformed
    part, is stored in `LastAction`, not raised.
    """
    see(_place(name), stored.revision)
    saved = stored.content
    for key, value in NOTHING.items():
        held = saved.get(key, value)
        state.set_widget(key, held if isinstance(held, bool) else str(held))
    path = saved.get(_PATH)
    runs_state().path = PathFilter(**path) if isinstance(path, dict) else None
    first_page()
