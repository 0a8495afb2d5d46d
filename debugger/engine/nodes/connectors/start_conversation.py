"""The node that begins a call, or follows one that goes on (``platform/engine.md`` 2.9)."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field, SecretStr

from debugger.engine.nodes.base import Node, NodeContext, NodeRun, Outcome
from debugger.engine.nodes.connectors.base import (
    CallFailed,
    fill_secretly,
    fingerprint,
    outcome_variables,
    reach,
    visit_of,
)
from debugger.engine.nodes.connectors.conversation_course import Course, course_of
from debugger.engine.nodes.connectors.end_conversation import RAW_TRANSCRIPT
from debugger.engine.nodes.connectors.fields import check_e164
from debugger.engine.outbound import OutboundCall
from debugger.errors import InputError
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event, StartConversationEvent
from debugger.protocol.workflow import NodeConfig

MOST_POLLS = 100
"""How often a call is asked for its status before it counts as failed."""

RESULT = "start_conversation_result"
"""The variable that takes id and status; the platform does not document one (U-12)."""

_ID = re.compile(r"[A-Za-z0-9_.:-]+")


class StartConversationConfig(NodeConfig):
    """Who calls whom, or which call is followed."""

    is_voice_conversation: bool = False
    is_outbound_call: bool = True
    bearer_token: SecretStr | None = None
    assistant_number: str | None = None
    assistant_id: str | None = None
    user_number: str | None = None
    conversation_id: str | None = None
    polling_interval_seconds: float = Field(default=2, ge=0)


@dataclass
class _Conversation:
    """The call as far as it is known."""

    conversation_id: str | None = None
    status: str | None = None
    transcript: str | None = None
    error: str | None = None


class StartConversationNode(Node[StartConversationConfig]):
    """Place a voice call, or follow the one that ``conversation_id`` names, until it is over.

    A conversation without voice, or one that the user begins, is the run itself: the node passes straight
    through. A call that fails does not end the run. Whoever answers for a placed call tells its whole course
    at once, so following it makes no more calls; one that somebody else placed is asked for anew each time.
    """

    Config: ClassVar[type[NodeConfig]] = StartConversationConfig

    def run(self, context: NodeContext) -> NodeRun:
        """Call or follow, telling each new status, then write the outcome."""
        secrets = context.outbound.secrets
        given_id = secrets.mask(fill_secretly(self.config.conversation_id or "", context).strip())
        if not self.config.is_voice_conversation or not (given_id or self.config.is_outbound_call):
            return Outcome({"conversation_id": given_id or None})
        known = _Conversation(given_id or None)
        try:
            yield from self._follow(known, self._source(given_id, context), context)
        except (InputError, CallFailed) as failure:
            known.error = secrets.mask(str(failure))
            context.warnings.append(f"Node {self.config.label!r} failed: {known.error}")
            if not context.cancelled.is_set() and known.status != "failed":
                yield _told(known, "failed")
        self._write_outcome(known, context)
        return Outcome({"conversation_id": known.conversation_id})

    def _source(self, given_id: str, context: NodeContext) -> Callable[[], Course]:
        """What tells how the call goes, each time it is asked.

        Raises:
            InputError: A field is missing or malformed.
            CallFailed: The call could not be placed.
        """
        if given_id:
            if not _ID.fullmatch(given_id):
                raise InputError(
                    f"conversation_id is {given_id!r}, which is no id.",
                    advice="Set the variable that fills it, or leave it empty to place a call.",
                )
            return lambda: self._poll(given_id, context)
        course = self._place(context)
        return lambda: course

    def _place(self, context: NodeContext) -> Course:
        real = {
            name: fill_secretly(getattr(self.config, name) or "", context).strip()
            for name in ("user_number", "assistant_number", "assistant_id")
        }
        _check_numbers(real)
        request = context.outbound.secrets.mask_value(real)
        seed = fingerprint(request, self.config.logical_id, context.thread.thread_id)
        made_up_id = f"conversation_{seed[:24]}_{visit_of(context, self.config)}"
        target = f"voice call to {request['user_number']}"
        call = OutboundCall(
            "conversation", "contact", target, request, lambda given: course_of(given, made_up_id)
        )
        course = reach(call, context, self.config)
        context.warnings.append(f"The {target} was simulated; nobody was called.")
        return course

    def _poll(self, conversation_id: str, context: NodeContext) -> Course:
        target = f"status of the conversation {conversation_id}"
        call = OutboundCall(
            "conversation",
            "read",
            target,
            {"conversation_id": conversation_id},
            lambda given: course_of(given, conversation_id),
        )
        course = reach(call, context, self.config)
        told = f"The {target} was simulated; nobody was asked for it."
        if told not in context.warnings:
            context.warnings.append(told)
        return course

    def _follow(
        self, known: _Conversation, ask: Callable[[], Course], context: NodeContext
    ) -> Generator[Event, None, None]:
        """Tell each status that is new, until the call is over.

        Raises:
            CallFailed: It failed, it could not be asked for its status, or it did not end in time.
        """
        for number in range(MOST_POLLS):
            if number:
                self._wait(context)
            course = ask()
            mask = context.outbound.secrets.mask
            known.conversation_id = mask(course.conversation_id)
            known.transcript = None if course.transcript is None else mask(course.transcript)
            status = course.status(number)
            if status != known.status:
                yield _told(known, status)
            if status == "failed":
                raise CallFailed(course.error or "The conversation failed.")
            if status == "completed":
                return
        raise CallFailed(f"The conversation was not over after {MOST_POLLS} polls; it was {known.status}.")

    def _wait(self, context: NodeContext) -> None:
        interval = self.config.polling_interval_seconds
        context.world.sleep(context.within_time(interval), context.cancelled)
        if context.cancelled.is_set():
            raise CallFailed("The run was stopped before the conversation was over.")
        if context.deadline is not None and context.world.now() >= context.deadline:
            raise CallFailed("The time of the node was up before the conversation was over.")

    def _write_outcome(self, known: _Conversation, context: NodeContext) -> None:
        result = {
            "conversation_id": known.conversation_id,
            "conversation_status": known.status,
            "simulated": True,
        }
        self.write(context, outcome_variables(RESULT, result, known.error))
        if known.error is None and known.transcript is not None:
            self.write(context, {RAW_TRANSCRIPT: known.transcript})


def _told(known: _Conversation, status: str) -> StartConversationEvent:
    known.status = status
    return StartConversationEvent(conversation_status=status, conversation_id=known.conversation_id)


def _check_numbers(request: JsonObject) -> None:
    check_e164(request["user_number"], "user_number")
    if request["assistant_number"]:
        check_e164(request["assistant_number"], "assistant_number")
    elif not request["assistant_id"]:
        raise InputError(
            "assistant_id and assistant_number are empty.", advice="Fill one: it says who calls."
        )
