"""The route from which large exports are fetched.

It is behind the login of the page, and each file is for the user and the browser that made it alone.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from debugger.errors import StoreError
from debugger.exports.jobs import ExportJob
from debugger.views.asgi import Application, Receive, Scope, Send, cookies_of, respond
from debugger.views.auth.login_gate import page_base
from debugger.views.auth.logins import page_logins
from debugger.views.auth.owners import cookie_name, owner_name, owner_token

PREFIX = "/exports/"
"""The paths of files begin with it."""
MAX_SECONDS = 3600.0
"""The age at which a file is deleted that nobody has fetched."""
MAX_FILES = 5
"""Files of one browser; the oldest make room for new ones."""
_TOKEN_BYTES = 32
_PART = 256 * 1024
_NOT_ASCII = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True)
class _Offer:
    job: ExportJob
    owner: str
    offered_at: float


class Downloads:
    """The files that wait to be fetched, by unguessable tokens.

    Args:
        clock: Returns the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._offers: dict[str, _Offer] = {}
        self._lock = threading.Lock()

    def offer(self, job: ExportJob, owner: str) -> str:
        """Hold a job's file for its owner; return its token.

        A thread deletes the file after `MAX_SECONDS`. Of more than `MAX_FILES` files of an owner the oldest
        are deleted.
        """
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        timer = threading.Timer(MAX_SECONDS, self.drop, (token,))
        timer.daemon = True
        with self._lock:
            own = [key for key, each in self._offers.items() if each.owner == owner]
            surplus = own[: len(own) - MAX_FILES + 1] if len(own) >= MAX_FILES else []
            self._offers[token] = _Offer(job, owner, self._clock())
        for key in surplus:
            self.drop(key)
        timer.start()
        return token

    def find(self, token: str, owner: str) -> ExportJob | None:
        """Return the file of a token, if it is this owner's; the file can be found again.

        ``None`` for an unknown token, for another owner's, and for a file older than `MAX_SECONDS`, which is
        deleted.
        """
        with self._lock:
            found = self._offers.get(token)
        if found is None or not secrets.compare_digest(found.owner.encode(), owner.encode()):
            return None
        if self._clock() - found.offered_at > MAX_SECONDS:
            self.drop(token)
            return None
        return found.job

    def drop(self, token: str) -> None:
        """Delete a file."""
        found = self.withdraw(token)
        if found is not None:
            found.close()

    def withdraw(self, token: str) -> ExportJob | None:
        """Return the file of a token, which nobody can fetch from then on."""
        with self._lock:
            found = self._offers.pop(token, None)
        return None if found is None else found.job


downloads = Downloads()
"""Those of this process."""


def session_owner() -> str:
    """Return the owner of the session's files: browser and user.

    A browser without cookies has none, and can fetch nothing.
    """
    return owner_token() or ""


def download_url(token: str) -> str:
    """Return the address of a file."""
    return f"{page_base()}{PREFIX}{token}"


class DownloadRoute:
    """Middleware that answers requests for files.

    Args:
        app: The next application.
    """

    def __init__(self, app: Application) -> None:
        self._app = app
        self._prefix = page_base() + PREFIX

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for a file, or pass it on where its path is not below the prefix.

        Any method but GET is answered with 405; an unknown token, or one of another owner, with 404. A file
        can be fetched once: its job is withdrawn before it is sent and closed afterwards, also where sending
        it fails.
        """
        if scope["type"] != "http" or not scope["path"].startswith(self._prefix):
            await self._app(scope, receive, send)
            return
        if scope["method"] != "GET":
            await respond(scope, send, 405, "A file can only be fetched.\n", [(b"allow", b"GET")])
            return
        token = scope["path"].removeprefix(self._prefix)
        owner = await owner_of(cookies_of(scope))
        job = downloads.find(token, owner) if owner else None
        if job is None:
            await respond(
                scope,
                send,
                404,
                "There is no such file: it was fetched already, is older than an hour, or is of another "
                "browser. Export it again.\n",
            )
            return
        downloads.withdraw(token)  # what another click or newer files delete is not sent whole
        try:
            await _send_file(job, send)
        finally:
            job.close()


async def owner_of(cookies: Mapping[str, str]) -> str:
    """Return the owner that a request comes from, by its cookies; empty without one.

    Where the page needs a login, it is empty, too, without a login, with one that has no role, and where the
    store cannot be read.
    """
    browser = cookies.get(cookie_name(), "")
    logins = page_logins()
    if not browser or not logins.is_needed:
        return browser
    try:
        login = await logins.find_nonblocking(cookies)
    except StoreError:
        return ""
    return owner_name(browser, login.person) if login is not None and login.role is not None else ""


async def _send_file(job: ExportJob, send: Send) -> None:
    """Send the file of an export in parts, each read in a thread.

    The file stays open. An error of a read leaves it after the head and earlier parts were sent.
    """
    headers = [
        (b"content-type", job.options.media_type.encode()),
        (b"content-length", str(job.size).encode()),
        (b"content-disposition", disposition(job.file_name).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for offset in range(0, job.size, _PART):
        part = await asyncio.to_thread(job.read, offset, _PART)
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def disposition(file_name: str) -> str:
    """Return the header that names a response as a file."""
    plain = _NOT_ASCII.sub("_", file_name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name, safe='')}"
