"""The audit list: actions of principals with a key."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from debugger.errors import DebuggerError
from debugger.protocol import urls
from debugger.server.auth import Principal, principal_of
from debugger.store import AuditEntry, AuditLog

_log = logging.getLogger(__name__)

AUDITED: dict[tuple[str, str], str] = {
    ("POST", urls.EXECUTE): "send turn",
    ("POST", urls.RUNS): "send turn",
    ("POST", urls.RERUN): "rerun turn",
    ("DELETE", urls.RUN): "delete run",
    ("DELETE", urls.RUN_COMMENT): "delete comment",
    ("DELETE", urls.EVENT_COMMENT): "delete comment",
    ("DELETE", urls.TURN_COMMENT): "delete comment",
    ("GET", urls.EXPORT): "export workflow",
    ("POST", urls.IMPORT): "import workflow",
    ("POST", urls.WORKFLOWS): "import workflow",
    ("POST", urls.CLONE): "clone workflow",
    ("PATCH", urls.WORKFLOW): "edit workflow",
    ("PATCH", urls.CONCURRENCY): "edit workflow",
    ("DELETE", urls.WORKFLOW): "delete workflow",
    ("POST", urls.VERSIONS): "create version",
    ("PATCH", urls.VERSION): "edit version",
    ("PATCH", urls.VERSION_CONFIG): "edit version",
    ("POST", urls.ACTIVATE): "activate version",
    ("DELETE", urls.VERSION): "delete version",
    ("POST", urls.GLOBALS): "edit global variable",
    ("POST", urls.GLOBALS_BULK): "edit global variable",
    ("PATCH", urls.GLOBAL): "edit global variable",
    ("DELETE", urls.GLOBAL): "delete global variable",
}
"""The action for a method and a path's template; the roles are in `debugger.server.auth.roles`."""

WRITE_DELAY_SECONDS = 0.2

_SCOPE_KEY = "debugger.audit_target"
_SHARED = "shared key"
"""The person of the key that the server was started with."""


class AuditTrail:
    """Collects entries, and writes those of 0.2 seconds in one transaction.

    With a transaction per turn a client needs 2.3 ms from turn to turn; with these 1.4 ms, as without a list
    (SQLite, 2026-11). A crash loses the entries of the last 0.2 seconds.

    Args:
        log: The list; ``None`` where the backend has no store of its own.
    """

    def __init__(self, log: AuditLog | None) -> None:
        self._log = log
        self._waiting: list[AuditEntry] = []
        self._writing: asyncio.Task[None] | None = None

    def add(self, principal: Principal, action: str, target: str, **details: Any) -> None:
        """Add an action, unless the principal has no key or there is no list.

        An entry without a person is of the shared key. It is written up to `WRITE_DELAY_SECONDS` later by a
        task of the running event loop, which the call starts where none runs.

        Args:
            principal: The principal.
            action: A verb and a noun.
            target: The id of the object of the action.
            details: Values without secrets and without texts of a conversation.
        """
        if principal.key_id is None or self._log is None:
            return
        person = principal.person or _SHARED
        self._waiting.append(AuditEntry.now(person, principal.role, action, target, details))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_soon())

    def flush(self) -> None:
        """Write the remaining entries, when the server has ended."""
        self._write(self._take_batch())

    async def _write_soon(self) -> None:
        while self._waiting:
            await asyncio.sleep(WRITE_DELAY_SECONDS)
            await asyncio.to_thread(self._write, self._take_batch())

    def _take_batch(self) -> list[AuditEntry]:
        batch, self._waiting = self._waiting, []
        return batch

    def _write(self, entries: list[AuditEntry]) -> None:
        """Append entries to the list; do nothing without a list or without entries.

        A DebuggerError is logged as a warning and not raised: these entries are lost.
        """
        if self._log is None or not entries:
            return
        try:
            self._log.append_all(entries)
        except DebuggerError as error:
            _log.warning("%d entries of the audit list were not written: %s", len(entries), error)


def set_audit_target(scope: Scope, target: str) -> None:
    """Set the target of an action that the path does not name."""
    scope[_SCOPE_KEY] = target


class AuditMiddleware:
    """Add each successful request of `AUDITED` to the list.

    Args:
        app: The next application.
        trail: The audit list.
    """

    def __init__(self, app: ASGIApp, *, trail: AuditTrail) -> None:
        self._app = app
        self._trail = trail

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; its entry is added after the response.

        Only a response with a status from 200 to 299 to a route in `AUDITED` gets one. Its target is that of
        `set_audit_target`, else the last parameter of the path, else empty; its details are the parameters of
        the path. Other scopes than ``http`` are passed on alone. An error of the application leaves without
        an entry.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 0

        async def observe(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        await self._app(scope, receive, observe)
        action = AUDITED.get((scope["method"], getattr(scope.get("route"), "path_format", "")))
        if action is not None and 200 <= status < 300:
            path = scope["path_params"]
            target = scope.get(_SCOPE_KEY) or next(reversed(path.values()), "")
            self._trail.add(principal_of(scope), action, str(target), **path)
