"""HTTP calls within limits of time and size, with redirects.

Nothing of the environment is heeded: no proxy, no certificates of its own, no password file.
"""

from __future__ import annotations

import base64
import codecs
import logging
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.message import Message
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import httpcore
import httpx

from debugger.engine.outbound.addresses import Deadline
from debugger.engine.outbound.destinations import Destination
from debugger.engine.outbound.gateway import (
    CallClass,
    HttpLimits,
    OutboundCall,
    OutboundError,
    RecordedAnswer,
)
from debugger.engine.outbound.http_request import HttpRequest, wire_request
from debugger.engine.outbound.masking import mask_url, names_secret
from debugger.engine.outbound.network import CheckedNetwork
from debugger.engine.outbound.policy import REDIRECT_STATUSES, TRUST_ENV, DestinationPolicy, check_redirect
from debugger.engine.outbound.secrets import MaskedValue, Secrets
from debugger.errors import InputError
from debugger.expressions.limits import is_deeper
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import decode, encode

# It logs hosts and headers, with whatever secrets are in them, at the level DEBUG.
logging.getLogger("httpcore").setLevel(logging.WARNING)


MAX_DEPTH = 100
"""Levels of lists and objects in an answer; as many as a tool's result may have."""
_NO_CHARSETS = frozenset({"idna", "punycode", "raw_unicode_escape", "undefined", "unicode_escape"})
"""Codecs that are no character sets: some raise an error, and one takes hours for a long text."""
_PACKED_BYTES = 64
"""Bytes that are unpacked at once: what comes of them may be some ten thousand times as long."""
_NOT_UNPACKED = frozenset({"br", "compress", "x-compress", "x-gzip"})
"""Encodings whose bytes would be taken for text. A server that names another unknown one sends plain text."""


def http_call(
    request: HttpRequest,
    call_class: CallClass,
    *,
    limits: HttpLimits,
    cancelled: threading.Event,
) -> OutboundCall[HttpAnswer]:
    """Return a request as a call for the gateway, which sends or simulates it; nothing is sent here.

    Args:
        request: What is sent.
        call_class: What it does there.
        limits: Those of the gateway.
        cancelled: Ends the call as soon as it is set.

    Raises:
        InputError: The request could not be sent whatever the policy is.
    """
    wire_request(request)
    return OutboundCall(
        kind="http",
        call_class=call_class,
        target=request.target,
        request=request.to_ledger(),
        simulate=simulate_answer,
        live=lambda seconds: send(request, seconds, limits, cancelled),
        refusal=request.refusal,
        status_of=lambda answer: answer.status_code,
        to_json=HttpAnswer.to_json,
        from_json=HttpAnswer.from_json,
    )


def send(
    request: HttpRequest,
    seconds: float,
    limits: HttpLimits,
    cancelled: threading.Event,
) -> HttpAnswer:
    """Send a request, follow its redirects, and read the last answer.

    Args:
        request: What is sent.
        seconds: For all of it together.
        limits: How far it may go.
        cancelled: Ends it as soon as it is set.

    Raises:
        OutboundError: There is no whole answer; an error status is an answer.
    """
    deadline, next_request, policy = Deadline(seconds, cancelled), request, DestinationPolicy(limits)
    for _redirect in range(limits.redirects + 1):
        with _open_response(next_request, deadline, policy) as response:
            location = response.headers.get("location")
            if response.status_code not in REDIRECT_STATUSES or location is None:
                return replace(_read(response, limits), literal_secrets=request.literal_secrets)
        next_request = follow_redirect(next_request, response.status_code, location)
    raise OutboundError(f"{request.target} redirects more than {limits.redirects} times.")


@contextmanager
def _open_response(
    request: HttpRequest, deadline: Deadline, policy: DestinationPolicy
) -> Iterator[httpx.Response]:
    """Send one request and yield the response with its body unread; close the connection afterwards.

    Raises:
        OutboundError: The request cannot be sent, the connection fails or takes too long, or the answer is
            packed in a way that is not unpacked.
    """
    try:
        wire = wire_request(request)
        url = httpcore.URL(
            scheme=wire.url.raw_scheme, host=wire.url.raw_host, port=wire.url.port, target=wire.url.raw_path
        )
        network = CheckedNetwork(deadline, policy, request.masked_host)
        with (
            httpcore.ConnectionPool(ssl_context=_tls(), network_backend=network) as pool,
            pool.stream(wire.method, url, headers=wire.headers.raw, content=wire.read()) as answer,
        ):
            response = httpx.Response(answer.status, headers=answer.headers, stream=_Stream(answer))
            encodings = response.headers.get_list("content-encoding", split_commas=True)
            packed = [name for each in encodings if (name := each.strip().lower()) not in ("", "identity")]
            if len(packed) > 1:
                # The limits multiply: 3 KB that are packed twice can be 2 GB.
                raise OutboundError("The answer is packed more than once, which is not unpacked.")
            if packed and packed[0] in _NOT_UNPACKED:
                raise OutboundError(f"The answer is packed as {packed[0]}, which is not unpacked.")
            yield response
    except InputError as error:
        raise OutboundError(str(error)) from None
    except httpcore.ConnectTimeout:
        raise OutboundError(f"No connection was established within {deadline.seconds:g} s.") from None
    except httpcore.TimeoutException:
        raise OutboundError(f"The request was not sent completely within {deadline.seconds:g} s.") from None
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        reason = str(error).rpartition("] ")[2].rstrip(".") or "no reason is known"
        raise OutboundError(f"The connection to {request.target} broke: {reason}.") from None


