"""The one door to the outside: every call that a workflow makes leaves through it."""

from __future__ import annotations

from debugger.engine.outbound.base import (
    CallClass,
    Outbound,
    OutboundCall,
    OutboundError,
    OutboundOutcome,
    Policy,
)
from debugger.engine.outbound.recorded import RecordedAnswer
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
