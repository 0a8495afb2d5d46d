"""Storing of a scenario: in place of what the user has seen, or a question."""

from __future__ import annotations

from collections.abc import Callable

from debugger.errors import InputError
from debugger.scenarios.stored import Suite, read_stored, read_suite, store_scenario, tidied
from debugger.settings import read_settings
from debugger.store import Role
from debugger.store.edited_tables import NEVER_WRITTEN
from debugger.store.scenarios import Writer
from debugger.views.audit import audit
from debugger.views.auth.permissions import current_user
from debugger.views.backends import local_store
from debugger.views.edits import DELETED, Place, forget_seen, store_edit

_NEW = "new scenario"
"""The kind of place of a scenario that is stored under a name that the user has only written."""


def current_writer() -> Writer:
    """Return the signed-in user as one who writes scenarios."""
    user = current_user()
    return Writer(user.name, user.role)


def suite() -> Suite:
    """Return the scenarios of the store and of the folder in the settings.

    Raises:
        StoreError: The store cannot be read.
    """
    return read_suite(local_store().scenarios.all(), read_settings().scenarios_folder)


def begin_new() -> None:
    """Begin to store a new scenario: of one that is there by its name is asked, though it was seen before."""
    forget_seen(_NEW)


def place_of(name: str) -> Place:
    """Return the place by which edits of a stored scenario are told apart."""
    return "scenario", name


def store_text(
    text: str,
    *,
    name: str = "",
    finish: Callable[[], None] = lambda: None,
    go_on: Callable[[], None] = lambda: None,
) -> bool:
    """Store a scenario, or ask where another user was faster; return whether it is stored.

    Args:
        text: The scenario.
        name: The name of the one that is changed; empty of a new one, whose name the text tells.
        finish: Called once it is stored, or the user keeps what is stored.
        go_on: Shows the user's text for editing again.

    Raises:
        ScenarioFileError: The text has mistakes.
        InputError: A file of the folder has the name.
        ForbiddenError: The user may not store it.
        DebuggerError: It cannot be stored.
    """
    own = name or tidied(read_stored(text).scenario.name)
    if not name and local_store().scenarios.find(own) is None and (file := suite().in_folder.get(own)):
        raise InputError(f"The name {own!r} is that of {file} in the folder.", advice="Take another name.")

    def store(expected: int) -> int:
        stored = store_scenario(local_store().scenarios, text, current_writer(), expected=expected, name=name)
        audit("store scenario", own)
        finish()
        return stored.revision

    return store_edit(
        place_of(own) if name else (_NEW, own),
        Role.RUN,
        store,
        subject=f"The scenario “{own}”",
        mine=text,
        keep_theirs=lambda _: finish(),
        go_on=go_on,
    )


def delete_scenario(name: str, *, go_on: Callable[[], None]) -> bool:
    """Delete a scenario as the user has seen it, or ask; return whether it is deleted.

    Args:
        name: The scenario.
        go_on: Opens the deletion again where it could not be stored after the question.

    Raises:
        ForbiddenError: The user may not delete it.
        NotFoundError: There is none of that name.
    """

    def delete(expected: int) -> int:
        local_store().scenarios.delete(name, current_writer(), expected=expected)
        audit("delete scenario", name)
        return NEVER_WRITTEN

    return store_edit(
        place_of(name), Role.RUN, delete, subject=f"The scenario “{name}”", mine=DELETED, go_on=go_on
    )
