"""Pages of the login: sign in and sign out.

They are plain HTML and work without scripts. A form of another site cannot use them: the guard compares the
origin of each request with its host.
"""

from __future__ import annotations

import asyncio
import html
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from string import Template
from urllib.parse import parse_qs, quote, unquote, urlencode

import streamlit as st

from debugger.errors import StoreError
from debugger.store import Role, digest_of
from debugger.views.asgi import Receive, Scope, Send, cookies_of, header_values, respond
from debugger.views.auth import owners
from debugger.views.auth.login_method import auth_providers
from debugger.views.auth.logins import MAX_AGE_SECONDS, Login, Logins, issue_cookie, login_cookie_name
from debugger.views.streamlit_patches.login import COOKIE_NAME, provider_url

_log = logging.getLogger(__name__)

MAX_WRONG_KEYS = 10
"""Wrong keys that one address may try in a minute. A good key is looked at all the same."""
MAX_ADDRESSES = 10_000
_MINUTE = 60.0
_MAX_FORM_BYTES = 4096
_MAX_NEXT_SECONDS = 600
_TEMPLATE = Template(Path(__file__).with_name("login.html").read_text(encoding="utf-8"))
_URL_CHARACTERS = "%/?&=:+,;@~!$'()*#[]"
_Pair = tuple[bytes, bytes]


