"""What a call to the outside is, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, Literal, Protocol, TypeVar

from debugger.engine.outbound.limits import HttpLimits
from debugger.engine.outbound.recorded import RecordedAnswer
from debugger.engine.outbound.secrets import Secrets
from debugger.protocol.base import JsonObject

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
    """Where it goes, for people and for the ledger, secrets masked: ``POST https://api.example/slots``."""
    request: JsonObject = field(repr=False)
    """What is sent, for the ledger, secrets masked."""
    simulated: Callable[[RecordedAnswer | None], Answer]
    """Makes an answer up; given what a person recorded for this target, or ``None``. A recorded error does
    not come here: the door fails the call with it. Raises `OutboundError` where what was recorded does not
    fit."""
    live: Callable[[float], Answer] | None = None
    """Really calls, in at most so many seconds; ``None`` where only the platform can. Raises `OutboundError`
    where no answer came."""
    refusal: str = ""
    """Why it must not be made whatever the policy is, as when it would take a secret to another host."""
    status_of: Callable[[Answer], int | None] = _no_status
    """The status code of an answer, for the ledger; one outside 200 to 299 counts as a failure there."""

    @property
    def simulation_note(self) -> str:
        """What the user is warned of when it was simulated."""
        return f"{self.target} was simulated; nothing was sent."


@dataclass(frozen=True)
class OutboundOutcome(Generic[Answer]):
    """How a call ended. A failure is data: the run goes on and can branch on it."""

    how: Policy
    answer: Answer | None = None
    """``None`` where there was none."""
    error: str | None = None
    """Why there is no answer, in words for people."""


class OutboundError(Exception):
    """A call that got no answer; its text says why, without secrets."""


class Outbound(Protocol):
    """The door."""

    ledger: list[JsonObject]
    """Every call so far, as `Door` writes it down."""
    secrets: Secrets
    """What is filled into a call only when it is really made."""
    limits: HttpLimits
    """How far a call over HTTP may go."""

    def call(
        self,
        call: OutboundCall[Answer],
        *,
        node_logical_id: str,
        timeout: float,
    ) -> OutboundOutcome[Answer]:
        """Let a call out, answer it here or refuse it, as the policy of its class says. Never raises.

        Args:
            call: The call.
            node_logical_id: The node on whose behalf it is made.
            timeout: Seconds that it may take.
        """


@dataclass
class ClosedDoor:
    """The door of an engine that was given none: nothing gets out."""

    ledger: list[JsonObject] = field(default_factory=list)
    secrets: Secrets = field(default_factory=Secrets)
    limits: HttpLimits = field(default_factory=HttpLimits)

    def call(
        self, call: OutboundCall[Answer], *, node_logical_id: str, timeout: float
    ) -> OutboundOutcome[Answer]:
        """Refuse it."""
        return OutboundOutcome("blocked", error=f"{call.target} was not called: this engine has no way out.")
