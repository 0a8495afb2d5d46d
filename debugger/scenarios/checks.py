"""The kinds of expectations, each checked by one function."""

from __future__ import annotations

import difflib
import json
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, assert_never

from debugger.analysis.differences import is_same
from debugger.analysis.event_fields import node_of
from debugger.analysis.thread_positions import input_hint
from debugger.analysis.variable_history import read_watch
from debugger.analysis.variables import Snapshot
from debugger.boundary import SECRETS_ONLY, Boundary, Kind
from debugger.errors import InputError
from debugger.expressions import ABSENT
from debugger.expressions.limits import LimitError
from debugger.expressions.patterns import search_pattern
from debugger.protocol.runs import MAIN_THREAD, TurnResult
from debugger.protocol.workflow import Workflow
from debugger.scenarios.causes import Cause, CauseFinder, Part, find_cause
from debugger.scenarios.conversation import ANY_NODES, Conversation, Scope, Visit, fold, read_path
from debugger.scenarios.model import (
    KINDS,
    EventMatch,
    Expectation,
    ExpectationKind,
    HintMatch,
    Judge,
    TextMatch,
    VariableMatch,
)
from debugger.scenarios.results import CheckResult
from debugger.scenarios.short_texts import shorten_between

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


Check = Callable[[Any, Conversation, Scope, JudgeModel], Finding]
NamedElement = tuple[Literal["node", "edge"], str]
"""A node or an edge that an expectation names."""


@dataclass(frozen=True)
class KindFacts:
    """One kind of expectation; its value is that of its field in the file."""

    check: Check
    """Returns whether the value holds for a part of a run."""
    find_cause: Callable[[CauseFinder, Any], Iterator[Part]]
    """Yields why it does not."""
    names: Callable[[Any], Iterable[NamedElement]]
    """Returns the nodes and edges in the value, which the workflow must have."""


def check(expectation: Expectation, run: Conversation, scope: Scope, judge: JudgeModel) -> CheckResult:
    """Check one expectation on a turn or on the whole run.

    Of a failure the result has the cause. Its event is the one of the cause, else the nearest of the check,
    else the run's last; what was got is cut to `_MAX_GOT` characters.

    Raises:
        InputError: It names a node or an edge that the workflow does not have, or a pattern that takes too
            long.
        DebuggerError: The record cannot be read, or no model can judge.
    """
    value, facts = getattr(expectation, expectation.kind), KIND_FACTS[expectation.kind]
    found = facts.check(value, run, scope, judge)
    cause = Cause("")
    if not found.passed:
        cause = find_cause(lambda finder: facts.find_cause(finder, value), run, scope, found.event, _fits)
    event = cause.event if cause.event is not None else found.event
    if event is None and run.event_count:
        event = run.event_count - 1
    got = found.got if len(found.got) <= _MAX_GOT else shorten_between(found.got, _MAX_GOT)
    return CheckResult(expectation, scope.turn, found.passed, found.expected, got, event, cause.words)


def explain(expectation: Expectation, run: Conversation, scope: Scope) -> str:
    """Return why a check failed that was not made by `check`."""
    value, facts = getattr(expectation, expectation.kind), KIND_FACTS[expectation.kind]
    return find_cause(lambda finder: facts.find_cause(finder, value), run, scope, None, _fits).words


def names_in(expectation: Expectation) -> Iterator[NamedElement]:
    """Yield the nodes and edges that an expectation names."""
    return iter(KIND_FACTS[expectation.kind].names(getattr(expectation, expectation.kind)))


