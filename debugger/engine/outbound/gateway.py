"""Calls to the outside, their policies, and the gateway that makes them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, TypeVar

from debugger.engine.outbound.secrets import Secrets
from debugger.protocol.base import JsonObject
from debugger.telemetry import spans


@dataclass(frozen=True)
class RecordedAnswer:
    """A recorded answer and the calls that it replaces."""

    target: re.Pattern[str]
    """Searched for in `OutboundCall.target`."""
    status: int | None = None
    """The status code; ``None`` means that the call succeeded."""
    body: Any = field(default=None, repr=False)
    """Any JSON value; a text is the answer's text, unchanged."""
    error: str | None = None
    """Why no answer came; there is neither status nor body then."""

    def successful_body(self) -> Any:
        """Return the body.

        Raises:
            OutboundError: The status is recorded as a failure.
        """
        if self.status is not None and not 200 <= self.status < 300:
            raise OutboundError(f"The answer that is recorded for this call has the status {self.status}.")
        return self.body


@dataclass(frozen=True)
class HttpLimits:
    """The limits of a call over HTTP."""

    connect_seconds: float = 5
    """Maximum seconds to connect."""
    answer_bytes: int = 5_000_000
    """Maximum bytes of the answer's body, unpacked."""
    redirects: int = 5
    """Maximum number of redirects that are followed."""
    refuses_private: bool = False
    """Whether to refuse loopback, private networks and other addresses outside the Internet."""


Answer = TypeVar("Answer")

CallClass = Literal["talk", "read", "write", "contact", "python"]
"""Talk to a model, read from a service, write to one, contact a person, or run refused Python code."""

Policy = Literal["live", "simulated", "blocked"]
"""What happens to the calls of one class."""


def _no_status(_answer: object) -> None:
    return None


@dataclass(frozen=True)
class OutboundCall(Generic[Answer]):
    """One call that a node or a tool wants to make."""

    kind: str
    """``http``, ``model``, ``mcp``, ``sms``, ``conversation``, ``athena``, ``google_docs`` or ``python``."""
    call_class: CallClass
    target: str
    """The destination for users and the ledger, secrets masked: ``POST https://api.example/slots``."""
    request: JsonObject = field(repr=False)
    """What is sent, for the ledger, secrets masked."""
    simulate: Callable[[RecordedAnswer | None], Answer]
    """Makes an answer from the recorded one for this target, or from ``None``; never gets a recorded error,
    with which the gateway fails the call. Raises `OutboundError` where the recorded answer does not fit."""
    live: Callable[[float], Answer] | None = None
    """Really calls, in at most so many seconds; ``None`` where only the platform can. Raises `OutboundError`
    where no answer came."""
    refusal: str = ""
    """The reason to refuse it under any policy, such as a secret for another host."""
    status_of: Callable[[Answer], int | None] = _no_status
    """The status code of an answer, for the ledger; one outside 200 to 299 counts as a failure there. If this
    raises, the call fails."""

    @property
    def simulation_note(self) -> str:
        """Return the warning that it was simulated."""
        return f"{self.target} was simulated; nothing was sent."


@dataclass(frozen=True)
class OutboundOutcome(Generic[Answer]):
    """The result of a call; a failure is data for branches."""

    how: Policy
    answer: Answer | None = None
    """``None`` where there was none."""
    error: str | None = None
    """Why there is no answer, in words for people."""


class OutboundError(Exception):
    """A call that got no answer; its text says why, without secrets."""


class Gateway(Protocol):
    """A gateway to the outside."""

    ledger: list[JsonObject]
    """The logged calls, each as `LiveGateway` logs it; a `BlockedGateway` logs none."""
    secrets: Secrets
    """The secrets, filled into a call only when it is really made."""
    limits: HttpLimits
    """The limits of each call over HTTP."""

    def call(
        self,
        call: OutboundCall[Answer],
        *,
        node_logical_id: str,
        timeout: float,
    ) -> OutboundOutcome[Answer]:
        """Make, simulate or refuse a call by its policy; never raise.

        Args:
            call: The call.
            node_logical_id: The node on whose behalf it is made.
            timeout: Seconds that it may take.
        """


@dataclass
class BlockedGateway:
    """The default gateway of an engine: it refuses every call."""

    ledger: list[JsonObject] = field(default_factory=list)
    secrets: Secrets = field(default_factory=Secrets)
    limits: HttpLimits = field(default_factory=HttpLimits)

    def call(
        self, call: OutboundCall[Answer], *, node_logical_id: str, timeout: float
    ) -> OutboundOutcome[Answer]:
        """Refuse a call, and log nothing."""
        return OutboundOutcome(
            "blocked", error=f"{call.target} was not called: this engine has no network access."
        )


