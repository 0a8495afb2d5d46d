"""Faults of the proxy and the requests that they strike."""

from __future__ import annotations

import re
from dataclasses import dataclass

CONNECTION = "connection"
"""A connection that is opened, before a byte of it is read."""
EXECUTE = "execute"
PUMP = "pump"
RUN = "run"
"""A read of one run's record."""
RUNS = "runs"
"""A read of the list of runs."""
SESSION = "session"
HANDSHAKE = "handshake"
OTHER = "other"
TURN_FRAME = "turn frame"
"""A data frame of the client."""
FRAME = "frame"
"""A data frame of the server: the acknowledgement or an event."""

_ROUTES = (
    (SESSION, re.compile(r"GET .*/v1/session")),
    (HANDSHAKE, re.compile(r"GET .*/v1/workflow-runs/ws")),
    (EXECUTE, re.compile(r"POST .*/v1/workflows/[^/]+/execute")),
    (PUMP, re.compile(r"POST .*/v1/workflows/[^/]+/runs/[^/]+/pump-companions")),
    (RUNS, re.compile(r"GET .*/v1/workflow-runs")),
    (RUN, re.compile(r"GET .*/v1/workflow-runs/[0-9a-f]{24}")),
)


def target_of(method: str, path: str) -> str:
    """Return a request's target; the query does not count."""
    request = f"{method} {path.partition('?')[0]}"
    return next((target for target, route in _ROUTES if route.fullmatch(request)), OTHER)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault, which strikes once.

    Kinds of requests (targets ``execute`` to ``other``), see `http_faults`: ``delay request``,
    ``delay answer``, ``drop``, ``no answer``, ``cut answer``, ``duplicate answer``, ``duplicate request``,
    ``half json``, ``broken gzip``, ``change events``, ``cache``, ``replace answer``, ``drip``.

    Kinds of frames (targets ``turn frame`` and ``frame``), see `socket_relay`: ``lose``, ``duplicate``,
    ``cut``, ``close``; of the server's only: ``half``, ``garbage``, ``silence``, ``swap``, ``hold``,
    ``foreign run``; of the client's only: ``delay``.

    Kinds of the target ``connection``; both break all open connections when they are armed: ``reset`` (the
    next connection is reset before a byte is read) and ``refuse`` (new ones are refused for ``seconds``).
    """

    kind: str
    target: str
    skip: int = 0
    """Requests or client frames of the target that pass before it strikes."""
    frame: int = 0
    """Frames of the server that pass between the client's frame and the one that is struck."""
    times: int = 1
    """Requests or frames that it strikes, one after the other."""
    is_forwarded: bool = True
    """Whether the server gets the request, and executes it."""
    is_awaited: bool = True
    """Whether an answer is replaced once the server has given its own, instead of at once."""
    is_answered: bool = True
    """Whether a request that is delivered twice is answered, instead of its connection closed."""
    seconds: float = 0.0
    """How long a delay, a drip or the loss of the network lasts; the age of what a cache serves at most."""
    status: int = 200
    """Of a replaced answer, or the code of a close."""
    reason: str = "sent by the fault proxy"
    """Of a close."""
    content: bytes = b""
    """Of a replaced answer."""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    """Of a replaced answer."""
    change: str = ""
    """What is done with the events of an answer: see `http_faults.CHANGES`."""
    heeds_no_cache: bool = False
    """Whether a cache asks the server where the client says ``Cache-Control: no-cache``."""
    is_reset: bool = False
    """Whether a connection that is dropped is reset instead of closed."""
    is_chunked: bool = False
    """Whether an answer that is cut came in chunks."""


@dataclass(frozen=True)
class Applied:
    """A fault that has struck."""

    fault: Fault
    subject: str
    """The request line, or the number of the frame."""
    at: float
    """On the monotonic clock."""