def _says(match: TextMatch, run: Conversation, scope: Scope) -> Finding:
    """Check that a message of the agent matches, or with ``not`` that none does.

    The event is that of the first message that fits, else of the one most like the expected text; with
    ``not`` of the first that is wrong. A run without messages passes only with ``not``.
    """
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
    """Return whether a text fits a comparison; with ``not`` whether it does not fit the inner one.

    `equals` ignores blanks around the text, `contains` case and white space, `similar` case and punctuation.

    Raises:
        InputError: The pattern is wrong or takes too long.
    """
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
    """Return a comparison in words, as the end of a clause: ``that contains 'Tuesday'``."""
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
    """Check that the main thread's nodes are those of the path in order, others only at ``...``.

    Of a failure the event is that of the first node that does not fit, or of the last one.

    Raises:
        InputError: The workflow has no such node, or several.
    """
    wanted = [None if name == ANY_NODES else run.workflow.node_id(name) for name in names]
    visits = read_path(run.visits(scope))
    reached = _reach_of_path(wanted, visits)
    passed = reached is None
    event = None if passed or not visits else visits[min(reached or 0, len(visits) - 1)].event
    got = _chain([run.workflow.label(visit.node_id, visit.name) for visit in visits]) or "no node"
    return Finding(passed, f"the path {' > '.join(names)}", got, event)


