from __future__ import annotations

from typing import Any

import pytest

from debugger.graph import Graph, layout
from debugger.graph.diagram import (
    DIRECTIONS,
    ICON,
    LINE_HEIGHT,
    MOST_WIDTH,
    NAME_SIZE,
    Diagram,
    Direction,
)
from debugger.graph.labels import text_width
from debugger.protocol.workflow import Workflow


def drawing(nodes: list[dict[str, Any]], *edges: dict[str, Any], direction: Direction = "down") -> Diagram:
    document = {"node_configs": nodes, "edge_configs": list(edges)}
    return Diagram.of(Graph(Workflow.from_document(document)), direction)


def edge(source: str | None, destination: str | None, **fields: Any) -> dict[str, Any]:
    ends = {"source_node_logical_id": source, "destination_node_logical_id": destination}
    return {"logical_id": "e", "type": "conditional", **ends, **fields}


@pytest.mark.parametrize("text", ["\\n", "<b>bold</b>", "&lt; &", "🎉 party 🎉", "התחלה", "-4.2"])
def test_drawing_shows_names_as_written(text: str) -> None:
    nodes = [{"logical_id": text, "name": text, "type": text}, {"logical_id": "b"}]

    made = drawing(nodes, edge(text, "b", name=text))

    assert (made.boxes[0].lines, made.boxes[0].caption) == ((text,), text)
    assert made.arrows[0].label == text


@pytest.mark.parametrize("text", ["a\nb", "a\r\n\tb", "a \u202eb", "a\x00b", "a\u2028b"])
def test_drawing_replaces_invisible_characters(text: str) -> None:
    made = drawing([{"logical_id": text, "name": text, "type": "no_op"}])

    assert made.boxes[0].lines == ("a b",)


def test_drawing_cuts_huge_names_and_conditions() -> None:
    nodes = [{"logical_id": "a", "name": "very long " * 1000, "type": "t" * 10_000}]

    made = drawing(nodes, edge("a", "a", condition={"condition_expression": "[[x]] == 1 AND " * 1000}))

    box = made.boxes[0]
    assert len(box.lines) == 2 and box.lines[-1].endswith("…") and box.caption.endswith("…")
    assert 15 < len(made.arrows[0].label) < 25


def test_drawing_labels_edges_by_name_first() -> None:
    condition = {"condition_expression": "[[tea]] == 'green'"}
    edges = (
        edge("a", "a", name="likes tea", condition=condition),
        edge("a", "a", condition=condition),
        edge("a", "a"),
    )

    made = drawing([{"logical_id": "a"}], *edges)

    assert [arrow.label for arrow in made.arrows] == ["likes tea", "[[tea]] == 'green'", ""]


@pytest.mark.parametrize("direction", ["down", "right"])
@pytest.mark.parametrize("name", ["A", "Booking questions", "check_refund_policy_with_backend", "Ask " * 90])
def test_box_has_room_for_icon_and_name(name: str, direction: Direction) -> None:
    nodes = [{"logical_id": kind, "name": name, "type": kind} for kind in ("no_op", "super_node")]

    for box in drawing(nodes, direction=direction).boxes:
        text = max(text_width(line, NAME_SIZE) for line in box.lines)
        assert text + ICON + box.button < box.width <= MOST_WIDTH
        assert len(box.lines) * LINE_HEIGHT < box.height < 40


def test_name_is_in_the_lines_that_take_less_room() -> None:
    nodes = [
        {"logical_id": "a", "name": "Booking questions"},
        {"logical_id": "b", "name": "Send a text message"},
    ]

    down, right = (drawing(nodes, direction=direction).boxes for direction in DIRECTIONS)

    assert [box.lines for box in down] == [("Booking questions",), ("Send a text", "message")]
    assert [box.lines for box in right] == [("Booking", "questions"), ("Send a text", "message")]


def test_drawing_has_one_box_per_missing_node() -> None:
    made = drawing([{"logical_id": "a"}], edge("a", "gone"), edge("a", "gone"), edge("a", None))

    assert [arrow.target for arrow in made.arrows] == [1, 1, 2]
    assert made.boxes[1].lines == ("gone",)
    assert [box.caption for box in made.boxes[1:]] == ["missing", "missing"]


def test_layout_puts_the_start_at_the_top() -> None:
    nodes = [{"logical_id": "b"}, {"logical_id": "a", "is_start": True}]
    document = {"node_configs": nodes, "edge_configs": [edge("a", "b"), edge("b", "a")]}

    start, other = layout(Workflow.from_document(document)).nodes

    assert start.y < other.y
