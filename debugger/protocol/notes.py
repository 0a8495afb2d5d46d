"""What people say about a run: a star, tags and a note; comments and ratings (``platform/wire.md`` 5.5)."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field

from debugger.protocol.base import JsonObject, WireModel

RatingValue = Literal["down", "up", "strong_up"]
"""One of the API's values. In an average they weigh -1, 1 and 2."""

TargetKind = Literal["run", "turn", "event"]

MAX_COMMENT_CHARACTERS = 5_000
"""Of a comment, as on the platform."""


class Target(WireModel):
    """What a comment or a rating is about."""

    kind: TargetKind = "run"
    key: str = ""
    """A turn's number from 1, or an event's logical id; empty for the run as a whole."""

    @classmethod
    def turn(cls, number: int) -> Self:
        """A turn by its number."""
        return cls(kind="turn", key=str(number))

    @classmethod
    def event(cls, logical_id: str) -> Self:
        """An event by its logical id."""
        return cls(kind="event", key=logical_id)


class Comment(WireModel):
    """What somebody said about a run, a turn or an event."""

    logical_id: str
    target: Target
    author: str
    content: str
    created_at: str
    """ISO 8601, UTC."""


class Rating(WireModel):
    """How somebody found a run, a turn or an event."""

    target: Target
    author: str
    value: RatingValue
    created_at: str
    """ISO 8601, UTC."""


class RunLabels(WireModel):
    """What a list shows of the notes on a run."""

    starred: bool = False
    tags: list[str] = Field(default_factory=list)
    note: str = ""


class RunNotes(RunLabels):
    """Everything that was noted on a run."""

    comments: list[Comment] = Field(default_factory=list)
    """The oldest first."""
    ratings: list[Rating] = Field(default_factory=list)

    def comments_on(self, target: Target) -> list[Comment]:
        """The comments on one thing."""
        return [comment for comment in self.comments if comment.target == target]

    def ratings_of(self, target: Target) -> dict[str, RatingValue]:
        """The ratings of one thing by author."""
        return {rating.author: rating.value for rating in self.ratings if rating.target == target}


class Preset(WireModel):
    """A run input that somebody kept under a name."""

    name: str
    run_input: JsonObject = Field(default_factory=dict)
    updated_at: str = ""
    """ISO 8601, UTC."""
