"""Requests to the hosted API (``platform.md#base-url``)."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeVar

import httpx

from debugger.backends.base_url import check_base_url, is_loopback, is_same_origin
from debugger.backends.hosted.http_errors import (
    RequestInfo,
    looks_like_a_page,
    make_no_answer_error,
    make_refusal_error,
    retry_after,
)
from debugger.errors import (
    AnswerError,
    AuthenticationError,
    ConnectionFailedError,
    InputError,
    SettingsError,
    WorkflowError,
)
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import decode
from debugger.protocol.runs import TURN_NUMBERS_HEADER
from debugger.protocol.urls import SESSION
from debugger.protocol.value_view import ValueView
from debugger.settings import HostedSettings
from debugger.telemetry.context import outgoing_headers

API_VERSION = "2026-04-01"
RETRIED = frozenset({429, 502, 503, 504})
MAX_RETRIES = 2
MAX_WAIT = 8.0
"""Seconds between two tries; a longer wait is an error that names the wait."""
MAX_ANSWER_BYTES = 500_000_000
_ENCODINGS = frozenset({"", "identity", "gzip", "deflate"})
"""Encodings of answers. They unpack to a thousand times their size at most; zstd has no such limit."""
_OF_TRANSFER = frozenset({"content-encoding", "content-length", "transfer-encoding"})
NO_CACHE = {"Cache-Control": "no-cache"}
"""The header of a read whose answer must be as the server has it now."""
DATE_STEP = 1.0
"""The resolution of the headers ``Date`` and ``Age``, in seconds."""
KEEPALIVE_SECONDS = 2.0
"""Seconds that an unused connection stays open: less than on servers, so that none is gone when needed."""

Query = Mapping[str, str | int | bool]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Answer:
    """A JSON object that the API answered with."""

    request: RequestInfo
    body: JsonObject
    age: float = 0.0
    """Seconds since the server made it, which are more than none where it comes from a cache."""
    date: float | None = None
    """When the server made it, by its own clock, in whole seconds since the epoch, where it tells it."""
    server_time: float | None = None
    """The time by the server's clock, in seconds since the epoch, where it tells it."""

    def read(self, reader: Callable[[JsonObject], Result], part: JsonObject | None = None) -> Result:
        """Return what a reader makes of the object, or of its part.

        Raises:
            AnswerError: The reader raises `InputError` or `WorkflowError`: the object breaks the protocol.
        """
        try:
            return reader(self.body if part is None else part)
        except (InputError, WorkflowError) as error:
            # Not "from error": its cause repeats the values that were answered.
            raise self.make_answer_error(error.message) from None

    def rows(self, *keys: str) -> list[JsonObject]:
        """Return the rows of a list, under the first matching key.

        Raises:
            AnswerError: There is no list, or something in it is not an object.
        """
        found = next((self.body[key] for key in keys if isinstance(self.body.get(key), list)), None)
        if found is None:
            raise self.make_answer_error(f"it has no list {keys[0]!r}")
        for number, row in enumerate(found):
            if not isinstance(row, dict):
                raise self.make_answer_error(f"{keys[0]}[{number}] is not an object")
        return list(found)

    def make_answer_error(self, reason: str) -> AnswerError:
        """Return the error for an answer that breaks the protocol; secrets in the reason are masked."""
        return AnswerError(
            f"The answer to {self.request} cannot be used: {self.request.quote(reason)}.",
            advice=f"It is JSON, but not what this API answers. {self.request.url_advice}",
        )


class _Session(ValueView):
    id: str


class _SessionAnswer(ValueView):
    data: _Session


