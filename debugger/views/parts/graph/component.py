"""The graph component: an inline picture whose nodes can be chosen."""

from __future__ import annotations

import hashlib
import json
from importlib import resources

import streamlit as st

from debugger.protocol.base import JsonObject
from debugger.views import state

_INLINE_ELEMENTS = 60
"""Above so many nodes and edges, geometry is sent in a message of its own, which the browser keeps."""


def _asset(name: str) -> str:
    return resources.files(__package__ or "").joinpath(name).read_text(encoding="utf-8")


_PICTURE = st.components.v2.component(
    "workflow_graph", html=_asset("graph.html"), css=_asset("graph.css"), js=_asset("graph.js")
)


def workflow_graph(shape: JsonObject, marks: JsonObject, *, height: int, told: str, stamp: str) -> None:
    """Draw the graph; the chosen node is `PageState.node`.

    Args:
        shape: The geometry; while it is equal the picture keeps zoom, place and focus.
        marks: What a run has made of it.
        height: In pixels.
        told: How the run stands, for screen readers; read aloud when it changes.
        stamp: Put on the picture once it is drawn, for tests to wait for.
    """
    written = json.dumps(shape, sort_keys=True, allow_nan=False)
    version = hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    data: JsonObject = {
        "key": state.GRAPH_KEY,
        "version": version,
        "selected": state.page().node,
        "told": told,
        "stamp": stamp,
        **marks,
    }
    state.draw_node(state.page().node)
    with st.container(gap=None, key="graph_pane"):
        if len(shape["nodes"]) + len(shape["edges"]) > _INLINE_ELEMENTS:
            _PICTURE(
                key=f"{state.GRAPH_KEY}_geometry",
                height=1,
                data={"role": "geometry", "version": version, "geometry": shape},
            )
        else:
            data["geometry"] = shape
        _PICTURE(key=state.GRAPH_KEY, height=height, data=data, on_selected_change=_chosen)


def _chosen() -> None:
    state.page().node = state.drawn_node()
    if state.page().node is not None:
        state.set_widget(state.TAB_KEY, "Node")
