"""The node that places or follows a voice call (``platform.md#conversation-nodes``)."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass
from typing import ClassVar

from pydantic import Field, SecretStr

from debugger.engine.nodes.base import Node, NodeContext, NodeResult, NodeRun, result_variables
from debugger.engine.nodes.connectors.base import (
    ConnectorError,
    fill_secretly,
    fingerprint,
    make_call,
)
from debugger.engine.nodes.connectors.end_conversation import RAW_TRANSCRIPT
from debugger.engine.nodes.connectors.fields import check_e164
from debugger.engine.outbound import CallClass, OutboundCall, RecordedAnswer
from debugger.errors import InputError
from debugger.protocol.base import JsonObject
from debugger.protocol.events import TROUBLE, Event, StartConversationEvent
from debugger.protocol.workflow import NodeConfig

STATUSES = ("initiated", "in-progress", "completed", "failed")
"""All statuses of a conversation (``platform.md#conversation-nodes``)."""

MAX_POLLS = 100
"""Requests for the status of a call before it counts as failed."""

RESULT = "start_conversation_result"
"""The variable that takes id and status; the platform does not document one (U-12)."""

_ID = re.compile(r"[A-Za-z0-9_.:-]+")


class StartConversationConfig(NodeConfig):
    """The participants of a new call, or the id of another."""

    is_voice_conversation: bool = False
    is_outbound_call: bool = True
    bearer_token: SecretStr | None = None
    assistant_number: str | None = None
    assistant_id: str | None = None
    user_number: str | None = None
    conversation_id: str | None = None
    polling_interval_seconds: float = Field(default=2, ge=0)


@dataclass(frozen=True)
class CallTimeline:
    """The statuses of a simulated call, one a poll; the last stays."""

    conversation_id: str
    statuses: tuple[str, ...] = ("initiated", "in-progress", "completed")
    transcript: str | None = None
    error: str | None = None
    status_code: int | None = None
    """The recorded status code of the answer."""

    def status(self, poll: int) -> str:
        """Return the status at a poll, counted from 0."""
        return self.statuses[min(poll, len(self.statuses) - 1)]


def make_timeline(recorded: RecordedAnswer | None, conversation_id: str) -> CallTimeline:
    """Return a recorded timeline, or that of a successful call where ``recorded`` is ``None``.

    Args:
        recorded: Its body is a status, a list of them, or an object that may have ``conversation_id``,
            ``conversation_status`` (one or a list; ``status`` is read too), ``transcript`` and ``error``.
        conversation_id: The id where the recorded answer has none.

    Returns:
        The timeline. The call fails where a status code outside 200 to 299 or an unknown status is recorded.
    """
    if recorded is None:
        return CallTimeline(conversation_id)
    if recorded.status is not None and not 200 <= recorded.status < 300:
        refusal = f"The service for calls answered with the status {recorded.status}."
        return CallTimeline(conversation_id, ("failed",), error=refusal, status_code=recorded.status)
    body = recorded.body if isinstance(recorded.body, dict) else {"status": recorded.body}
    found = body.get("conversation_status", body.get("status"))
    listed = found if isinstance(found, list) else [found]
    statuses = tuple(status for status in listed if isinstance(status, str) and status)
    unknown = next((status for status in statuses if status not in STATUSES), None)
    error, transcript = body.get("error"), body.get("transcript")
    if unknown is not None:
        statuses = ()
        error = f"The recorded status {unknown!r} is not one of {', '.join(STATUSES)}."
    if error and statuses[-1:] != ("failed",):
        statuses = (*statuses, "failed")
    return CallTimeline(
        str(body.get("conversation_id") or conversation_id),
        statuses or CallTimeline.statuses,
        transcript=None if transcript is None else str(transcript),
        error=str(error) if error else None,
        status_code=recorded.status,
    )


@dataclass
class _Conversation:
    """The known state of the call."""

    conversation_id: str | None = None
    status: str | None = None
    transcript: str | None = None
    error: str | None = None

    def report(self, status: str) -> StartConversationEvent:
        """Note a status and return its event; that of a failure is marked as reported by the warning."""
        self.status = status
        event = StartConversationEvent(conversation_status=status, conversation_id=self.conversation_id)
        if status == "failed":
            event.stamp(**{TROUBLE: None})  # the warning says why
        return event


class StartConversationNode(Node[StartConversationConfig]):
    """A node that places or follows a voice call until it ends.

    A conversation without voice, or one that the user begins, is the run itself: the node does nothing then.
    A call that fails does not end the run. The answer to a placed call is its whole timeline, so following it
    makes no more calls; a call that another program placed is requested anew at each poll.
    """

    Config: ClassVar[type[NodeConfig]] = StartConversationConfig

    @property
    def calls_service(self) -> bool:
        """Return whether it is by voice."""
        return self.config.is_voice_conversation

    def run(self, context: NodeContext) -> NodeRun:
        """Place or follow the call, yield its statuses, write the result and a transcript that came.

        Without voice nothing is called. A failure is written, reported as a warning, and ends no run.
        """
        secrets, call = context.outbound.secrets, _Conversation()
        try:
            own_id = secrets.mask(fill_secretly(self.config.conversation_id or "", context).strip())
            call.conversation_id = own_id or None
            if not self.config.is_voice_conversation or not (own_id or self.config.is_outbound_call):
                return NodeResult({"conversation_id": call.conversation_id})
            yield from self._follow(call, self._source(own_id, context), context)
        except (InputError, ConnectorError) as failure:
            call.error = secrets.mask(str(failure))
            context.report_failure("connector", f"Node {self.config.label!r} failed: {call.error}")
            if not context.cancelled.is_set() and call.status != "failed":
                yield call.report("failed")
        result = {
            "conversation_id": call.conversation_id,
            "conversation_status": call.status,
            "simulated": True,
        }
        self.write(context, result_variables(RESULT, None if call.error is not None else result, call.error))
        if call.error is None and call.transcript is not None:
            self.write(context, {RAW_TRANSCRIPT: call.transcript})
        return NodeResult({"conversation_id": call.conversation_id})

    def _source(self, own_id: str, context: NodeContext) -> Callable[[], CallTimeline]:
        """Return the function that gets the timeline at each poll; without an id the call is placed now.

        Raises:
            InputError: A field is missing or malformed.
            ConnectorError: The call could not be placed.
        """
        if own_id:
            if not _ID.fullmatch(own_id):
                raise InputError(
                    f"conversation_id is {own_id!r}, which is not an id.",
                    advice="Set the variable that fills it, or leave it empty to place a call.",
                )
            return lambda: self._poll(own_id, context)
        timeline = self._place(context)
        return lambda: timeline

    def _place(self, context: NodeContext) -> CallTimeline:
        """Place a simulated call and return its timeline, with a warning that nobody was called.

        Raises:
            InputError: A number is missing or malformed.
            ConnectorError: There is no answer.
        """
        real = {
            name: fill_secretly(getattr(self.config, name) or "", context).strip()
            for name in ("user_number", "assistant_number", "assistant_id")
        }
        _check_numbers(real)
        request = context.outbound.secrets.mask_value(real)
        seed = fingerprint(request, self.config.logical_id, context.thread.thread_id)
        new_id = f"conversation_{seed[:24]}_{context.visit(self.config)}"
        target = f"voice call to {request['user_number']}"
        call = _call("contact", target, request, new_id)
        return self._simulated(call, context, "nobody was called")

    def _poll(self, conversation_id: str, context: NodeContext) -> CallTimeline:
        target = f"status of the conversation {conversation_id}"
        call = _call("read", target, {"conversation_id": conversation_id}, conversation_id)
        return self._simulated(call, context, "the service was not called")

    def _simulated(self, call: OutboundCall[CallTimeline], context: NodeContext, note: str) -> CallTimeline:
        """Make a call and return its timeline; the warning that it was simulated is added once.

        Raises ConnectorError where there is no answer.
        """
        timeline = make_call(call, context, self.config)
        warning = f"The {call.target} was simulated; {note}."
        if warning not in context.warnings:
            context.warnings.append(warning)
        return timeline

    def _follow(
        self, call: _Conversation, poll: Callable[[], CallTimeline], context: NodeContext
    ) -> Generator[Event, None, None]:
        """Yield each new status until the call is completed; the conversation is updated at each poll.

        Raises:
            ConnectorError: It failed, a poll got no answer, it did not end in time, or the run was stopped.
        """
        mask = context.outbound.secrets.mask
        for number in range(MAX_POLLS):
            if number:
                self._wait(context)
            timeline = poll()
            call.conversation_id = mask(timeline.conversation_id)
            call.transcript = None if timeline.transcript is None else mask(timeline.transcript)
            status = timeline.status(number)
            if status != call.status:
                yield call.report(status)
            if status == "failed":
                raise ConnectorError(timeline.error or "The conversation failed.")
            if status == "completed":
                return
        raise ConnectorError(f"The conversation was not over after {MAX_POLLS} polls; it was {call.status}.")

    def _wait(self, context: NodeContext) -> None:
        """Wait until the next poll.

        Raises ConnectorError where the run was stopped or its time is over.
        """
        context.sleep(self.config.polling_interval_seconds)
        if context.cancelled.is_set():
            raise ConnectorError("The run was stopped before the conversation was over.")
        now = context.environment.time_of
        if context.deadline is not None and now(self.config.logical_id) >= context.deadline:
            raise ConnectorError("The time limit of the node was reached before the conversation was over.")


def _call(
    call_class: CallClass, target: str, request: JsonObject, conversation_id: str
) -> OutboundCall[CallTimeline]:
    """Return the outbound call for a conversation, which only a simulation or a record can answer."""
    return OutboundCall(
        "conversation",
        call_class,
        target,
        request,
        simulate=lambda recorded: make_timeline(recorded, conversation_id),
        status_of=lambda timeline: timeline.status_code,
        to_json=lambda timeline, secrets: secrets.hide(asdict(timeline)),
        from_json=lambda value: CallTimeline(**{**value, "statuses": tuple(value["statuses"])}),
    )


def _check_numbers(request: JsonObject) -> None:
    """Raise an `InputError` for a malformed number, or where neither number nor id says who calls."""
    check_e164(request["user_number"], "user_number")
    if request["assistant_number"]:
        check_e164(request["assistant_number"], "assistant_number")
    elif not request["assistant_id"]:
        raise InputError(
            "assistant_id and assistant_number are empty.", advice="Fill one: it says who calls."
        )
