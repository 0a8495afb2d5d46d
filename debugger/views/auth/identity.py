"""The user of the current Streamlit session."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache

import streamlit as st

from debugger.errors import SettingsError, StoreError
from debugger.settings import PREFIX, Settings, read_settings
from debugger.store import Role
from debugger.views.auth.logins import page_logins


@dataclass(frozen=True)
class User:
    """A user of the page."""

    name: str
    """The author of what the user writes, and the person of the audit list."""
    role: Role | None
    """``None`` for a user without a role, or whose login has ended."""
    is_local: bool
    """Without a login, on a page that answers to localhost only."""


def current_user() -> User:
    """Return the user of the current session: the author of the settings where no login is needed.

    The login is checked anew each time: a key that was revoked or a login that was ended has no role.
    """
    logins = page_logins()
    if not logins.is_needed:
        return _local_user(os.environ.get(f"{PREFIX}AUTHOR"))
    cookies = {name: value for name, value in st.context.cookies.to_dict().items() if isinstance(value, str)}
    try:
        login = logins.find(cookies)
    except StoreError:
        login = None
    return User(login.person, login.role, is_local=False) if login else User("", None, is_local=False)


@lru_cache(maxsize=1)
def _local_user(author: str | None) -> User:
    # The setting is a parameter so that the settings are read once, not for each control that is drawn.
    try:
        return User(read_settings().author, Role.ADMIN, is_local=True)
    except SettingsError:  # the page shows it where a backend is opened
        return User(author or Settings().author, Role.ADMIN, is_local=True)
