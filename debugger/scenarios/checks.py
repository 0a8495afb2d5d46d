"""The kinds of expectations, each checked by one function."""

from __future__ import annotations

import difflib
import json
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from debugger.analysis.differences import is_same
from debugger.analysis.event_fields import node_of
from debugger.analysis.thread_positions import input_hint
from debugger.analysis.variable_history import read_watch
from debugger.engine.json_schema import search_pattern
from debugger.errors import InputError
from debugger.exports.redaction import redact
from debugger.expressions import ABSENT
from debugger.expressions.limits import LimitError
from debugger.protocol.runs import MAIN_THREAD, TurnResult
from debugger.scenarios.conversation import ANY_NODES, Conversation, Scope, Visit, fold
from debugger.scenarios.model import EventMatch, Expectation, Judge, TextMatch, VariableMatch
from debugger.scenarios.results import CheckResult

JudgeModel = Callable[[Judge, Conversation], tuple[bool, str]]
"""Returns whether a criterion is true of a conversation, and the reason."""

_MAX_GOT = 400
"""Characters of ``got``."""
_MAX_LISTED = 30
"""Nodes or edges that ``got`` lists."""


@dataclass(frozen=True)
class Finding:
    """The result of one kind of check."""

    passed: bool
    expected: str
    got: str
    event: int | None = None
    """The nearest event, by its place in the run from 0."""


def check(expectation: Expectation, run: Conversation, scope: Scope, judge: JudgeModel) -> CheckResult:
    """Check one expectation on a turn or on the whole run.

    Raises:
        InputError: It names a node or an edge that the workflow does not have, or a pattern that takes too
            long.
        DebuggerError: The record cannot be read, or no model can judge.
    """
    value = getattr(expectation, expectation.kind)
    if expectation.kind == "judge":
        true, reason = judge(value, run)
        found = Finding(true, f"that {value.criterion!r} is true", reason or ("true" if true else "not true"))
    else:
        found = _KINDS[expectation.kind](value, run, scope)
    event = found.event if found.event is not None or not run.event_count else run.event_count - 1
    got = found.got if len(found.got) <= _MAX_GOT else f"{found.got[: _MAX_GOT - 1]}…"
    return CheckResult(expectation, scope.turn, found.passed, found.expected, got, event)


def _says(match: TextMatch, run: Conversation, scope: Scope) -> Finding:
    messages = run.agent_messages(scope)
    wanted = _wanted(match)
    if match.not_ is not None:
        wrong = next((message for message in messages if not _fits(match, message.text)), None)
        got = "none" if wrong is None else repr(wrong.text)
        expected = f"no message of the agent in the {scope.noun} {_wanted(match.not_)}"
        return Finding(wrong is None, expected, got, wrong.event_index if wrong else None)
    expected = f"a message of the agent in the {scope.noun} {wanted}"
    fitting = next((message for message in messages if _fits(match, message.text)), None)
    if fitting is not None:
        return Finding(True, expected, repr(fitting.text), fitting.event_index)
    if not messages:
        return Finding(False, expected, "no message of the agent")
    text = match.equals or match.contains or match.similar or match.regex or ""
    nearest = max(messages, key=lambda message: similarity(text, message.text))
    likeness = f" (similarity {similarity(text, nearest.text):.2f})" if match.similar is not None else ""
    return Finding(
        False, expected, " / ".join(repr(each.text) for each in messages) + likeness, nearest.event_index
    )


def similarity(one: str, other: str) -> float:
    """Return the share of words that two texts have in common, in order.

    It is from 0 to 1; case and punctuation do not count.
    """
    words, others = (re.findall(r"\w+", text.casefold()) for text in (one, other))
    return difflib.SequenceMatcher(None, words, others, autojunk=False).ratio()


