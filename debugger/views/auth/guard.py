"""The outermost middleware: host names, origins, and the headers of every response.

Without it a site could drive the page by DNS rebinding: its name resolves to this machine, so that the
browser takes the page for the site's own.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Collection
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st

from debugger.views.asgi import Application, Message, Receive, Scope, Send, header_values, respond
from debugger.views.auth.login_method import LOCAL_NAMES, is_loopback

_HOST = re.compile(r"(\[[0-9a-f:.]+]|[^\s:/@?#\\\[\]]+)(?::\d{1,5})?", re.IGNORECASE)
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_FORWARDED = frozenset({b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip"})
HEALTH_PATHS = ("/_stcore/health", "/healthz")
"""Answer to any name: the probe of a container asks for its address. The second asks the database, too."""
METRICS = "/metrics"
"""The route of the counters; it checks keys itself."""


class Guard:
    """Middleware that refuses foreign hosts and sites, and sets response headers.

    Args:
        app: The next application.
        allowed_hosts: Names beside those of this machine.
        needs_login: Without a login, only requests from this machine itself are let through.
        base: The path that the page is served under; empty for the root.
    """

    def __init__(
        self, app: Application, *, allowed_hosts: Collection[str], needs_login: bool, base: str
    ) -> None:
        """Hold the next application and the names; read Streamlit's page once for the headers."""
        self._app = app
        self._names = LOCAL_NAMES | frozenset(allowed_hosts)
        self._needs_login = needs_login
        self._health = [base + path for path in HEALTH_PATHS]
        self._headers = response_headers()
        self._own_names = frozenset(name for name, _ in self._headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it with advice and status 403; a WebSocket is refused unaccepted.

        HTTP responses get the headers of `response_headers`. What is neither HTTP nor a WebSocket is passed
        on as it is.
        """
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        complete = self._with_headers(send) if scope["type"] == "http" else send
        refusal = self._refusal(scope)
        if refusal:
            await respond(scope, complete, 403, refusal + "\n")
        else:
            await self._app(scope, receive, complete)

    def _refusal(self, scope: Scope) -> str:
        """Return why a request is refused; empty for one that is let through.

        Refused are a host name that is not allowed, an origin of another host, and without a login a request
        from another machine or through a proxy. Paths of health are open to any host name, unless an origin
        is sent.
        """
        hosts, origins = header_values(scope, b"host"), header_values(scope, b"origin")
        host = hosts[0].lower() if len(hosts) == 1 else ""
        if scope["path"] in self._health and not origins:
            return ""
        if host_name(host) not in self._names:
            return (
                f"This page does not answer to the host name {', '.join(hosts)!r}: to allow it, add the name "
                "to WORKFLOW_DEBUGGER_ALLOWED_HOSTS and start the page again, which then needs a login."
            )
        # A GET from a script of another site has an Origin as well: no response is readable there.
        if any(_origin_host(origin) != host for origin in origins):
            return (
                f"A request of {origins[0]!r} to {host!r} comes from another site and was refused: a proxy "
                "before this page has to pass the Host header on."
            )
        if not self._needs_login and not _is_from_this_machine(scope):
            return (
                "This page has no login and answers to this machine only: to reach it through a proxy or "
                "from another machine, add the host name to WORKFLOW_DEBUGGER_ALLOWED_HOSTS."
            )
        return ""

    def _with_headers(self, send: Send) -> Send:
        """Return a `send` that sets the headers of each response in place of the application's own.

        A header of the application is replaced only by one of the same name.
        """

        async def complete(message: Message) -> None:
            """Send a message; of the start of a response with the headers."""
            if message["type"] == "http.response.start":
                others = [pair for pair in message.get("headers", ()) if pair[0] not in self._own_names]
                message = {**message, "headers": others + self._headers}
            await send(message)

        return complete


def host_name(host: str) -> str:
    """Return the name in a ``Host`` header; empty for a malformed one."""
    matched = _HOST.fullmatch(host)
    return matched[1].lower().rstrip(".") if matched else ""


def _origin_host(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _is_from_this_machine(scope: Scope) -> bool:
    # `uvicorn app:app --host 0.0.0.0` listens on other addresses than Streamlit's settings say.
    ends = [scope.get("server"), scope.get("client")]
    are_local = all(end is not None and is_loopback(end[0]) for end in ends)
    return are_local and not any(name in _FORWARDED for name, _ in scope["headers"])


def response_headers() -> list[tuple[bytes, bytes]]:
    """Return the headers that every response has; Streamlit's page is read for the hashes of its scripts.

    Raises:
        OSError: Streamlit's page cannot be read.
    """
    index = Path(st.__file__).with_name("static") / "index.html"
    headers = {
        "content-security-policy": content_security_policy(index.read_text(encoding="utf-8")),
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        # Not no-referrer: a browser would send the forms of this page with `Origin: null`.
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
    }
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def content_security_policy(index: str) -> str:
    """Return the policy under which Streamlit's pages and its components work.

    Components of the second version are loaded as ``blob:`` modules, charts decode with WebAssembly, and
    Streamlit sets styles inline.

    Args:
        index: Streamlit's own page, whose inline script is allowed by its hash.
    """
    digests = (hashlib.sha256(script.encode()).digest() for script in _INLINE_SCRIPT.findall(index))
    hashes = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    directives = {
        "default-src": "'self'",
        "script-src": f"'self' blob: 'wasm-unsafe-eval' {hashes}".strip(),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "worker-src": "'self' blob:",
        "connect-src": "'self'",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())