def _read(response: httpx.Response, limits: HttpLimits) -> HttpAnswer:
    """Read a response's whole body, unpacked.

    Raises:
        OutboundError: It is longer than the limit, or cannot be unpacked to its end.
    """
    body = bytearray()
    try:
        for piece in response.iter_bytes():
            body += piece
            if len(body) > limits.answer_bytes:
                raise OutboundError(f"The answer is longer than {limits.answer_bytes} bytes.")
    except httpx.DecodingError:
        raise OutboundError("The answer is packed in a way that cannot be unpacked.") from None
    # What is missing at the end of a packed body without a length is no error to the client.
    unpacking = getattr(getattr(response, "_decoder", None), "decompressor", None)
    if response.num_bytes_downloaded and not getattr(unpacking, "eof", True):
        raise OutboundError("The answer ended in the middle of its packed body.")
    return HttpAnswer(response.status_code, response.headers.get("content-type", ""), bytes(body))


@dataclass(eq=False)
class _Stream(httpx.SyncByteStream):
    """The body of an answer as httpx unpacks it."""

    answer: httpcore.Response

    def __iter__(self) -> Iterator[bytes]:
        """Yield the bytes of the body; of a packed one in small pieces, so that few are unpacked at once."""
        is_packed = any(name.lower() == b"content-encoding" for name, _ in self.answer.headers)
        for chunk in self.answer.iter_stream():
            size = _PACKED_BYTES if is_packed else max(len(chunk), 1)
            for start in range(0, len(chunk), size):
                yield chunk[start : start + size]


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=TRUST_ENV)


@dataclass(frozen=True)
class HttpAnswer:
    """The answer to an HTTP request."""

    status_code: int
    content_type: str = ""
    """The header of that name."""
    raw: bytes = field(default=b"", repr=False)
    """The body as it came, unpacked. Never shown: a server may repeat what it was sent."""
    literal_secrets: Secrets = field(default_factory=Secrets)
    """The secrets that the author wrote into the request, for which the answer has marks."""

    def to_json(self, secrets: Secrets) -> JsonObject:
        """Return status, type and body for a recording, the secrets of author and run masked as in events.

        The body is a text; a JSON value where a secret had to be masked in it, and in base64 where it is no
        text of its character set.
        """
        head: JsonObject = {"status": self.status_code, "content_type": self.content_type}
        decoded, masked = self._decoded, secrets.mask(self.text)
        try:
            value = self.json()
            shown = secrets.mask_value(value)
            if masked != decoded or encode(shown) != encode(decode(decoded.encode("utf-8", "surrogatepass"))):
                return {**head, "json": shown}
        except (ValueError, RecursionError):
            pass  # not JSON, or blank
        if decoded.encode(self._charset, "replace") != self.raw:
            return {**head, "base64": base64.b64encode(secrets.mask_bytes(self.body)).decode()}
        return {**head, "body": masked}

    @classmethod
    def from_json(cls, value: JsonObject) -> HttpAnswer:
        """Return the answer that `to_json` has recorded.

        Raises:
            KeyError: It has no status, or no body.
            ValueError: The body is not base64; so does OverflowError for a status.
        """
        content_type = str(value.get("content_type", ""))
        answer = cls(int(value["status"]), content_type)
        if "json" in value:
            return replace(answer, raw=encode(value["json"]), content_type="application/json")
        if "base64" in value:
            return replace(answer, raw=base64.b64decode(value["base64"]))
        return replace(answer, raw=str(value["body"]).encode(answer._charset, "replace"))

    @property
    def is_success(self) -> bool:
        """Return whether the status says so (U-11)."""
        return 200 <= self.status_code < 300

    @property
    def status(self) -> str:
        """Return the status for people: ``404 Not Found``; of an unknown one the number alone."""
        try:
            return f"{self.status_code} {HTTPStatus(self.status_code).phrase}"
        except ValueError:
            return str(self.status_code)

    @property
    def body(self) -> bytes:
        """Return the body's bytes."""
        return self.literal_secrets.mask_bytes(self.raw)

    @property
    def text(self) -> str:
        """Return the body as text in its declared character set."""
        return self.literal_secrets.mask(self._decoded)

    @property
    def _charset(self) -> str:
        """Return the declared character set, ``utf-8`` where it is unknown or none."""
        header = Message()
        header["content-type"] = self.content_type.replace("\n", " ").replace("\r", " ")
        try:
            name = codecs.lookup(str(header.get_content_charset("utf-8"))).name
            if name.replace("-", "_") not in _NO_CHARSETS:
                "".encode(name)
                return name
        except (LookupError, ValueError):  # an unknown character set, or a codec of bytes
            pass
        return "utf-8"

    @property
    def _decoded(self) -> str:
        """Return the body as text, by UTF-8 where its character set is unknown; secrets are not masked.

        Bytes that do not fit are replaced.
        """
        try:
            return self.raw.decode(self._charset, "replace")
        except (LookupError, ValueError):
            return self.raw.decode("utf-8", "replace")

    def json(self) -> Any:
        """Return the body as a JSON value, literal secrets masked; ``None`` where it is blank.

        It is read as `protocol.json_codec.decode` does: ``NaN``, ``Infinity`` and half characters are taken.
        A byte order mark before it is skipped.

        Raises:
            ValueError: It is not JSON, or nested too deep to be read.
        """
        text = self._decoded.strip().removeprefix("\ufeff")
        try:
            value = decode(text.encode("utf-8", "surrogatepass")) if text else None
        except RecursionError:
            value, is_deep = None, True
        else:
            is_deep = is_deeper(value, MAX_DEPTH)
        if is_deep:
            raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels")
        return self.literal_secrets.mask_value(value)


