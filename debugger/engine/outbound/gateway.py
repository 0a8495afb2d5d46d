"""Calls to the outside, their policies, and the gateway that makes them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, TypeVar

from debugger.engine.outbound.secrets import Secrets
from debugger.expressions.patterns import Pattern
from debugger.protocol.base import JsonObject
from debugger.telemetry import spans


@dataclass(frozen=True)
class RecordedAnswer:
    """A recorded answer and the calls that it replaces."""

    target: Pattern
    """Searched for in `OutboundCall.target`."""
    status: int | None = None
    """The status code; ``None`` means that the call succeeded."""
    body: Any = field(default=None, repr=False)
    """Any JSON value; a text is the answer's text, unchanged."""
    error: str | None = None
    """Why no answer came; there is neither status nor body then."""
    label: str = field(default="", compare=False)
    """Its place, for people: ``answer 2 (line 14)``."""

    @property
    def is_failure(self) -> bool:
        """Return whether the call fails."""
        return self.error is not None or (self.status is not None and not 200 <= self.status < 300)

    def successful_body(self) -> Any:
        """Return the body of a recorded answer.

        Raises:
            OutboundError: The status is recorded as a failure.
        """
        if self.is_failure:
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

STARTED = "The call was started; whether it was answered is not known."
"""The error of a call in the ledger that has no end yet."""

CallClass = Literal["talk", "read", "write", "contact", "python"]
"""Talk to a model, read from a service, write to one, contact a person, or run refused Python code."""

Policy = Literal["live", "simulated", "blocked"]
"""What happens to the calls of one class."""

AnswerSource = Literal["fault", "pin", "manual", "recording", "recorded", "simulation"]
"""What answers in the place of a call."""

_STRICTNESS: tuple[Policy, ...] = ("live", "simulated", "blocked")


def stricter(one: Policy, other: Policy) -> Policy:
    """Return the policy that lets less out."""
    return max(one, other, key=_STRICTNESS.index)


ANSWERED_BY = "answered_by"
"""The key that says what answered instead: of an event for each call before it, of an entry of the ledger."""


def _takes_any(_recorded: RecordedAnswer) -> bool:
    return True


def _no_status(_answer: object) -> None:
    return None


def _do_nothing() -> None:
    return None


def _hide_secrets(answer: Any, secrets: Secrets) -> Any:
    return secrets.hide(answer)


