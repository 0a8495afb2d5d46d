"""The door that an engine is given: a policy for each class of calls, and a ledger of all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from debugger.engine.outbound.base import (
    Answer,
    CallClass,
    Outbound,
    OutboundCall,
    OutboundError,
    OutboundOutcome,
    Policy,
)
from debugger.engine.outbound.limits import HttpLimits
from debugger.engine.outbound.recorded import RecordedAnswer, answer_for
from debugger.engine.outbound.secrets import Secrets
from debugger.protocol.base import JsonObject


@dataclass(frozen=True)
class Policies:
    """What happens to the calls of each class."""

    talk: Policy = "live"
    read: Policy = "live"
    write: Policy = "blocked"
    contact: Policy = "blocked"
    python: Policy = "simulated"
    """Code that may run never comes here, and code that may not is never run."""

    def of(self, call_class: CallClass) -> Policy:
        """The policy of one class."""
        policy: Policy = getattr(self, call_class)
        return policy


_POLICIES, _LIMITS = Policies(), HttpLimits()


class Door(Outbound):
    """Lets calls out, answers them here or refuses them, and writes each down.

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

    def __init__(
        self,
        policies: Policies = _POLICIES,
        *,
        answers: Sequence[RecordedAnswer] = (),
        secrets: Secrets | None = None,
        limits: HttpLimits = _LIMITS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.policies = policies
        self.answers = tuple(answers)
        self.secrets = secrets or Secrets()
        self.limits = limits
        self.ledger: list[JsonObject] = []
        self._now = now

    def call(
        self, call: OutboundCall[Answer], *, node_logical_id: str, timeout: float
    ) -> OutboundOutcome[Answer]:
        """Treat one call as its class's policy says. Never raises."""
        began = self._now()
        outcome = self._outcome(call, timeout)
        self.ledger.append(self._entry(call, outcome, node_logical_id, began))
        return outcome

    def _outcome(self, call: OutboundCall[Answer], timeout: float) -> OutboundOutcome[Answer]:
        if call.refusal:
            return OutboundOutcome("blocked", error=self.secrets.mask(call.refusal))
        policy = self.policies.of(call.call_class)
        if policy == "blocked":
            return OutboundOutcome("blocked", error=self.secrets.mask(_refusal(call)))
        if policy == "live" and call.live is None:
            return OutboundOutcome("blocked", error=self.secrets.mask(_only_on_the_platform(call)))
        try:
            answer = self._simulated(call) if policy == "simulated" else _live(call, timeout)
        except OutboundError as error:
            return OutboundOutcome(policy, error=self.secrets.mask(str(error)))
        except Exception as error:  # whatever a caller's code does wrong, the run goes on
            told = self.secrets.mask(f"{call.target} failed: {type(error).__name__}: {error}")
            return OutboundOutcome(policy, error=told)
        return OutboundOutcome(policy, answer)

    def _simulated(self, call: OutboundCall[Answer]) -> Answer:
        recorded = answer_for(call.target, self.answers)
        if recorded is not None and recorded.error is not None:
            raise OutboundError(recorded.error)
        return call.simulated(recorded)

    def _entry(
        self, call: OutboundCall[Answer], outcome: OutboundOutcome[Answer], node_id: str, began: float
    ) -> JsonObject:
        status = None if outcome.answer is None else call.status_of(outcome.answer)
        came = outcome.error is None and outcome.answer is not None
        return {
            "at": began,
            "node_logical_id": node_id,
            "kind": call.kind,
            "call_class": call.call_class,
            "target": self.secrets.mask(call.target),
            "request": self.secrets.mask_value(call.request),
            "how": outcome.how,
            "success": came and (status is None or 200 <= status < 300),
            "status_code": status,
            "error": outcome.error,
            "duration_milliseconds": round(max(0.0, self._now() - began) * 1000, 3),
        }


def _live(call: OutboundCall[Answer], timeout: float) -> Answer:
    assert call.live is not None
    if timeout <= 0:
        raise OutboundError(f"{call.target} was not called: no time is left for it.")
    return call.live(timeout)


def _refusal(call: OutboundCall[Any]) -> str:
    setting = f"WORKFLOW_DEBUGGER_OUTBOUND_{call.call_class.upper()}"
    return (
        f"{call.target} was not called: calls of the class {call.call_class!r} are blocked. Set "
        f"{setting}=live to let them out, or {setting}=simulated to have them answered here."
    )


def _only_on_the_platform(call: OutboundCall[Any]) -> str:
    return (
        f"{call.target} was not called: only the platform itself can make this call. Set "
        f"WORKFLOW_DEBUGGER_OUTBOUND_{call.call_class.upper()}=simulated to have it answered here."
    )
