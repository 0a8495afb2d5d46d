"""The gateway to the outside for every call of a workflow."""

from __future__ import annotations

from debugger.engine.outbound.gateway import (
    CallClass,
    Gateway,
    OutboundCall,
    OutboundError,
    OutboundOutcome,
    Policy,
    RecordedAnswer,
    Substitute,
)
from debugger.engine.outbound.secrets import MaskedValue, Secrets

__all__ = [
    "CallClass",
    "Gateway",
    "MaskedValue",
    "OutboundCall",
    "OutboundError",
    "OutboundOutcome",
    "Policy",
    "RecordedAnswer",
    "Secrets",
    "Substitute",
]
