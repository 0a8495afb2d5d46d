"""A model that answers by a script."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from debugger.engine.models.base import Model, Prompt, Reply, ToolCall, ToolSpec, TransitionOption
from debugger.engine.models.extraction import fill_fields, find_values
from debugger.engine.models.script import GROUP, Rule, Script, ScriptedCall
from debugger.engine.tool_names import model_name
from debugger.errors import RunError
from debugger.expressions import Scope, render
from debugger.expressions.limits import LimitError, time_limit
from debugger.protocol.base import JsonObject
from debugger.protocol.messages import message_kind

if TYPE_CHECKING:
    from debugger.expressions.patterns import Match

_MODEL = "script"
_NOTHING = Reply()


@dataclass(eq=False)
class ScriptedModel:
    """Answers by a script; what the script leaves open another model answers.

    Args:
        script: The rules.
        fallback: Answers where no rule fits, and gives what a rule does not: a text for a node that speaks,
            the fields of its structured output.
    """

    script: Script
    fallback: Model

    def reply(self, prompt: Prompt) -> Reply:
        """Answer one prompt.

        Raises RunError where a rule takes a transition or calls a tool that is not offered, fills a field or
        an argument that the schema does not have, or has a condition that cannot be evaluated or an
        expression that costs too much. The errors of the fallback model leave it, too.
        """
        hit = self._hit(prompt)
        if hit is None:
            return self.fallback.reply(prompt)
        return hit.verdict(prompt) if prompt.kind == "judge" else self._answer(hit, prompt)

    def _hit(self, prompt: Prompt) -> _Hit | None:
        """Return the first rule that fits a prompt, those for anywhere before the node's own, else ``None``.

        Rules for anywhere are skipped where a transition or a tool that they name is not offered. Raises
        RunError; see `_Hit.of`.
        """
        shared = (rule for rule in self.script.anywhere if _is_possible(rule, prompt))
        own = self.script.rules_of(prompt.node_logical_id, prompt.node_name)
        hits = (_Hit.of(rule, prompt) for rule in (*shared, *own))
        with time_limit:
            return next((hit for hit in hits if hit is not None), None)

    def _answer(self, hit: _Hit, prompt: Prompt) -> Reply:
        """Return the answer of a rule: its calls, else its transition, else its text with fields.

        A text or fields that the rule leaves open come from the fallback model. Raises RunError where the
        rule takes a transition, or fills a field or an argument, that is not asked for.
        """
        rule = hit.rule
        if hit.calls:
            text = render(rule.say or "", Scope(runtime=prompt.variables)).text
            return Reply(text=text, calls=hit.calls, reason=hit.reason, model=_MODEL)
        choice = hit.choice(prompt)
        filled = {} if rule.fill is None else hit.put_in(rule.fill, prompt.schema, "field")
        if choice is not None:
            args = hit.args(choice, prompt.message)
            return Reply(chosen=choice, args=args, reason=hit.reason, fields=filled, model=_MODEL)
        left_open = rule.say is None and prompt.kind == "say"
        fields_open = prompt.schema is not None and rule.fill is None
        rest = self.fallback.reply(prompt) if left_open or fields_open else _NOTHING
        fields = rest.fields if rule.fill is None else filled
        if left_open:
            return replace(rest, fields=fields, model=_MODEL)
        text = render(rule.say or "", Scope(runtime={**prompt.variables, **fields})).text
        return Reply(text=text, reason=hit.reason, fields=fields, model=_MODEL)


@dataclass(slots=True)
class _Hit:
    """A rule that matches a prompt."""

    rule: Rule
    match: Match[str] | None
    calls: tuple[ToolCall, ...] = ()

    @classmethod
    def of(cls, rule: Rule, prompt: Prompt) -> _Hit | None:
        """Return a hit if a rule's conditions hold for a prompt and it can answer it, else ``None``.

        A rule whose calls were made already, or that only takes a transition where none is offered, cannot.
        Raises RunError where its expression costs too much, its condition cannot be evaluated, or a call of
        it does not fit the tools.
        """
        match = _search(rule, prompt.message)
        if (rule.when and match is None) or not _is_due(rule, prompt):
            return None
        calls = calls_of(rule, prompt, match) if rule.calls else ()
        if rule.calls and not calls:
            return None
        # A model that must answer now has no transitions; a rule that only takes one cannot answer then.
        only_takes = rule.take is not None and rule.say is None and rule.fill is None
        return None if only_takes and not prompt.choices else cls(rule, match, calls)

    @property
    def reason(self) -> str:
        """Return the rule's label and the text that it matched."""
        found = f", which found {self.match[0]!r}" if self.match and self.match[0] else ""
        return f"{self.rule.label} of the script{found}"

    def choice(self, prompt: Prompt) -> TransitionOption | None:
        """Return the option that the rule takes, or ``None``.

        It takes none where none is offered at all.

        Raises:
            RunError: Transitions are offered and this is none of them.
        """
        if self.rule.take is None or not prompt.choices:
            return None
        choice = find_choice(self.rule, prompt.choices)
        if choice is None:
            offered = ", ".join(
                f"{(choice.edge_name or choice.edge_id)!r} to {choice.destination_node_name!r}"
                for choice in prompt.choices
            )
            raise RunError(
                f"{self.rule.label} of the script takes {self.rule.take!r}, which node {prompt.node_name!r} "
                f"does not offer; it offers {offered}.",
                advice="Correct 'take' in the script.",
            )
        return choice

    def verdict(self, prompt: Prompt) -> Reply:
        """Return whether the rule takes the one option to be judged."""
        chosen = find_choice(self.rule, prompt.choices)
        args = self.args(chosen, prompt.message) if chosen else {}
        return Reply(chosen=chosen, args=args, reason=self.reason, model=_MODEL)

    def args(self, choice: TransitionOption, message: str) -> JsonObject:
        """Return an option's arguments: the rule's, else values of the message."""
        if self.rule.args is None:
            return fill_fields(choice.args_schema, message)
        return self.put_in(self.rule.args, choice.args_schema, "argument")

    def put_in(self, values: JsonObject, schema: Mapping[str, Any] | None, what: str) -> JsonObject:
        """Return the rule's values with its groups filled in.

        Args:
            values: The values of ``fill`` or ``args``.
            schema: The JSON Schema of their object; ``None`` allows none.
            what: Their name for the message.

        Raises:
            RunError: The schema has no property for one of them.
        """
        named = {} if schema is None else schema.get("properties", values)
        unknown = next((key for key in values if key not in named), None)
        if unknown is not None:
            raise RunError(
                f"{self.rule.label} of the script fills the {what} {unknown!r}, which is not asked for; "
                f"asked for: {', '.join(named) or 'nothing'}.",
                advice="Correct the script or the node's schema.",
            )
        return put_in_groups(values, self.match, schema)


