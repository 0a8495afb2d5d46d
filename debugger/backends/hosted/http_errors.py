"""Errors of requests to the API (``platform.md#errors``)."""

from __future__ import annotations

import math
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from debugger.backends.base_url import without_query
from debugger.backends.hosted.outcome import NO_START, NOT_STORED, SESSION_NOT_FOUND, AnswerState
from debugger.errors import (
    AnswerError,
    ApiError,
    AuthenticationError,
    ConflictError,
    ConnectionFailedError,
    DebuggerError,
    ForbiddenError,
    InputError,
    NotFoundError,
    NotStartableError,
    RateLimitError,
    RequestTimeoutError,
    RunEndedError,
    ServerError,
    TurnNotStoredError,
    UnsupportedError,
    WorkflowError,
)
from debugger.protocol import urls
from debugger.protocol.base import as_objects
from debugger.protocol.runs import TurnResult

MAX_QUOTE = 500
"""Characters of an answer that an error repeats."""

NOT_STORED_ADVICE = "Send it again, which makes its calls again, or discard it."

_PREFIX = "/workflows"
"""The path by which a gateway finds the service; a service without a gateway has none."""


@dataclass(frozen=True)
class RequestInfo:
    """A request as an error describes it."""

    method: str
    url: str
    """Without query: the text of a search is private."""
    subject: str
    """What it is about: ``workflow '665f…'``, ``the list of runs``."""
    risk: str = ""
    """What may have happened although no answer came, as a sentence; empty for a mere question."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Texts that no error repeats, should the API repeat them."""

    def __str__(self) -> str:
        return f"{self.method} {self.url}"

    @property
    def url_advice(self) -> str:
        """Return the advice for a base URL that leads to another server.

        It proposes the path of the service to a base URL without it, else a check of the spelling.
        """
        base = self.url.partition("/v1/")[0]
        if not base.endswith(_PREFIX):
            return f"The base URL {base} lacks the path of the service: try {base}{_PREFIX}."
        return f"Check that {base} is the base URL of the API, to the last letter."

    def quote(self, text: str) -> str:
        """Return a text from outside on one line, without secrets, cut after `MAX_QUOTE` characters."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        line = " ".join(text.split())
        return line if len(line) <= MAX_QUOTE else line[:MAX_QUOTE] + "…"


class AnswerLost(Exception):
    """A sent turn has no answer that can be shown.

    Args:
        reason: Why.
        answer: What is known of the answer.
        result: The result in an incomplete answer.
    """

    def __init__(
        self, reason: DebuggerError, answer: AnswerState = "lost", *, result: TurnResult | None = None
    ) -> None:
        """Keep the reason, whose message it has; the run and the events are set by those who know them."""
        super().__init__(reason.message)
        self.reason = reason
        self.answer: AnswerState = answer
        self.result = result
        self.run_id: str | None = None
        """The run, where the server has named it."""
        self.event_ids: set[str] = set()
        """Ids of events of the turn that were not yielded."""
        self.seen: set[str] = set()
        """Ids of the events that were yielded before."""


def make_no_answer_error(
    request: RequestInfo, error: httpx.RequestError, *, timeout: float, connect_timeout: float
) -> ApiError:
    """Return the error for a request without an answer in HTTP.

    Args:
        request: The request.
        error: What httpx raised.
        timeout: Seconds that the answer was waited for.
        connect_timeout: Seconds that the connection was waited for.
    """
    failure = _no_answer(request, error, timeout, connect_timeout)
    failure.was_sent = not isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout | httpx.ConnectError)
    return failure


def _no_answer(
    request: RequestInfo, error: httpx.RequestError, timeout: float, connect_timeout: float
) -> ApiError:
    """Return the error for what httpx raised, by its kind; whether the request was sent is not set yet."""
    detail = request.quote(str(error)).rstrip(".") or type(error).__name__
    match error:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return RequestTimeoutError(
                f"No connection for {request} within {connect_timeout:g} s; nothing was sent.",
                advice="Check that the base URL names the right host, and that no firewall blocks it.",
            )
        case httpx.TimeoutException():
            return RequestTimeoutError(
                _sentence(f"No answer to {request} within {timeout:g} s.", request.risk),
                advice=f"{_again(request)} INTERACTLY_TIMEOUT allows more time.",
            )
        case httpx.ConnectError():
            return _no_connection(request, error, detail)
        case httpx.DecodingError():
            return AnswerError(
                f"The answer to {request} cannot be decoded: {detail}.", advice=request.url_advice
            )
    return ConnectionFailedError(
        _sentence(f"The connection broke before the answer to {request} was there: {detail}.", request.risk),
        advice=f"Check whether the server still runs. {_again(request)}",
    )


def make_refusal_error(request: RequestInfo, response: httpx.Response) -> DebuggerError:
    """Return the error for an answer with a status other than success, by status and body.

    Below 400 it is a redirect, an AnswerError. What is quoted of the answer is shortened and without secrets.
    """
    if response.status_code < 400:
        return _redirect(request, response)
    try:
        body = response.json()
    except (ValueError, RecursionError):
        body = None
    detail = request.quote(error_text(body) or response.reason_phrase)
    place = f"{request}: {response.status_code} {detail}"
    match response.status_code:
        case 400:
            return _broken_rule(request, body, detail)
        case 401:
            return AuthenticationError(
                f"The API does not accept the key ({place}).",
                advice="Enter another key on the page Connection (INTERACTLY_API_KEY); it may have expired.",
            )
        case 403 if looks_like_a_page(response):
            return ForbiddenError(
                f"A firewall or a gateway in front of the API refuses {request} with its own page ({place}).",
                advice="Ask whoever runs the network to let requests to the API through.",
            )
        case 403:
            return ForbiddenError(
                f"The API does not let the owner of this key use {request.subject} ({place}).",
                advice="Check team and user id (INTERACTLY_TEAM_ID, INTERACTLY_USER_ID), or ask for access.",
            )
        case 404 | 405:
            return _not_found(request, body, detail, place)
        case 408:
            return RequestTimeoutError(
                f"The server, or a gateway in front of it, did not wait for the whole request ({place}).",
                advice="Check the network between here and the server, then try again.",
            )
        case 409 if isinstance(body, dict) and body.get("reason") == NOT_STORED:
            return TurnNotStoredError(detail, calls=as_objects(body.get("calls")), advice=NOT_STORED_ADVICE)
        case 409:
            return ConflictError(
                f"The API reports a conflict over {request.subject} ({place}).",
                advice="Wait until the other turn or change has ended, and check its result first.",
            )
        case 422:
            return InputError(
                f"The API refuses what was sent about {request.subject} ({place}).",
                advice="Correct the fields that it names.",
            )
        case 429:
            return _rate_limit(place, response)
        case 501:
            return UnsupportedError(f"The API does not do that ({place}).")
        case status if status >= 500:
            return _server_failure(request, response, detail, place)
    return ApiError(
        f"The API refuses {request.subject} ({place}).", advice="Correct the request, then try again."
    )


def retry_after(response: httpx.Response) -> float | None:
    """Return the seconds of ``Retry-After``, a number or a date; 0 for one that is over.

    ``None`` without the header, or where it cannot be read or is not finite.
    """
    text = response.headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        seconds = _seconds_until(text)
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def looks_like_a_page(response: httpx.Response) -> bool:
    """Return whether an answer is a web page instead of JSON."""
    kind = response.headers.get("content-type", "")
    return "html" in kind.lower() or response.content.lstrip()[:1] == b"<"


def error_text(body: Any) -> str:
    """Return the text of an error in any of the API's shapes.

    It is empty when there is none.
    """
    if not isinstance(body, dict):
        return ""
    base = body.get("detail") or body.get("message") or ""
    detail = "; ".join(_field_problems(base)) if isinstance(base, list) else str(base)
    more = str(body.get("error") or "")
    return ": ".join(text for text in dict.fromkeys((detail, more)) if text)


def _sentence(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _again(request: RequestInfo) -> str:
    return "Check whether it was done before you send it again." if request.risk else "Then try again."


def _no_connection(request: RequestInfo, error: httpx.ConnectError, detail: str) -> ConnectionFailedError:
    """Return the error for a failed connection: no address, no secure connection, or no server.

    ``is_refused`` is set where the machine refused the connection.
    """
    causes = list(_causes(error))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return ConnectionFailedError(
            f"The host of {request.url} has no address that can be found: {detail}.",
            advice="Check the spelling of the base URL and whether you are on the right network.",
        )
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return ConnectionFailedError(
            f"No secure connection for {request}: {detail}.",
            advice="Check the base URL; SSL_CERT_FILE names the certificates of a company's own authority.",
        )
    return ConnectionFailedError(
        f"No server answers at {request.url}: {detail}.",
        advice="Check that the server runs and that the base URL is right.",
        is_refused=any(isinstance(cause, ConnectionRefusedError) for cause in causes),
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _redirect(request: RequestInfo, response: httpx.Response) -> AnswerError:
    """Return the error for a redirect, which names its target without user, query and fragment."""
    target = ""
    if response.has_redirect_location:
        try:
            where = httpx.URL(response.headers["location"])
            target = f" to {request.quote(without_query(where))}"
        except httpx.InvalidURL:
            target = " to something that is not a URL"
    return AnswerError(
        f"{request} was answered with a redirect ({response.status_code}){target}.",
        advice=f"Redirects are not followed. {request.url_advice}",
    )


def _broken_rule(request: RequestInfo, body: Any, detail: str) -> WorkflowError:
    """Return the error for a broken rule.

    Its category is the answer's ``message``, where the answer has ``error``, too; else it has none.
    """
    advice = "Correct the workflow, then try again."
    if isinstance(body, dict) and body.get("message") and body.get("error"):
        category, rule = request.quote(str(body["message"])), request.quote(str(body["error"]))
        return WorkflowError(rule, category=category, advice=advice)
    return WorkflowError(detail, advice=advice)


def _not_found(request: RequestInfo, body: Any, detail: str, place: str) -> DebuggerError:
    """Return the error for 404 or 405.

    Without a JSON object, or for the list of workflows, it is an AnswerError: another server answers there. A
    session that is not found is a RunEndedError, all else a NotFoundError.
    """
    if not isinstance(body, dict):
        return AnswerError(f"{place}, and not in the API's JSON.", advice=request.url_advice)
    if SESSION_NOT_FOUND in detail.lower():
        return RunEndedError(
            f"The API takes no further turn of {request.subject}, which ended, expired or never existed "
            f"({place}).",
            advice="Start a new run.",
        )
    # Every API has the list of workflows: without it, this is another server.
    if request.method == "GET" and request.url.endswith(urls.WORKFLOWS):
        return AnswerError(
            f"{request.subject.capitalize()} is not found ({place}).", advice=request.url_advice
        )
    return NotFoundError(
        f"The API does not know {request.subject} ({place}).",
        advice="Copy the id from the list, and check that the base URL names the right API.",
    )


def _rate_limit(place: str, response: httpx.Response) -> RateLimitError:
    """Return the error for too many requests, with the wait that the server names, if any."""
    wait = retry_after(response)
    when = "a moment" if wait is None else f"{wait:.0f} s"
    return RateLimitError(
        f"Too many requests ({place}).", retry_after=wait, advice=f"Wait for {when}, then try again."
    )


def _server_failure(request: RequestInfo, response: httpx.Response, detail: str, place: str) -> DebuggerError:
    """Return the error for a status from 500 on, with the request id where the answer has one.

    An answer that names no start node is a NotStartableError. After 502, 503 and 504 ``is_unreachable`` is
    set.
    """
    if NO_START in detail.lower():
        return NotStartableError(
            f"No start node found in {request.subject} ({place}).", advice="Mark one node as the start."
        )
    request_id = request.quote(response.headers.get("x-request-id", "")) or None
    known = f"Request id: {request_id}." if request_id else ""
    return ServerError(
        _sentence(f"The API failed ({place}).", known, request.risk),
        request_id=request_id,
        is_unreachable=response.status_code in (502, 503, 504),
        advice="Try again later; its owners can find the cause by the request id."
        if request_id
        else "Try again later.",
    )


def _field_problems(problems: list[Any]) -> Iterator[str]:
    """Yield each problem of a field as ``path: text``; the first part of a longer path is left out."""
    for problem in problems:
        if isinstance(problem, dict):
            loc = problem.get("loc")
            path = [str(part) for part in loc] if isinstance(loc, list) else [str(loc or "")]
            place = ".".join(path[1:] or path)
            yield ": ".join(text for text in (place, str(problem.get("msg", ""))) if text)
        else:
            yield str(problem)


def _seconds_until(text: str) -> float:
    """Return the seconds until a date as HTTP writes it; negative of a past one, and NaN of another text."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return math.nan
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - datetime.now(UTC)).total_seconds()
