"""The one door to the outside: every call that a workflow makes leaves through it."""

from __future__ import annotations

from debugger.engine.outbound.base import CallClass, Outbound, OutboundCall, OutboundOutcome, Policy

__all__ = ["CallClass", "Outbound", "OutboundCall", "OutboundOutcome", "Policy"]
