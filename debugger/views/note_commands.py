"""What the controls of notes do: stars, tags, notes, comments and ratings of runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from debugger.protocol.notes import RatingValue, Target
from debugger.settings import read_settings
from debugger.views import state
from debugger.views.backends import notebook
from debugger.views.commands import command


def author() -> str:
    """Who comments and rates in this tab."""
    return state.page().author or read_settings().author


@command
def call_author(name: str) -> None:
    """Let comments and ratings of this tab bear a name; an empty one goes back to that of the settings."""
    state.page().author = " ".join(name.split())[:80]


@command
def star(run_ids: Sequence[str], *, starred: bool) -> None:
    """Give runs a star, or take it."""
    for run_id in run_ids:
        notebook().star(run_id, starred=starred)


@command
def tag(run_id: str, tags: Iterable[str]) -> None:
    """Give a run exactly these tags."""
    notebook().tag(run_id, tags)


@command
def write(run_id: str, note: str) -> None:
    """Write a note on a run."""
    notebook().write(run_id, note.strip())


@command
def comment(run_id: str, target: Target, text: str) -> None:
    """Say something about a run, a turn or an event."""
    notebook().comment(run_id, target, author(), text)


@command
def delete_comment(run_id: str, logical_id: str) -> None:
    """Take a comment away."""
    notebook().delete_comment(run_id, logical_id)


@command
def rate(run_id: str, target: Target, value: RatingValue | None) -> None:
    """Rate a run, a turn or an event; ``None`` takes the rating back."""
    notebook().rate(run_id, target, author(), value)
