"""Comments on runs, turns and events, and ratings of them (``platform/wire.md`` 5.5)."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, delete, select

from debugger.errors import InputError, NotFoundError
from debugger.protocol.notes import MAX_COMMENT_CHARACTERS, Comment, Rating, RatingValue, RunNotes, Target
from debugger.store.notebook_schema import comments, ratings
from debugger.store.times import iso_time, seconds_of
from debugger.store.upserts import insert


def read_comments(connection: Connection, run_id: str) -> list[Comment]:
    """A run's comments, the oldest first."""
    statement = select(comments).where(comments.c.run_id == run_id)
    ordered = statement.order_by(comments.c.created_at, comments.c.logical_id)
    return [
        Comment(
            logical_id=row.logical_id,
            target=_target(row),
            author=row.author,
            content=row.content,
            created_at=iso_time(row.created_at),
        )
        for row in connection.execute(ordered)
    ]


def read_ratings(connection: Connection, run_id: str) -> list[Rating]:
    """A run's ratings, the oldest first."""
    statement = select(ratings).where(ratings.c.run_id == run_id).order_by(ratings.c.created_at)
    return [
        Rating(target=_target(row), author=row.author, value=row.value, created_at=iso_time(row.created_at))
        for row in connection.execute(statement)
    ]


def comment(connection: Connection, run_id: str, target: Target, author: str, text: str) -> None:
    """Keep a comment.

    Raises:
        InputError: It is blank or too long.
    """
    content = text.strip()
    if not content:
        raise InputError("A comment needs some words.", advice="Write what you saw.")
    if len(content) > MAX_COMMENT_CHARACTERS:
        raise InputError(
            f"The comment has {len(content)} characters.", advice=f"Shorten it to {MAX_COMMENT_CHARACTERS}."
        )
    connection.execute(
        insert(comments),
        {
            "logical_id": f"comment_{uuid4().hex}",
            "run_id": run_id,
            "target_kind": target.kind,
            "target_key": target.key,
            "author": author,
            "content": content,
            "created_at": time.time(),
        },
    )


def delete_comment(connection: Connection, run_id: str, logical_id: str) -> None:
    """Take a comment away.

    Raises:
        NotFoundError: The run has no such comment.
    """
    ours = (comments.c.run_id == run_id) & (comments.c.logical_id == logical_id)
    if not connection.execute(delete(comments).where(ours)).rowcount:
        raise NotFoundError("This comment is gone already.", advice="Somebody else has deleted it.")


def rate(connection: Connection, run_id: str, target: Target, author: str, value: RatingValue | None) -> None:
    """Put an author's rating in the place of the last one; ``None`` takes it away."""
    place = {
        "run_id": run_id,
        "target_kind": target.kind,
        "target_key": target.key,
        "author": author,
    }
    if value is None:
        connection.execute(delete(ratings).where(*(ratings.c[key] == held for key, held in place.items())))
        return
    given = {"value": value, "created_at": time.time()}
    fresh = insert(ratings).values(**place, **given)
    connection.execute(fresh.on_conflict_do_update(index_elements=list(place), set_=given))


def take_in(connection: Connection, run_id: str, notes: RunNotes) -> None:
    """Add comments and ratings that were made elsewhere; those that are here already stay as they are."""
    for comment in notes.comments:
        row = {**_told(run_id, comment), "logical_id": comment.logical_id, "content": comment.content}
        connection.execute(insert(comments).values(row).on_conflict_do_nothing())
    for rating in notes.ratings:
        row = {**_told(run_id, rating), "value": rating.value}
        connection.execute(insert(ratings).values(row).on_conflict_do_nothing())


def _told(run_id: str, remark: Comment | Rating) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "target_kind": remark.target.kind,
        "target_key": remark.target.key,
        "author": remark.author,
        "created_at": seconds_of(remark.created_at),
    }


def _target(row: Row[Any]) -> Target:
    return Target(kind=row.target_kind, key=row.target_key)
