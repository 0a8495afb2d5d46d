"""The one class of nodes that call a service.

Source: ``platform.md#conversation-nodes`` and ``platform.md#connectors``.

A key or token is never read here, and a secret that the user has put into a text is masked wherever it could
be seen: in events, outputs, variables, the ledger and messages.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from debugger.engine.nodes.base import Node, NodeContext, NodeResult, NodeRun, result_variables
from debugger.engine.outbound import CallClass, OutboundCall, RecordedAnswer
from debugger.engine.outbound.secrets import request_budget
from debugger.errors import InputError
from debugger.protocol.base import JsonObject
from debugger.protocol.events import TROUBLE, Event
from debugger.protocol.json_codec import encode
from debugger.protocol.workflow import NodeConfig

Config = TypeVar("Config", bound=NodeConfig)
Fill = Callable[[str], str]
"""Fills variables and secrets into a text."""
Answer = TypeVar("Answer")

_FAILED_STATUSES = frozenset({"failed", "undelivered", "rejected", "error"})


class ConnectorError(Exception):
    """An error with the reason why a call has no good answer.

    Args:
        reason: The reason, for the user.
        status: ``blocked`` where the policy refused the call, else ``failed``.
    """

    def __init__(self, reason: str, status: str = "failed") -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class ConnectorResult:
    """The result of a connector's call, secrets masked."""

    status: str
    """``simulated``, ``blocked`` or ``failed``, or the status in the answer."""
    answer: JsonObject = field(default_factory=dict)
    """Empty without an answer."""
    error: str | None = None

    @property
    def is_success(self) -> bool:
        """Return whether the service did what was requested."""
        return self.error is None


@dataclass(frozen=True)
class Operation:
    """One operation of a service: a row of the connectors' tables."""

    kind: str
    """The kind of the call in the ledger."""
    service: str
    """The service at the beginning of a message."""
    call_class: CallClass
    result_name: str
    """The variable that takes the result; the platform does not document one (U-12)."""
    not_done: str
    """The end of the warning that a call was simulated: the effect that it did not have."""
    request: Callable[[Any, NodeContext, Fill], JsonObject]
    """Read the request from the node's config, each text filled in, without keys and tokens."""
    check: Callable[[JsonObject], object]
    """Raise an `InputError` where a field of the request is missing or malformed."""
    target: Callable[[JsonObject], str]
    """Describe the target of the request for the user."""
    simulate: Callable[[JsonObject, NodeContext, NodeConfig], JsonObject]
    """Make an answer as the service may give it, the same for the same request."""
    read: Callable[[Any], JsonObject]
    """Read the parts of an answer from a recorded body of any JSON type."""
    event: Callable[[JsonObject, ConnectorResult], Event]
    """Make the event of the call from its masked request."""
    value: Callable[[JsonObject, JsonObject], Any]
    """Make the value of the result variable from the masked request and its answer."""
    output: Callable[[JsonObject, ConnectorResult], JsonObject]
    """Make the node type's own keys of ``run_output``."""
    remember: Callable[[JsonObject, NodeContext], None] | None = None
    """Store what a later call of the run must find."""