class LoginPage:
    """The routes ``/login`` and ``/logout``.

    Args:
        logins: The logins of the page.
        base: The path that the page is served under; empty for the root.
    """

    def __init__(self, logins: Logins, base: str) -> None:
        self._logins = logins
        self._base = base
        self._path = base or "/"
        self._wrong_keys = WrongKeys()

    async def answers(
        self, path: str, scope: Scope, receive: Receive, send: Send, login: Login | None
    ) -> bool:
        """Answer a request of the login; return whether it was one.

        Args:
            path: The path below the base.
            scope: The request.
            receive: Receives its body.
            send: Sends the response.
            login: Whose it is.

        Raises:
            StoreError: The store cannot be read or written.
        """
        if scope["type"] != "http":
            return False
        method = scope["method"]
        if path == "/logout":
            await self._sign_out(scope, send, login)
        elif path == "/login" and method == "POST" and self._logins.method == "key":
            await self._sign_in(scope, receive, send)
        elif path == "/login" and method in ("GET", "HEAD"):
            await self._show(scope, send, login)
        elif path == "/login":
            await respond(scope, send, 405, "The login is a page: open it with GET.\n")
        elif path in ("", "/") and login is not None and self._next_cookie in cookies_of(scope):
            await self._continue(scope, send, login)
        else:
            return False
        return True

    async def show_no_role(self, scope: Scope, send: Send, login: Login) -> None:
        """Answer a signed-in user who has no role with status 403, advice and a button to sign out."""
        content = (
            f"<p>You are signed in as {html.escape(login.person)}, but have no role here. Ask an "
            "administrator to add you to <code>WORKFLOW_DEBUGGER_ROLES</code>.</p>"
            f'<form method="post" action="{self._base}/logout"><button>Sign out</button></form>'
        )
        await respond(scope, send, 403, _page("No access", content), kind="text/html")

    async def _show(self, scope: Scope, send: Send, login: Login | None) -> None:
        """Answer the login page: the form of a key, or the links to identity providers.

        A signed-in user is led to ``next``. A known ``provider`` in the query leads to that provider, and
        ``next`` is kept in a cookie; an unsafe ``next`` is the first page.
        """
        query = parse_qs(scope["query_string"].decode("latin-1"))
        target = self._safe(query.get("next", [""])[0])
        provider = query.get("provider", [""])[0]
        if login is not None:
            await _redirect(scope, send, target)
        elif self._logins.method == "key":
            await respond(scope, send, 200, self._key_form(target), kind="text/html")
        elif provider in auth_providers():
            # A link of Streamlit's own is valid for two minutes, so it is made on the way.
            cookie = _cookie(scope, self._next_cookie, quote(target, safe=""), _MAX_NEXT_SECONDS, self._path)
            await _redirect(scope, send, provider_url(provider), [cookie])
        else:
            await respond(scope, send, 200, self._provider_links(target), kind="text/html")

    def _key_form(self, target: str, error: str = "") -> str:
        """Return the page with the form for an API key, with the target that it leads to and any error."""
        alert = f'<p class="error" role="alert">{html.escape(error)}</p>' if error else ""
        return _page(
            "Sign in",
            f"<p>Enter your API key of this server.</p>{alert}"
            f'<form method="post" action="{self._base}/login">'
            f'<input type="hidden" name="next" value="{html.escape(target)}">'
            '<label for="key">API key</label><input id="key" name="key" type="password" required autofocus '
            'autocomplete="current-password" spellcheck="false"><button>Sign in</button></form>'
            "<footer>An administrator makes a key with<br>"
            f"<code>workflow-debugger keys add NAME --role {Role.RUN}</code></footer>",
        )

    def _provider_links(self, target: str) -> str:
        """Return the page with a link to sign in with each identity provider, which leads to a target."""
        links = []
        for name in auth_providers():
            label = "Sign in" if name == "default" else f"Sign in with {name}"
            query = html.escape(urlencode({"provider": name, "next": target}))
            links.append(f'<a class="button" href="{self._base}/login?{query}">{html.escape(label)}</a>')
        return _page("Sign in", "<p>Sign in with your organization's account.</p>" + "".join(links))

    async def _sign_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a key that was entered: set the login cookie and go on, or show the form with the error.

        Wrong keys are counted by address, and refused with 429 once there are too many.
        """
        form = await _read_form(receive)
        target = self._safe(form.get("next", ""))
        key = await asyncio.to_thread(self._logins.key, digest_of(form.get("key", "").strip().encode()))
        if key is None:
            client = scope.get("client") or ("", 0)
            wait = self._wrong_keys.count(client[0])
            status, error = 401, "This is not an API key of this server, or it was revoked."
            headers = []
            if wait:
                status, error = 429, f"Too many wrong keys: try again in {wait:.0f} seconds."
                headers = [(b"retry-after", f"{wait:.0f}".encode())]
            await respond(scope, send, status, self._key_form(target, error), headers, "text/html")
            return
        await self._audit("sign in", key.person, key.role)
        value = issue_cookie(self._logins.secret, key.id)
        cookie = _cookie(scope, login_cookie_name(), value, MAX_AGE_SECONDS, self._path)
        # What the browser's last user has entered is not for the next one.
        await _redirect(scope, send, target, [cookie, _no_owner(scope)])

    async def _sign_out(self, scope: Scope, send: Send, login: Login | None) -> None:
        """End a login and delete all cookies of the app; only for POST, which another site cannot send.

        Another method is answered with 405. The end is audited, and the browser led to the login page, also
        without a login, whose cookies are deleted alone.

        Raises:
            StoreError: The end of the login cannot be stored.
        """
        if scope["method"] != "POST":
            await respond(scope, send, 405, "Sign out with the button of the page.\n")
            return
        if login is not None:
            await asyncio.to_thread(self._logins.end, login)
            await self._audit("sign out", login.person, login.role)
        names = {login_cookie_name(), owners.cookie_name()}
        names |= {name for name in cookies_of(scope) if name.startswith(COOKIE_NAME)}
        deletions = [
            _cookie(scope, name, "", 0, path) for name in sorted(names) for path in {"/", self._path}
        ]
        await _redirect(scope, send, f"{self._base}/login", deletions)

    async def _continue(self, scope: Scope, send: Send, login: Login) -> None:
        await self._audit("sign in", login.person, login.role)
        target = self._safe(unquote(cookies_of(scope)[self._next_cookie]))
        deletions = [_cookie(scope, self._next_cookie, "", 0, self._path), _no_owner(scope)]
        await _redirect(scope, send, target, deletions)

    async def _audit(self, action: str, person: str, role: Role | None) -> None:
        try:
            await asyncio.to_thread(self._logins.audit, person, role or "", action, "page")
        except StoreError as error:  # what was done stays done, as everywhere (`debugger.views.audit`)
            _log.warning("No entry in the audit list for %s by %s: %s", action, person, error)

    @property
    def _next_cookie(self) -> str:
        return f"workflow_debugger_next_{st.get_option('server.port')}"

    def _safe(self, path: str) -> str:
        """Return a path of this page; the first page for an unsafe one.

        Browsers drop control characters and take backslashes for slashes.
        """
        is_path = path.startswith("/") and not path.startswith("//")
        is_plain = not any(character <= " " or character in "\\\x7f" for character in path)
        return quote(path, safe=_URL_CHARACTERS) if is_path and is_plain else f"{self._base}/"


class WrongKeys:
    """The wrong keys of the last minute by address.

    Args:
        clock: Returns the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._times: dict[str, deque[float]] = {}

    def count(self, address: str) -> float:
        """Count a wrong key; return the seconds until the next try.

        It is 0 while there were few.
        """
        now = self._clock()
        # Taken out and put back, so that the address that was quiet for longest comes first.
        times = self._times.pop(address, None) or deque(maxlen=MAX_WRONG_KEYS)
        self._times[address] = times
        if len(self._times) > MAX_ADDRESSES:
            del self._times[next(iter(self._times))]
        if len(times) == MAX_WRONG_KEYS and now - times[0] < _MINUTE:
            return _MINUTE - (now - times[0])
        times.append(now)
        return 0


