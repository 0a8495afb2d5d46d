"""The calls of tools that a rule of a script makes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from debugger.engine.models.base import Prompt, ToolCall, ToolOffer
from debugger.engine.models.groups import put_in_groups
from debugger.engine.models.script_rule import Rule
from debugger.engine.models.tool_names import model_name
from debugger.errors import RunError
from debugger.protocol.base import JsonObject
from debugger.protocol.messages import Message, message_kind


def calls_of(rule: Rule, prompt: Prompt, match: re.Match[str] | None) -> tuple[ToolCall, ...]:
    """The calls that a rule makes now: none where no tool is offered, or where they were made already.

    Args:
        rule: A rule that fits otherwise.
        prompt: What is asked.
        match: What its expression found.

    Raises:
        RunError: Tools are offered and one that it calls is none of them, or has no such argument.
    """
    if not prompt.tools:
        return ()
    calls = tuple(_call(rule, tool, args, match) for tool, args in _found(rule, prompt))
    made = [call for message in prompt.exchange for call in message.get("tool_calls") or ()]
    return () if all(_is_among(call, made) for call in calls) else calls


def may_call(rule: Rule, tools: Sequence[ToolOffer]) -> bool:
    """Whether all that a rule calls is offered."""
    return all(find_tool(call.tool, tools) for call in rule.calls)


def has_just_answered(tool: str, exchange: Sequence[Message]) -> bool:
    """Whether a result of a tool is among those that came in last."""
    newest = takewhile(lambda message: message_kind(message) == "tool", reversed(exchange))
    return any(_folded(str(message.get("name"))) == _folded(tool) for message in newest)


def find_tool(name: str, tools: Sequence[ToolOffer]) -> ToolOffer | None:
    """The offered tool of a name: as its author wrote it, or as a model knows it; in any case."""
    return next((tool for tool in tools if _folded(tool.name) == _folded(name)), None)


def _found(rule: Rule, prompt: Prompt) -> list[tuple[ToolOffer, JsonObject]]:
    found = []
    for call in rule.calls:
        tool = find_tool(call.tool, prompt.tools)
        if tool is None:
            offered = ", ".join(repr(one.name) for one in prompt.tools)
            raise RunError(
                f"{rule.label} of the script calls the tool {call.tool!r}, which node {prompt.node_name!r} "
                f"does not offer; it offers {offered}.",
                advice="Correct 'call' in the script.",
            )
        found.append((tool, call.args))
    return found


def _call(rule: Rule, tool: ToolOffer, args: JsonObject, match: re.Match[str] | None) -> ToolCall:
    named = (tool.args_schema or {}).get("properties", args)
    unknown = next((name for name in args if name not in named), None)
    if unknown is not None:
        raise RunError(
            f"{rule.label} of the script gives the tool {tool.name!r} the argument {unknown!r}, which it "
            f"does not ask for; it asks for: {', '.join(named) or 'nothing'}.",
            advice="Correct 'call' in the script, or the tool's args_schema.",
        )
    return ToolCall(tool.name, put_in_groups(args, match, tool.args_schema))


def _is_among(call: ToolCall, made: Sequence[JsonObject]) -> bool:
    return any(one.get("name") == call.name and one.get("args") == call.args for one in made)


def _folded(name: str) -> str:
    return model_name(name).casefold()
