"""The store of a team: one of its own, beside the main one.

No statement has to ask whose a row is, so none can forget to: what is not in a team's store it cannot see.
"""

from __future__ import annotations

import re

from debugger.errors import InputError
from debugger.store.engines import kind_of

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST = 32


def url_of_team(url: str, team: str) -> str:
    """The URL of a team's store.

    Args:
        url: The main store's.
        team: The team's name; what its store needs on a database server is made.

    Raises:
        InputError: No team can be called so.
        StoreError: The server cannot be reached, or does not let the team's schema be made.
    """
    own = kind_of(url).beside(check_team(team))
    return own.render_as_string(hide_password=False)


def check_team(name: str) -> str:
    """Give back a name that a file and a schema can bear.

    Raises:
        InputError: It is not one.
    """
    if len(name) <= _LONGEST and _NAME.fullmatch(name):
        return name
    raise InputError(
        f"The name {name!r} cannot be a team's.",
        advice=f"Write up to {_LONGEST} small letters and digits, with single hyphens between them.",
    )
