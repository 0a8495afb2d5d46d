"""The objects that the routes of one app share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from starlette.types import Scope

from debugger.backends.base import Backend
from debugger.server.access.key_ring import KeyRing
from debugger.server.admission import Admission
from debugger.server.audit import AuditTrail
from debugger.server.live.drivers import Drivers
from debugger.server.live.tokens import SessionTokens
from debugger.server.metrics import Metrics
from debugger.server.readiness import Readiness
from debugger.server.turn_limiter import TurnLimiter

BODY_LIMIT = 20 * 1024 * 1024
"""Bytes that a body may have."""


@dataclass(frozen=True)
class Services:
    """The objects that the routes of one app share."""

    backend: Backend
    metrics: Metrics
    readiness: Readiness
    ring: KeyRing
    turns: TurnLimiter
    body_limit: int = BODY_LIMIT
    """Bytes that the body of a request or a frame of a socket may have."""
    admission: Admission = field(default_factory=Admission)
    tokens: SessionTokens = field(default_factory=SessionTokens)
    audit: AuditTrail = field(default_factory=AuditTrail)
    drivers: Drivers = field(default_factory=Drivers)


def services_of(scope: Scope) -> Services:
    """Return the services of the app that a request is for."""
    return cast(Services, scope["app"].state.services)
