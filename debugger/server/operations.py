"""What the document of the API is told of a route beyond what its parameters say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Handler = TypeVar("Handler", bound=Callable[..., Any])

_NAME = "operation"
JSON = "application/json"


@dataclass(frozen=True)
class Operation:
    """What a route takes and answers."""

    gives: Any = None
    """The type of a good answer; ``None`` where it has no body."""
    takes: Any = None
    """The type of the body; ``None`` where there is none, or where any object will do."""
    statuses: tuple[int, ...] = (200,)
    """Those of a good answer."""
    refuses: tuple[int, ...] = ()
    """Those of other answers that do not follow from what the route's parameters are."""
    media_type: str = JSON
    """That of a good answer."""


def described(
    gives: Any = None,
    *,
    takes: Any = None,
    statuses: tuple[int, ...] = (200,),
    refuses: tuple[int, ...] = (),
    media_type: str = JSON,
) -> Callable[[Handler], Handler]:
    """Note on the function of a route what its `Operation` is; the function stays as it is."""

    def note(handler: Handler) -> Handler:
        setattr(handler, _NAME, Operation(gives, takes, statuses, refuses, media_type))
        return handler

    return note


def operation_of(handler: Callable[..., Any]) -> Operation:
    """What was noted on the function of a route."""
    operation: Operation = getattr(handler, _NAME)
    return operation