def _as_it_is(answer: Any) -> Any:
    return answer


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
    with which the call fails. Raises `OutboundError` where the recorded answer does not fit."""
    live: Callable[[float], Answer] | None = None
    """Really calls, in at most so many seconds; ``None`` where only the platform can. Raises `OutboundError`
    where no answer came."""
    prepare: Callable[[], None] = _do_nothing
    """Loads what a live call needs; called before its time begins. Never raises."""
    refusal: str = ""
    """The reason to refuse it under any policy, such as a secret for another host."""
    takes: Callable[[RecordedAnswer], bool] = _takes_any
    """Whether a recorded answer for this target can be the answer of this call."""
    status_of: Callable[[Answer], int | None] = _no_status
    """The status code of an answer, for the ledger; one outside 200 to 299 counts as a failure there. If this
    raises, the call fails."""
    to_json: Callable[[Answer, Secrets], Any] = _hide_secrets
    """Makes a JSON value of an answer, secrets masked, for a recording."""
    from_json: Callable[[Any], Answer] = _as_it_is
    """Makes the answer of such a value again. May raise KeyError, TypeError or ValueError for another."""

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


@dataclass(frozen=True)
class Substitute(Generic[Answer]):
    """An answer in the place of a call, which is not made."""

    source: AnswerSource
    answer: Callable[[], Answer]
    """Returns it. Raises `OutboundError` where the call is to fail."""


class OutboundError(Exception):
    """A call that got no answer; its text says why, without secrets."""


class NotAdmittedError(OutboundError):
    """A call that is not made; its text goes on after the target: ``was not called: ...``."""


class Gateway(Protocol):
    """A gateway to the outside."""

    ledger: list[JsonObject]
    """The logged calls, each as `LiveGateway` logs it; a `BlockedGateway` logs none."""
    secrets: Secrets
    """The secrets, filled into a call only when it is really made."""
    limits: HttpLimits
    """The limits of each call over HTTP."""
    before_call: Callable[[], None] | None
    """Called before each live call but those of models, with the call in the ledger already; it is not made
    where this raises `NotAdmittedError`."""

    def call(
        self,
        call: OutboundCall[Answer],
        *,
        node_logical_id: str,
        timeout: float,
        substitute: Substitute[Answer] | None = None,
    ) -> OutboundOutcome[Answer]:
        """Answer a call by its substitute, or make or refuse it by its policy; never raise.

        Args:
            call: The call.
            node_logical_id: The node on whose behalf it is made.
            timeout: Seconds that it may take.
            substitute: What answers in its place.
        """

    def policy_of(self, call_class: CallClass) -> Policy:
        """Return the policy of a class of calls."""


@dataclass
class BlockedGateway:
    """The default gateway of an engine: it refuses every call."""

    ledger: list[JsonObject] = field(default_factory=list)
    secrets: Secrets = field(default_factory=Secrets)
    limits: HttpLimits = field(default_factory=HttpLimits)
    before_call: Callable[[], None] | None = field(default=None, init=False)

    def call(
        self,
        call: OutboundCall[Answer],
        *,
        node_logical_id: str,
        timeout: float,
        substitute: Substitute[Answer] | None = None,
    ) -> OutboundOutcome[Answer]:
        """Refuse a call, and log nothing."""
        return OutboundOutcome(
            "blocked", error=f"{call.target} was not called: this engine has no network access."
        )

    def policy_of(self, call_class: CallClass) -> Policy:
        """Return that of every class."""
        return "blocked"


@dataclass(frozen=True)
class Policies:
    """The policies of the classes of calls."""

    talk: Policy = "live"
    read: Policy = "live"
    write: Policy = "blocked"
    contact: Policy = "blocked"

    def of(self, call_class: CallClass) -> Policy:
        """Return the policy of one class."""
        policy: Policy = getattr(self, call_class)
        return policy


@dataclass(kw_only=True)
class LiveGateway:
    """A gateway that makes or refuses calls and logs each, also one that a substitute answers.

    Make one for each turn: its ledger is that turn's. An entry of it has ``at`` (seconds since the epoch),
    ``node_logical_id``, ``kind``, ``call_class``, ``target``, ``request``, ``how``, ``success``,
    ``status_code``, ``error`` and ``duration_milliseconds``, and where a substitute answered `ANSWERED_BY`;
    secrets are masked in all of them. While a live call is being made, its entry has the error `STARTED` and
    no duration.

    Args:
        policies: What happens to each class.
        secrets: What is filled into calls when they are really made.
        limits: How far a call over HTTP may go.
        now: Seconds since the epoch.
    """

    policies: Policies = field(default=Policies(), kw_only=False)
    secrets: Secrets = field(default_factory=Secrets)
    limits: HttpLimits = HttpLimits()
    now: Callable[[], float] = time.time
    ledger: list[JsonObject] = field(default_factory=list, init=False)
    before_call: Callable[[], None] | None = field(default=None, init=False)

    def call(
        self,
        call: OutboundCall[Answer],
        *,
        node_logical_id: str,
        timeout: float,
        substitute: Substitute[Answer] | None = None,
    ) -> OutboundOutcome[Answer]:
        """Answer a call by its substitute, or make or refuse it by its policy, and log it; never raise.

        Its entry in the ledger is there before the call is made, and completed after it.
        """
        if (
            substitute is None
            and call.live is not None
            and not call.refusal
            and self.policies.of(call.call_class) == "live"
        ):
            call.prepare()
        started = self.now()
        entry = self._make_entry(call, node_logical_id, started)
        self.ledger.append(entry)
        with spans.span(
            f"call {call.kind}", call_class=call.call_class, node_logical_id=node_logical_id
        ) as span:
            outcome, status = self._execute(call, timeout, substitute, entry)
            if span is not None:
                span.set_attributes({"how": outcome.how, "has_answer": outcome.answer is not None})
        came = outcome.error is None and outcome.answer is not None
        end = {
            "how": outcome.how,
            "success": came and (status is None or 200 <= status < 300),
            "status_code": status,
            "error": outcome.error,
            "duration_milliseconds": round(max(0.0, self.now() - started) * 1000, 3),
        }
        if substitute is not None and outcome.how == "simulated":
            end[ANSWERED_BY] = substitute.source
        entry.update(end)
        return outcome

    def policy_of(self, call_class: CallClass) -> Policy:
        """Return the policy of a class of calls."""
        return self.policies.of(call_class)

    def _execute(
        self,
        call: OutboundCall[Answer],
        timeout: float,
        substitute: Substitute[Answer] | None,
        entry: JsonObject,
    ) -> tuple[OutboundOutcome[Answer], int | None]:
        """Return what came of a call, with the status code of its answer; every error becomes an outcome.

        The entry is marked as live and started before a live call is made.
        """
        if call.refusal:
            return OutboundOutcome("blocked", error=self.secrets.mask(call.refusal)), None
        how: Policy = "simulated" if substitute is not None else self.policy_of(call.call_class)
        if substitute is None and (how != "live" or call.live is None):
            return OutboundOutcome("blocked", error=self.secrets.mask(_explain_refusal(call, how))), None
        try:
            if substitute is not None:
                answer = substitute.answer()
            else:
                entry.update(how="live", error=STARTED)
                if call.call_class != "talk" and self.before_call is not None:
                    self.before_call()
                answer = _call_live(call, timeout)
            return OutboundOutcome(how, answer), None if answer is None else call.status_of(answer)
        except NotAdmittedError as error:
            return OutboundOutcome("blocked", error=self.secrets.mask(f"{call.target} {error}")), None
        except OutboundError as error:
            return OutboundOutcome(how, error=self.secrets.mask(str(error))), None
        except Exception as error:  # whatever a caller's code does wrong, the run goes on
            error_text = self.secrets.mask(f"{call.target} failed: {type(error).__name__}: {error}")
            return OutboundOutcome(how, error=error_text), None

    def _make_entry(self, call: OutboundCall[Any], node_id: str, started: float) -> JsonObject:
        """Return the entry of a call that is not made yet: blocked, without success, secrets masked."""
        return {
            "at": started,
            "node_logical_id": node_id,
            "kind": call.kind,
            "call_class": call.call_class,
            "target": self.secrets.mask(call.target),
            "request": self.secrets.mask_value(call.request),
            "how": "blocked",
            "success": False,
            "status_code": None,
            "error": None,
            "duration_milliseconds": None,
        }


def made_calls(ledger: Sequence[JsonObject]) -> list[JsonObject]:
    """Return what a ledger tells of calls that were really made, without their payloads.

    Calls of models are left out: to make them again changes nothing elsewhere. A call that had not ended has
    the error `STARTED`.
    """
    return [
        {key: value for key, value in entry.items() if key != "request"}
        for entry in ledger
        if entry["how"] == "live" and entry["call_class"] != "talk"
    ]


def _call_live(call: OutboundCall[Answer], timeout: float) -> Answer:
    assert call.live is not None
    if timeout <= 0:
        raise OutboundError(f"{call.target} was not called: no time is left for it.")
    return call.live(timeout)


def _explain_refusal(call: OutboundCall[Any], policy: Policy) -> str:
    """Return why a policy refused a call, with the setting that lets it out or simulates it."""
    setting = f"WORKFLOW_DEBUGGER_OUTBOUND_{call.call_class.upper()}"
    if policy == "live":
        return (
            f"{call.target} was not called: only the platform itself can make this call. Set "
            f"{setting}=simulated to have it answered here."
        )
    return (
        f"{call.target} was not called: calls of the class {call.call_class!r} are {policy}. Set "
        f"{setting}=live to let them out, or {setting}=simulated to have them answered here."
    )
