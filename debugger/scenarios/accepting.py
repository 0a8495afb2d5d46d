"""Expectations that take what a run did in the place of what was expected."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from debugger.boundary.rules import ALL_MARKS
from debugger.engine.outbound.secrets import MARK
from debugger.errors import InputError
from debugger.exports.records import ExportedRun
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import encode
from debugger.protocol.workflow import Workflow
from debugger.scenarios.editing import read_plain, rewrite
from debugger.scenarios.expectation_rows import BETWEEN, Match, Proposal
from debugger.scenarios.loading import unescaped
from debugger.scenarios.model import Expectation, ExpectationKind
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
    accepted = _of_run(check, draft, _turns_of_run(content["turns"], check.turn, draft))
    shown = encode(accepted).decode()
    if any(mark in shown for mark in (MARK, *ALL_MARKS)):
        raise InputError(
            "What the run got has a secret in it, which a scenario never has.",
            advice="Edit the text: expect a part of it, or a pattern.",
        )
    expectations[place] = {**accepted, **kept}
    return rewrite(text, content)


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
            if Expectation.model_validate(each).model_dump() == wanted.model_dump():
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

    At the end a message of any turn and the last change of a variable may take its place, of other kinds a
    value of the last turn, and of a path none.

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
        case "variable":
            until = max(turns, default=0)
            accepted = _variable(check, [each for each in draft.proposals if (each.turn or 0) <= until])
            if accepted is not None:
                return accepted
            found = None
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
        raise InputError(
            f"The run has no value that can take the place of this expectation ({kind.replace('_', ' ')}).",
            advice="Edit the text.",
        )
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


def _variable(check: CheckResult, proposals: Sequence[Proposal]) -> JsonObject | None:
    """Return the expectation, as JSON, of the last change of a variable.

    The comparison stays where the value permits it. A bound becomes the value, by ``at_most`` or
    ``at_least``; ``one_of`` takes the value in besides its own; another value than the comparison permits is
    compared exactly. ``None`` where the expectation is a negative one, the variable is of another thread than
    the main one, or it was never changed.
    """
    wanted = check.expectation.variable
    if wanted is None or wanted.thread != "0" or "not_equals" in wanted.model_fields_set:
        return None
    changes = [each for each in proposals if each.kind == "variable" and each.subject == wanted.name]
    if not changes:
        return None
    name, operand = wanted.comparison
    match = _MATCHES.get(name, "exact")
    found = changes[-1].with_match(match if match in changes[-1].matches else "exact").to_json()
    value = found["variable"].get("equals")
    if name == "one_of":
        return {"variable": {"name": wanted.name, "one_of": [*operand, value]}}
    if name in _BOUNDS and isinstance(value, int | float) and not isinstance(value, bool):
        return {"variable": {"name": wanted.name, _BOUNDS[name]: value}}
    return found
