"""The user of the current Streamlit session."""

from __future__ import annotations

from dataclasses import dataclass

from debugger.settings import read_settings
from debugger.store import Role


@dataclass(frozen=True)
class User:
    """A user of the page."""

    name: str
    """The author of what the user writes, and the person of the audit list."""
    role: Role | None
    """``None`` for a signed-in user without a role."""
    is_local: bool
    """Without a login, on a page that answers to localhost only."""


def current_user() -> User:
    """Return the user of the current session: the author of the settings where no login is needed."""
    return User(read_settings().author, Role.ADMIN, is_local=True)