def _fits(match: TextMatch, text: str) -> bool:
    if match.not_ is not None:
        return not _fits(match.not_, text)
    if match.equals is not None:
        return text.strip() == match.equals.strip()
    if match.contains is not None:
        return fold(match.contains) in fold(text)
    if match.regex is not None:
        return _found(match.regex, text)
    return similarity(match.similar or "", text) >= match.at_least


def _wanted(match: TextMatch) -> str:
    if match.not_ is not None:
        return f"that is not one {_wanted(match.not_)}"
    if match.equals is not None:
        return f"that equals {match.equals!r}"
    if match.contains is not None:
        return f"that contains {match.contains!r}"
    if match.regex is not None:
        return f"that matches the pattern {match.regex!r}"
    return f"that is similar to {match.similar!r} (at least {match.at_least:g})"


def _reached(names: Sequence[str], run: Conversation, scope: Scope) -> Finding:
    visits = run.visits(scope)
    missing = [name for name in names if not _entries(name, visits, run)]
    expected = f"that the {scope.noun} reaches {_listed(names)}"
    return Finding(not missing, expected, _nodes_in_words(visits, run))


def _not_reached(names: Sequence[str], run: Conversation, scope: Scope) -> Finding:
    visits = run.visits(scope)
    wrong = [visit for name in names for visit in _entries(name, visits, run)]
    expected = f"that the {scope.noun} does not reach {_listed(names, 'or')}"
    return Finding(not wrong, expected, _nodes_in_words(visits, run), wrong[0].event if wrong else None)


def _path(names: Sequence[str], run: Conversation, scope: Scope) -> Finding:
    wanted = [None if name == ANY_NODES else run.workflow.node_id(name) for name in names]
    visits = [visit for visit in run.visits(scope) if visit.is_main]
    visits = [
        visit
        for before, visit in zip([None, *visits], visits, strict=False)
        if before is None or before.node_id != visit.node_id
    ]
    reached = _reach_of_path(wanted, visits)
    passed = reached is None
    event = None if passed or not visits else visits[min(reached or 0, len(visits) - 1)].event
    return Finding(passed, f"the path {' > '.join(names)}", _nodes_in_words(visits, run), event)


def _reach_of_path(wanted: Sequence[str | None], visits: Sequence[Visit]) -> int | None:
    """Return the first visit that does not fit; ``None`` where all fit.

    A node inside a super node fits the super node's name too, and so do the ones that follow it there.
    """
    places = {0}
    furthest = 0
    for node in wanted:
        if node is None:
            places = set(range(min(places), len(visits) + 1)) if places else set()
            continue
        after: set[int] = set()
        for start in places:
            place = start
            while place < len(visits) and visits[place].is_in(node):
                place += 1
                after.add(place)
                if visits[place - 1].node_id == node:
                    break
        places = after
        furthest = max(furthest, *places) if places else furthest
    return None if len(visits) in places else furthest


def _edge_taken(names: Sequence[str], run: Conversation, scope: Scope) -> Finding:
    taken = _taken_edges(names, run, scope)
    expected = f"that the {scope.noun} takes the edge {_listed(names)}"
    return Finding(all(taken.values()), expected, _edges_in_words(run.steps(scope)))


def _edge_not_taken(names: Sequence[str], run: Conversation, scope: Scope) -> Finding:
    wrong = [event for events in _taken_edges(names, run, scope).values() for event in events]
    expected = f"that the {scope.noun} does not take the edge {_listed(names, 'or')}"
    return Finding(not wrong, expected, _edges_in_words(run.steps(scope)), wrong[0] if wrong else None)


def _taken_edges(names: Sequence[str], run: Conversation, scope: Scope) -> dict[str, list[int]]:
    """Return the events of each named edge."""
    for name in names:
        run.workflow.check_edge(name)
    steps = run.steps(scope)
    return {name: [step.event_index for step in steps if run.workflow.is_along(step, name)] for name in names}


