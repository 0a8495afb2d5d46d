"""Notes on a run: star, tags, note, comments and ratings (``platform.md#feedback``)."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field

from debugger.protocol.base import AnswerModel, Needed, PlainObject

RatingValue = Literal["down", "up", "strong_up"]
"""One of the API's values. In an average they weigh -1, 1 and 2."""

TargetKind = Literal["run", "turn", "event", "message"]

MAX_COMMENT_CHARACTERS = 5_000
"""Of a comment, as on the platform."""


class Target(AnswerModel):
    """The subject of a comment or a rating."""

    kind: Needed[TargetKind] = "run"
    key: Needed[str] = ""
    """A turn's number from 1, an event's logical id, or a message's sequence number in the transcript of the
    run; empty for the run as a whole."""

    @classmethod
    def turn(cls, number: int) -> Self:
        """Return the target for a turn's number."""
        return cls(kind="turn", key=str(number))

    @classmethod
    def event(cls, logical_id: str) -> Self:
        """Return the target for an event's logical id."""
        return cls(kind="event", key=logical_id)

    @classmethod
    def message(cls, sequence: int) -> Self:
        """Return the target for a message's sequence number in the transcript, from 1."""
        return cls(kind="message", key=str(sequence))


class Comment(AnswerModel):
    """A comment on a run, a turn or an event."""

    logical_id: str
    target: Target
    author: str
    content: str
    created_at: str
    """ISO 8601, UTC."""


class Rating(AnswerModel):
    """A rating of a run, a turn or an event."""

    target: Target
    author: str
    value: RatingValue
    created_at: str
    """ISO 8601, UTC."""


class RunLabels(AnswerModel):
    """The notes on a run that a list shows."""

    starred: bool = False
    tags: list[str] = Field(default_factory=list)
    note: str = ""


class RunNotes(RunLabels):
    """All notes on a run."""

    comments: list[Comment] = Field(default_factory=list)
    """The oldest first."""
    ratings: list[Rating] = Field(default_factory=list)

    def comments_on(self, target: Target) -> list[Comment]:
        """Return the comments on one target."""
        return [comment for comment in self.comments if comment.target == target]

    def ratings_of(self, target: Target) -> dict[str, RatingValue]:
        """Return the ratings of one target by author."""
        return {rating.author: rating.value for rating in self.ratings if rating.target == target}


class Preset(AnswerModel):
    """A run input saved under a name."""

    name: str
    run_input: PlainObject = Field(default_factory=dict)
    updated_at: str = ""
    """ISO 8601, UTC."""
    revision: int = Field(default=0, exclude=True)
    """Another random number after each change in the store; 0 of one that is not stored."""
