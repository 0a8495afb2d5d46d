"""Middleware that lets only signed-in users reach the page.

It covers pages, files, uploads, downloads and the WebSocket.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import quote

import streamlit as st

from debugger.errors import StoreError
from debugger.settings import read_settings
from debugger.views.asgi import (
    Application,
    Message,
    Receive,
    Scope,
    Send,
    cookies_of,
    is_page_request,
    respond,
)
from debugger.views.auth.guard import HEALTH_PATHS, METRICS, Guard
from debugger.views.auth.login_method import check_login_method
from debugger.views.auth.login_page import LoginPage
from debugger.views.auth.logins import Login, Logins, page_logins
from debugger.views.streamlit_patches import redirect_message

_log = logging.getLogger(__name__)

OPEN_PATHS = frozenset({*HEALTH_PATHS, METRICS, "/auth/login", "/oauth2callback"})
"""Answered without a login, beside the pages of the login: the last two lead a user to the identity
provider and back."""
POLL_SECONDS = 0.5
"""Between two looks at the login of an open WebSocket; it is closed within this and `FRESH_SECONDS`."""
CLOSE_CODE = 4401


class LoginGate:
    """Middleware that refuses requests without a login.

    It also ends WebSockets with their login.

    Args:
        app: The next application.
        logins: The logins of the page.
        base: The path that the page is served under; empty for the root.
    """

    def __init__(self, app: Application, *, logins: Logins, base: str) -> None:
        self._app = app
        self._logins = logins
        self._base = base
        self._page = LoginPage(logins, base)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request of a signed-in user on, or answer the login.

        Without a login, the refusal is the way to the login page or 401; without a role 403; where logins
        cannot be checked 503. `OPEN_PATHS`, and what is neither HTTP nor a WebSocket, need no login. Pages
        are sent with ``no-store``.
        """
        path = scope.get("path", "").removeprefix(self._base)
        if scope["type"] not in ("http", "websocket") or path in OPEN_PATHS:
            await self._app(scope, receive, send)
            return
        try:
            login = await self._logins.find_nonblocking(cookies_of(scope))
            if await self._page.answers(path, scope, receive, send, login):
                return
        except StoreError as error:
            _log.warning("A request was refused: %s", error)
            await respond(
                scope, send, 503, "Logins cannot be checked now: try again, or see the page's log.\n"
            )
            return
        if login is None:
            await self._refuse(scope, send)
        elif login.role is None:
            await self._page.show_no_role(scope, send, login)
        elif scope["type"] == "websocket":
            await self._serve_while_signed_in(login, scope, receive, send)
        else:
            await self._app(scope, receive, _not_stored(send) if is_page_request(scope) else send)

    async def _refuse(self, scope: Scope, send: Send) -> None:
        """Answer a request without a login: a page leads to the login page with its address, others get 401.

        A WebSocket is refused before it is accepted.
        """
        if not is_page_request(scope):
            await respond(scope, send, 401, "Sign in first: open the page in a browser.\n")
            return
        query = scope["query_string"].decode("latin-1")
        target = quote(scope["path"]) + (f"?{query}" if query else "")
        location = f"{self._base}/login?next={quote(target, safe='')}"
        await respond(scope, send, 303, headers=[(b"location", location.encode())])

    async def _serve_while_signed_in(self, login: Login, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a WebSocket until it ends or its login does; then send the browser to the login page.

        After the login's end the application is cancelled, and the socket is closed with `CLOSE_CODE`. An
        exception of the application is raised; a browser that has gone is no error.
        """
        serving = asyncio.ensure_future(self._app(scope, receive, send))
        watching = asyncio.ensure_future(self._until_signed_out(login, cookies_of(scope)))
        try:
            await asyncio.wait({serving, watching}, return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                await serving
                return
        finally:
            for task in (serving, watching):
                task.cancel()
        with suppress(asyncio.CancelledError):
            await serving
        redirect = redirect_message(f"{self._base}/login")
        with suppress(Exception):  # the browser has gone meanwhile, or was never let in
            if redirect is not None:
                await send({"type": "websocket.send", "bytes": redirect})
            await send({"type": "websocket.close", "code": CLOSE_CODE, "reason": "signed out"})

    async def _until_signed_out(self, login: Login, cookies: dict[str, str]) -> None:
        """Return once the login has ended, has lost its role, or cannot be checked.

        The login is looked up every `POLL_SECONDS`.
        """
        current: Login | None = login
        while current is not None and current.role is not None:
            await asyncio.sleep(POLL_SECONDS)
            try:
                current = await self._logins.find_nonblocking(cookies)
            except StoreError as error:
                _log.warning("A WebSocket is closed, since logins cannot be checked: %s", error)
                return


def _not_stored(send: Send) -> Send:
    """Return a `send` that forbids storing the response: Back shows no page whose login has ended."""

    async def sent(message: Message) -> None:
        """Send a message; of the start of a response with ``no-store`` in place of ``cache-control``."""
        if message["type"] == "http.response.start":
            others = [pair for pair in message.get("headers", ()) if pair[0].lower() != b"cache-control"]
            message = {**message, "headers": [*others, (b"cache-control", b"no-store")]}
        await send(message)

    return sent


def page_access() -> Callable[[Application], Application]:
    """Return the outermost middleware of the app.

    The settings of the environment and Streamlit's decide.

    Raises:
        SettingsError: A setting cannot be used, or the page needs a login and has none.
        StoreError: The store with the API keys cannot be read.
    """
    settings = read_settings()
    logins = page_logins()
    check_login_method(logins.method, logins.has_keys)
    base = page_base()

    def guarded(app: Application) -> Application:
        inner = LoginGate(app, logins=logins, base=base) if logins.is_needed else app
        return Guard(
            inner, allowed_hosts=settings.allowed_host_names, needs_login=logins.is_needed, base=base
        )

    return guarded


def page_base() -> str:
    """Return the path of the page; empty for the root."""
    path = (st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{path}" if path else ""
