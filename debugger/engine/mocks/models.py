"""Who answers for a node's model: the model, a pin, a fault, or a person."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from debugger.engine.mocks.kinds import Met
from debugger.engine.models.base import (
    Choice,
    ModelFailure,
    Prompt,
    RemoteResponder,
    Reply,
    Responder,
    ToolCall,
)
from debugger.engine.world import PauseClock
from debugger.errors import RunError
from debugger.protocol.base import JsonObject

PERSON, PINNED = "person", "pinned"
"""What answered, as usage names it."""


class Desk(Protocol):
    """Where a person answers for models."""

    def asks(self, prompt: Prompt) -> bool:
        """Whether a person is asked this."""

    def ask(self, prompt: Prompt, stand_in: Responder, cancelled: threading.Event) -> Reply:
        """Wait for the person's answer.

        Raises:
            ModelFailure: The turn was ended meanwhile.
        """


@dataclass(frozen=True)
class FailingResponder:
    """Answers nothing."""

    error: str

    def reply(self, prompt: Prompt) -> Reply:
        """Fail.

        Raises:
            ModelFailure: Always.
        """
        raise ModelFailure(self.error)


@dataclass(frozen=True)
class PinnedResponder:
    """Answers what was frozen."""

    output: JsonObject

    def reply(self, prompt: Prompt) -> Reply:
        """The frozen answer.

        Raises:
            RunError: It chooses a hop that is not offered.
        """
        return reply_from(self.output, prompt, model=PINNED)


@dataclass(frozen=True)
class AskedPerson:
    """Has a person answer."""

    desk: Desk
    stand_in: Responder
    cancelled: threading.Event
    pauses: PauseClock

    def reply(self, prompt: Prompt) -> Reply:
        """Wait for the answer; the time until it comes is a pause, and no latency.

        Raises:
            ModelFailure: The turn was ended meanwhile.
        """
        stand_in = self.stand_in.stand_in if isinstance(self.stand_in, RemoteResponder) else self.stand_in
        with self.pauses.hold("manual_answer"):
            reply = self.desk.ask(prompt, stand_in, self.cancelled)
        return replace(reply, usage={**reply.usage, "response_latency_milliseconds": 0})


def answering(
    prompt: Prompt,
    responder: Responder,
    met: Met,
    desk: Desk | None,
    cancelled: threading.Event,
    sleep: Callable[[float, threading.Event], object],
    pauses: PauseClock,
) -> tuple[Prompt, Responder]:
    """Who answers a prompt; the prompt as that one is to be asked.

    Args:
        prompt: What is asked.
        responder: Who would answer.
        met: The pin and the fault of the model.
        desk: Where a person answers, if one does.
        cancelled: Ends waiting.
        sleep: Waits some seconds.
        pauses: Where the wait for a person is noted.
    """
    if met.fault is not None:
        sleep(met.fault.delay, cancelled)
        if met.fault.error:
            return _alone(prompt), FailingResponder(met.fault.error)
    if met.pin is not None:
        return _alone(prompt), PinnedResponder(met.pin.output)
    if desk is not None and desk.asks(prompt):
        return _alone(prompt), AskedPerson(desk, responder, cancelled, pauses)
    return prompt, responder


def reply_from(output: JsonObject, prompt: Prompt, *, model: str) -> Reply:
    """The reply that a pin of a model stands for.

    Raises:
        RunError: It chooses a hop that this prompt does not offer.
    """
    chosen = output.get("chosen")
    return Reply(
        text=str(output.get("text") or ""),
        chosen=_offered(str(chosen), prompt) if chosen else None,
        args=dict(output.get("args") or {}),
        reason=str(output.get("reason") or ""),
        fields=dict(output.get("fields") or {}),
        calls=tuple(
            ToolCall(str(call["name"]), dict(call.get("args") or {})) for call in output.get("calls") or ()
        ),
        model=model,
    )


def _offered(key: str, prompt: Prompt) -> Choice:
    for choice in prompt.choices:
        if key in (choice.edge_id, choice.destination_node_logical_id):
            return choice
    raise RunError(
        f"The pin of the model of {prompt.node_name!r} takes the hop {key!r}, which is not offered here.",
        advice="Change the pin, or take it away.",
    )


def _alone(prompt: Prompt) -> Prompt:
    """The prompt without a model, which might send fillers while the answer is awaited."""
    return replace(prompt, llm=None, backchannel=None)
