"""A model that answers by fixed rules."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

from debugger.engine.models.base import Prompt, Reply, TransitionOption
from debugger.engine.models.call_parts import is_memo
from debugger.engine.models.extraction import fill_fields
from debugger.engine.models.word_overlap import overlap
from debugger.expressions.values import shortened
from debugger.protocol.base import JsonObject
from debugger.protocol.event_values import BUILT_IN_RULES
from debugger.protocol.messages import message_kind, message_text

_NAMED_AT_MOST = 4
_SHOWN_AT_MOST = 200
"""Characters of a tool's result in a line."""


class HeuristicModel:
    """A model without network; the same prompt always gets the same reply.

    The transition is chosen whose condition shares the most words with the message, if enough (`overlap`).
    Structured output and arguments are filled with typed values of the message (`fill_fields`). Otherwise a
    labelled line is spoken. No tool is ever called: no rule can tell which, and with what arguments. A run
    that is to be evaluated gets no verdict.
    """

    def reply(self, prompt: Prompt) -> Reply:
        """Answer one prompt: a transition with arguments, or else fields and, for a speaking node, a line.

        A run that is to be evaluated gets a reply that has a reason alone; nothing is raised.
        """
        if prompt.kind == "work" and _is_run(prompt.message):
            return Reply(reason="rules cannot evaluate a run")
        chosen, reason = choose(prompt.message, prompt.choices)
        if chosen is not None:
            return Reply(chosen=chosen, args=fill_fields(chosen.args_schema, prompt.message), reason=reason)
        fields = fill_fields(prompt.schema, message_to_read(prompt)) if prompt.schema else {}
        text = spoken_line(prompt, fields) if prompt.kind == "say" else ""
        return Reply(text=text, reason=reason, fields=fields)


def choose(message: str, choices: Iterable[TransitionOption]) -> tuple[TransitionOption | None, str]:
    """Return the option whose condition shares the most words with a message, and the reason.

    The option is ``None`` where the message is blank, nothing is offered, or the best is below the threshold.
    """
    if not message.strip():
        return None, "nothing new was said to judge"
    offered = list(choices)
    if not offered:
        return None, "no transition was offered"
    overlaps = [overlap(message, choice.condition) for choice in offered]
    best = max(overlaps, key=attrgetter("score"))
    if best.is_met:
        return offered[overlaps.index(best)], f"matched {best}"
    closest = f"; the closest was {best}" if best.shared else " and none shares a word with the message"
    return None, f"no condition matched{closest}"


def message_to_read(prompt: Prompt) -> str:
    """Return the user's last message, to read values from.

    It is the prompt's own, else the newest of the user in the chat; empty without any.
    """
    if prompt.message.strip():
        return prompt.message
    said = (message_text(one) for one in reversed(prompt.history()) if message_kind(one) == "human")
    return next(said, "")


def spoken_line(prompt: Prompt, fields: JsonObject) -> str:
    """Return the labelled line of a speaking node: what was heard, results, fields and possible steps.

    Without a message it says that the node would open the conversation or speak.
    """
    label = f"[{BUILT_IN_RULES}: {prompt.node_name}]"
    if not prompt.message.strip():
        is_first = all(is_memo(message) for message in prompt.history())
        return f"{label} This node would {'open the conversation' if is_first else 'speak'} here."
    said = prompt.message.strip()
    end = "" if said.endswith((".", "!", "?")) else "."
    parts = [f'{label} I heard: "{said}"{end}']
    results = [message for message in prompt.exchange if message_kind(message) == "tool"]
    if results:
        lines = [f"{one.get('name')} gave: {shortened(message_text(one), _SHOWN_AT_MOST)}" for one in results]
        parts.append(f"{'; '.join(lines)}.")
    if fields:
        parts.append(f"Noted: {', '.join(f'{name} = {value}' for name, value in fields.items())}.")
    if prompt.choices:
        names = dict.fromkeys(choice.destination_node_name for choice in prompt.choices)
        parts.append(f"Possible next steps: {_listed(list(names))}.")
    if prompt.tools:
        parts.append(f"A model could call: {_listed([tool.name for tool in prompt.tools])}.")
    return " ".join(parts)


def _is_run(message: str) -> bool:
    return message.lstrip().startswith("{") and '"input_output_pairs"' in message


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED_AT_MOST} more" if len(names) > _NAMED_AT_MOST else ""
    return ", ".join(names[:_NAMED_AT_MOST]) + more
