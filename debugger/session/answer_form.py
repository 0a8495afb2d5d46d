"""A person's answer in a model's place, as it is typed into a form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from debugger.engine.models.base import Prompt, Reply, ToolCall
from debugger.errors import InputError
from debugger.protocol.base import JsonObject
from debugger.session.typed_json import parse_object, to_json


@dataclass(frozen=True)
class AnswerForm:
    """What was typed; JSON as text, where empty stands for nothing."""

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
        """The reply that it stands for.

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
    """An object with the keys that a schema names, to be filled in; empty without a schema."""
    names = (schema or {}).get("properties") or {}
    return to_json(dict.fromkeys(names)) if names else ""


def _object(text: str, what: str) -> JsonObject:
    return parse_object(text, what=what) if text.strip() else {}