@dataclass(frozen=True)
class Policies:
    """The policies of the classes of calls."""

    talk: Policy = "live"
    read: Policy = "live"
    write: Policy = "blocked"
    contact: Policy = "blocked"
    python: Policy = "simulated"
    """Policy of inline Python that may not run: ``simulated`` or ``blocked``. Permitted code is no call."""

    def of(self, call_class: CallClass) -> Policy:
        """Return the policy of one class."""
        policy: Policy = getattr(self, call_class)
        return policy


@dataclass(kw_only=True)
class LiveGateway:
    """A gateway that makes, simulates or refuses calls and logs each.

    Make one for each turn: its ledger is that turn's. An entry of it has ``at`` (seconds since the epoch),
    ``node_logical_id``, ``kind``, ``call_class``, ``target``, ``request``, ``how``, ``success``,
    ``status_code``, ``error`` and ``duration_milliseconds``; secrets are masked in all of them.

    Args:
        policies: What happens to each class.
        answers: What is answered instead of calls that are simulated; the first that fits a target wins.
        secrets: What is filled into calls when they are really made.
        limits: How far a call over HTTP may go.
        now: Seconds since the epoch.
    """

    policies: Policies = field(default=Policies(), kw_only=False)
    answers: Sequence[RecordedAnswer] = ()
    secrets: Secrets = field(default_factory=Secrets)
    limits: HttpLimits = HttpLimits()
    now: Callable[[], float] = time.time
    ledger: list[JsonObject] = field(default_factory=list, init=False)

    def call(
        self, call: OutboundCall[Answer], *, node_logical_id: str, timeout: float
    ) -> OutboundOutcome[Answer]:
        """Make, simulate or refuse a call by its policy, and log it.

        Never raises.
        """
        started = self.now()
        with spans.span(
            f"call {call.kind}", call_class=call.call_class, node_logical_id=node_logical_id
        ) as span:
            outcome, status = self._execute(call, timeout)
            if span is not None:
                span.set_attributes({"how": outcome.how, "has_answer": outcome.answer is not None})
        self.ledger.append(self._make_entry(call, outcome, status, node_logical_id, started))
        return outcome

    def _execute(
        self, call: OutboundCall[Answer], timeout: float
    ) -> tuple[OutboundOutcome[Answer], int | None]:
        """Return what came of a call, with the status code of its answer."""
        if call.refusal:
            return OutboundOutcome("blocked", error=self.secrets.mask(call.refusal)), None
        policy = self.policies.of(call.call_class)
        if policy == "blocked" or (policy == "live" and call.live is None):
            return OutboundOutcome("blocked", error=self.secrets.mask(_explain_refusal(call, policy))), None
        try:
            answer = self._simulate(call) if policy == "simulated" else _call_live(call, timeout)
            return OutboundOutcome(policy, answer), None if answer is None else call.status_of(answer)
        except OutboundError as error:
            return OutboundOutcome(policy, error=self.secrets.mask(str(error))), None
        except Exception as error:  # whatever a caller's code does wrong, the run goes on
            error_text = self.secrets.mask(f"{call.target} failed: {type(error).__name__}: {error}")
            return OutboundOutcome(policy, error=error_text), None

    def _simulate(self, call: OutboundCall[Answer]) -> Answer:
        recorded = next((answer for answer in self.answers if answer.target.search(call.target)), None)
        if recorded is not None and recorded.error is not None:
            raise OutboundError(recorded.error)
        return call.simulate(recorded)

    def _make_entry(
        self,
        call: OutboundCall[Answer],
        outcome: OutboundOutcome[Answer],
        status: int | None,
        node_id: str,
        started: float,
    ) -> JsonObject:
        came = outcome.error is None and outcome.answer is not None
        return {
            "at": started,
            "node_logical_id": node_id,
            "kind": call.kind,
            "call_class": call.call_class,
            "target": self.secrets.mask(call.target),
            "request": self.secrets.mask_value(call.request),
            "how": outcome.how,
            "success": came and (status is None or 200 <= status < 300),
            "status_code": status,
            "error": outcome.error,
            "duration_milliseconds": round(max(0.0, self.now() - started) * 1000, 3),
        }


def _call_live(call: OutboundCall[Answer], timeout: float) -> Answer:
    assert call.live is not None
    if timeout <= 0:
        raise OutboundError(f"{call.target} was not called: no time is left for it.")
    return call.live(timeout)


def _explain_refusal(call: OutboundCall[Any], policy: Policy) -> str:
    setting = f"WORKFLOW_DEBUGGER_OUTBOUND_{call.call_class.upper()}"
    if policy == "live":
        return (
            f"{call.target} was not called: only the platform itself can make this call. Set "
            f"{setting}=simulated to have it answered here."
        )
    return (
        f"{call.target} was not called: calls of the class {call.call_class!r} are blocked. Set "
        f"{setting}=live to let them out, or {setting}=simulated to have them answered here."
    )
