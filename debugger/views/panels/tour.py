"""Tour of the page Debug, for a first visit and on request."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import streamlit as st

from debugger.backends.base import Backend
from debugger.errors import DebuggerError
from debugger.protocol.json_codec import encode
from debugger.views import navigation, state
from debugger.views.backend_cache import BackendCache
from debugger.views.backends import CurrentBackend
from debugger.views.components.factory import component


@dataclass(frozen=True)
class TourStep:
    """A step of the tour."""

    title: str
    text: str
    targets: tuple[str, ...]
    """CSS selectors of what it points at; the first that is on view counts."""
    done: str = ""
    """CSS selector of what appears once a person has done what is asked for: then the next step follows."""


STEPS = (
    TourStep(
        "Choose a workflow",
        "The list Workflow has four samples; the button beside it takes a file of your own. No model and no "
        "network are needed: a script or built-in rules answer.",
        (".st-key-picker", ".st-key-setup_alone", ".st-key-setup"),
        done=".st-key-conversation",
    ),
    TourStep(
        "Start a run, then write a message",
        "Press one of the suggestions, write in the message box and press Enter, or press Start to let the "
        "agent begin.",
        (".st-key-say", ".st-key-talk"),
        done=".st-key-conversation",
    ),
    TourStep(
        "Follow the path",
        "The graph marks the current node, numbers the path and outlines the possible next steps. Choose a "
        "node or an edge for its details; the dot on it sets a breakpoint. With the first event the timeline "
        "appears below: a row shows variables, decisions and graph as of then, Escape leads back to live.",
        (".st-key-graph_pane",),
    ),
    TourStep(
        "Find out more",
        "Help explains every page, finds words, and lists keys and settings. Errors link to their place in "
        "it. You can take this tour again there.",
        (".st-key-head_end",),
    ),
)

_TOUR = component("tour", __package__, "tour")


@dataclass
class TourState:
    """The user's requests for the tour."""

    requests: int = 0
    """Their number; the browser shows the tour when it grows."""


def tour(backend: Backend) -> None:
    """Draw the tour, where it was requested or nothing was run yet.

    The browser shows it on its first visit only.
    """
    requests = state.record(TourState).requests
    _TOUR(
        key="tour",
        data={
            "steps": encode([asdict(step) for step in STEPS]).decode(),
            "requests": requests,
            "is_first": _is_unused(backend),
        },
    )


def tour_button() -> None:
    """Draw the button that shows the tour."""
    st.button("Take the tour", key="take_tour", icon=":material/tour:", on_click=take_tour)


def take_tour() -> None:
    """Go to the page Debug and show the tour there."""
    state.record(TourState).requests += 1
    navigation.go_to("debug")


def _is_unused(backend: Backend) -> bool:
    """Return whether the embedded engine has no run yet; false for another backend.

    Also false where the runs cannot be listed.
    """
    if state.record(CurrentBackend).name != "embedded":
        return False
    try:
        newest = state.record(BackendCache).ask(("newest run",), lambda: backend.runs(size=1))
    except DebuggerError:
        return False  # the page reports it
    return newest.total == 0