def _variable(match: VariableMatch, run: Conversation, _scope: Scope) -> Finding:
    scope, _, path = match.name.partition(".")
    if scope == "runtime" and match.thread != MAIN_THREAD:
        scope = f"thread_{match.thread}"
    value = read_watch(f"{scope}.{path}").read(run.snapshots.at(None), run.workflow.graph.workflow)
    kind, operand = match.comparison
    name = path.split(".")[0].split("[")[0]
    last = run.history.catch_up().last_set(scope, name, None)
    got = "no value" if value is ABSENT else _json(redact(value))
    holds, words = _COMPARISONS[kind]
    expected = f"that {match.name} {words} {_json(redact(operand))}"
    if kind == "absent":
        expected = f"that {match.name} has {'no' if operand else 'a'} value"
    return Finding(holds(value, operand), expected, got, last.index if last else None)


def _compare_number(holds: Callable[[float, float], bool]) -> Callable[[Any, Any], bool]:
    return lambda value, operand: (
        isinstance(value, int | float) and not isinstance(value, bool) and holds(value, operand)
    )


def _contains(value: Any, operand: Any) -> bool:
    if isinstance(value, str):
        return fold(str(operand)) in fold(value)
    if isinstance(value, list):
        return any(is_same(each, operand) for each in value)
    return isinstance(value, Mapping) and isinstance(operand, str) and operand in value


def _matches(value: Any, operand: Any) -> bool:
    return value is not ABSENT and _found(operand, value if isinstance(value, str) else _json(value))


_COMPARISONS: dict[str, tuple[Callable[[Any, Any], bool], str]] = {
    "equals": (is_same, "equals"),
    "not_equals": (lambda value, operand: not is_same(value, operand), "does not equal"),
    "one_of": (lambda value, operand: any(is_same(value, each) for each in operand), "is one of"),
    "contains": (_contains, "contains"),
    "regex": (_matches, "matches the pattern"),
    "less_than": (_compare_number(operator.lt), "is less than"),
    "at_most": (_compare_number(operator.le), "is at most"),
    "greater_than": (_compare_number(operator.gt), "is greater than"),
    "at_least": (_compare_number(operator.ge), "is at least"),
    "absent": (lambda value, operand: (value is ABSENT) == operand, ""),
}
"""Each comparison with its words before the operand."""


def _hint(match: Any, run: Conversation, _scope: Scope) -> Finding:
    result = run.result
    assert result is not None
    hint = input_hint(
        result.next_input_hint,
        result.status,
        has_background_work=result.has_background_work,
        names=run.workflow.names,
    )
    node = str((result.next_input_hint or {}).get("origin_node_logical_id") or "")
    is_there = match.node is None or Visit(0, node, "", True).is_in(run.workflow.node_id(match.node))
    if match.kind is None:
        passed = (hint.kind == "message" and is_there) == match.waiting
    else:
        passed = hint.kind == match.kind and is_there
    expected = (
        f"the hint {match.kind}"
        if match.kind is not None
        else f"that the run {'waits' if match.waiting else 'does not wait'} for the user"
    )
    if match.node is not None:
        expected += f" at {match.node!r}"
    return Finding(passed, expected, f"{hint.kind}: {hint.sentence}")


def _status(status: str, run: Conversation, _scope: Scope) -> Finding:
    result = run.result
    assert result is not None
    return Finding(result.status == status, f"the status {status}", status_words(result))


def status_words(result: TurnResult) -> str:
    """Return the status of a run, and its error."""
    return f"{result.status}: {result.error}" if result.error else result.status


def _no_side_effect(classes: Sequence[str], run: Conversation, scope: Scope) -> Finding:
    wrong = [(event, effect) for event, effect in run.effects(scope) if effect.call_class in classes]
    got = ", ".join(
        f"{effect.call_class} ({effect.how}): {effect.target} by {effect.node_name!r}" for _, effect in wrong
    )
    expected = f"no call in the {scope.noun} of the class {_listed(classes, 'or')}"
    return Finding(not wrong, expected, got or "none", wrong[0][0] if wrong else None)


