"""Comments and ratings on runs, turns and events (``platform.md#feedback``)."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, field_validator
from typing_extensions import TypedDict

from debugger.errors import ConflictError, NotFoundError
from debugger.protocol import urls
from debugger.protocol.base import JsonObject
from debugger.protocol.notes import MAX_COMMENT_CHARACTERS, RatingValue, Target
from debugger.protocol.runs import Run
from debugger.server.body import json_body, validate
from debugger.server.dependencies import CommentId, EventId, Person, RunId, ServedStore, TurnIndex
from debugger.server.responses import RawJsonResponse
from debugger.server.run_records import (
    CommentRecord,
    RatingRecord,
    RunAnswer,
    User,
    comment_record,
    feedback_users,
    rating_record,
    run_answer,
    turn_numbers,
)
from debugger.store import Store

router = APIRouter(tags=["feedback"], responses={409: {}})


class NewComment(BaseModel):
    """A comment to be added."""

    content: str

    @field_validator("content")
    @classmethod
    def _check_content(cls, value: str) -> str:
        """Return the text without blanks around it.

        Raises ValueError when nothing is left, or it is longer than `MAX_COMMENT_CHARACTERS`.
        """
        text = value.strip()
        if not text:
            raise ValueError("a comment needs some words")
        if len(text) > MAX_COMMENT_CHARACTERS:
            raise ValueError(f"a comment has {MAX_COMMENT_CHARACTERS} characters at most")
        return text


class NewRating(BaseModel):
    """A rating to be set."""

    value: RatingValue


class FeedbackAnswer(TypedDict):
    """The ratings of a target, or the comments on it."""

    ratings: list[RatingRecord]
    comments: list[CommentRecord]
    feedback_users: dict[str, User]


CommentBody = Annotated[JsonObject, json_body(NewComment, {"content": "The answer is polite."})]
RatingBody = Annotated[JsonObject, json_body(NewRating, {"value": "up"})]


@router.post(urls.RUN_COMMENTS, response_model=CommentRecord)
def comment_run(run_id: RunId, body: CommentBody, store: ServedStore, person: Person) -> RawJsonResponse:
    """Comment on a run.

    The response is the bare comment, as clients expect it (10, 19).

    Raises:
        RequestValidationError: The text is missing, blank or too long.
        NotFoundError: There is no such run.
        ConflictError: The run has not finished.
    """
    content = validate(NewComment, body).content
    _finished_run(store, run_id)
    return RawJsonResponse(comment_record(store.notes.comment(run_id, Target(), person, content)))


@router.delete(urls.RUN_COMMENT, response_model=RunAnswer)
def delete_run_comment(run_id: RunId, comment_id: CommentId, store: ServedStore) -> RawJsonResponse:
    """Delete a comment on a run; the response is the run's record.

    Raises:
        NotFoundError: There is no such run, or it has no such comment.
        ConflictError: The run has not finished.
    """
    _finished_run(store, run_id)
    store.notes.delete_comment(run_id, comment_id, Target())
    return RawJsonResponse(run_answer(store.run(run_id), store.notes.feedback(run_id)))


@router.post(urls.EVENT_COMMENTS, response_model=CommentRecord)
def comment_event(
    run_id: RunId, event_id: EventId, body: CommentBody, store: ServedStore, person: Person
) -> RawJsonResponse:
    """Comment on an event.

    The response is the bare comment, as for a run.

    Raises:
        RequestValidationError: The text is missing, blank or too long.
        NotFoundError: There is no such run or event.
        ConflictError: The run has not finished.
    """
    content = validate(NewComment, body).content
    target = _event_target(_finished_run(store, run_id), event_id)
    return RawJsonResponse(comment_record(store.notes.comment(run_id, target, person, content)))


@router.delete(urls.EVENT_COMMENT, response_model=FeedbackAnswer)
def delete_event_comment(
    run_id: RunId, event_id: EventId, comment_id: CommentId, store: ServedStore
) -> RawJsonResponse:
    """Delete a comment on an event; the response has the comments that remain on it.

    Raises:
        NotFoundError: There is no such run or event, or the event has no such comment.
        ConflictError: The run has not finished.
    """
    target = _event_target(_finished_run(store, run_id), event_id)
    store.notes.delete_comment(run_id, comment_id, target)
    return _feedback(store, run_id, target, "comments")


@router.put(urls.EVENT_RATING, response_model=FeedbackAnswer)
def rate_event(
    run_id: RunId, event_id: EventId, body: RatingBody, store: ServedStore, person: Person
) -> RawJsonResponse:
    """Set the user's rating of an event, in place of an earlier one.

    The response has the ratings of the event by all users, and no comments.

    Raises:
        RequestValidationError: There is no valid rating in the body.
        NotFoundError: There is no such run or event.
        ConflictError: The run has not finished.
    """
    value = validate(NewRating, body).value
    return _rate(store, run_id, _event_target(_finished_run(store, run_id), event_id), person, value)


@router.delete(urls.EVENT_RATING, response_model=FeedbackAnswer)
def unrate_event(run_id: RunId, event_id: EventId, store: ServedStore, person: Person) -> RawJsonResponse:
    """Delete the user's rating of an event, if there is one; the response has the other users' ratings.

    Raises:
        NotFoundError: There is no such run or event.
        ConflictError: The run has not finished.
    """
    return _rate(store, run_id, _event_target(_finished_run(store, run_id), event_id), person, None)


@router.put(urls.TURN_RATING, response_model=FeedbackAnswer)
def rate_turn(
    run_id: RunId, turn_index: TurnIndex, body: RatingBody, store: ServedStore, person: Person
) -> RawJsonResponse:
    """Set the user's rating of a turn, in place of an earlier one.

    The response has the ratings of the turn by all users, and no comments.

    Raises:
        RequestValidationError: There is no valid rating in the body.
        NotFoundError: There is no such run or turn.
        ConflictError: The run has not finished.
    """
    value = validate(NewRating, body).value
    return _rate(store, run_id, _turn_target(_finished_run(store, run_id), turn_index), person, value)


@router.delete(urls.TURN_RATING, response_model=FeedbackAnswer)
def unrate_turn(run_id: RunId, turn_index: TurnIndex, store: ServedStore, person: Person) -> RawJsonResponse:
    """Delete the user's rating of a turn, if there is one; the response has the other users' ratings.

    Raises:
        NotFoundError: There is no such run or turn.
        ConflictError: The run has not finished.
    """
    return _rate(store, run_id, _turn_target(_finished_run(store, run_id), turn_index), person, None)


@router.post(urls.TURN_COMMENTS, response_model=FeedbackAnswer)
def comment_turn(
    run_id: RunId, turn_index: TurnIndex, body: CommentBody, store: ServedStore, person: Person
) -> RawJsonResponse:
    """Comment on a turn; the response has all comments on it.

    Raises:
        RequestValidationError: The text is missing, blank or too long.
        NotFoundError: There is no such run or turn.
        ConflictError: The run has not finished.
    """
    content = validate(NewComment, body).content
    target = _turn_target(_finished_run(store, run_id), turn_index)
    store.notes.comment(run_id, target, person, content)
    return _feedback(store, run_id, target, "comments")


@router.delete(urls.TURN_COMMENT, response_model=FeedbackAnswer)
def delete_turn_comment(
    run_id: RunId, turn_index: TurnIndex, comment_id: CommentId, store: ServedStore
) -> RawJsonResponse:
    """Delete a comment on a turn; the response has the comments that remain on it.

    Raises:
        NotFoundError: There is no such run or turn, or the turn has no such comment.
        ConflictError: The run has not finished.
    """
    target = _turn_target(_finished_run(store, run_id), turn_index)
    store.notes.delete_comment(run_id, comment_id, target)
    return _feedback(store, run_id, target, "comments")


def _finished_run(store: Store, run_id: str) -> Run:
    """Return a run that has finished.

    Raises NotFoundError when there is no such run, and ConflictError while it is not over.
    """
    run = store.run(run_id)
    if not run.is_over:
        raise ConflictError("Feedback can be given once the run has finished.")
    return run


def _event_target(run: Run, event_id: str) -> Target:
    """Return the target for an event; raises NotFoundError when no turn of the run has it."""
    for pair in run.input_output_pairs:
        if any(event.get("logical_id") == event_id for event in pair.run_output.events):
            return Target.event(event_id)
    raise NotFoundError(f"Run {run.workflow_run_id} has no event {event_id!r}.")


def _turn_target(run: Run, turn_index: int) -> Target:
    """Return the target for a turn, whose index counts from 0; raises NotFoundError when there is none."""
    if turn_index + 1 in turn_numbers(run.input_output_pairs):
        return Target.turn(turn_index + 1)
    raise NotFoundError(f"Run {run.workflow_run_id} has no turn {turn_index}.", advice="Turns count from 0.")


def _rate(
    store: Store, run_id: str, target: Target, person: str, value: RatingValue | None
) -> RawJsonResponse:
    """Set or, by ``None``, remove a user's rating, and return the ratings of the target by all users."""
    store.notes.rate(run_id, target, person, value)
    return _feedback(store, run_id, target, "ratings")


def _feedback(
    store: Store, run_id: str, target: Target, kind: Literal["ratings", "comments"]
) -> RawJsonResponse:
    """Return the ratings of a target, or the comments on it.

    The list of the other kind is empty; the users are the authors of those that are returned.
    """
    all_comments, all_ratings = store.notes.feedback(run_id)
    comments = [comment for comment in all_comments if comment.target == target and kind == "comments"]
    ratings = [rating for rating in all_ratings if rating.target == target and kind == "ratings"]
    answer: FeedbackAnswer = {
        "ratings": [rating_record(run_id, rating) for rating in ratings],
        "comments": [comment_record(comment) for comment in comments],
        "feedback_users": feedback_users([*comments, *ratings]),
    }
    return RawJsonResponse(answer)