def _reach_of_path(wanted: Sequence[str | None], visits: Sequence[Visit]) -> int | None:
    """Return the index of the first visit that does not fit; ``None`` where all fit.

    ``None`` in the path stands for any number of visits.

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
    """Return by edge the indexes of the events at which it was taken, in order; empty for one that was not.

    Raises:
        InputError: The workflow has no such edge.
    """
    for name in names:
        run.workflow.check_edge(name)
    steps = run.steps(scope)
    return {
        name: [step.event_index for step in steps if run.workflow.uses_edge(step, name)] for name in names
    }


def _variable(match: VariableMatch, run: Conversation, _scope: Scope) -> Finding:
    """Check the value of a variable at the run's end so far; the event is the one that set it last, if any.

    Secrets are masked in the finding's words.
    """
    value = read_variable(match, run.snapshots.at(None), run.workflow.graph.workflow)
    kind, operand = match.comparison
    scope, path = _scope_and_path(match)
    name = path.split(".")[0].split("[")[0]
    last = run.history.catch_up().last_set(scope, name, None)
    got = "no value" if value is ABSENT else _json(_shown(value))
    _, words = _COMPARISONS[kind]
    expected = f"that {match.name} {words} {_json(_shown(operand))}"
    if kind == "absent":
        expected = f"that {match.name} has {'no' if operand else 'a'} value"
    return Finding(match_holds(match, value), expected, got, last.index if last else None)


def read_variable(match: VariableMatch, snapshot: Snapshot, workflow: Workflow) -> Any:
    """Return the value of the variable that an expectation names; `ABSENT` where it has none."""
    return read_watch(".".join(_scope_and_path(match))).read(snapshot, workflow)


def _scope_and_path(match: VariableMatch) -> tuple[str, str]:
    scope, _, path = match.name.partition(".")
    is_of_thread = scope == "runtime" and match.thread != MAIN_THREAD
    return f"thread_{match.thread}" if is_of_thread else scope, path


def match_holds(match: VariableMatch, value: Any) -> bool:
    """Return whether a value, or `ABSENT`, is as an expectation says."""
    kind, operand = match.comparison
    return _COMPARISONS[kind][0](value, operand)


def _compare_number(holds: Callable[[float, float], bool]) -> Callable[[Any, Any], bool]:
    return lambda value, operand: (
        isinstance(value, int | float) and not isinstance(value, bool) and holds(value, operand)
    )


def _contains(value: Any, operand: Any) -> bool:
    """Return whether a text has another in it, whatever the case, a list an equal value, or an object a key.

    False for any other value, and for an object and a key that is no text.
    """
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
    """Check what the run waits for after the turn, and at which node or inside which super node.

    Without a kind it passes where waiting for a message there is as expected, ``waiting: false`` included.

    Raises:
        InputError: The workflow has no such node, or several.
    """
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
    """Check that no call of these classes was made or blocked; the event is the nearest of the first one."""
    wrong = [(event, effect) for event, effect in run.effects(scope) if effect.call_class in classes]
    got = ", ".join(
        f"{effect.call_class} ({effect.how}): {effect.target} by {effect.node_name!r}" for _, effect in wrong
    )
    expected = f"no call in the {scope.noun} of the class {_listed(classes, 'or')}"
    return Finding(not wrong, expected, got or "none", wrong[0][0] if wrong else None)


def _at_most(limits: Any, run: Conversation, scope: Scope) -> Finding:
    """Check that tokens, milliseconds, turns and node runs are at most the limits that are set."""
    metrics = run.metrics(scope)
    found = {
        "tokens": metrics.total_tokens,
        "ms": round(metrics.time.total if metrics.time else 0.0, 1),
        "turns": metrics.turns,
        "node_runs": metrics.node_runs,
    }
    named = {name: limit for name, limit in limits if limit is not None}
    passed = all(found[name] <= limit for name, limit in named.items())
    expected = ", ".join(_count(limit, name) for name, limit in named.items())
    got = ", ".join(_count(found[name], name) for name in named)
    return Finding(passed, f"at most {expected} in the {scope.noun}", got)


def _count(number: float, unit: str) -> str:
    words = unit.replace("_", " ")
    return f"{_number(number)} {words.removesuffix('s') if number == 1 and unit != 'ms' else words}"


def _events(wanted: Sequence[EventMatch], run: Conversation, scope: Scope) -> Finding:
    """Check that the events occur in this order; others may be between them.

    The event is the last one that fits, ``None`` without one.

    Raises:
        InputError: The workflow has no such node, or several.
    """
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


def _judge(match: Judge, run: Conversation, _scope: Scope, judge: JudgeModel) -> Finding:
    true, reason = judge(match, run)
    return Finding(true, f"that {match.criterion!r} is true", reason or ("true" if true else "not true"))


def _nodes(names: Sequence[str]) -> list[NamedElement]:
    return [("node", name) for name in names if name != ANY_NODES]


def _edges(names: Sequence[str]) -> list[NamedElement]:
    return [("edge", name) for name in names]


def _nodes_of(matches: Iterable[HintMatch | EventMatch]) -> list[NamedElement]:
    return [("node", match.node) for match in matches if match.node is not None]


def _no_names(_value: Any) -> list[NamedElement]:
    return []


def _read_run(check: Callable[[Any, Conversation, Scope], Finding]) -> Check:
    return lambda value, run, scope, _judge: check(value, run, scope)


def _facts_of(kind: ExpectationKind) -> KindFacts:
    """Return the facts of a kind: what checks it, what finds the cause of a failure, and what it names."""
    match kind:
        case "says":
            return KindFacts(_read_run(_says), CauseFinder.says, _no_names)
        case "reached":
            return KindFacts(_read_run(_reached), CauseFinder.reached, _nodes)
        case "not_reached":
            return KindFacts(_read_run(_not_reached), CauseFinder.not_reached, _nodes)
        case "path":
            return KindFacts(_read_run(_path), CauseFinder.path, _nodes)
        case "edge_taken":
            return KindFacts(_read_run(_edge_taken), CauseFinder.edge_taken, _edges)
        case "edge_not_taken":
            return KindFacts(_read_run(_edge_not_taken), CauseFinder.edge_not_taken, _edges)
        case "variable":
            return KindFacts(_read_run(_variable), CauseFinder.variable, _no_names)
        case "hint":
            return KindFacts(_read_run(_hint), CauseFinder.hint, lambda match: _nodes_of([match]))
        case "status":
            return KindFacts(_read_run(_status), CauseFinder.status, _no_names)
        case "no_side_effect":
            return KindFacts(_read_run(_no_side_effect), CauseFinder.no_side_effect, _no_names)
        case "at_most":
            return KindFacts(_read_run(_at_most), CauseFinder.at_most, _no_names)
        case "events":
            return KindFacts(_read_run(_events), CauseFinder.events, _nodes_of)
        case "judge":
            return KindFacts(_judge, CauseFinder.judge, _no_names)
        case _:
            assert_never(kind)


KIND_FACTS: dict[ExpectationKind, KindFacts] = {kind: _facts_of(kind) for kind in KINDS}
"""Every kind."""


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
    """Return whether a pattern is found in a text.

    Raises:
        InputError: It is no pattern, or the search takes too long.
    """
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


def _shown(value: Any) -> Any:
    """Return a value without secrets."""
    return Boundary(SECRETS_ONLY).release(Kind.VALUE, value)


def _json(value: Any) -> str:
    return _number(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False, default=str)


def _number(value: float) -> str:
    """Return a number with all its digits, a whole one without a fraction."""
    return str(value).removesuffix(".0")
