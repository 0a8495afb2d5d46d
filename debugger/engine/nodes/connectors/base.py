"""A node that makes one call to a service which only the platform is connected to (``engine.md`` 2.9, 2.12).

Its key or token is never read here, and a secret that a person has put into a text is masked wherever one
can look: in events, outputs, variables, the ledger and messages.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from debugger.engine.nodes.base import Node, NodeContext, NodeRun, Outcome
from debugger.engine.outbound import CallClass, OutboundCall, RecordedAnswer
from debugger.engine.outbound.secrets import RequestBudget
from debugger.errors import InputError
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event
from debugger.protocol.json_text import encode
from debugger.protocol.workflow import NodeConfig

Config = TypeVar("Config", bound=NodeConfig)
Answer = TypeVar("Answer")


class CallFailed(Exception):
    """A call that gave no answer, or a bad one; its text says why.

    Args:
        reason: Why, for people.
        status: ``blocked`` where it was not let out, else ``failed``.
    """

    def __init__(self, reason: str, status: str = "failed") -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class Attempt:
    """How the call of a node ended."""

    status: str
    """``simulated``, ``blocked`` or ``failed``, or what the answer says that it is."""
    answer: JsonObject = field(default_factory=dict)
    """Empty where there is none."""
    error: str | None = None
    """Why it failed."""

    @property
    def success(self) -> bool:
        """Whether it did what the node is for."""
        return self.error is None


def reach(call: OutboundCall[Answer], context: NodeContext, node: NodeConfig) -> Answer:
    """Make a call that only the platform can really make.

    Raises:
        CallFailed: There is no answer.
    """
    outcome = context.outbound.call(
        call,
        node_logical_id=node.logical_id,
        timeout=context.within_time(context.options.tool_timeout),
    )
    if outcome.error is not None or outcome.answer is None:
        reason = outcome.error or f"{call.target} gave no answer."
        raise CallFailed(reason, "blocked" if outcome.how == "blocked" else "failed")
    return outcome.answer


def outcome_variables(name: str, value: Any, error: str | None) -> JsonObject:
    """A result with its success and its error; null where it failed (U-9, U-12)."""
    return {name: value if error is None else None, f"{name}_success": error is None, f"{name}_error": error}


def fingerprint(*parts: Any) -> str:
    """64 hex digits that follow from some JSON values and from nothing else."""
    return hashlib.sha256(encode(parts)).hexdigest()


def fill_secretly(text: str, context: NodeContext) -> str:
    """A text with its variables and secrets filled in: to be checked, and shown only after `Secrets.mask`."""
    filled = context.outbound.secrets.fill(text, context.scope, RequestBudget(context.warnings))
    context.unresolved += [written for written in filled.unresolved if written.startswith("{{")]
    return str(filled.real)


def visit_of(context: NodeContext, node: NodeConfig) -> int:
    """Which run of a node in its thread this is, from 1."""
    return context.thread.completions.get(node.logical_id, 0) + 1


class ConnectorNode(Node[Config]):
    """Fill the fields, check them, make the call, tell and write how it went. A failure does not end the run.

    The event and the output have no room for the reason of a failure, so a warning tells it, too, as one
    tells that an answer was made up.
    """

    counts_as_tool_call: ClassVar[bool] = True
    kind: ClassVar[str]
    """The kind of the call for the door."""
    call_class: ClassVar[CallClass]
    result_name: ClassVar[str]
    """The variable that takes the result; the platform does not document one (U-12)."""
    spared: ClassVar[str]
    """What a simulated call did not do, for the warning."""

    def run(self, context: NodeContext) -> NodeRun:
        """Call, then write the outcome."""
        real = self.request(context)
        attempt = self._attempt(real, context)
        request = context.outbound.secrets.mask_value(real)
        yield self.event(request, attempt)
        result = self.result(request, attempt.answer) if attempt.success else None
        self.write(context, outcome_variables(self.result_name, result, attempt.error))
        return Outcome(self.output(request, attempt))

    @abstractmethod
    def request(self, context: NodeContext) -> JsonObject:
        """What is sent, variables and secrets filled in, without the key or token of the connection."""

    @abstractmethod
    def check(self, request: JsonObject) -> None:
        """See that it can be sent.

        Raises:
            InputError: A field is missing or malformed.
        """

    @abstractmethod
    def target(self, request: JsonObject) -> str:
        """Where it goes, for people."""

    @abstractmethod
    def made_up(self, request: JsonObject, context: NodeContext) -> JsonObject:
        """An answer as the service may have given it, always the same for the same request."""

    @abstractmethod
    def recorded(self, given: RecordedAnswer, request: JsonObject, context: NodeContext) -> JsonObject:
        """The answer that a person recorded, with a body of whatever JSON type, as `made_up` gives one."""

    @abstractmethod
    def event(self, request: JsonObject, attempt: Attempt) -> Event:
        """What tells that the call was made, or was to be."""

    @abstractmethod
    def result(self, request: JsonObject, answer: JsonObject) -> Any:
        """What the variable takes after a success."""

    @abstractmethod
    def output(self, request: JsonObject, attempt: Attempt) -> JsonObject:
        """The node type's own keys of ``run_output``."""

    def problem(self, answer: JsonObject) -> str | None:
        """Why an answer tells of a failure; ``None`` where it does not."""
        return None

    def status_of(self, answer: JsonObject) -> int | None:
        """The status code of an answer, for the ledger."""
        return None

    def remember(self, answer: JsonObject, context: NodeContext) -> None:
        """Keep what a later call of the run must find."""
        return

    def _attempt(self, real: JsonObject, context: NodeContext) -> Attempt:
        secrets = context.outbound.secrets
        try:
            self.check(real)
            answer = reach(self._call(real, context), context, self.config)
        except (InputError, CallFailed) as error:
            status = error.status if isinstance(error, CallFailed) else "failed"
            return self._failed(context, Attempt(status, error=secrets.mask(str(error))))
        context.warnings.append(secrets.mask(f"The {self.target(real)} was simulated; {self.spared}."))
        problem = self.problem(answer)
        shown = _masked(answer, context)
        if problem is not None:
            return self._failed(context, Attempt("failed", shown, secrets.mask(problem)))
        self.remember(shown, context)
        return Attempt(str(shown.get("status") or "simulated"), shown)

    def _failed(self, context: NodeContext, attempt: Attempt) -> Attempt:
        context.warnings.append(f"Node {self.config.label!r} failed: {attempt.error}")
        return attempt

    def _call(self, real: JsonObject, context: NodeContext) -> OutboundCall[JsonObject]:
        secrets = context.outbound.secrets
        return OutboundCall(
            kind=self.kind,
            call_class=self.call_class,
            target=secrets.mask(self.target(real)),
            request=secrets.mask_value(real),
            simulated=lambda given: self._answer(given, real, context),
            status_of=self.status_of,
        )

    def _answer(self, given: RecordedAnswer | None, real: JsonObject, context: NodeContext) -> JsonObject:
        return self.made_up(real, context) if given is None else self.recorded(given, real, context)


def _masked(answer: JsonObject, context: NodeContext) -> JsonObject:
    """An answer to show; a status code is none of a person's secrets, even where a secret looks like one."""
    secrets = context.outbound.secrets
    return {
        key: value if isinstance(value, int) else secrets.mask_value(value) for key, value in answer.items()
    }
