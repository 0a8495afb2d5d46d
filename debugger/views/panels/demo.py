"""The run in words for an audience: the events that the demo view plays, and a sentence on the moment."""

from __future__ import annotations

from collections.abc import Sequence

from debugger.analysis.transitions import transition_reason, transition_title
from debugger.graph.graph import Graph
from debugger.protocol.base import JsonObject
from debugger.views import state
from debugger.views.components.graph.props import version_of
from debugger.views.navigation import ViewMode
from debugger.views.panels.timeline import shown_events
from debugger.views.run_view import RunView

_CAPTIONS = {
    "say_llm": "talks",
    "say_static": "says",
    "worker_llm": "understands",
    "field_extractor": "understands",
    "tool_node": "looks up",
    "http_request": "looks up",
    "send_sms": "sends a message",
    "super_node": "several steps",
}
"""What a node does for an audience, by its type; the others are a step."""
_SHORTEST_SECONDS, _LONGEST_SECONDS, _WORD_SECONDS = 1.6, 7.0, 0.28


def cursor_events(view: RunView) -> Sequence[int]:
    """Return the events that the cursor stops at, in order.

    For an audience these are messages and transitions, else what the timeline shows.
    """
    if not state.record(ViewMode).is_demo:
        return shown_events(view)
    return view.memo("demo events", lambda: _audience_events(view))


def _audience_events(view: RunView) -> list[int]:
    said = {bubble.event_index for bubble in view.bubbles if bubble.role != "warning"}
    moved = {
        found.event_index for found in view.projections.position.position(view.session.status).transitions
    }
    return sorted(event for event in said | moved if event is not None)


def moment_sentence(view: RunView) -> str:
    """Return what the run waits for, and its last transition with the reason."""
    if not view.position.transitions or (view.is_busy and not view.is_past):
        return view.hint.sentence
    last = view.position.transitions[-1]
    title, reason = transition_title(last, view.names), transition_reason(last, view.graph)
    if view.is_past:
        return f"{title}. {reason}".strip()
    return f"{view.hint.sentence} Last step: {title}. {reason}".strip()


def reading_seconds(view: RunView) -> float:
    """Return how long the moment is shown while the run is played at normal speed."""
    if not state.record(ViewMode).is_demo:
        return 1.0
    here = [bubble.text for bubble in view.bubbles if bubble.event_index == view.event]
    words = len(" ".join(here or [moment_sentence(view)]).split())
    return min(_LONGEST_SECONDS, _SHORTEST_SECONDS + words * _WORD_SECONDS)


def caption_for_audience(shape: JsonObject, graph: Graph) -> None:
    """Change the captions of nodes to words for an audience.

    Args:
        shape: The graph's geometry, see `debugger.views.components.graph.props.geometry`.
        graph: The graph.
    """
    for node in shape["nodes"]:
        config = graph.nodes.get(node["id"])
        node["caption"] = _CAPTIONS.get((config.type or "") if config else "", "step")
    shape["version"] = version_of(shape)
