"""Files and sessions, each for the browser and the user that began it alone.

Streamlit serves a file to all who know its address, takes an upload from all who know a session's id, makes
a file for any session that names it, and continues a session for another user.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackendOperationRequest
from streamlit.proto.ForwardMsg_pb2 import BackendOperationResponse
from streamlit.runtime import Runtime, get_instance
from streamlit.runtime.backend_operation_handler import DeferredFileHandler
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from debugger.errors import StoreError
from debugger.views.asgi import Application, Receive, Scope, Send, cookies_of, respond
from debugger.views.auth.login_gate import page_base
from debugger.views.auth.logins import page_logins
from debugger.views.auth.owners import cookie_name, owner_name
from debugger.views.downloads import owner_of

_OWNER = "workflow_debugger_owner"
"""The entry of Streamlit's facts about a user; it continues a session for the same facts only."""
_MEDIA, _UPLOADS = "/media/", "/_stcore/upload_file/"
_MANY_FILES = 1000

_connect = Runtime.connect_session
_add, _add_deferred = MediaFileManager.add, MediaFileManager.add_deferred
_execute_deferred, _handle_deferred = MediaFileManager.execute_deferred, DeferredFileHandler.handle


class SessionFiles:
    """Middleware that answers 404 to another's files, and to uploads into another's session.

    From then on, Streamlit notes the owner of each session and file.

    Args:
        app: Answers.
    """

    def __init__(self, app: Application) -> None:
        _bind()
        self._app = app
        self._media, self._uploads = page_base() + _MEDIA, page_base() + _UPLOADS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it.

        One for a file or session of another owner is answered with 404, as is one without an owner.
        """
        path = scope.get("path", "") if scope["type"] == "http" else ""
        if path.startswith(self._media):
            owners = file_owners.of(path.removeprefix(self._media))
        elif path.startswith(self._uploads):
            owners = {_session_owner(path.removeprefix(self._uploads).partition("/")[0])}
        else:
            await self._app(scope, receive, send)
            return
        owner = await owner_of(cookies_of(scope))
        if owner and owner in owners:
            await self._app(scope, receive, send)
        else:
            await respond(scope, send, 404, "There is no such file, or it is of another browser or user.\n")


def _session_owner(session_id: str) -> str:
    session = get_instance().get_app_session(session_id)
    return str(session._user_info.get(_OWNER, "")) if session is not None else ""


class FileOwners:
    """The owners of each file; two have the same file if its content is the same."""

    def __init__(self) -> None:
        self._owners: dict[str, set[str]] = {}
        self._lock = threading.Lock()

    def of(self, name: str) -> set[str]:
        """Return the owners of a file by the last part of its address."""
        with self._lock:
            return set(self._owners.get(_file_id(name), ()))

    def add(self, url: str, owner: str, kept: Mapping[str, object]) -> None:
        """Add the owner of a file.

        Args:
            url: The address.
            owner: The owner.
            kept: The files that there are, by their ids; others are forgotten when they are many.
        """
        with self._lock:
            if len(self._owners) > _MANY_FILES:
                self._owners = {file: owners for file, owners in self._owners.items() if file in kept}
            self._owners.setdefault(_file_id(url.rpartition("/")[2]), set()).add(owner)


file_owners = FileOwners()
"""Those of this process."""


def _file_id(name: str) -> str:
    return os.path.splitext(name)[0]  # noqa: PTH122  # as Streamlit reads it


def _bind() -> None:
    """Replace methods of Streamlit, so that it notes and checks the owners of sessions and files."""
    Runtime.connect_session = _connect_owner  # type: ignore[method-assign, assignment]
    MediaFileManager.add = _add_owned  # type: ignore[method-assign, assignment]
    MediaFileManager.add_deferred = _add_deferred_owned  # type: ignore[method-assign, assignment]
    MediaFileManager.execute_deferred = _execute_owned  # type: ignore[method-assign, assignment]
    DeferredFileHandler.handle = _handle_own  # type: ignore[method-assign, assignment]


def _connect_owner(
    runtime: Runtime, client: Any, user_info: Mapping[str, Any], *others: Any, **named: Any
) -> str:
    owner = _client_owner(client.client_context.cookies)
    return _connect(runtime, client, {**user_info, _OWNER: owner}, *others, **named)


def _client_owner(cookies: Mapping[str, str]) -> str:
    """Return the owner that connects, by the cookies.

    Without a valid login, and where the store cannot be read, it is one with an empty user, which no request
    has.
    """
    browser, logins = cookies.get(cookie_name(), ""), page_logins()
    if not logins.is_needed:
        return owner_name(browser, None)
    try:
        login = logins.find(cookies)
    except StoreError:
        login = None
    return owner_name(browser, login.person if login is not None else "")


def _run_owner() -> str:
    context = get_script_run_ctx()
    return str(context.user_info.get(_OWNER, "")) if context is not None else ""


def _add_owned(manager: MediaFileManager, *args: Any, **named: Any) -> str:
    url = _add(manager, *args, **named)
    file_owners.add(url, _run_owner(), manager._file_metadata)
    return url


def _add_deferred_owned(manager: MediaFileManager, *args: Any, **named: Any) -> str:
    file_id = _add_deferred(manager, *args, **named)
    manager._deferred_callables[file_id][_OWNER] = _run_owner()  # type: ignore[literal-required]
    return file_id


def _execute_owned(manager: MediaFileManager, file_id: str) -> str:
    entry: Mapping[str, Any] = manager._deferred_callables.get(file_id) or {}
    url = _execute_deferred(manager, file_id)
    file_owners.add(url, entry.get(_OWNER, ""), manager._file_metadata)
    return url


async def _handle_own(
    handler: DeferredFileHandler, request: BackendOperationRequest, session_id: str
) -> BackendOperationResponse:
    """Make a file for the session whose page has the button; another session gets an error message."""
    entry = handler._get_media_file_mgr()._deferred_callables.get(request.deferred_file.file_id)
    if entry is not None and entry["session_id"] != session_id:
        return BackendOperationResponse(
            request_id=request.request_id, error_msg="The file is of another session."
        )
    return await _handle_deferred(handler, request, session_id)
