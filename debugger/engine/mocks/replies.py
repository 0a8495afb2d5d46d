"""Prompts and replies of models as JSON, for recordings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from debugger.engine.mocks.recording import CallRequest
from debugger.engine.models.base import DiscardedAnswer, ModelError, Prompt, Reply, ToolCall, TransitionOption
from debugger.engine.outbound import Secrets
from debugger.engine.outbound.masking import mask_body
from debugger.errors import RunError
from debugger.protocol.base import JsonObject
from debugger.protocol.messages import Message, message_kind

_SAME_KEYS = ("text", "args", "message", "reason", "fields", "fields_error", "usage")
"""Fields of a reply that are JSON as they are."""


def prompt_request(prompt: Prompt, secrets: Secrets) -> CallRequest:
    """Return what a prompt asks, secrets masked: texts, chat, transitions, tools, schema and configuration.

    Ids of messages are left out, and what is empty.
    """
    to = prompt.choices[0].destination_node_logical_id if prompt.kind == "judge" else ""
    name = f"{prompt.kind} {to}".rstrip()
    parts: JsonObject = {
        "system": prompt.system,
        "message": prompt.message,
        "history": [_plain_message(message) for message in prompt.history()],
        "exchange": [_plain_message(message) for message in prompt.exchange],
        "transitions": [_plain_choice(choice) for choice in prompt.choices],
        "tools": [
            _filled(name=each.name, signature=each.signature, args=each.args_schema) for each in prompt.tools
        ],
        "schema": prompt.schema,
        "llm": mask_body(prompt.llm),
    }
    return CallRequest("model", prompt.node_logical_id, name, secrets.mask_value(_filled(**parts)))


def _filled(**values: Any) -> JsonObject:
    """Return an object of the values that are not empty."""
    return {key: value for key, value in values.items() if value not in (None, "", [], {}, ())}


def _plain_message(message: Message) -> JsonObject:
    calls = [{"name": call.get("name"), "args": call.get("args")} for call in message.get("tool_calls") or ()]
    return _filled(
        role=message_kind(message), name=message.get("name"), content=message.get("content"), calls=calls
    )


def _plain_choice(choice: TransitionOption) -> JsonObject:
    return _filled(
        to=choice.destination_node_logical_id,
        condition=choice.condition,
        edge=choice.edge_name,
        args=choice.args_schema,
        line=choice.message_prompt,
    )


def reply_to_json(reply: Reply) -> JsonObject:
    """Return a reply for a recording; what is empty is left out."""
    chosen = reply.chosen
    return _filled(
        **{key: getattr(reply, key) for key in _SAME_KEYS},
        chosen=None
        if chosen is None
        else {
            "edge": chosen.edge_id,
            "to": chosen.destination_node_logical_id,
            "condition": chosen.condition,
        },
        fields_trouble=reply.fields_trouble if reply.fields_error is not None else None,
        calls=[{"name": call.name, "args": call.args} for call in reply.calls],
        model=reply.model,
        warnings=list(reply.warnings),
        discarded=_discarded_to_json(reply.discarded),
        troubles=[list(each) for each in reply.troubles],
        fillers=list(reply.fillers),
    )


def failure_to_json(failure: ModelError | RunError) -> JsonObject:
    """Return a failed answer for a recording; its ``error`` is there even where it is empty.

    That of an error which ends the run has ``advice``.
    """
    if isinstance(failure, RunError):
        ended: JsonObject = {"error": failure.message, "advice": failure.advice}
        return {**ended, **_filled(fillers=list(failure.fillers))}
    return {
        "error": str(failure),
        **_filled(
            discarded=_discarded_to_json(failure.discarded),
            failed_requests=list(failure.failed_requests),
            is_faulted=failure.is_faulted or None,
            fillers=list(failure.fillers),
        ),
    }


def raise_recorded_end(answer: JsonObject) -> None:
    """Raise the error by which a recorded call ended the run, if it did.

    Raises:
        RunError: It did; with the fillers that were said before.
    """
    if "advice" in answer:
        failure = RunError(str(answer["error"]), advice=str(answer["advice"]))
        failure.fillers = tuple(answer.get("fillers", ()))
        raise failure


def _discarded_to_json(answers: tuple[DiscardedAnswer, ...]) -> list[JsonObject]:
    return [{"reason": answer.reason, "usage": answer.usage} for answer in answers]


def _read_discarded(answer: JsonObject) -> tuple[DiscardedAnswer, ...]:
    return tuple(DiscardedAnswer(each["reason"], each["usage"]) for each in answer.get("discarded", ()))


@dataclass(frozen=True)
class RecordedModel:
    """A model that gives a recorded answer."""

    answer: JsonObject
    """Answer as `reply_to_json` or `failure_to_json` makes it."""

    def reply(self, prompt: Prompt) -> Reply:
        """Return the recorded reply, with what the prompt offers in place of the recorded transition.

        Raises:
            ModelError: The recorded call failed.
            RunError: The recorded call ended the run, its transition is not offered, or the answer cannot be
                read.
        """
        try:
            return self._read(prompt)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise RunError(
                f"The recorded answer of node {prompt.node_name!r} cannot be read: {error!r}.",
                advice="Record the call again.",
            ) from error

    def _read_failure(self) -> ModelError:
        answer = self.answer
        failure = ModelError(str(answer["error"]))
        failure.discarded = _read_discarded(answer)
        failure.failed_requests = tuple(answer.get("failed_requests", ()))
        failure.is_faulted = bool(answer.get("is_faulted"))
        failure.fillers = tuple(answer.get("fillers", ()))
        return failure

    def _read(self, prompt: Prompt) -> Reply:
        answer = self.answer
        raise_recorded_end(answer)
        if "error" in answer:
            raise self._read_failure()
        if not isinstance(answer.get("text", ""), str) or not isinstance(answer.get("usage", {}), dict):
            raise TypeError("its text is no text, or its usage no object")
        same = {key: answer[key] for key in _SAME_KEYS if key in answer}
        return Reply(
            **same,
            chosen=_find_choice(answer["chosen"], prompt) if "chosen" in answer else None,
            fields_trouble=answer.get("fields_trouble", "schema"),
            calls=tuple(ToolCall(call["name"], call["args"]) for call in answer.get("calls", ())),
            model=answer.get("model", ""),
            warnings=tuple(answer.get("warnings", ())),
            discarded=_read_discarded(answer),
            troubles=tuple((kind, text) for kind, text in answer.get("troubles", ())),
            fillers=tuple(answer.get("fillers", ())),
        )


def _find_choice(chosen: JsonObject, prompt: Prompt) -> TransitionOption:
    """Return the offered transition by its edge, else by destination and condition, else by destination.

    Raises:
        RunError: None is offered.
    """
    same_place = [each for each in prompt.choices if each.destination_node_logical_id == chosen["to"]]
    ranked = (
        *(each for each in same_place if each.edge_id == chosen["edge"]),
        *(each for each in same_place if each.condition == chosen["condition"]),
        *same_place,
    )
    if not ranked:
        raise RunError(
            f"The recorded answer of node {prompt.node_name!r} goes to {chosen['to']!r}, "
            "which is not offered here.",
            advice="Record the call again.",
        )
    return ranked[0]
