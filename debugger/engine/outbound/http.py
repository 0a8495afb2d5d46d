"""Send an HTTP request and read its answer, within limits of time and size.

Nothing of the environment is heeded: no proxy, no certificates of its own, no password file.
"""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache

import httpcore
import httpx

from debugger.engine.outbound.base import CallClass, OutboundCall, OutboundError
from debugger.engine.outbound.http_answer import HttpAnswer, simulated_answer
from debugger.engine.outbound.http_message import HttpRequest, wire_request
from debugger.engine.outbound.limits import HttpLimits
from debugger.engine.outbound.network import Network, Watch
from debugger.engine.outbound.redirects import STATUSES, redirected
from debugger.errors import InputError

# It logs hosts and headers, with whatever secrets are in them, at the level DEBUG.
logging.getLogger("httpcore").setLevel(logging.WARNING)


def http_call(
    request: HttpRequest,
    call_class: CallClass,
    *,
    limits: HttpLimits,
    cancelled: threading.Event,
    kind: str = "http",
) -> OutboundCall[HttpAnswer]:
    """A request as a call for the door.

    Args:
        request: What is sent.
        call_class: What it does there.
        limits: The door's own, `Outbound.limits`.
        cancelled: Ends the call as soon as it is set.
        kind: What the ledger calls it.

    Raises:
        InputError: The request could not be sent whatever the door says.
    """
    wire_request(request)
    return OutboundCall(
        kind=kind,
        call_class=call_class,
        target=request.target,
        request=request.to_ledger(),
        simulated=simulated_answer,
        live=lambda seconds: send(request, seconds, limits, cancelled),
        refusal=request.refusal,
        status_of=lambda answer: answer.status_code,
    )


def send(
    request: HttpRequest,
    seconds: float,
    limits: HttpLimits,
    cancelled: threading.Event,
) -> HttpAnswer:
    """Send a request, follow where its answer leads, and read the last answer.

    Args:
        request: What is sent.
        seconds: For all of it together.
        limits: How far it may go.
        cancelled: Ends it as soon as it is set.

    Raises:
        OutboundError: There is no whole answer; a status that tells of a failure is an answer.
    """
    watch, next_request = Watch(seconds, cancelled), request
    for _hop in range(limits.redirects + 1):
        with _answered(next_request, watch, limits) as response:
            location = response.headers.get("location")
            if response.status_code not in STATUSES or location is None:
                return replace(_read(response, limits), written=request.written_secrets)
        next_request = redirected(next_request, response.status_code, location)
    raise OutboundError(f"{request.target} redirects more than {limits.redirects} times.")


@contextmanager
def _answered(request: HttpRequest, watch: Watch, limits: HttpLimits) -> Iterator[httpx.Response]:
    """The answer to one request, its body still to be read."""
    try:
        wire = wire_request(request)
        network = Network(watch, limits, request.shown_host)
        with (
            httpcore.ConnectionPool(ssl_context=_tls(), network_backend=network) as pool,
            pool.stream(wire.method, _url(wire.url), headers=wire.headers.raw, content=wire.read()) as answer,
        ):
            yield httpx.Response(answer.status, headers=answer.headers, stream=_Stream(answer))
    except InputError as error:
        raise OutboundError(str(error)) from None
    except httpcore.ConnectTimeout:
        raise OutboundError(f"No connection stood within {watch.seconds:g} s.") from None
    except httpcore.TimeoutException:
        raise OutboundError(f"The whole request had not been taken within {watch.seconds:g} s.") from None
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        told = str(error).rpartition("] ")[2] or "no reason is known"
        raise OutboundError(f"The connection to {request.target} broke: {told}.") from None


def _read(response: httpx.Response, limits: HttpLimits) -> HttpAnswer:
    body = bytearray()
    try:
        for piece in response.iter_bytes():
            body += piece
            if len(body) > limits.answer_bytes:
                raise OutboundError(f"The answer is longer than {limits.answer_bytes} bytes.")
    except httpx.DecodingError:
        raise OutboundError("The answer is packed in a way that cannot be unpacked.") from None
    return HttpAnswer(response.status_code, response.headers.get("content-type", ""), bytes(body))


class _Stream(httpx.SyncByteStream):
    """The body of an answer as httpx unpacks it."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return self._answer.iter_stream()


def _url(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)
