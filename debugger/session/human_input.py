"""Answers of the user in place of models.

The thread that executes a turn waits here with the model's prompt; another thread submits the answer.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from debugger.engine.background_call import POLL_SECONDS
from debugger.engine.json_schema import schema_error
from debugger.engine.mocks.interceptor import PERSON
from debugger.engine.models.base import Model, ModelError, Prompt, RemoteModel, Reply, ToolCall
from debugger.errors import ConflictError, InputError
from debugger.protocol.base import JsonObject
from debugger.session.json_input import parse_object, to_json


@dataclass(frozen=True)
class PendingPrompt:
    """A prompt that waits for the user's answer."""

    prompt: Prompt
    suggestion: Reply
    """What the stand-in would answer; empty where that is not known."""
    number: int
    """Counts the inquiries of a session."""


@dataclass
class HumanInput:
    """The user's answers in one session."""

    asks_all: bool = False
    """True where the user answers for every model."""
    nodes: frozenset[str] = frozenset()
    """The nodes for whose models the user answers."""
    pending: PendingPrompt | None = None
    """What waits for an answer."""
    _reply: Reply | None = None
    _number: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def asks(self, prompt: Prompt) -> bool:
        """Return whether the user answers this prompt."""
        return self.asks_all or prompt.node_logical_id in self.nodes

    def ask(self, prompt: Prompt, fallback: Model, cancelled: threading.Event) -> Reply:
        """Wait for a person's answer.

        Raises:
            ModelFailure: The turn was ended meanwhile.
        """
        with self._changed:
            self._number += 1
            self._reply = None
            self.pending = PendingPrompt(prompt, _suggested(prompt, fallback), self._number)
            try:
                while self._reply is None:
                    if cancelled.is_set():
                        raise ModelError("nobody waits for the answer any more")
                    self._changed.wait(POLL_SECONDS)
                return self._reply
            finally:
                self.pending = None

    def answer(self, reply: Reply) -> None:
        """Submit the user's answer.

        Raises:
            ConflictError: Nothing waits for one.
            InputError: It does not fit the prompt; the message says where.
        """
        with self._changed:
            if self.pending is None:
                raise ConflictError("No model waits for an answer.", advice="Go on with the run.")
            _check(reply, self.pending.prompt)
            self._reply = replace(reply, model=PERSON)
            self._changed.notify_all()

    def use_fallback(self) -> None:
        """Let the stand-in answer what waits.

        Raises:
            ConflictError: Nothing waits for an answer.
        """
        with self._changed:
            if self.pending is None:
                raise ConflictError("No model waits for an answer.", advice="Go on with the run.")
            self._reply = self.pending.suggestion
            self._changed.notify_all()


def _suggested(prompt: Prompt, fallback: Model) -> Reply:
    if isinstance(fallback, RemoteModel):
        return Reply()
    return fallback.reply(prompt)


def _check(reply: Reply, prompt: Prompt) -> None:
    """Raise where a reply does not fit its prompt."""
    if reply.chosen is not None and reply.chosen not in prompt.choices:
        raise InputError("The chosen edge is not offered here.", advice="Choose one of those that are.")
    if reply.chosen is not None and reply.args and reply.chosen.args_schema:
        _fit(reply.args, reply.chosen.args_schema, f"the arguments of {reply.chosen.destination_node_name!r}")
    offers = {offer.name: offer for offer in prompt.tools}
    for call in reply.calls:
        if call.name not in offers:
            raise InputError(f"There is no tool {call.name!r} here.", advice="Choose one of those offered.")
        _fit(call.args, offers[call.name].args_schema, f"the arguments of {call.name!r}")
    if reply.fields:
        _fit(reply.fields, prompt.schema, "the structured output")


def _fit(value: object, schema: object, what: str) -> None:
    problem = schema_error(value, schema) if schema else None
    if problem is not None:
        raise InputError(f"In {what}: {problem}.", advice="Correct it; what you typed is kept.")


@dataclass(frozen=True)
class AnswerForm:
    """The typed answer; JSON is text, and empty text means nothing."""

    text: str = ""
    chosen: str = ""
    """The edge's id among the prompt's choices; empty takes none."""
    reason: str = ""
    args: str = ""
    """The arguments of the chosen edge."""
    fields: str = ""
    """The structured output."""
    calls: Sequence[tuple[str, str]] = ()
    """Tools to call, by name, each with its arguments."""

    def reply(self, prompt: Prompt) -> Reply:
        """Return the reply that the form describes.

        Raises:
            InputError: The chosen edge is not offered, or a text is not a JSON object.
        """
        chosen = next((choice for choice in prompt.choices if choice.edge_id == self.chosen), None)
        if self.chosen and chosen is None:
            raise InputError("The chosen edge is not offered here.", advice="Choose one of those that are.")
        return Reply(
            text=self.text,
            chosen=chosen,
            reason=self.reason or ("chosen by a person" if chosen else ""),
            args=_object(self.args, "The arguments of the edge"),
            fields=_object(self.fields, "The structured output"),
            calls=tuple(
                ToolCall(name, _object(args, f"The arguments of {name}")) for name, args in self.calls
            ),
        )


def form_of(reply: Reply) -> AnswerForm:
    """The form that a suggested reply fills."""
    return AnswerForm(
        text=reply.text,
        chosen=reply.chosen.edge_id if reply.chosen else "",
        reason=reply.reason if reply.chosen else "",
        args=to_json(reply.args) if reply.args else "",
        fields=to_json(reply.fields) if reply.fields else "",
        calls=[(call.name, to_json(call.args)) for call in reply.calls],
    )


def blank(schema: JsonObject | None) -> str:
    """Return an object with the keys of a schema; empty without one."""
    names = (schema or {}).get("properties") or {}
    return to_json(dict.fromkeys(names)) if names else ""


def _object(text: str, what: str) -> JsonObject:
    return parse_object(text, what=what) if text.strip() else {}
