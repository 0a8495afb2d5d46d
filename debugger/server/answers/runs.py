"""Runs, and what was said about them, in answers (``platform/wire.md`` 5.1, 5.2, 5.5)."""

from __future__ import annotations

from typing import Any

from typing_extensions import TypedDict

from debugger.protocol.base import JsonObject
from debugger.protocol.notes import RatingValue
from debugger.protocol.runs import Run
from debugger.server.answers.pages import Page


class RunRecord(TypedDict):
    """The record around a run."""

    _id: str
    team_id: str | None
    created_by: str | None
    updated_by: str | None
    created_at: str | None
    updated_at: str | None
    workflow_run: Run


class RunPage(Page):
    """Some runs, without their turns."""

    workflow_runs: list[RunRecord]


class User(TypedDict):
    """Somebody who said something."""

    id: str
    firstName: str
    lastName: str | None
    email: str | None


class RunAnswer(TypedDict):
    """A run with its turns, and who said something about it."""

    workflow_run: RunRecord
    feedback_users: dict[str, User]


class Signed(TypedDict):
    """Whose it is."""

    createdBy: str
    updatedBy: str
    createdAt: str
    updatedAt: str


class CommentRecord(Signed):
    """A comment, its keys in both cases."""

    logical_id: str
    content: str
    created_by: str
    updated_by: str
    created_at: str
    updated_at: str


class RatingRecord(Signed):
    """A rating."""

    logical_id: str
    value: RatingValue


class FeedbackAnswer(TypedDict):
    """The ratings of one thing, or the comments on it."""

    ratings: list[RatingRecord]
    comments: list[CommentRecord]
    feedback_users: dict[str, User]


class EvaluationAnswer(TypedDict):
    """What an evaluation of a run found."""

    evaluation_workflow_run_id: str | None
    status: str | None
    evaluation_result: JsonObject
    score: Any
    passed: Any
    details: Any
    evaluated_at: str | None


class RunSchemas(TypedDict):
    """JSON schemas of a run and of what is in it."""

    run_schema: JsonObject
    run_input_schema: JsonObject
    run_output_schema: JsonObject
    run_input_output_pair_schema: JsonObject
