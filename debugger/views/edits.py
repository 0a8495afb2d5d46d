"""Edits of what other users edit, too: stored in place of what their author has seen, or asked about."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from debugger.errors import DebuggerError, EditConflictError
from debugger.store import Role
from debugger.store.edited_tables import NEVER_WRITTEN, Stored
from debugger.views import state
from debugger.views.actions import action
from debugger.views.auth.permissions import check_role
from debugger.views.components.markdown import plain
from debugger.views.confirmations import EditConflict, OpenQuestions
from debugger.views.state import LastAction
from debugger.views.times import shown_time

Place = tuple[str, ...]
"""The kind of a thing, and its key."""


DELETED = "(deleted)"
"""Words for a thing that its author deletes."""


@dataclass
class SeenRevisions:
    """The revision that this tab has last shown of each thing, or stored."""

    by_place: dict[Place, int] = field(default_factory=dict)


def see(place: Place, revision: int) -> None:
    """Record the revision that the user sees, which a change of it replaces."""
    state.record(SeenRevisions).by_place[place] = revision


def seen(place: Place) -> int:
    """Return the revision that the user has seen; `NEVER_WRITTEN` where this tab has shown none."""
    return state.record(SeenRevisions).by_place.get(place, NEVER_WRITTEN)


def forget_seen(kind: str) -> None:
    """Forget what the user has seen of the things of a kind: a dialog begins anew."""
    places = state.record(SeenRevisions).by_place
    for place in [each for each in places if each[0] == kind]:
        del places[place]


def begin_box(key: str, place: Place, text: str, revision: int) -> bool:
    """Fill a box as it is drawn first; return whether another user has changed its text since.

    A box that is on view is not filled again: the browser may hold words that the user has not sent yet, and
    these were written with the text in mind that the box was filled with.
    """
    if state.widget(key) is None:
        fill_box(key, place, text, revision)
    return seen(place) != revision


def fill_box(key: str, place: Place, text: str, revision: int) -> None:
    """Fill a box with the stored text."""
    state.set_widget(key, text)
    see(place, revision)


def show_change(subject: str, key: str, place: Place, text: str, stored: Stored[Any]) -> None:
    """Draw what another user has stored since a box was filled.

    Args:
        subject: The thing, as a sentence begins with it.
        key: The box.
        place: What it edits.
        text: The stored text.
        stored: The stored thing.
    """
    st.caption(plain(f"{change_words(subject, stored.updated_by, stored.updated_at)}; it is now:"))
    st.text(text or "(empty)")  # never Markdown, as a comment
    st.button(
        "Show it in the box",
        key=f"{key}_theirs",
        icon=":material/refresh:",
        type="tertiary",
        on_click=_take_theirs,
        args=(key, place, text, stored.revision),
    )


@action()
def _take_theirs(key: str, place: Place, text: str, revision: int) -> None:
    state.set_widget_from_callback(key, text)
    see(place, revision)


def change_words(subject: str, by: str, at: str) -> str:
    """Return who has changed a thing and when, as the beginning of a sentence."""
    who = f" by {by}" if by else ""
    when = f" at {shown_time(at)}" if at else ""
    return f"{subject} was changed{who}{when}"


def store_edit(
    place: Place,
    role: Role,
    store: Callable[[int], int],
    *,
    subject: str,
    mine: str,
    words: Callable[[Any], str] = str,
    keep_theirs: Callable[[Any], None] = lambda _: None,
    go_on: Callable[[], None] = lambda: None,
    listed: int = NEVER_WRITTEN,
) -> bool:
    """Store an edit in place of what the user has seen, or ask; return whether it is stored.

    Args:
        place: The thing.
        role: The role that storing needs.
        store: Stores it in place of a revision; returns the new one.
        subject: The thing, as a sentence begins with it.
        mine: The user's words, which the question shows.
        words: Returns the same of what is stored, as `EditConflictError.present` has it.
        keep_theirs: Shows what is stored in the place of the user's words.
        go_on: Shows the user's words for editing again, where a dialog had them.
        listed: The revision that a list names, where it is enough to have seen the name.

    Raises:
        ForbiddenError: The user does not have the role.
        DebuggerError: It cannot be stored.
    """
    expected = listed if seen(place) == NEVER_WRITTEN else seen(place)
    return _store(EditConflict(place, role, store, subject, mine, words, keep_theirs, go_on), expected)


def _store(edit: EditConflict, expected: int) -> bool:
    """Store an edit in place of a revision; return whether it is stored.

    True also where another user has stored the same words. On any other conflict the question on the edit is
    opened and the result is false. The stored revision becomes the seen one. Raises `ForbiddenError` without
    the role, and what storing raises.
    """
    check_role(edit.role)
    try:
        see(edit.place, edit.store(expected))
    except EditConflictError as error:
        if error.present is not None and edit.words(error.present) == edit.mine:
            see(edit.place, error.revision)  # both have written the same
            return True
        state.record(OpenQuestions).edit = edit._replace(error=error)
        return False
    return True


def json_words(value: Any) -> str:
    """Return a JSON value as lines."""
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)


@action()
def replace_theirs() -> None:
    """Store the user's words in place of those that the question shows, and close the question.

    On another conflict it is opened again. Any other error is held in `LastAction`, after the words are shown
    for editing again. Does nothing more than close it where there has been no conflict yet.
    """
    question = state.record(OpenQuestions).take_edit()
    if question is not None and question.error is not None:
        try:
            _store(question, question.error.revision)
        except DebuggerError:
            question.go_on()
            raise


@action()
def keep_theirs() -> None:
    """Leave what is stored, show it in place of the user's words, and close the question.

    Its revision becomes the seen one. Does nothing more than close it where there has been no conflict yet.
    """
    question = state.record(OpenQuestions).take_edit()
    if question is not None and question.error is not None:
        see(question.place, question.error.revision)
        question.keep_theirs(question.error.present)


def go_on_editing() -> None:
    """Close the question and show the user's words for editing again.

    Once saved they replace what the question has shown. The error in `LastAction` is removed. Does nothing
    more than close it where there has been no conflict yet.
    """
    question = state.record(OpenQuestions).take_edit()
    if question is not None and question.error is not None:
        state.record(LastAction).error = None
        see(question.place, question.error.revision)
        question.go_on()


def forget_edits() -> None:
    """Close the question on an edit, with the words that it holds."""
    state.record(OpenQuestions).take_edit()