class ConnectorNode(Node[Config]):
    """A node that calls a service by one row of a table.

    A failure does not end the run. Event and output have no room for the reason of a failure, so a warning
    reports it, as one reports that an answer was simulated.
    """

    counts_as_tool_call: ClassVar[bool] = True
    operations: ClassVar[Mapping[str, Operation]]
    """By the type of the node, or of its operation on a document."""

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        chosen = getattr(self.config, "operate_document", self.config)
        self._operation = self.operations[str(chosen.type)]

    def run(self, context: NodeContext) -> NodeRun:
        """Make the call, yield its event and write value, success and error; a failure ends no run.

        The failure is reported as a warning. Where a text is too long once it is filled in, the event has
        none of them.
        """
        operation, secrets = self._operation, context.outbound.secrets
        try:
            real = operation.request(self.config, context, lambda text: fill_secretly(text, context))
        except InputError as error:
            real = operation.request(self.config, context, lambda text: "")
            result = ConnectorResult("failed", error=secrets.mask(str(error)))
        else:
            result = self._call(real, context)
        request = secrets.mask_value(real)
        event = operation.event(request, result)
        if result.error is not None:
            context.report_failure("connector", f"Node {self.config.label!r} failed: {result.error}")
            event.stamp(**{TROUBLE: None})  # the warning says why
        yield event
        value = operation.value(request, result.answer) if result.is_success else None
        self.write(context, result_variables(operation.result_name, value, result.error))
        return NodeResult(operation.output(request, result), is_reported=result.error is not None)

    def _call(self, real: JsonObject, context: NodeContext) -> ConnectorResult:
        """Check an operation and make its call, which is always simulated; report failures as a result.

        Secrets are masked in target, request, answer and error. A warning says that the call was simulated,
        and a successful answer is remembered where the operation does so.
        """
        operation, secrets = self._operation, context.outbound.secrets
        try:
            operation.check(real)
            target = operation.target(real)
            call = OutboundCall(
                kind=operation.kind,
                call_class=operation.call_class,
                target=secrets.mask(target),
                request=secrets.mask_value(real),
                simulate=lambda recorded: self._simulate(recorded, real, context),
                status_of=lambda answer: answer.get("status_code"),
            )
            answer = make_call(call, context, self.config)
        except (InputError, ConnectorError) as error:
            status = error.status if isinstance(error, ConnectorError) else "failed"
            return ConnectorResult(status, error=secrets.mask(str(error)))
        context.warnings.append(secrets.mask(f"The {target} was simulated; {operation.not_done}."))
        # A status code is none of the run's secrets, even where a secret looks like one.
        masked = {
            key: value if isinstance(value, int) else secrets.mask_value(value)
            for key, value in answer.items()
        }
        problem = _problem(answer, operation.service)
        if problem is not None:
            return ConnectorResult("failed", masked, secrets.mask(problem))
        if operation.remember is not None:
            operation.remember(masked, context)
        return ConnectorResult(str(masked.get("status") or "simulated"), masked)

    def _simulate(
        self, recorded: RecordedAnswer | None, real: JsonObject, context: NodeContext
    ) -> JsonObject:
        """Return the operation's simulated answer, with what is recorded in its place.

        That is what the operation reads of the recorded body, and the recorded status code.
        """
        answer = self._operation.simulate(real, context, self.config)
        if recorded is None:
            return answer
        answer |= self._operation.read(recorded.body)
        return answer if recorded.status is None else {**answer, "status_code": recorded.status}


def _problem(answer: JsonObject, service: str) -> str | None:
    """Return the error of an answer, by its error, status code or status; ``None`` where there is none."""
    if answer.get("error"):
        return str(answer["error"])
    code = answer.get("status_code")
    if code is not None and not 200 <= code < 300:
        return f"{service} answered with the status {code}."
    status = answer.get("status", "")
    return f"The message has the status {status!r}." if status.lower() in _FAILED_STATUSES else None


def make_call(call: OutboundCall[Answer], context: NodeContext, node: NodeConfig) -> Answer:
    """Make a platform-only call by the gateway, within the tool timeout, and return its answer.

    Raises:
        ConnectorError: There is no answer.
    """
    outcome = context.outbound.call(
        call,
        node_logical_id=node.logical_id,
        timeout=context.clamp_timeout(context.options.tool_timeout),
    )
    if outcome.error is not None or outcome.answer is None:
        reason = outcome.error or f"{call.target} gave no answer."
        raise ConnectorError(reason, "blocked" if outcome.how == "blocked" else "failed")
    return outcome.answer


def fingerprint(*parts: Any) -> str:
    """Return the SHA-256 of some JSON values in 64 hex digits."""
    return hashlib.sha256(encode(parts)).hexdigest()


def fill_secretly(text: str, context: NodeContext) -> str:
    """Fill a text's variables and secrets; show the result only after `Secrets.mask`.

    Raises:
        InputError: It would be too long, or takes too long.
    """
    with request_budget(context.warnings) as budget:
        filled = context.outbound.secrets.fill(text, context.scope, budget)
    context.unresolved += [written for written in filled.unresolved if written.startswith("{{")]
    return str(filled.real)
