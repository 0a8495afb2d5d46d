"""Messages that are typed and not sent: each belongs to a run, or to a version of a workflow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from debugger.session.session import DebugSession
from debugger.views import state
from debugger.views.run_state import CurrentRun

_MOST = 50
"""Messages that are kept; of more the oldest goes."""


@dataclass
class Drafts:
    """Messages that could not be sent, and the session that the box is drawn for."""

    texts: dict[str, str] = field(default_factory=dict)
    """By the place that they belong to."""
    session: DebugSession | None = None
    place: str = ""
    """Its place when it was looked at last."""
    visit: str = ""
    """Names the time for which the session has been on view: a run that begins is at another place in it."""


def box_place() -> tuple[str, str]:
    """Return the place of what is typed now, and the visit.

    A text stays in the box while one of them stays.
    """
    session, held = state.record(CurrentRun).session, state.record(Drafts)
    place = _place_of(session)
    if held.session is not session:
        held.session, held.visit = session, uuid4().hex
    elif held.place != place and held.place in held.texts:
        held.texts[place] = held.texts.pop(held.place)
    held.place = place
    return place, held.visit


def _place_of(session: DebugSession | None) -> str:
    if session is None:
        return ""
    return session.run_id or f"{session.workflow_id} {session.version_number}"


def is_for_run_on_view(place: Any) -> bool:
    """Return whether a message was typed for the run on view.

    Args:
        place: What the browser says of the box: the value of `box_place` that it was drawn with.
    """
    return isinstance(place, list) and any(own == each for own, each in zip(box_place(), place, strict=False))


def keep_at(place: Any, text: str) -> None:
    """Keep a message that is not sent where it was typed.

    Args:
        place: As for `is_for_run_on_view`.
        text: The message.
    """
    if is_for_run_on_view(place):
        set_draft(text)
    elif isinstance(place, list) and place:
        texts = state.record(Drafts).texts
        texts[str(place[0])] = text
        if len(texts) > _MOST:
            del texts[next(iter(texts))]


def draft() -> str:
    """Return what the box of the run on view is to hold, as a message that could not be sent.

    Empty without one.
    """
    place, _ = box_place()
    return state.record(Drafts).texts.get(place, "")


def set_draft(text: str) -> None:
    """Set the text of the message box of the run on view; an empty one is forgotten.

    Without a session it is that of the box without a run.
    """
    place, _ = box_place()
    texts = state.record(Drafts).texts
    texts[place] = text
    if not text:
        del texts[place]