def _page(title: str, content: str) -> str:
    return _TEMPLATE.substitute(title=title, mark=MARK, content=content)


async def _read_form(receive: Receive) -> dict[str, str]:
    """Return the first value of each field of a form; blank fields are missing.

    Empty for a body of more than `_MAX_FORM_BYTES`, and where the client has gone.
    """
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > _MAX_FORM_BYTES or message["type"] != "http.request":
            return {}
        if not message.get("more_body"):
            break
    return {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}


def _cookie(scope: Scope, name: str, value: str, max_age: int, path: str) -> _Pair:
    """Return the header that sets a cookie, HttpOnly and ``SameSite=Lax``; a `max_age` of 0 deletes it.

    It is ``Secure`` for a request by HTTPS, also where only a header of a proxy says so.
    """
    # Not Strict: a browser that follows a link from another site would send no cookie with the page.
    # The header of any proxy counts: who forges it makes but their own cookie stricter.
    is_encrypted = scope.get("scheme") == "https" or "https" in header_values(scope, b"x-forwarded-proto")
    secure = "; Secure" if is_encrypted else ""
    attributes = f"; Path={path}; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}"
    return b"set-cookie", f"{name}={value}{attributes}".encode()


def _no_owner(scope: Scope) -> _Pair:
    return _cookie(scope, owners.cookie_name(), "", 0, "/")


async def _redirect(scope: Scope, send: Send, location: str, headers: Iterable[_Pair] = ()) -> None:
    await respond(scope, send, 303, headers=[(b"location", location.encode()), *headers])


MARK = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="24" height="24" fill="none" '
    'stroke="#3b82f6" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">'
    '<rect x="3" y="3" width="7" height="5" rx="1.5"/><rect x="14" y="16" width="7" height="5" rx="1.5"/>'
    '<path d="M6.5 8v3.5a2 2 0 0 0 2 2h7a2 2 0 0 1 2 2V16"/>'
    '<circle cx="6.5" cy="18.5" r="2.5" fill="#3b82f6"/><path d="M6.5 13.5V16"/></svg>'
)