def _search(rule: Rule, message: str) -> Match[str] | None:
    """Return where a rule's expression matches a message; ``None`` where it does not or there is none.

    Raises:
        RunError: The expression costs too much.
    """
    try:
        return rule.when.search(message) if rule.when else None
    except LimitError as error:
        raise RunError(
            f"{rule.label} of the script cannot be tried: {error}.", advice=error.advice
        ) from error


def _is_due(rule: Rule, prompt: Prompt) -> bool:
    """Return whether a rule's visit, its condition and its tool's newest result fit a prompt.

    What a rule does not name fits. Raises ConditionError where the condition cannot be evaluated.
    """
    if rule.visit is not None and rule.visit != prompt.visit:
        return False
    if rule.condition and not rule.condition.evaluate(Scope(runtime=prompt.variables)).value:
        return False
    if rule.after is None:
        return True
    newest = takewhile(lambda message: message_kind(message) == "tool", reversed(prompt.exchange))
    names = {_folded_tool_name(str(message.get("name"))) for message in newest}
    return _folded_tool_name(rule.after) in names


def _is_possible(rule: Rule, prompt: Prompt) -> bool:
    takes_none = rule.take and not find_choice(rule, prompt.choices)
    return not takes_none and all(find_tool(call.tool, prompt.tools) for call in rule.calls)


def find_choice(rule: Rule, choices: Iterable[TransitionOption]) -> TransitionOption | None:
    """Return the first option that ``take`` names.

    Names of edges come first, then destinations, then conditions.
    """
    wanted = _folded(rule.take or "")
    ranked = [(rank, choice) for choice in choices if (rank := _rank(choice, wanted)) is not None]
    return min(ranked, key=lambda pair: pair[0])[1] if ranked else None


def _rank(choice: TransitionOption, wanted: str) -> int | None:
    """Return 0, 1 or 2 where a folded name is that of the edge, the destination or the condition.

    It is ``None`` where it is none of them, or empty.
    """
    names = (
        (choice.edge_name or "", choice.edge_id),
        (choice.destination_node_logical_id, choice.destination_node_name),
        (choice.condition,),
    )
    fitting = (rank for rank, group in enumerate(names) if wanted in map(_folded, group))
    return next(fitting, None) if wanted else None


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


_NUMBERS = ("integer", "number")


