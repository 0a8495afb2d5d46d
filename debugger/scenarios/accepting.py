"""Expectations that take what a run did in the place of what was expected."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from debugger.errors import InputError
from debugger.exports.records import ExportedRun
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import Workflow
from debugger.scenarios.editing import read_plain, rewrite
from debugger.scenarios.expectation_rows import Match, Proposal
from debugger.scenarios.model import Expectation, ExpectationKind
from debugger.scenarios.proposal import propose
from debugger.scenarios.results import CheckResult

ACCEPTED: frozenset[ExpectationKind] = frozenset({"says", "path", "variable", "status", "hint", "edge_taken"})
"""The kinds of expectations of which a run tells another value."""

_MATCHES: dict[str, Match] = {
    "equals": "exact",
    "contains": "contains",
    "regex": "regex",
    "similar": "similar",
}
_KEPT = ("message", "soft")
"""Fields of an expectation that stay."""


def accept_result(text: str, check: CheckResult, run: ExportedRun, workflow: Workflow) -> str:
    """Return the text of a scenario with what a run did in the place of one failed expectation.

    Comments, order and formatting stay, and so does the comparison, where the value permits it. Secrets are
    masked, as in a scenario that is saved from a run.

    Args:
        text: The scenario.
        check: The failed check.
        run: The run that was checked.
        workflow: The version that ran.

    Raises:
        InputError: The text does not have the expectation, or no value of the run can take its place.
    """
    content = read_plain(text)
    expectations = _expectations(content, check.turn)
    place = _place_of(check.expectation, expectations)
    if place is None:
        raise InputError(
            "The text has another expectation now, or one that is filled from rows.", advice="Edit the text."
        )
    written = expectations[place]
    kept = {key: written[key] for key in _KEPT if key in written}
    expectations[place] = {**_of_run(check, run, workflow), **kept}
    return rewrite(text, content)


def show_difference(before: str, after: str) -> str:
    """Return the lines that differ between two texts, with ``-`` and ``+`` and some lines around them."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2)
    return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))


def _expectations(content: JsonObject, turn: int | None) -> list[Any]:
    turns = content["turns"]
    if turn is None:
        found = content.get("expect", [])
    else:
        found = turns[turn - 1].get("expect", []) if turn <= len(turns) else []
    return found if isinstance(found, list) else []


def _place_of(wanted: Expectation, written: Sequence[Any]) -> int | None:
    for place, each in enumerate(written):
        try:
            if Expectation.model_validate(each).model_dump() == wanted.model_dump():
                return place
        except ValidationError:
            continue
    return None


def _of_run(check: CheckResult, run: ExportedRun, workflow: Workflow) -> JsonObject:
    proposals = propose(run, workflow, name="run", reference="run").proposals
    kind = check.expectation.kind
    last = check.turn or max((each.turn or 0 for each in proposals), default=0)
    own = [each for each in proposals if each.kind == kind and each.turn == last]
    match kind:
        case "says":
            found = _said(check, own if check.turn else [each for each in proposals if each.kind == "says"])
        case "variable":
            found = _variable(check, [each for each in proposals if (each.turn or 0) <= last])
        case "edge_taken":
            names = [each.text for each in own]
            found = replace(own[0], text=names[0]) if len(names) == 1 else None
            if len(names) > 1:
                return {"edge_taken": names}
        case "path" if check.turn is None:
            found = None
        case _:
            found = own[0] if own and kind in ACCEPTED else None
    if found is None:
        raise InputError(
            f"The run has no value that can take the place of this expectation ({kind.replace('_', ' ')}).",
            advice="Edit the text.",
        )
    return found.to_json()


def _said(check: CheckResult, said: Sequence[Proposal]) -> Proposal | None:
    """Return the message that is most like the expected one, compared in the same way."""
    wanted = check.expectation.says
    if wanted is None or wanted.not_ is not None or not said:
        return None
    name = next(name for name in _MATCHES if getattr(wanted, name) is not None)
    expected: str = getattr(wanted, name)
    likest = max(said, key=lambda each: _likeness(expected, str(each.value)))
    return likest.with_match(_MATCHES[name])


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one.lower().split(), other.lower().split()).ratio()


def _variable(check: CheckResult, proposals: Sequence[Proposal]) -> Proposal | None:
    """Return the last change of a variable, compared in the same way where its value permits it."""
    wanted = check.expectation.variable
    if wanted is None or wanted.thread != "0":
        return None
    changes = [each for each in proposals if each.kind == "variable" and each.subject == wanted.name]
    if not changes:
        return None
    match = _MATCHES.get(wanted.comparison[0], "exact")
    return changes[-1].with_match(match if match in changes[-1].matches else "exact")
