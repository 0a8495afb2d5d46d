"""Expectations that take what a run did in the place of what was expected."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from debugger.analysis.variables import Snapshot, Snapshots
from debugger.boundary.rules import ALL_MARKS
from debugger.engine.outbound.secrets import MARK
from debugger.errors import InputError
from debugger.exports.records import ExportedRun
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import encode
from debugger.protocol.runs import MAIN_THREAD
from debugger.protocol.workflow import Workflow
from debugger.scenarios.checks import match_holds, read_variable
from debugger.scenarios.editing import read_plain, rewrite
from debugger.scenarios.expectation_rows import BETWEEN, Match, Proposal
from debugger.scenarios.loading import unescaped
from debugger.scenarios.model import Expectation, ExpectationKind, Scenario, VariableMatch
from debugger.scenarios.proposal import ScenarioDraft, propose
from debugger.scenarios.results import CheckResult

ACCEPTED: frozenset[ExpectationKind] = frozenset({"says", "path", "variable", "status", "hint", "edge_taken"})
"""The kinds of expectations of which a run tells another value."""

_MATCHES: dict[str, Match] = {
    "equals": "exact",
    "contains": "contains",
    "regex": "regex",
    "similar": "similar",
}
_BOUNDS = {
    "at_least": "at_least",
    "at_most": "at_most",
    "greater_than": "at_least",
    "less_than": "at_most",
}
"""Each comparison with a bound, and the one that holds for a value at the bound itself."""
_MAX_EXACT = 2**53
"""The largest number that a bound has exactly."""
_KEPT = ("message", "soft")
"""Fields of an expectation that stay."""


def accept_result(text: str, check: CheckResult, run: ExportedRun, workflow: Workflow) -> str:
    """Return the text of a scenario with what a run did in the place of one failed expectation.

    Comments, order and formatting stay, and so does the comparison, where the value permits it. A value with
    a secret in it is refused: masked, it would never be met.

    Args:
        text: The scenario.
        check: The failed check.
        run: The run that was checked.
        workflow: The version that ran.

    Raises:
        InputError: The text has other turns than the run, or does not have the expectation, or no value of
            the run can take its place.
    """
    content = read_plain(text)
    _check_turns(content, check.turn, run)
    expectations = _expectations(content, check.turn)
    place = _place_of(check.expectation, expectations)
    if place is None:
        raise InputError(
            "The text has another expectation now, or one that is filled from rows.", advice="Edit the text."
        )
    written = expectations[place]
    kept = {key: written[key] for key in _KEPT if key in written}
    draft = propose(run, workflow, name="run", reference="run")
    turns = _turns_of_run(content["turns"], check.turn, draft)
    if check.expectation.kind == "variable":
        logs = [log for _, log in run.turns()][: max(turns, default=0)]
        accepted = _of_variable(check, draft, Snapshots().catch_up(logs).at(None), workflow)
    else:
        accepted = _of_run(check, draft, turns)
        if _has_mark(accepted):
            raise _secret()
    expectations[place] = {**accepted, **kept}
    return rewrite(text, content)


def is_expected_still(check: CheckResult, scenario: Scenario) -> bool:
    """Return whether a scenario has the expectation of a check in any turn or at the end, under any message.

    A turn that was inserted before it does not hide its failure. That a run goes on is expected by each
    scenario, whatever its text says.
    """
    if check.expectation.status == "running":
        return True
    wanted = check.expectation.model_dump(exclude={"message"})
    expected = [*scenario.expect, *(each for turn in scenario.turns for each in turn.expect)]
    return any(each.model_dump(exclude={"message"}) == wanted for each in expected)


def _has_mark(value: Any) -> bool:
    """Return whether something in a JSON value was masked."""
    shown = encode(value).decode()
    return any(mark in shown for mark in (MARK, *ALL_MARKS))


def show_difference(before: str, after: str) -> str:
    """Return the lines that differ between two texts, with ``-`` and ``+`` and some lines around them."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2)
    return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))


def _expectations(content: JsonObject, turn: int | None) -> list[Any]:
    """Return the written expectations of a turn, from 1, or of the end; empty where there are none."""
    turns = content["turns"]
    if turn is None:
        found = content.get("expect", [])
    else:
        found = turns[turn - 1].get("expect", []) if turn <= len(turns) else []
    return found if isinstance(found, list) else []


def _place_of(wanted: Expectation, written: Sequence[Any]) -> int | None:
    """Return the index of the written expectation that equals one; ``None`` where none that is valid does."""
    for place, each in enumerate(written):
        try:
            if Expectation.model_validate(unescaped(each)).model_dump() == wanted.model_dump():
                return place
        except ValidationError:
            continue
    return None


def _check_turns(content: JsonObject, turn: int | None, run: ExportedRun) -> None:
    """Refuse a text whose turns, up to that of a check, are not those that the run was sent.

    Raises:
        InputError: They are others.
    """
    wanted = [each for each in content["turns"][:turn] if "advance" not in each]
    sent = [log.message for _, log in run.turns() if not log.is_background]
    if (
        len(wanted) > len(sent)
        or (turn is None and len(wanted) < len(sent))
        or any(
            isinstance(each.get("say"), str) and unescaped(each["say"]) != words
            for each, words in zip(wanted, sent, strict=False)
        )
    ):
        raise InputError(
            "The scenario has other turns than this run, or is filled from rows.",
            advice="Run it again, or edit the text.",
        )


