"""The graph of a presentation: it follows the step that is shown, and names nothing technical."""

from __future__ import annotations

import streamlit as st

from debugger.graph.layout import Layout, layout
from debugger.session.playback import Player
from debugger.views import state
from debugger.views.components.graph.component import workflow_graph
from debugger.views.components.graph.node_states import marks
from debugger.views.components.graph.props import geometry, version_of

_HEIGHT = 480
_WORDS = {
    "say_llm": "talks",
    "say_static": "says",
    "worker_llm": "understands",
    "field_extractor": "understands",
    "tool_node": "looks up",
    "http_request": "looks up",
    "send_sms": "sends a message",
    "super_node": "several steps",
}
"""What a node does, by its type; the others are a step."""


def stage_graph(player: Player) -> None:
    """Draw the graph as it stands at the player's step."""
    recording, step = player.recording, player.step
    position = recording.position_at(player.number)
    shape = geometry(_layout(player), recording.graph, position.ghosts)
    if not shape["nodes"]:
        st.caption("This version of the workflow has no nodes to show.")
        return
    for node in shape["nodes"]:
        config = recording.graph.nodes.get(node["id"])
        node["caption"] = _WORDS.get((config.type or "") if config else "", "step")
        node["title"] = config.label if config else node["title"]
    shape["version"] = version_of(shape)
    # The picture follows the run anew with each step: it reads the step from the stamp's first part.
    workflow_graph(
        shape,
        marks(position, recording.graph),
        height=_HEIGHT,
        told=f"{step.title}. {step.reason}",
        stamp=f"{player.number}.{player.edition}",
        on_choose=lambda _element: None,  # a presentation has nothing to look into
    )


def _layout(player: Player) -> Layout:
    placed: Layout = state.page().answers.ask(
        ("stage", player.edition), lambda: layout(player.recording.graph)
    )
    return placed
