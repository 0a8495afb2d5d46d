"""Entries of one browser that the server holds, such as keys.

A reload of the page begins a new Streamlit session, which forgets everything. The browser is recognized by
a cookie instead: random, HttpOnly, sent by this site's pages alone, gone with the browser's session, and
never in an address. Only this process knows what belongs to it.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import streamlit as st
from pydantic import SecretStr

from debugger.backends.base_url import is_same_origin
from debugger.protocol.base import JsonObject
from debugger.session.session import DebugSession
from debugger.settings import HostedSettings
from debugger.views.asgi import (
    Application,
    Message,
    Receive,
    Scope,
    Send,
    cookies_of,
    header_values,
    is_page_request,
)
from debugger.views.auth.permissions import current_user
from debugger.views.url_state import BackendName

MAX_IDLE_SECONDS = 8 * 3600.0
"""Time without a request after which an owner is forgotten."""
MAX_OWNERS = 1000
MAX_SETUPS = 20
"""Tabs of one owner whose settings are held."""
_TOKEN_BYTES = 32
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class BoundKey:
    """A key and the URL to whose origin alone it is sent."""

    base_url: str
    key: SecretStr


@dataclass
class Owner:
    """Entries of one browser."""

    custom: HostedSettings | None = None
    """The connection that was entered in the form, with its key."""
    keys: dict[str, BoundKey] = field(default_factory=dict)
    """Keys that were entered for named connections, by their names."""
    connection_name: str = ""
    """The connection that was used last."""
    backend_name: BackendName = "embedded"
    """The backend that was chosen last, with which a new tab begins."""
    unencrypted_origins: set[str] = field(default_factory=set)
    """Origins to which the user agreed to send without encryption."""
    production_origins: set[tuple[str, str]] = field(default_factory=set)
    """Connections, by name and origin, of production to which the user agreed to send."""
    declined_python: set[tuple[str, int, str]] = field(default_factory=set)
    """Workflows, versions and digests of Python code that the user did not let run without a sandbox."""
    sessions: list[tuple[str, DebugSession]] = field(default_factory=list)
    """Sessions on the hosted API that a reload must not lose, each with the name of its connection."""
    setups: dict[str, dict[str, JsonObject]] = field(default_factory=dict)
    """Debug setups of runs to be started, by the tab's token and by workflow."""
    used_at: float = 0.0

    def keep_setups(self, token: str, by_workflow: Mapping[str, JsonObject]) -> None:
        """Hold what a tab has set, for its reload; of many tabs the last `MAX_SETUPS` that have written."""
        self.setups.pop(token, None)
        self.setups[token] = dict(by_workflow)
        while len(self.setups) > MAX_SETUPS:
            del self.setups[next(iter(self.setups))]

    def keep_session(self, connection_name: str, session: DebugSession) -> None:
        """Hold a session until the outcome of its turn is known.

        Other sessions whose outcome is known by now are dropped.
        """
        others = [
            (name, others) for name, others in self.sessions if others.is_unsettled and others is not session
        ]
        self.sessions = [*others, (connection_name, session)]

    def session_of(self, connection_name: str, workflow_id: str, run_id: str) -> DebugSession | None:
        """Return the session that waits for a turn's outcome.

        Args:
            connection_name: The connection of the run.
            workflow_id: The workflow.
            run_id: The run; empty of one whose first turn is not answered yet.
        """
        for name, session in reversed(self.sessions):
            place = session.workflow_id, session.started_run_id or ""
            if session.is_unsettled and name == connection_name and place == (workflow_id, run_id):
                return session
        return None

    def forget_sessions(self, connection_name: str) -> None:
        """Hold no session of a connection any more."""
        self.sessions = [each for each in self.sessions if each[0] != connection_name]

    def with_key(self, name: str, connection: HostedSettings) -> HostedSettings:
        """Return a connection with its entered key.

        The key is used only if the origin is still the same.
        """
        bound = self.keys.get(name)
        if bound is None or not is_same_origin(bound.base_url, connection.base_url):
            return connection
        return connection.model_copy(update={"api_key": bound.key})


class Owners:
    """The owners of this process by the tokens of their cookies.

    Args:
        clock: Returns the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._owners: dict[str, Owner] = {}
        self._lock = threading.Lock()

    def find(self, token: str) -> Owner:
        """Return the owner of a token, or a new one.

        A new one is made where it is not known or was idle for long.
        """
        now = self._clock()
        with self._lock:
            self._forget_idle(now)
            # Taken out and put back, so that the one that was idle for longest comes first.
            owner = self._owners.pop(token, None) or Owner()
            owner.used_at = now
            self._owners[token] = owner
        return owner

    def _forget_idle(self, now: float) -> None:
        """Forget owners that were idle for `MAX_IDLE_SECONDS`, and the longest idle ones beyond `MAX_OWNERS`.

        The caller holds the lock.
        """
        while self._owners:
            oldest = next(iter(self._owners))
            is_idle = now - self._owners[oldest].used_at > MAX_IDLE_SECONDS
            if not is_idle and len(self._owners) <= MAX_OWNERS:
                break
            del self._owners[oldest]


owners = Owners()
"""Those of this process."""


def cookie_name() -> str:
    """Return the name of the browser's cookie.

    Browsers send a cookie to all ports of a host, so the port is part of it.
    """
    return f"workflow_debugger_{st.get_option('server.port')}"


def owner_token() -> str | None:
    """Return the token of this session's browser, with the user's name on a page with a login.

    ``None`` where the browser has sent no well-formed cookie.
    """
    sent = st.context.cookies.to_dict().get(cookie_name())
    if not isinstance(sent, str) or not _TOKEN.fullmatch(sent):
        return None
    user = current_user()
    return owner_name(sent, None if user.is_local else user.name)


def owner_name(browser: str, person: str | None) -> str:
    """Return the name of an owner: another user of a browser gets nothing that this one has entered.

    Args:
        browser: The token of its cookie.
        person: The user; ``None`` on a page without a login.
    """
    return browser if person is None else f"{browser} {person}"


class OwnerCookie:
    """Middleware that gives each browser a token.

    Args:
        app: The next application.
    """

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; a page for a browser without a well-formed token is sent with a new cookie."""
        has_token = _TOKEN.fullmatch(cookies_of(scope).get(cookie_name(), "")) is not None
        is_new = is_page_request(scope) and not has_token
        await self._app(scope, receive, _with_cookie(send, scope) if is_new else send)


def _with_cookie(send: Send, scope: Scope) -> Send:
    """Return a `send` that sets a new random cookie with the response, which is not to be stored.

    The cookie is HttpOnly and ``SameSite=Lax``, and ``Secure`` by HTTPS, also where only a proxy's header
    says so.
    """
    is_encrypted = scope.get("scheme") == "https" or "https" in header_values(scope, b"x-forwarded-proto")
    # Not Strict: a browser that follows a link from another site would send no cookie with the page, and be
    # get another one. It matters in the handshake of the page's socket alone, to which Lax is as strict.
    attributes = "; Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if is_encrypted else "")
    cookie = f"{cookie_name()}={secrets.token_urlsafe(_TOKEN_BYTES)}{attributes}"

    async def sent(message: Message) -> None:
        """Send a message; of the start of a response with the cookie and ``no-store``."""
        if message["type"] == "http.response.start":
            # A cache between must not give one browser's cookie to another.
            others = [pair for pair in message.get("headers", ()) if pair[0].lower() != b"cache-control"]
            added = [(b"cache-control", b"no-store"), (b"set-cookie", cookie.encode())]
            message = {**message, "headers": [*others, *added]}
        await send(message)

    return sent
