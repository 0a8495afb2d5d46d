"""Runs and their feedback as responses have them (``platform.md#run-record`` and ``platform.md#feedback``).

The platform writes the keys of feedback in camel case, and its own client reads those of a comment in snake
case: a comment has both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from typing_extensions import TypedDict

from debugger.backends.base import Backend
from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol.base import JsonObject
from debugger.protocol.notes import Comment, Rating, RatingValue, Target
from debugger.protocol.runs import UNFINISHED_TURNS, Run, Turn
from debugger.protocol.turn_logs import number_turns
from debugger.store import UnfinishedTurn

Feedback = tuple[list[Comment], list[Rating]]
"""The comments and ratings of a run."""


class RunRecord(TypedDict):
    """The record around a run."""

    _id: str
    team_id: str | None
    created_by: str | None
    updated_by: str | None
    created_at: str | None
    updated_at: str | None
    workflow_run: Run


class User(TypedDict):
    """An author of feedback."""

    id: str
    firstName: str
    lastName: str | None
    email: str | None


class RunAnswer(TypedDict):
    """A run with its turns, and the authors of its feedback."""

    workflow_run: RunRecord
    feedback_users: dict[str, User]


class Authorship(TypedDict):
    """The author of feedback, and its date."""

    createdBy: str
    updatedBy: str
    createdAt: str
    updatedAt: str


class CommentRecord(Authorship):
    """A comment, its keys in both cases."""

    logical_id: str
    content: str
    created_by: str
    updated_by: str
    created_at: str
    updated_at: str


class RatingRecord(Authorship):
    """A rating."""

    logical_id: str
    value: RatingValue


def run_record(run: Run) -> RunRecord:
    """Return a run in its record, which has the run's times.

    The run itself has no times then. Team and authors are always null.
    """
    inner: Any = {
        key: value for key, value in run.to_wire().items() if key not in ("created_at", "updated_at")
    }
    return {
        "_id": run.workflow_run_id,
        "team_id": None,
        "created_by": None,
        "updated_by": None,
        "created_at": run.created_at,
        "updated_at": run.updated_at,
        "workflow_run": inner,
    }


def run_answer(run: Run, feedback: Feedback, unfinished: Sequence[UnfinishedTurn] = ()) -> RunAnswer:
    """Return a run with all feedback on it, and its turns that were interrupted after calls.

    Interrupted turns without calls or without a client turn id are left out. The keys of comments, ratings
    and interrupted turns are missing where the run has none of any kind.
    """
    record = run_record(run)
    unstored = [turn for turn in unfinished if turn.calls and turn.client_turn_id]
    if unstored:
        shown: Any = record["workflow_run"]
        shown[UNFINISHED_TURNS] = [
            {"client_turn_id": turn.client_turn_id, "calls": turn.calls} for turn in unstored
        ]
    if any(feedback):
        index = _FeedbackIndex(run.workflow_run_id, feedback)
        inner: Any = record["workflow_run"]
        inner["comments"] = index.comments(Target())
        numbers = turn_numbers(run.input_output_pairs)
        inner["input_output_pairs"] = [
            index.annotate(pair, number)
            for pair, number in zip(inner["input_output_pairs"], numbers, strict=True)
        ]
    return {"workflow_run": record, "feedback_users": feedback_users([*feedback[0], *feedback[1]])}


def read_feedback(backend: Backend, run_id: str) -> Feedback:
    """Return the feedback on a run; nothing where another server stores it."""
    return backend.store.notes.feedback(run_id) if isinstance(backend, EmbeddedBackend) else ([], [])


def read_unfinished(backend: Backend, run_id: str) -> list[UnfinishedTurn]:
    """Return the interrupted turns of a run; none where another server stores it."""
    if not isinstance(backend, EmbeddedBackend):
        return []
    return backend.store.notes.read_unfinished_turns(run_id)


def turn_numbers(pairs: Sequence[Turn]) -> list[int]:
    """Return the user's turn of each pair, from 1.

    Background work belongs to the turn before. No pairs give an empty list.
    """
    numbers: list[int] = []
    for _, log in number_turns(pairs):
        last = numbers[-1] if numbers else 1
        numbers.append(last if log is None else log.number)
    return numbers


def comment_record(comment: Comment) -> CommentRecord:
    """Return the record of a comment: its keys in both cases, the last change as its creation."""
    return {
        "logical_id": comment.logical_id,
        "content": comment.content,
        **_authorship(comment),
        "created_by": comment.author,
        "updated_by": comment.author,
        "created_at": comment.created_at,
        "updated_at": comment.created_at,
    }


def rating_record(run_id: str, rating: Rating) -> RatingRecord:
    """Return the record of a rating.

    Its id follows from author and target, which have one rating.
    """
    place = f"{run_id}/{rating.target.kind}/{rating.target.key}/{rating.author}"
    logical_id = f"rating_{uuid5(NAMESPACE_URL, place)}"
    return {"logical_id": logical_id, "value": rating.value, **_authorship(rating)}


def feedback_users(feedback: Iterable[Comment | Rating]) -> dict[str, User]:
    """Return the authors of feedback by name; only their names are known.

    Each is there once, in the order of first appearance; no feedback gives an empty object.
    """
    authors = dict.fromkeys(item.author for item in feedback)
    return {
        author: {"id": author, "firstName": author, "lastName": None, "email": None} for author in authors
    }


def _authorship(item: Comment | Rating) -> Authorship:
    """Return the author and the date of feedback, in camel case, each as creation and as last change."""
    return {
        "createdBy": item.author,
        "updatedBy": item.author,
        "createdAt": item.created_at,
        "updatedAt": item.created_at,
    }


class _FeedbackIndex:
    def __init__(self, run_id: str, feedback: Feedback) -> None:
        """Group the records of comments and ratings by the kind and the key of their target."""
        self._comments: dict[tuple[str, str], list[CommentRecord]] = defaultdict(list)
        self._ratings: dict[tuple[str, str], list[RatingRecord]] = defaultdict(list)
        for comment in feedback[0]:
            self._comments[comment.target.kind, comment.target.key].append(comment_record(comment))
        for rating in feedback[1]:
            self._ratings[rating.target.kind, rating.target.key].append(rating_record(run_id, rating))
        self._has_events = any(kind == "event" for kind, _ in (*self._comments, *self._ratings))
        self._annotated: set[int] = set()

    def comments(self, target: Target) -> list[CommentRecord]:
        return self._comments.get((target.kind, target.key), [])

    def annotate(self, pair: JsonObject, number: int) -> JsonObject:
        """Return a copy of a pair with its feedback.

        Feedback on a turn is added to its first pair: the index remembers the numbers that it has had. Events
        get theirs only where any event of the run has some.
        """
        annotated = dict(pair)
        if number not in self._annotated:
            self._annotated.add(number)
            annotated["comments"] = self.comments(Target.turn(number))
            annotated["ratings"] = self._ratings.get(("turn", str(number)), [])
        if self._has_events:
            output = dict(pair["run_output"])
            output["events"] = [self._annotate_event(event) for event in output.get("events") or []]
            annotated["run_output"] = output
        return annotated

    def _annotate_event(self, event: JsonObject) -> JsonObject:
        """Return an event with its comments or ratings; the same object without any."""
        key = ("event", str(event.get("logical_id")))
        feedback: dict[str, Any] = {}
        if key in self._comments:
            feedback["comments"] = self._comments[key]
        if key in self._ratings:
            feedback["ratings"] = self._ratings[key]
        return {**event, **feedback} if feedback else event