def put_in_groups(values: JsonObject, match: Match[str] | None, schema: Any) -> JsonObject:
    """Replace ``$1`` and ``${name}`` in every text.

    Args:
        values: The values as the script has them.
        match: Where the rule's expression was found; ``None`` for a rule that has none.
        schema: JSON Schema of the object, if it has one. A group that is a whole value becomes a number, or a
            date in ISO form, where it wants one.

    Returns:
        The values. A key or an element that is a group which took no part in the match is absent.
    """
    properties = _mapping(_mapping(schema).get("properties"))
    filled = {key: _put_in(value, match, properties.get(key)) for key, value in values.items()}
    return {key: value for key, value in filled.items() if value is not None or values[key] is None}


def _put_in(value: Any, match: Match[str] | None, schema: Any) -> Any:
    """Return a value with groups filled in at any depth; other values than texts stay.

    A text that is a whole group is typed by the schema, and ``None`` where the group took no part.
    """
    if isinstance(value, dict):
        return put_in_groups(value, match, schema)
    if isinstance(value, list):
        each = [(inner, _put_in(inner, match, _mapping(schema).get("items"))) for inner in value]
        return [filled for inner, filled in each if filled is not None or inner is None]
    if not isinstance(value, str):
        return value
    whole = GROUP.fullmatch(value)
    if whole is None:
        return GROUP.sub(lambda reference: _group(reference, match) or "", value)
    return _typed(_group(whole, match), schema)


def _group(reference: re.Match[str], match: Match[str] | None) -> str | None:
    """Return the text of a group that a reference names, or a dollar sign; ``None`` where it took no part."""
    if reference["dollar"]:
        return "$"
    assert match is not None  # `Script.load` refuses a group without an expression.
    found: str | None = match[reference["name"] or int(reference["number"])]
    return found


def _typed(text: str | None, schema: Any) -> Any:
    """Return the only number or date in a text where the schema wants one, else the text.

    ``None`` stays ``None``.
    """
    wanted = _mapping(schema)
    written = wanted.get("type")
    types = written if isinstance(written, list) else [written]
    kind = "number" if any(name in _NUMBERS for name in types) else wanted.get("format")
    if text is None or kind not in ("number", "date"):
        return text
    values = [value.value for value in find_values(text) if value.kind == kind]
    return values[0] if len(values) == 1 else text


def _mapping(schema: Any) -> JsonObject:
    return schema if isinstance(schema, dict) else {}


def calls_of(rule: Rule, prompt: Prompt, match: Match[str] | None) -> tuple[ToolCall, ...]:
    """Return the calls that a rule makes now.

    Those are none where no tool is offered, or where they were made already.

    Args:
        rule: A rule that fits otherwise.
        prompt: The prompt.
        match: What its expression found.

    Raises:
        RunError: Tools are offered and one that it calls is none of them, or has no such argument.
    """
    if not prompt.tools:
        return ()
    calls = tuple(_call(rule, call, prompt, match) for call in rule.calls)
    messages = (call for message in prompt.exchange for call in message.get("tool_calls") or ())
    made = [(call.get("name"), call.get("args")) for call in messages]
    return () if all((call.name, call.args) in made for call in calls) else calls


def find_tool(name: str, tools: Sequence[ToolSpec]) -> ToolSpec | None:
    """Return the offered tool of a name, in any case.

    The name is the author's or the model's.
    """
    return next((tool for tool in tools if _folded_tool_name(tool.name) == _folded_tool_name(name)), None)


def _call(rule: Rule, call: ScriptedCall, prompt: Prompt, match: Match[str] | None) -> ToolCall:
    """Return a call of a rule with its groups filled in, under the offered tool's name.

    Raises:
        RunError: The tool is not offered, or has no such argument.
    """
    tool = find_tool(call.tool, prompt.tools)
    if tool is None:
        offered = ", ".join(repr(one.name) for one in prompt.tools)
        raise RunError(
            f"{rule.label} of the script calls the tool {call.tool!r}, which node {prompt.node_name!r} "
            f"does not offer; it offers {offered}.",
            advice="Correct 'call' in the script.",
        )
    named = (tool.args_schema or {}).get("properties", call.args)
    unknown = next((name for name in call.args if name not in named), None)
    if unknown is not None:
        raise RunError(
            f"{rule.label} of the script gives the tool {tool.name!r} the argument {unknown!r}, which it "
            f"does not ask for; it asks for: {', '.join(named) or 'nothing'}.",
            advice="Correct 'call' in the script, or the tool's args_schema.",
        )
    return ToolCall(tool.name, put_in_groups(call.args, match, tool.args_schema))


def _folded_tool_name(name: str) -> str:
    return model_name(name).casefold()
