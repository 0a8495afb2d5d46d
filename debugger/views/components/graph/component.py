"""Graph component: an inline picture with selectable nodes and edges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from debugger.graph.diagram import Direction
from debugger.graph.graph import Graph
from debugger.protocol.base import JsonObject
from debugger.views import run_state, state
from debugger.views.auth.permissions import explain_denial
from debugger.views.components.factory import component
from debugger.views.run_state import Element

_INLINE_ELEMENTS = 60
"""Above so many nodes and edges, geometry is sent in a message of its own, which the browser keeps."""
_SCRIPTS = ("drawing.js", "view.js", "map.js", "pointer.js", "graph.js")
"""Parts of one module, in this order."""

_PICTURE = component("workflow_graph", __package__, "graph", _SCRIPTS, kept=("selected",))


@dataclass
class GraphView:
    """State of the graph component."""

    directions: dict[tuple[bool, str], Direction] = field(default_factory=dict)
    """The direction that the browser has asked for, in which the text is larger in the pane: by whether the
    graph is drawn large, and the workflow, or the empty text for the last one of all."""


def graph_direction(graph: Graph, *, is_large: bool = False) -> Direction:
    """Return the direction that the pane has room for.

    Demo and engineer view have their own: else each switch would draw the graph twice.

    Args:
        graph: The workflow.
        is_large: Whether it is drawn large, as for an audience.
    """
    directions = state.record(GraphView).directions
    last = directions.get((is_large, ""), "down")
    return directions.get((is_large, graph.workflow.config.logical_id), last)


def workflow_graph(
    shape: JsonObject,
    marks: JsonObject,
    *,
    height: int | Literal["stretch"],
    aria_label: str,
    stamp: str,
    on_choose: Callable[[Element | None], None],
    on_breakpoint: Callable[[Element], None] | None = None,
    on_fold: Callable[[str], None] | None = None,
    on_picture: Callable[[], None] | None = None,
    is_large: bool = False,
) -> None:
    """Draw the graph.

    The selected element is `Selection.node` or `Selection.edge`.

    Args:
        shape: The geometry, laid out in `graph_direction`; while its ``version`` is equal the picture keeps
            zoom, place and focus.
        marks: What a run has made of it.
        height: In pixels, or ``"stretch"`` to fill the pane. A graph of a fixed height can be expanded to the
            whole window instead.
        aria_label: Status of the run, for screen readers; read aloud when it changes.
        stamp: Put on the picture once it is drawn, for tests to wait for.
        on_choose: Takes what a person has chosen; ``None`` when a choice is cleared.
        on_breakpoint: Takes the node or edge where a person asks for a breakpoint, or clicks the one that is
            there. Without it no place for one is shown.
        on_fold: Takes the super node that a person opens or closes; without it none can be opened.
        on_picture: Shows the choices of a picture to download; without it there is no button for them.
        is_large: Whether names are large, as for an audience: then the surroundings of the current node are
            shown, and the whole graph only where its names are large too.
    """
    chosen = run_state.chosen_element()
    data: JsonObject = {
        "key": state.GRAPH_KEY,
        "version": shape["version"],
        "ground": shape["ground"],
        "subject": shape["subject"],
        "selected": chosen.id if chosen and chosen.kind == "node" else None,
        "selected_edge": chosen.id if chosen and chosen.kind == "edge" else None,
        "aria_label": aria_label,
        "stamp": stamp,
        "is_large": is_large,
        "can_expand": height != "stretch",
        "can_fold": on_fold is not None,
        "can_save": on_picture is not None,
        "can_break": on_breakpoint is not None and not explain_denial(on_breakpoint),
        **marks,
    }

    def point() -> None:
        element = run_state.sent_element("breakpoint")
        if element is not None and on_breakpoint is not None:
            on_breakpoint(element)

    def turn() -> None:
        wanted = state.sent_by_browser(state.GRAPH_KEY, "direction")
        if wanted in ("down", "right"):
            directions = state.record(GraphView).directions
            directions[is_large, shape["subject"]] = directions[is_large, ""] = wanted

    def fold() -> None:
        node_id = state.sent_by_browser(state.GRAPH_KEY, "fold")
        if isinstance(node_id, str) and on_fold is not None:
            on_fold(node_id)

    if run_state.sent_element("selected") != chosen:
        state.set_widget(state.GRAPH_KEY, {"selected": chosen._asdict() if chosen else None})
    if len(shape["nodes"]) + len(shape["edges"]) > _INLINE_ELEMENTS:
        _PICTURE(
            key=f"{state.GRAPH_KEY}_geometry",
            height=1,
            data={"role": "geometry", "version": shape["version"], "geometry": shape},
        )
    else:
        data["geometry"] = shape
    _PICTURE(
        key=state.GRAPH_KEY,
        height=height,
        data=data,
        on_selected_change=lambda: on_choose(run_state.sent_element("selected")),
        on_breakpoint_change=point,
        on_direction_change=turn,
        on_fold_change=fold,
        on_picture_change=lambda: on_picture() if on_picture is not None else None,
    )
