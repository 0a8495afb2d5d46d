"""Notice of several processes behind a proxy without sticky sessions.

A tab's state is in the process of its WebSocket. Where a request of the tab reaches another one, a download
and an upload are answered with 404.
"""

from __future__ import annotations

import secrets
import time

import streamlit as st

from debugger.views.asgi import Application, Message, Receive, Scope, Send, header_values, is_page_request
from debugger.views.auth.login_gate import page_base

_PROCESS = secrets.token_hex(8)
_STARTED_AT = time.time()
_TOLERANCE_SECONDS = 2


class ProcessCookie:
    """Middleware that sets a cookie with the process and the time of each page.

    Args:
        app: The next application.
    """

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; add the cookie to the response of a page.

        Requests for anything but a page are passed on unchanged.
        """
        if not is_page_request(scope):
            await self._app(scope, receive, send)
            return
        host = "".join(header_values(scope, b"host")[:1])
        value = f"{_PROCESS}-{int(time.time())}"
        # Another app on this host, below another path, has processes of its own.
        attributes = f"; Path={page_base() or '/'}; HttpOnly; SameSite=Lax"
        cookie = (b"set-cookie", f"{_cookie_name(host)}={value}{attributes}".encode())

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), cookie]}
            await send(message)

        await self._app(scope, receive, send_with_cookie)


def warn_without_sticky_sessions() -> None:
    """Draw a warning where this tab's page came from another process than its WebSocket.

    Draws nothing without the cookie, and where the other process is an earlier one.
    """
    host = str(st.context.headers.get("host") or "")
    value = str(st.context.cookies.to_dict().get(_cookie_name(host)) or "")
    if comes_from_other_process(value, _PROCESS, _STARTED_AT):
        st.warning(
            "Several processes of this app answer this browser, so that uploads and downloads fail. Let the "
            "proxy use sticky sessions, or run one process."
        )


def comes_from_other_process(value: str, process: str, started_at: float) -> bool:
    """Return whether a cookie is of another process that ran at the same time.

    One of before the start is of an earlier process: the app was started again, and the tab has connected to
    the new one.

    Args:
        value: The cookie; empty without one.
        process: The running process.
        started_at: Its start, in seconds since the epoch.
    """
    other, _, loaded_at = value.partition("-")
    if not loaded_at.isdecimal() or other == process:
        return False
    return int(loaded_at) > started_at + _TOLERANCE_SECONDS


def _cookie_name(host: str) -> str:
    """Return the cookie's name; browsers send a cookie to all ports of a host."""
    return f"workflow_debugger_process_{host.rpartition(':')[2] if ':' in host else ''}"
