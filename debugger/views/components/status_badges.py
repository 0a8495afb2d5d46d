"""Badges of statuses and of a fork's fidelity.

Colour, icon and word say the same, so that none of them is alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from debugger.session.session import DebugSession
from debugger.session.verification import Fidelity, FidelityLevel
from debugger.views.components.markdown import plain
from debugger.views.components.toolbar import Badge, Colour


@dataclass(frozen=True)
class Look:
    """One status as it is drawn."""

    word: str
    icon: str
    colour: Colour


LOOKS = {
    "not_started": Look("Not started", ":material/circle:", "gray"),
    "pending": Look("Pending", ":material/schedule:", "gray"),
    "started": Look("Running", ":material/progress_activity:", "blue"),
    "running": Look("Running", ":material/progress_activity:", "blue"),
    "paused": Look("Paused", ":material/pause:", "yellow"),
    "waiting_for_user_input": Look("Your turn", ":material/chat_bubble:", "violet"),
    "person": Look("Answer as the model", ":material/edit:", "violet"),
    "completed": Look("Completed", ":material/check_circle:", "green"),
    "failed": Look("Failed", ":material/dangerous:", "red"),
    "cancelled": Look("Cancelled", ":material/stop_circle:", "gray"),
    "aborted_looping_risk": Look("Stopped: looping", ":material/all_inclusive:", "orange"),
}
"""By `RunStatus`."""
_OTHER_LOOKS = {
    "background": Look("In the background", ":material/autorenew:", "blue"),
    "unknown": Look("Outcome unknown", ":material/help:", "orange"),
    "reconciling": Look("Answer lost", ":material/sync_problem:", "orange"),
    "retrying": Look("Not sent yet", ":material/schedule:", "gray"),
}
"""Those of `shown_status` that no run on record has."""


def shown_status(session: DebugSession) -> str:
    """Return the status to show.

    Background work without a turn under way has a status of its own.
    """
    if session.pending is not None:
        return "unknown"
    if session.human_input.pending is not None:
        return "person"
    if session.stop_point is not None:
        return "paused"
    if session.progress is not None and session.progress.phase != "executing":
        return session.progress.phase
    is_left_to_itself = session.status == "running" and not session.busy and session.background.has_work
    return "background" if is_left_to_itself else session.status


def status_badge(status: str) -> Badge:
    """Return the badge of a status of `shown_status`.

    An unknown one is shown by its own word.
    """
    look = _OTHER_LOOKS.get(status) or LOOKS.get(status)
    look = look or Look(status.replace("_", " "), ":material/help:", "gray")
    return Badge(look.word, look.icon, look.colour)


FIDELITY_LOOKS: dict[FidelityLevel, Look] = {
    "verified": Look("Verified", ":material/verified:", "green"),
    "approximate": Look("Approximate", ":material/rule:", "orange"),
    "differs": Look("Differs", ":material/difference:", "red"),
    "replayed": Look("Replayed from turn 1", ":material/replay:", "violet"),
    "unchecked": Look("Not checked", ":material/help:", "gray"),
}


def fidelity_item(fidelity: Fidelity) -> Badge:
    """The verdict for a bar; the sentence is in its help."""
    look = FIDELITY_LOOKS[fidelity.level]
    return Badge(look.word, look.icon, look.colour, help=fidelity.sentence)


def fidelity_badge(fidelity: Fidelity) -> None:
    """Draw the verdict; the sentence is in its help."""
    item = fidelity_item(fidelity)
    st.badge(item.text, icon=item.icon, color=item.colour, help=plain(item.help))
