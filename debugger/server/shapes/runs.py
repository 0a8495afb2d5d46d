"""A run as answers show it (``platform/wire.md`` 5.2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from debugger.protocol.base import JsonObject
from debugger.protocol.notes import Target
from debugger.protocol.runs import Run, Turn
from debugger.protocol.turn_logs import lazy_turn_logs
from debugger.server.shapes.feedback import Remarks, comment_shape, feedback_users, rating_shape


def run_record(run: Run) -> JsonObject:
    """A run inside its record, which is where the API has its times."""
    inner = {key: value for key, value in run.to_wire().items() if key not in ("created_at", "updated_at")}
    return {
        "_id": run.workflow_run_id,
        "team_id": None,
        "created_by": None,
        "updated_by": None,
        "created_at": run.created_at,
        "updated_at": run.updated_at,
        "workflow_run": inner,
    }


def run_answer(run: Run, remarks: Remarks) -> JsonObject:
    """The answer around a run's record, with what was said about the run, its turns and its events."""
    record = run_record(run)
    if any(remarks):
        said = _Said(run.workflow_run_id, remarks)
        inner = record["workflow_run"]
        inner["comments"] = said.comments(Target())
        numbers = turn_numbers(run.input_output_pairs)
        inner["input_output_pairs"] = [
            said.pair(pair, number) for pair, number in zip(inner["input_output_pairs"], numbers, strict=True)
        ]
    return {"workflow_run": record, "feedback_users": feedback_users([*remarks[0], *remarks[1]])}


def turn_numbers(pairs: Sequence[Turn]) -> list[int]:
    """For each pair the user's turn that it belongs to, from 1; background work belongs to the one before."""
    numbers: list[int] = []
    for _, log in lazy_turn_logs([lambda pair=pair: pair for pair in pairs]):  # type: ignore[misc]
        last = numbers[-1] if numbers else 1
        numbers.append(last if log is None else log.number)
    return numbers


class _Said:
    """What was said, by what it was said of."""

    def __init__(self, run_id: str, remarks: Remarks) -> None:
        self._comments: dict[tuple[str, str], list[JsonObject]] = defaultdict(list)
        self._ratings: dict[tuple[str, str], list[JsonObject]] = defaultdict(list)
        for comment in remarks[0]:
            self._comments[_key(comment.target)].append(comment_shape(comment))
        for rating in remarks[1]:
            self._ratings[_key(rating.target)].append(rating_shape(run_id, rating))
        self._are_of_events = any(kind == "event" for kind, _ in (*self._comments, *self._ratings))
        self._told: set[int] = set()

    def comments(self, target: Target) -> list[JsonObject]:
        """The comments on one thing."""
        return self._comments.get(_key(target), [])

    def pair(self, pair: JsonObject, number: int) -> JsonObject:
        """A pair with what was said of it; what was said of a turn stands on its first pair."""
        found = dict(pair)
        if number not in self._told:
            self._told.add(number)
            found["comments"] = self.comments(Target.turn(number))
            found["ratings"] = self._ratings.get(("turn", str(number)), [])
        if self._are_of_events:
            output = dict(pair["run_output"])
            output["events"] = [self._event(event) for event in output.get("events") or []]
            found["run_output"] = output
        return found

    def _event(self, event: JsonObject) -> JsonObject:
        key = ("event", str(event.get("logical_id")))
        found: dict[str, Any] = {}
        if key in self._comments:
            found["comments"] = self._comments[key]
        if key in self._ratings:
            found["ratings"] = self._ratings[key]
        return {**event, **found} if found else event


def _key(target: Target) -> tuple[str, str]:
    return target.kind, target.key
