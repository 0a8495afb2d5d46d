"""What the controls of notes do: stars, tags, notes, comments and ratings of runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from debugger.errors import ForbiddenError
from debugger.protocol.notes import RatingValue, Target
from debugger.store import Role
from debugger.views import state
from debugger.views.actions import command
from debugger.views.auth import identity
from debugger.views.auth.permissions import may, requires
from debugger.views.backends import notebook


def author() -> str:
    """Return the author of comments and ratings: the signed-in user, or the name that a local user typed."""
    user = identity.current_user()
    return (state.page().author or user.name) if user.is_local else user.name


def may_delete(author_of_comment: str) -> bool:
    """Return whether the user may delete a comment: an own one, or as an administrator any."""
    return may(Role.ADMIN) or author_of_comment == author()


@command
@requires(Role.REVIEW)
def call_author(name: str) -> None:
    """Let comments and ratings of this tab bear a name; an empty one goes back to that of the settings.

    Raises:
        ForbiddenError: The user is signed in, so that the name is known.
    """
    if not identity.current_user().is_local:
        raise ForbiddenError(
            f"Your notes are signed {identity.current_user().name}; a signed-in user cannot change it."
        )
    state.page().author = " ".join(name.split())[:80]


@command
@requires(Role.REVIEW)
def star(run_ids: Sequence[str], *, starred: bool) -> None:
    """Give runs a star, or take it."""
    for run_id in run_ids:
        notebook().star(run_id, starred=starred)


@command
@requires(Role.REVIEW)
def tag(run_id: str, tags: Iterable[str]) -> None:
    """Give a run exactly these tags."""
    notebook().tag(run_id, tags)


@command
@requires(Role.REVIEW)
def write(run_id: str, note: str) -> None:
    """Write a note on a run."""
    notebook().write(run_id, note.strip())


@command
@requires(Role.REVIEW)
def comment(run_id: str, target: Target, text: str) -> None:
    """Say something about a run, a turn or an event."""
    notebook().comment(run_id, target, author(), text)


@command
@requires(Role.REVIEW)
def delete_comment(run_id: str, logical_id: str) -> None:
    """Take a comment away.

    Raises:
        ForbiddenError: It is another user's, and the user is not an administrator.
    """
    comments = notebook().notes(run_id).comments
    if not all(may_delete(comment.author) for comment in comments if comment.logical_id == logical_id):
        raise ForbiddenError("This comment is another user's.", advice="Ask an administrator to delete it.")
    notebook().delete_comment(run_id, logical_id)


@command
@requires(Role.REVIEW)
def rate(run_id: str, target: Target, value: RatingValue | None) -> None:
    """Rate a run, a turn or an event; ``None`` takes the rating back."""
    notebook().rate(run_id, target, author(), value)