def simulate_answer(recorded: RecordedAnswer | None) -> HttpAnswer:
    """Return the recorded answer, by default with status 200; without one a body ``{"simulated": true}``.

    A recorded text is plain text, any other body JSON, and none an empty answer.
    """
    if recorded is None:
        return _json_answer(200, {"simulated": True})
    status = recorded.status or 200
    if recorded.body is None:
        return HttpAnswer(status)
    if isinstance(recorded.body, str):
        return HttpAnswer(status, "text/plain; charset=utf-8", recorded.body.encode("utf-8", "replace"))
    return _json_answer(status, recorded.body)


def _json_answer(status: int, value: Any) -> HttpAnswer:
    return HttpAnswer(status, "application/json", encode(value))


def follow_redirect(request: HttpRequest, status: int, location: str) -> HttpRequest:
    """Return the request to make next, by the method and with the body that the status allows.

    A request with a secret of the run is redirected only to where the secret may be sent. Another host gets
    no header that holds a secret or is named like one.

    Args:
        request: The one that was answered.
        status: One of `REDIRECT_STATUSES`.
        location: The header of that name.

    Raises:
        OutboundError: It leads to something that is not http or https, from https to http, or would take a
            secret to another host.
    """
    here = httpx.URL(str(request.url.real).strip())
    there = _joined(request, here, location)
    before, after = Destination.of_parsed(here), Destination.of_parsed(there)
    is_same = before is not None and after is not None and before.covers(after)
    shown = mask_url(request.literal_secrets.mask(request.secrets.mask(str(there))))
    if not is_same:
        target = f"{shown}, a redirect of {request.target},"
        refusal = request.secrets.refusal(request.secret_names, after, request.authored, target, shown)
        if refusal:
            raise OutboundError(refusal)
    method = _method(request.method, status)
    moves_body = request.body is not None and method == request.method
    return replace(
        request,
        method=method,
        url=MaskedValue(str(there), shown, secret_names=request.url.secret_names),
        headers=_headers(request, is_same=is_same, moves_body=moves_body),
        body=request.body if moves_body else None,
    )


def _joined(request: HttpRequest, here: httpx.URL, location: str) -> httpx.URL:
    """Return the URL that a redirect leads to, resolved against the called one.

    Raises:
        OutboundError: It is no URL, not http or https, or leads from https to http.
    """
    try:
        there = here.join(location)
    except (httpx.InvalidURL, ValueError):
        raise OutboundError(f"{request.target} redirects to something that is not a URL.") from None
    masked = mask_url(request.literal_secrets.mask(request.secrets.mask(location)))
    shown = f"{request.target} redirects to {masked}"
    check_redirect(here, there, shown)
    return there


def _method(method: str, status: int) -> str:
    if method == "HEAD":
        return method
    looks = status == 303 or (status in (301, 302) and method == "POST")
    return "GET" if looks else method


def _headers(request: HttpRequest, *, is_same: bool, moves_body: bool) -> dict[str, MaskedValue]:
    """Return the headers of the next request, without ``Host``.

    To another host those with a secret are left out; without the body those about the content.
    """
    headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
    if not is_same:
        headers = {
            name: value for name, value in headers.items() if not (names_secret(name) or value.holds_secret)
        }
    if not moves_body:
        headers = {name: value for name, value in headers.items() if not name.lower().startswith("content-")}
    return headers
