"""The roles that commands of the page need."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial, wraps
from typing import Any, ParamSpec, TypeVar

import streamlit as st

from debugger.errors import ForbiddenError, SettingsError, StoreError
from debugger.settings import PREFIX, Settings, read_settings
from debugger.store import Role
from debugger.views import state
from debugger.views.auth.logins import page_logins

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_NEEDED = "needed_role"


def may(role: Role) -> bool:
    """Return whether the user of the current session has a role."""
    return not reason_against(role)


def requires(role: Role) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Let a command refuse users without a role.

    That its controls are drawn disabled is not enough: a browser can send the events of a bar by hand, and a
    role can be taken after the page was drawn. The role is written on the function for `explain_denial`.

    Args:
        role: The role that the command needs.
    """

    def decorate(do: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        """Return the command with the check of the role before it, and the role written on it."""

        @wraps(do)
        def checked(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
            check_role(role)
            return do(*args, **kwargs)

        setattr(checked, _NEEDED, role)
        return checked

    return decorate


def check_role(role: Role) -> None:
    """Refuse a user without a role.

    Raises:
        ForbiddenError: The user of the current session does not have it.
    """
    if reason := reason_against(role):
        raise ForbiddenError(reason, advice="Ask an administrator of this page for it.")


def reason_against(role: Role) -> str:
    """Return why the user lacks a role; empty if not."""
    own = current_user().role
    return "" if own is not None and own.covers(role) else f"Needs the role {role}; you have {own or 'none'}."


def needed_role(do: Callable[..., Any]) -> Role | None:
    """Return the role that a callback needs, or ``None``.

    The role is that which `requires` has written on it, also where the callback is in a ``partial``.
    """
    while isinstance(do, partial):
        do = do.func
    role: Role | None = getattr(do, _NEEDED, None)
    return role


def explain_denial(do: Callable[..., Any] | None) -> str:
    """Return why the user may not use a control; empty if allowed."""
    role = None if do is None else needed_role(do)
    return "" if role is None else reason_against(role)


def on_click(do: Callable[..., Any], *, disabled: bool = False, help: str | None = None) -> dict[str, Any]:
    """Return the arguments of a button that is disabled without the callback's role.

    Args:
        do: The callback.
        disabled: Whether it is disabled for everybody.
        help: The tooltip; the missing role takes its place.
    """
    reason = explain_denial(do)
    return {"on_click": do, "disabled": disabled or bool(reason), "help": reason or help}


def on_change(do: Callable[..., Any], *, disabled: bool = False, help: str | None = None) -> dict[str, Any]:
    """Return the same arguments of a Streamlit input."""
    reason = explain_denial(do)
    return {"on_change": do, "disabled": disabled or bool(reason), "help": reason or help}


@dataclass(frozen=True)
class User:
    """A user of the page."""

    name: str
    """The author of what the user writes, and the person of the audit list."""
    role: Role | None
    """``None`` for a user without a role, or whose login has ended."""
    is_local: bool
    """Without a login, on a page that answers to localhost only."""


_NOBODY = User("", None, is_local=False)


@dataclass
class _SessionUser:
    """The user who has begun the session."""

    name: str = ""


def current_user() -> User:
    """Return the user of the current session.

    Without a login it is the author of the settings.

    The login is checked anew each time: a key that was revoked or a login that was ended has no role. Nor has
    another user of the same browser, for whom Streamlit continues the session after a lost connection.
    """
    logins = page_logins()
    if not logins.is_needed:
        return _local_user(os.environ.get(f"{PREFIX}AUTHOR"))
    cookies = {name: value for name, value in st.context.cookies.to_dict().items() if isinstance(value, str)}
    try:
        login = logins.find(cookies)
    except StoreError:
        login = None
    if login is None:
        return _NOBODY
    begun_by = state.record(_SessionUser)
    begun_by.name = begun_by.name or login.person
    return User(login.person, login.role, is_local=False) if begun_by.name == login.person else _NOBODY


@lru_cache(maxsize=1)
def _local_user(author: str | None) -> User:
    """Return the administrator that a page without a login has, named by the settings; kept for one author.

    Settings that cannot be used give `author`, or without it the default name.
    """
    # The setting is a parameter so that the settings are read once, not for each control that is drawn.
    try:
        return User(read_settings().author, Role.ADMIN, is_local=True)
    except SettingsError:  # the page shows it where a backend is opened
        return User(author or Settings().author, Role.ADMIN, is_local=True)
