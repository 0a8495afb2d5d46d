"""Changes of widgets that the page does not have any more.

A browser sends the values of all its widgets with each action, until it has drawn the page anew. A widget
that has just left the page is unknown to Streamlit, which takes the value for a change and calls the handler:
an edited text is replaced by the one before.
"""

from __future__ import annotations

from streamlit.runtime.state.session_state import SessionState

_is_changed = SessionState._widget_changed


def ignore_stale_widgets() -> None:
    """Ignore changes of widgets that the last run of the script has not drawn."""
    SessionState._widget_changed = _is_drawn_and_changed  # type: ignore[method-assign, assignment]


def _is_drawn_and_changed(state: SessionState, widget_id: str) -> bool:
    return widget_id in state._old_state and _is_changed(state, widget_id)
