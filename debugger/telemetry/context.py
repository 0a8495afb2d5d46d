"""Request and run of the running thread or task.

Threads that are started in a copy of their caller's context have them, too.
"""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar

REQUEST_ID_HEADER = "x-request-id"
TRACE_HEADER = "traceparent"

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request, or of the turn that the app runs; empty outside of both."""
run_id: ContextVar[str] = ContextVar("run_id", default="")
"""The run whose turn is executed; empty outside of a turn."""
trace_parent: ContextVar[str] = ContextVar("trace_parent", default="")
"""The ``traceparent`` to send with requests, as W3C Trace Context defines it; empty where there is none."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_TRACE_PARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def begin_request(sent_id: str, sent_parent: str) -> None:
    """Set the request of the running task.

    Args:
        sent_id: The client's id; a new one takes its place unless it is up to 64 letters, digits and ``_.-``,
            of which the first is a letter or a digit.
        sent_parent: The client's ``traceparent``; a malformed one is ignored.
    """
    request_id.set(sent_id if _REQUEST_ID.fullmatch(sent_id) else new_request_id())
    trace_parent.set(sent_parent if _TRACE_PARENT.fullmatch(sent_parent) else "")


def begin_turn() -> None:
    """Set an id for a turn that no request has started; an id that is set stays."""
    if not request_id.get():
        request_id.set(new_request_id())


def new_request_id() -> str:
    """Return 32 random hex digits."""
    return secrets.token_hex(16)


def outgoing_headers() -> dict[str, str]:
    """Return the headers by which another server knows this request and its trace, without empty ones."""
    headers = {REQUEST_ID_HEADER: request_id.get(), TRACE_HEADER: trace_parent.get()}
    return {name: value for name, value in headers.items() if value}
