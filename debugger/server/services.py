"""The objects that the routes of one app share."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import cast

from starlette.types import Scope

from debugger.backends.base import Backend
from debugger.server.audit import AuditTrail
from debugger.server.auth import KeyStore
from debugger.server.auth.keys import SessionTokens
from debugger.server.health import Readiness
from debugger.server.metrics import Metrics
from debugger.server.run_limits import RunLimiter
from debugger.server.turn_limiter import TurnLimiter

BODY_LIMIT = 20 * 1024 * 1024
"""Bytes of a request's body."""


class BackgroundOwners:
    """Socket of each run that advances its background work.

    It is the one that sent the last turn.
    """

    def __init__(self) -> None:
        self._owners: dict[str, object] = {}
        self._lock = threading.Lock()

    def acquire(self, run_id: str, owner: object) -> None:
        """Make a socket the owner of a run, instead of any other."""
        with self._lock:
            self._owners[run_id] = owner

    def is_owner(self, run_id: str, owner: object) -> bool:
        """Return whether a socket still owns a run."""
        return self._owners.get(run_id) is owner

    def release(self, run_id: str, owner: object) -> None:
        """Leave a run without an owner, if it is this socket's."""
        with self._lock:
            if self._owners.get(run_id) is owner:
                del self._owners[run_id]


@dataclass(frozen=True)
class Services:
    """The objects that the routes of one app share."""

    backend: Backend
    metrics: Metrics
    readiness: Readiness
    keys: KeyStore
    turn_limiter: TurnLimiter
    body_limit: int = BODY_LIMIT
    """Bytes of a request's body or of a frame that a client sends."""
    run_limiter: RunLimiter = field(default_factory=RunLimiter)
    tokens: SessionTokens = field(default_factory=SessionTokens)
    audit: AuditTrail = field(default_factory=AuditTrail)
    background_owners: BackgroundOwners = field(default_factory=BackgroundOwners)


def services_of(scope: Scope) -> Services:
    """Return the services of the app that a request is for."""
    return cast(Services, scope["app"].state.services)