def _turns_of_run(turns: Sequence[JsonObject], turn: int | None, draft: ScenarioDraft) -> list[int]:
    """Return the turns of a run's draft that a turn of the scenario is; at the end all of them.

    Background work of the run is in the draft as steps, however many the scenario has asked for.

    Raises:
        InputError: Several turns of background work follow each other: the run has no border between them.
    """
    if turn is None:
        return list(range(1, len(draft.turns) + 1))
    said = [number for number, each in enumerate(draft.turns, start=1) if "advance" not in each]
    before = sum("advance" not in each for each in turns[:turn])
    if "advance" not in turns[turn - 1]:
        return said[before - 1 : before]
    beside = [*turns[turn - 2 : turn - 1], *turns[turn : turn + 1]]
    if any("advance" in each for each in beside):
        raise InputError(
            "The turn is one of several with background work that follow each other.",
            advice="Edit the text.",
        )
    return list(range(said[before - 1] + 1, (*said, len(draft.turns) + 1)[before]))


def _of_run(check: CheckResult, draft: ScenarioDraft, turns: Sequence[int]) -> JsonObject:
    """Return the expectation, as JSON, of what the run did in the place of a failed one.

    At the end a message of any turn may take its place, of other kinds a value of the last turn, and of a
    path none. Variables are for `_of_variable`.

    Raises:
        InputError: The run has no value that can take its place.
    """
    kind = check.expectation.kind
    own = [each for each in draft.proposals if each.kind == kind and each.turn in turns]
    if check.turn is None and kind != "says":
        own = [each for each in own if each.turn == max(turns)]
    match kind:
        case "says":
            found = _said(check, own)
        case "edge_taken":
            names = list(dict.fromkeys(each.text for each in own))
            if len(names) > 1:
                return {"edge_taken": names}
            found = own[0] if own else None
        case "path" if check.turn is None:
            found = None
        case "path":
            found = replace(own[0], text=BETWEEN.join(each.text for each in own)) if own else None
        case _:
            found = own[-1] if own and kind in ACCEPTED else None
    if found is None:
        raise _no_value(kind)
    return found.to_json()


def _said(check: CheckResult, said: Sequence[Proposal]) -> Proposal | None:
    """Return the message that is most like the expected one, compared in the same way.

    ``None`` where the expectation is a negative one, or nothing was said.
    """
    wanted = check.expectation.says
    if wanted is None or wanted.not_ is not None or not said:
        return None
    name = next(name for name in _MATCHES if getattr(wanted, name) is not None)
    expected: str = getattr(wanted, name)
    likest = max(said, key=lambda each: _likeness(expected, str(each.value)))
    return likest.with_match(_MATCHES[name])


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one.lower().split(), other.lower().split()).ratio()


def _of_variable(
    check: CheckResult, draft: ScenarioDraft, snapshot: Snapshot, workflow: Workflow
) -> JsonObject:
    """Return the expectation, as JSON, of what a variable was after the turn.

    The comparison stays where the value permits it, else the value is compared exactly. A bound becomes the
    value, by ``at_most`` or ``at_least``; ``one_of`` takes the value in besides its own.

    Raises:
        InputError: Nothing that a run proposes holds for the value: it has none or a secret in it, a part of
            it changed, or the expectation is a negative one or of another thread than the main one.
    """
    wanted = check.expectation.variable
    if wanted is None or wanted.thread != MAIN_THREAD or "not_equals" in wanted.model_fields_set:
        raise _no_value("variable")
    value = read_variable(wanted, snapshot, workflow)
    changes = [each for each in draft.proposals if each.kind == "variable" and each.subject == wanted.name]
    for change in reversed(changes):
        for found in _comparisons(wanted, change):
            match = VariableMatch.model_validate(unescaped(found["variable"]))
            if match_holds(match, value):
                return found
    raise _secret() if any(_has_mark(change.value) for change in changes) else _no_value("variable")


def _comparisons(wanted: VariableMatch, change: Proposal) -> Iterator[JsonObject]:
    """Yield the expectations of a changed variable: compared as before, then exactly."""
    exact = change.with_match("exact").to_json()
    value = exact["variable"]["equals"]
    name, operand = wanted.comparison
    if name == "one_of":
        yield {"variable": {"name": wanted.name, "one_of": [*operand, value]}}
    elif name in _BOUNDS and isinstance(value, int | float) and not isinstance(value, bool):
        if abs(value) <= _MAX_EXACT:
            yield {"variable": {"name": wanted.name, _BOUNDS[name]: value}}
    elif name in _MATCHES and name != "equals":
        with suppress(InputError):  # no part of it is stable
            yield change.with_match(_MATCHES[name]).to_json()
    yield exact


def _secret() -> InputError:
    return InputError(
        "What the run got has a secret in it, which a scenario never has.",
        advice="Edit the text: expect a part of it, or a pattern.",
    )


def _no_value(kind: str) -> InputError:
    return InputError(
        f"The run has no value that can take the place of this expectation ({kind.replace('_', ' ')}).",
        advice="Edit the text.",
    )
