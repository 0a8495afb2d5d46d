"""Comments and ratings as answers show them (``platform/wire.md`` 5.5).

The platform writes their keys in camel case, and its own client reads a comment's in snake case (section 10,
17): a comment has both.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import NAMESPACE_URL, uuid5

from debugger.protocol.base import JsonObject
from debugger.protocol.notes import Comment, Rating, Target

Remarks = tuple[list[Comment], list[Rating]]
"""All that was said about a run."""


def comment_shape(comment: Comment) -> JsonObject:
    """A comment."""
    return {
        "logical_id": comment.logical_id,
        "content": comment.content,
        **_signed(comment),
        "created_by": comment.author,
        "updated_by": comment.author,
        "created_at": comment.created_at,
        "updated_at": comment.created_at,
    }


def rating_shape(run_id: str, rating: Rating) -> JsonObject:
    """A rating; its id follows from whose it is and of what, since there is one of each."""
    place = f"{run_id}/{rating.target.kind}/{rating.target.key}/{rating.author}"
    logical_id = f"rating_{uuid5(NAMESPACE_URL, place)}"
    return {"logical_id": logical_id, "value": rating.value, **_signed(rating)}


def feedback_answer(run_id: str, target: Target, remarks: Remarks, *, about: str) -> JsonObject:
    """The ratings of one thing, or the comments on it; only one of the two is filled.

    Args:
        run_id: The run.
        target: The thing.
        remarks: All that was said about the run.
        about: ``ratings`` or ``comments``.
    """
    comments = [said for said in remarks[0] if said.target == target and about == "comments"]
    ratings = [given for given in remarks[1] if given.target == target and about == "ratings"]
    return {
        "ratings": [rating_shape(run_id, given) for given in ratings],
        "comments": [comment_shape(said) for said in comments],
        "feedback_users": feedback_users([*comments, *ratings]),
    }


def feedback_users(remarks: Iterable[Comment | Rating]) -> JsonObject:
    """Who said something; no more is known of them here than how they call themselves."""
    authors = dict.fromkeys(remark.author for remark in remarks)
    return {
        author: {"id": author, "firstName": author, "lastName": None, "email": None} for author in authors
    }


def _signed(remark: Comment | Rating) -> JsonObject:
    return {
        "createdBy": remark.author,
        "updatedBy": remark.author,
        "createdAt": remark.created_at,
        "updatedAt": remark.created_at,
    }