def _at_most(limits: Any, run: Conversation, scope: Scope) -> Finding:
    metrics = run.metrics(scope)
    found = {
        "tokens": metrics.total_tokens,
        "ms": round(metrics.time.total if metrics.time else 0.0, 1),
        "turns": metrics.turns,
        "node_runs": metrics.node_runs,
    }
    named = {name: limit for name in found if (limit := getattr(limits, name)) is not None}
    passed = all(found[name] <= limit for name, limit in named.items())
    expected = ", ".join(_count(limit, name) for name, limit in named.items())
    got = ", ".join(_count(found[name], name) for name in named)
    return Finding(passed, f"at most {expected} in the {scope.noun}", got)


def _count(number: float, unit: str) -> str:
    words = unit.replace("_", " ")
    return f"{_number(number)} {words.removesuffix('s') if number == 1 and unit != 'ms' else words}"


def _events(wanted: Sequence[EventMatch], run: Conversation, scope: Scope) -> Finding:
    nodes = [None if each.node is None else run.workflow.node_id(each.node) for each in wanted]
    place, last = 0, None
    for index, event in run.events(scope):
        if place < len(wanted) and event.type == wanted[place].type:
            node = nodes[place]
            if node is None or Visit(index, node_of(event) or "", "", True).is_in(node):
                place, last = place + 1, index
    words = [each.type if each.node is None else f"{each.type} of {each.node!r}" for each in wanted]
    expected = f"these events in the {scope.noun} in this order: {', '.join(words)}"
    if place == len(wanted):
        return Finding(True, expected, "all of them", last)
    after = f"after {words[place - 1]}" if place else f"in the {scope.noun}"
    return Finding(False, expected, f"no {words[place]} {after}", last)


_KINDS: dict[str, Callable[[Any, Conversation, Scope], Finding]] = {
    "says": _says,
    "reached": _reached,
    "not_reached": _not_reached,
    "path": _path,
    "edge_taken": _edge_taken,
    "edge_not_taken": _edge_not_taken,
    "variable": _variable,
    "hint": _hint,
    "status": _status,
    "no_side_effect": _no_side_effect,
    "at_most": _at_most,
    "events": _events,
}
"""The function of each kind; ``judge`` asks a model."""


def _entries(name: str, visits: Iterable[Visit], run: Conversation) -> list[Visit]:
    node = run.workflow.node_id(name)
    return [visit for visit in visits if visit.is_in(node)]


def _nodes_in_words(visits: Sequence[Visit], run: Conversation) -> str:
    names = [run.workflow.label(visit.node_id, visit.name) for visit in visits]
    shown = [name for before, name in zip(["", *names], names, strict=False) if name != before]
    return _chain(shown) or "no node"


def _edges_in_words(steps: Sequence[Any]) -> str:
    return _chain([step.edge for step in steps]) or "no edge"


def _chain(names: Sequence[str]) -> str:
    cut = (
        names if len(names) <= _MAX_LISTED else [*names[: _MAX_LISTED // 2], "…", *names[-_MAX_LISTED // 2 :]]
    )
    return " > ".join(cut)


def _found(pattern: str, text: str) -> bool:
    try:
        return search_pattern(pattern, text)
    except LimitError as error:
        raise InputError(
            f"{str(error)[:1].upper()}{str(error)[1:]}.", advice="Simplify the pattern."
        ) from error
    except ValueError as error:  # with a placeholder in it, it is not checked before
        raise InputError(f"{error}.", advice="Correct the pattern.") from error


def _listed(names: Sequence[str], word: str = "and") -> str:
    shown = [repr(name) for name in names]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {word} {shown[-1]}"


def _json(value: Any) -> str:
    return _number(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False, default=str)


def _number(value: float) -> str:
    """Return a number with all its digits, a whole one without a fraction."""
    return str(value).removesuffix(".0")
