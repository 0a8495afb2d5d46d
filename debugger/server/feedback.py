"""The routes of comments and ratings on runs, turns and events (``platform/wire.md`` 5.5)."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, field_validator

from debugger.errors import ConflictError, NotFoundError
from debugger.protocol import urls
from debugger.protocol.notes import MAX_COMMENT_CHARACTERS, RatingValue, Target
from debugger.protocol.runs import Run
from debugger.server.answers.runs import CommentRecord, FeedbackAnswer, RunAnswer
from debugger.server.body import JsonBody, read_fields
from debugger.server.operations import described
from debugger.server.parameters import CommentId, EventId, Person, RunId, ServedStore, TurnIndex
from debugger.server.reply import JsonReply
from debugger.server.shapes.feedback import comment_shape, feedback_answer
from debugger.server.shapes.runs import run_answer, turn_numbers
from debugger.store import Store

router = APIRouter()


class NewComment(BaseModel):
    """What somebody says."""

    content: str

    @field_validator("content")
    @classmethod
    def _some_words(cls, value: str) -> str:
        words = value.strip()
        if not words:
            raise ValueError("a comment needs some words")
        if len(words) > MAX_COMMENT_CHARACTERS:
            raise ValueError(f"a comment has {MAX_COMMENT_CHARACTERS} characters at most")
        return words


class NewRating(BaseModel):
    """How somebody found something."""

    value: RatingValue


@router.post(urls.RUN_COMMENTS)
@described(CommentRecord, takes=NewComment, refuses=(409,))
def comment_run(run_id: RunId, body: JsonBody, store: ServedStore, person: Person) -> JsonReply:
    """Comment on a run. The answer is the bare comment: clients take another for it otherwise (10, 19)."""
    words = _words(body)
    _finished(store, run_id)
    return JsonReply(comment_shape(store.feedback.comment(run_id, Target(), person, words)))


@router.delete(urls.RUN_COMMENT)
@described(RunAnswer, refuses=(409,))
def delete_run_comment(run_id: RunId, comment_id: CommentId, store: ServedStore) -> JsonReply:
    """Take a comment on a run away; the answer is the run's record."""
    _finished(store, run_id)
    store.feedback.delete_comment(run_id, Target(), comment_id)
    return JsonReply(run_answer(store.run(run_id), store.feedback.of(run_id)))


@router.post(urls.EVENT_COMMENTS)
@described(CommentRecord, takes=NewComment, refuses=(409,))
def comment_event(
    run_id: RunId, event_id: EventId, body: JsonBody, store: ServedStore, person: Person
) -> JsonReply:
    """Comment on an event. The answer is the bare comment, as for a run."""
    words = _words(body)
    target = _event(_finished(store, run_id), event_id)
    return JsonReply(comment_shape(store.feedback.comment(run_id, target, person, words)))


@router.delete(urls.EVENT_COMMENT)
@described(FeedbackAnswer, refuses=(409,))
def delete_event_comment(
    run_id: RunId, event_id: EventId, comment_id: CommentId, store: ServedStore
) -> JsonReply:
    """Take a comment on an event away."""
    target = _event(_finished(store, run_id), event_id)
    store.feedback.delete_comment(run_id, target, comment_id)
    return _feedback(store, run_id, target, "comments")


@router.put(urls.EVENT_RATING)
@described(FeedbackAnswer, takes=NewRating, refuses=(409,))
def rate_event(
    run_id: RunId, event_id: EventId, body: JsonBody, store: ServedStore, person: Person
) -> JsonReply:
    """Rate an event, in the place of the last rating by the same person."""
    value = _rating(body)
    return _rate(store, run_id, _event(_finished(store, run_id), event_id), person, value)


@router.delete(urls.EVENT_RATING)
@described(FeedbackAnswer, refuses=(409,))
def unrate_event(run_id: RunId, event_id: EventId, store: ServedStore, person: Person) -> JsonReply:
    """Take one's rating of an event away, if there is one."""
    return _rate(store, run_id, _event(_finished(store, run_id), event_id), person, None)


@router.put(urls.TURN_RATING)
@described(FeedbackAnswer, takes=NewRating, refuses=(409,))
def rate_turn(
    run_id: RunId, turn_index: TurnIndex, body: JsonBody, store: ServedStore, person: Person
) -> JsonReply:
    """Rate a turn, in the place of the last rating by the same person."""
    value = _rating(body)
    return _rate(store, run_id, _turn(_finished(store, run_id), turn_index), person, value)


@router.delete(urls.TURN_RATING)
@described(FeedbackAnswer, refuses=(409,))
def unrate_turn(run_id: RunId, turn_index: TurnIndex, store: ServedStore, person: Person) -> JsonReply:
    """Take one's rating of a turn away, if there is one."""
    return _rate(store, run_id, _turn(_finished(store, run_id), turn_index), person, None)


@router.post(urls.TURN_COMMENTS)
@described(FeedbackAnswer, takes=NewComment, refuses=(409,))
def comment_turn(
    run_id: RunId, turn_index: TurnIndex, body: JsonBody, store: ServedStore, person: Person
) -> JsonReply:
    """Comment on a turn; the answer has all comments on it."""
    words = _words(body)
    target = _turn(_finished(store, run_id), turn_index)
    store.feedback.comment(run_id, target, person, words)
    return _feedback(store, run_id, target, "comments")


@router.delete(urls.TURN_COMMENT)
@described(FeedbackAnswer, refuses=(409,))
def delete_turn_comment(
    run_id: RunId, turn_index: TurnIndex, comment_id: CommentId, store: ServedStore
) -> JsonReply:
    """Take a comment on a turn away."""
    target = _turn(_finished(store, run_id), turn_index)
    store.feedback.delete_comment(run_id, target, comment_id)
    return _feedback(store, run_id, target, "comments")


def _finished(store: Store, run_id: str) -> Run:
    """The run, once it takes no further turn.

    Raises:
        NotFoundError: There is no such run.
        ConflictError: It goes on.
    """
    run = store.run(run_id)
    if not run.is_over:
        raise ConflictError("Feedback can be given once the run has finished.")
    return run


def _event(run: Run, event_id: str) -> Target:
    for pair in run.input_output_pairs:
        if any(event.get("logical_id") == event_id for event in pair.run_output.events):
            return Target.event(event_id)
    raise NotFoundError(f"Run {run.workflow_run_id} has no event {event_id!r}.")


def _turn(run: Run, turn_index: int) -> Target:
    if turn_index + 1 in turn_numbers(run.input_output_pairs):
        return Target.turn(turn_index + 1)
    raise NotFoundError(f"Run {run.workflow_run_id} has no turn {turn_index}.", advice="Turns count from 0.")


def _rating(body: JsonBody) -> RatingValue:
    return read_fields(NewRating, body).value


def _words(body: JsonBody) -> str:
    return read_fields(NewComment, body).content


def _rate(store: Store, run_id: str, target: Target, person: str, value: RatingValue | None) -> JsonReply:
    store.feedback.rate(run_id, target, person, value)
    return _feedback(store, run_id, target, "ratings")


def _feedback(store: Store, run_id: str, target: Target, about: str) -> JsonReply:
    return JsonReply(feedback_answer(run_id, target, store.feedback.of(run_id), about=about))
