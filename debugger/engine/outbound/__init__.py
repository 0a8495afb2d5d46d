"""The one door to the outside: every call that a workflow makes leaves through it."""

from __future__ import annotations

from debugger.engine.outbound.gateway import (
    CallClass,
    Outbound,
    OutboundCall,
    OutboundError,
    OutboundOutcome,
    Policy,
    RecordedAnswer,
)
from debugger.engine.outbound.secrets import Secrets, Veiled

__all__ = [
    "CallClass",
    "Outbound",
    "OutboundCall",
    "OutboundError",
    "OutboundOutcome",
    "Policy",
    "RecordedAnswer",
    "Secrets",
    "Veiled",
]
