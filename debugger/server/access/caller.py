"""Who asks, as the door has written it on a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from starlette.types import Scope

from debugger.store import Role

_PLACE = "debugger.caller"


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who was let in."""

    role: Role
    person: str | None = None
    """Who they are for sure; ``None`` where they may say so themselves, as with a key that many share."""
    key_id: str | None = None
    """The key that they have shown; ``None`` where none is needed."""


OWNER = Caller(Role.ADMIN)
"""Whoever comes to a server without keys, which answers to this machine only."""
SHARED = Caller(Role.ADMIN, key_id="shared")
"""Whoever shows the key that the server was started with."""


def write_caller(scope: Scope, caller: Caller) -> None:
    """Write on a request who asks."""
    scope[_PLACE] = caller


def caller_of(scope: Scope) -> Caller:
    """Who asks; on paths that answer to everybody, nobody has looked."""
    return cast(Caller, scope[_PLACE])