class ApiClient:
    """Sends requests with the API's headers; a POST is never repeated.

    Args:
        settings: The API's URL, the key, team and user, the timeouts.
        transport: Carries the requests instead of the network.

    Raises:
        SettingsError: The base URL, the key or an id in the settings cannot be used, or the proxy or the
            certificates that the environment names.
    """

    def __init__(self, settings: HostedSettings, *, transport: httpx.BaseTransport | None = None) -> None:
        """Build the headers and open the HTTP client; nothing is sent.

        Raises SettingsError where the URL, the key, an id, a proxy or the certificates cannot be used.
        """
        self.base_url = check_base_url(settings.base_url)
        self.settings = settings
        self._key = settings.api_key.get_secret_value().strip()
        self._former_keys: tuple[str, ...] = ()
        self.is_loopback = is_loopback(httpx.URL(self.base_url).host)
        """Whether the API is on this machine; requests to it use no proxy and need no key."""
        self.server_checks_numbers = False
        """Whether the server says that it checks the turn number that a client expects."""
        self.headers = _build_headers(settings, self._key)
        """The headers of every request, with the key."""
        self.latest_date: float | None = None
        """The latest ``Date`` of an answer, in whole seconds since the epoch."""
        self._clock_offset: float | None = None
        """Seconds by which the server's clock is ahead of this machine's monotonic one, by ``Date``."""
        try:
            self._client = httpx.Client(
                headers=self.headers,
                timeout=httpx.Timeout(settings.timeout, connect=settings.connect_timeout),
                limits=httpx.Limits(keepalive_expiry=KEEPALIVE_SECONDS),
                transport=transport,
                # Without the environment httpx would read no SSL_CERT_FILE, which counts on loopback, too.
                verify=httpx.create_ssl_context(),
                trust_env=not self.is_loopback,
            )
        except OSError as error:
            raise SettingsError(
                f"The certificates for secure connections cannot be read: {error}.",
                advice="Correct SSL_CERT_FILE or SSL_CERT_DIR, or leave it out.",
            ) from error
        except (ValueError, ImportError, httpx.InvalidURL):
            # Not "from error": a proxy's URL may hold a password.
            raise SettingsError(
                "A proxy that the environment names cannot be used.",
                advice="Correct HTTPS_PROXY, HTTP_PROXY or ALL_PROXY; they name http:// or https:// proxies.",
            ) from None

    def __repr__(self) -> str:
        return f"ApiClient({self.base_url!r})"

    def replace_credentials(self, settings: HostedSettings) -> None:
        """Use another key, team and user from the next request on.

        Requests under way keep theirs.

        Raises:
            SettingsError: The settings are of another origin, or a value cannot be sent.
        """
        if not is_same_origin(settings.base_url, self.base_url):
            raise SettingsError(
                f"The key is for {settings.base_url!r}, and this connection leads to {self.base_url!r}.",
                advice="Connect again.",
            )
        key = settings.api_key.get_secret_value().strip()
        headers = _build_headers(settings, key)
        if self._key and self._key != key:
            self._former_keys += (self._key,)
        self._key, self.headers, self._client.headers = key, headers, httpx.Headers(headers)

    @property
    def can_send(self) -> bool:
        """Return whether there is a key, or none is needed."""
        return bool(self._key) or self.is_loopback

    def fetch_session_token(self) -> str | None:
        """Return a token for one socket, or ``None``.

        It is ``None`` where the API has none, or answers something malformed or nothing in time. The answer
        also sets `server_checks_numbers`.

        Raises:
            ConnectionError: There is no connection to the API at all, or it is closed.

        Source: ``platform.md#websocket``; the address is at the root of the host, whatever the base URL.
        """
        if self._client.is_closed:
            raise ConnectionError
        url = httpx.URL(self.base_url).copy_with(path=SESSION)
        try:
            with self._client.stream("GET", url, timeout=self.settings.connect_timeout) as response:
                answer = _read_response(response)
            self._note_server(answer)
            token = _SessionAnswer(answer.json()).data.id if answer.status_code == 200 else ""
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise ConnectionError(str(error)) from error
        except (httpx.RequestError, ValueError, RecursionError):
            return None
        return token or None

    def describe_request(self, method: str, path: str, subject: str, risk: str = "") -> RequestInfo:
        """Return the description of a request for errors; secrets are masked in it."""
        secrets = tuple(key for key in (self._key, *self._former_keys) if key)
        return RequestInfo(method, self.base_url + path, subject, risk, secrets)

    def get(
        self,
        path: str,
        subject: str,
        query: Query | None = None,
        *,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Read an object; repeat the request while the API is busy.

        After 429, 502, 503 and 504 it is sent again, `MAX_RETRIES` times at most, each after at most
        `MAX_WAIT` seconds.

        Args:
            path: The path of the URL below the base.
            subject: What the request is about, for errors.
            query: Names and values to add to the URL.
            timeout: Seconds to wait for an answer, instead of the settings' own.
            headers: More headers of the request.

        Raises:
            AuthenticationError: There is no key; nothing was sent.
            ApiError: No response came.
            DebuggerError: The response has an error status; see `make_refusal_error`.
            AnswerError: The response holds no JSON object.
        """
        request = self.describe_request("GET", path, subject)
        for attempt in range(MAX_RETRIES + 1):
            response = self.send(request, query=query, timeout=timeout, headers=headers)
            if response.is_success:
                return Answer(request, read_object(request, response), *self._read_clock(response))
            wait = _wait_before_retry(response, attempt)
            if wait is None:
                break
            time.sleep(wait)
        raise make_refusal_error(request, response)

    def _read_clock(self, response: httpx.Response) -> tuple[float, float | None, float | None]:
        """Return the age of a response in seconds, its date, and the time by the server's clock.

        A cache names the age in ``Age``, or repeats a ``Date`` that is older than another one that has come.
        """
        declared = _read_age(response)
        made_at = _read_date(response)
        if made_at is None:
            return declared, None, None
        now = time.monotonic()
        offset = made_at - now
        self._clock_offset = max(offset, self._clock_offset or offset)
        server_time = now + self._clock_offset
        return max(declared, server_time - made_at - DATE_STEP), made_at, server_time

    def post(
        self,
        path: str,
        subject: str,
        body: JsonObject | None = None,
        *,
        risk: str = "The request may have been executed nevertheless.",
        timeout: float | None = None,
    ) -> Answer:
        """Send an object, once.

        Args:
            path: The path of the URL below the base.
            subject: What the request is about, for errors.
            body: The object to send; ``None`` sends none.
            risk: What may have happened although no answer came, as a sentence.
            timeout: Seconds to wait for the answer, instead of the settings' own.

        Raises:
            InputError: The body has no JSON form; nothing was sent.
            AuthenticationError: There is no key; nothing was sent.
            ApiError: No response came.
            DebuggerError: The response has an error status; see `make_refusal_error`.
            AnswerError: The response holds no JSON object.
        """
        request = self.describe_request("POST", path, subject, risk)
        response = self.send(request, content=None if body is None else encode_body(body), timeout=timeout)
        if not response.is_success:
            raise make_refusal_error(request, response)
        return Answer(request, read_object(request, response))

    def delete(self, path: str, subject: str) -> None:
        """Send a deletion, once; the body of the answer is ignored.

        Raises:
            ApiError: No response came.
            DebuggerError: The response has an error status; see `make_refusal_error`.
        """
        request = self.describe_request("DELETE", path, subject, "It may have been deleted nevertheless.")
        response = self.send(request)
        if not response.is_success:
            raise make_refusal_error(request, response)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def send(
        self,
        request: RequestInfo,
        *,
        query: Query | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> httpx.Response:
        """Send one request once and return the response of any status.

        Raises:
            AuthenticationError: There is no key, and the API is not on this machine; nothing was sent.
            ApiError: No response came; ``was_sent`` says whether the request may have arrived.
        """
        if not self.can_send:
            raise AuthenticationError(
                f"No API key is set, so {request} was not sent.",
                advice="Enter one on the page Connection (INTERACTLY_API_KEY).",
                was_sent=False,
            )
        if self._client.is_closed:
            raise ConnectionFailedError(
                f"The connection is closed, so {request} was not sent.", was_sent=False
            )
        seconds = self.settings.timeout if timeout is None else timeout
        limits = httpx.Timeout(seconds, connect=self.settings.connect_timeout)
        request_headers = {**outgoing_headers(), **(headers or {})}
        try:
            with self._client.stream(
                request.method,
                request.url,
                params=query,
                content=content,
                headers=request_headers,
                timeout=limits,
            ) as response:
                answer = _read_response(response)
        except httpx.RequestError as error:
            raise make_no_answer_error(
                request, error, timeout=seconds, connect_timeout=self.settings.connect_timeout
            ) from error
        self._note_server(answer)
        return answer

    def _note_server(self, answer: httpx.Response) -> None:
        """Note what an answer tells of its server."""
        self.latest_date = max(filter(None, (self.latest_date, _read_date(answer))), default=None)
        if TURN_NUMBERS_HEADER in answer.headers:
            self.server_checks_numbers = answer.headers[TURN_NUMBERS_HEADER] == "checked"


def _read_age(response: httpx.Response) -> float:
    """Return the age that a cache tells in whole seconds, at most; 0 without one."""
    text = response.headers.get("age", "").strip()
    return float(text) + DATE_STEP if text.isdecimal() else 0.0


def _read_date(response: httpx.Response) -> float | None:
    try:
        return parsedate_to_datetime(response.headers["date"]).timestamp()
    except (LookupError, ValueError, OverflowError):
        return None


def _read_response(response: httpx.Response) -> httpx.Response:
    """Return a response with its body, whose size a user's server could choose at will.

    Raises:
        httpx.DecodingError: It is packed in another way than was offered, or is too large.
    """
    encoding = response.headers.get("content-encoding", "identity").lower()
    if encoding not in _ENCODINGS:
        raise httpx.DecodingError(f"its encoding is {encoding}", request=response.request)
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise httpx.DecodingError(
                f"it is larger than {MAX_ANSWER_BYTES / 1e6:.0f} MB", request=response.request
            )
    headers = [pair for pair in response.headers.multi_items() if pair[0] not in _OF_TRANSFER]
    return httpx.Response(
        response.status_code, headers=headers, content=bytes(body), request=response.request
    )


def _build_headers(settings: HostedSettings, key: str) -> dict[str, str]:
    """Return the headers of all requests, without ``Authorization`` where there is no key.

    Raises:
        SettingsError: A value cannot be sent in a header, or the key begins with "Bearer".
    """
    if key.lower().startswith("bearer "):
        raise SettingsError(
            "The API key begins with the word Bearer, which is not part of it.",
            advice="Enter what follows the word; it is added to each request by itself (INTERACTLY_API_KEY).",
        )
    headers = {
        "Authorization": f"Bearer {key}",
        "teamid": settings.team_id.strip(),
        "uuid": settings.user_id.strip(),
        "X-Interactly-API-Version": API_VERSION,
        "User-Agent": f"workflow-debugger/{_own_version()}",
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Accept-Encoding": "gzip, deflate",
    }
    sources = {"Authorization": "API_KEY", "teamid": "TEAM_ID", "uuid": "USER_ID"}
    for name, source in sources.items():
        if not (headers[name].isascii() and headers[name].isprintable()):
            raise SettingsError(
                f"INTERACTLY_{source} has a character that a request cannot carry.",
                advice="Copy it again; it holds plain letters, digits and signs only.",
            )
    if not key:
        del headers["Authorization"]
    return headers


def _own_version() -> str:
    try:
        return version("workflow-debugger")
    except PackageNotFoundError:  # run from a source tree
        return "source"


def encode_body(body: JsonObject) -> bytes:
    """Return an object as JSON text.

    Raises:
        InputError: Something in it has no JSON form.
    """
    try:
        return json.dumps(body, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"What is to be sent has no JSON form: {error}.",
            advice="Use objects, lists, texts, finite numbers, true, false and null only.",
        ) from error


def _wait_before_retry(response: httpx.Response, attempt: int) -> float | None:
    """Return the seconds until a request is repeated; ``None`` for never.

    Source: ``platform.md#retries``.
    """
    wait = max(retry_after(response) or 0.0, random.uniform(0, min(MAX_WAIT, 0.5 * 2**attempt)))
    can_retry = response.status_code in RETRIED and attempt < MAX_RETRIES and wait <= MAX_WAIT
    return wait if can_retry else None


def read_json(response: httpx.Response) -> Any:
    """Return the JSON in a response; ``None`` where it is ``null`` or no JSON."""
    try:
        return decode(response.content)
    except (ValueError, RecursionError):
        return None


def read_object(request: RequestInfo, response: httpx.Response) -> JsonObject:
    """Return the object in a response.

    Raises:
        AnswerError: There is none.
    """
    if looks_like_a_page(response):
        raise AnswerError(
            f"{request} was answered with a web page, not with JSON.",
            advice=f"A firewall, a sign-in page or another server answers there. {request.url_advice}",
        )
    try:
        body: Any = decode(response.content)
    except (ValueError, RecursionError) as error:
        raise AnswerError(
            f"The answer to {request} is not JSON: {request.quote(str(error))}. "
            f"It begins {request.quote(response.text[:1000])[:80]!r}.",
            advice=request.url_advice,
        ) from error
    if not isinstance(body, dict):
        raise AnswerError(f"The answer to {request} is JSON, but not an object.", advice=request.url_advice)
    return body
