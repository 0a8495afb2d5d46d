"""The button that lets what is looked at follow the run again."""

from __future__ import annotations

from debugger.views import actions, refresh, state
from debugger.views.components.toolbar import Button


def latest_button(key: str) -> Button:
    """The button, for a bar; greyed while the run is followed."""
    return Button(
        key,
        "Latest",
        refresh.redrawing("look", actions.select_event),
        (None,),
        icon=":material/last_page:",
        look="tertiary",
        shows="icon where narrow",
        disabled=state.page().event is None,
        help="Follow the run again",
    )
