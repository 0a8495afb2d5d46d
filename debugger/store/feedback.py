"""Feedback: comments and ratings as the API gives and takes them (``platform/wire.md`` 5.5)."""

from __future__ import annotations

from debugger.protocol.notes import Comment, Rating, RatingValue, Target
from debugger.store import remarks
from debugger.store.database import Database


class FeedbackBook:
    """Comments and ratings, the same that the notebook has. Every method is one transaction.

    Args:
        database: The store's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, run_id: str) -> tuple[list[Comment], list[Rating]]:
        """Everything that was said about a run, the oldest first."""
        with self._database.reading() as connection:
            return remarks.read_comments(connection, run_id), remarks.read_ratings(connection, run_id)

    def comment(self, run_id: str, target: Target, author: str, text: str) -> Comment:
        """Keep a comment; as it is kept.

        Raises:
            InputError: It is blank or too long.
        """
        with self._database.writing() as connection:
            before = {comment.logical_id for comment in remarks.read_comments(connection, run_id)}
            remarks.comment(connection, run_id, target, author, text)
            return next(
                comment
                for comment in remarks.read_comments(connection, run_id)
                if comment.logical_id not in before
                and (comment.target, comment.author, comment.content) == (target, author, text.strip())
            )

    def delete_comment(self, run_id: str, target: Target, logical_id: str) -> None:
        """Take a comment on one thing away.

        Raises:
            NotFoundError: There is none of that id on it.
        """
        with self._database.writing() as connection:
            known = remarks.read_comments(connection, run_id)
            is_there = any((said.logical_id, said.target) == (logical_id, target) for said in known)
            remarks.delete_comment(connection, run_id, logical_id if is_there else "")

    def rate(self, run_id: str, target: Target, author: str, value: RatingValue | None) -> None:
        """Put an author's rating in the place of the last one; ``None`` takes it away."""
        with self._database.writing() as connection:
            remarks.rate(connection, run_id, target, author, value)
