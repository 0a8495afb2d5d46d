from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from debugger.graph import Graph, to_dot
from debugger.graph.labels import clean
from debugger.protocol.workflow import Workflow

GRAPHVIZ = Path(sys.executable).parent / "graphviz-pure"
SVG = "{http://www.w3.org/2000/svg}"


def graph(nodes: list[dict[str, Any]], edges: list[dict[str, Any]]) -> Graph:
    return Graph(Workflow.from_document({"node_configs": nodes, "edge_configs": edges}))


def edge(source: str | None, destination: str | None, **fields: Any) -> dict[str, Any]:
    ends = {"source_node_logical_id": source, "destination_node_logical_id": destination}
    return {"logical_id": "e", "type": "conditional", **ends, **fields}


def drawn(dot: str) -> dict[str, Any]:
    """What Graphviz reads out of it."""
    done = subprocess.run([GRAPHVIZ, "-Tjson0"], input=dot.encode(), capture_output=True, check=True)
    return json.loads(done.stdout)


def shown(dot: str) -> dict[str, list[str]]:
    """The texts that Graphviz draws, line by line, for each node (by name) and each edge (by id)."""
    done = subprocess.run([GRAPHVIZ, "-Tsvg"], input=dot.encode(), capture_output=True, check=True)
    texts = {}
    for group in ElementTree.fromstring(done.stdout).iter(SVG + "g"):
        if group.get("class") in ("node", "edge"):
            key = group.findtext(SVG + "title") if group.get("class") == "node" else group.get("id")
            lines = [text.text or "" for text in group.iter(SVG + "text")]
            texts[key] = [line.replace("\xa0", " ").strip() for line in lines]
    return texts


HOSTILE = [
    'say "hello"',
    '"];evil [label="x"',
    "back\\slash",
    "ends with \\",
    "\\N \\G \\L \\n \\r",
    "<b>bold</b>",
    "<<table>x</table>>",
    "&lt; &amp; & &#65;",
    "]} /* no comment */ // none",
    "🎉 party 🎉",
    "node",
    "digraph",
    "-4.2",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_name_is_drawn_as_it_is_written(text: str) -> None:
    nodes = [{"logical_id": text, "name": text, "type": text}, {"logical_id": "b"}]

    texts = shown(to_dot(graph(nodes, [edge(text, "b", name=text)])))

    assert set(texts) == {"n0", "n1", "e0"}
    *name, caption = texts["n0"]
    assert (" ".join(name).replace(" ", ""), caption) == (text.replace(" ", ""), text)
    assert texts["e0"] == [text]


@given(st.text(max_size=14))
@settings(max_examples=40, deadline=None)
def test_any_name_is_drawn_as_it_is_written(text: str) -> None:
    texts = shown(to_dot(graph([{"logical_id": "a", "name": "-" + text, "type": "no_op"}], [])))

    *name, _ = texts["n0"]
    assert " ".join(name).replace(" ", "") == clean("-" + text).replace(" ", "")


def test_right_to_left_text_arrives_in_reading_order() -> None:
    texts = shown(to_dot(graph([{"logical_id": "a", "name": "התחלה", "type": "بداية"}], [])))

    assert texts["n0"] == ["התחלה", "بداية"]


@pytest.mark.parametrize("text", ["a\nb", "a\r\n\tb", "a \u202eb", "a\x00b", "a\u2028b"])
def test_line_breaks_and_invisible_characters_become_spaces(text: str) -> None:
    texts = shown(to_dot(graph([{"logical_id": text, "name": text, "type": "no_op"}], [])))

    assert texts["n0"] == ["a b", "no_op"]


def test_ids_of_nodes_never_stand_in_the_text() -> None:
    ids = ["]", "\n", '"', "\\", "n1", "n0", "a:b:c", "", "}"]
    nodes = [{"logical_id": key, "name": "x"} for key in ids]

    picture = drawn(to_dot(graph(nodes, [edge("]", "}"), edge("n1", "n0")])))

    assert [node["name"] for node in picture["objects"]] == [f"n{place}" for place in range(len(ids))]
    assert [(line["tail"], line["head"], line["id"]) for line in picture["edges"]] == [
        (0, 8, "e0"),
        (4, 5, "e1"),
    ]


def test_a_huge_name_takes_three_lines_and_a_huge_condition_one() -> None:
    nodes = [{"logical_id": "a", "name": "very long " * 1000, "type": "t" * 10_000}]
    loop = edge("a", "a", condition={"condition_expression": "[[x]] == 1 AND " * 1000})

    dot = to_dot(graph(nodes, [loop]))

    texts = shown(dot)
    *name, caption = texts["n0"]
    [label] = texts["e0"]
    assert len(dot) < 2000
    assert len(name) == 3 and name[-1].endswith("…") and caption.endswith("…")
    assert 20 < len(label) < 35


def test_an_edge_shows_its_name_sooner_than_its_condition() -> None:
    condition = {"condition_expression": "[[tea]] == 'green'"}
    named, unnamed = (
        edge("a", "a", name="likes tea", condition=condition),
        edge("a", "a", condition=condition),
    )

    texts = shown(to_dot(graph([{"logical_id": "a"}], [named, unnamed, edge("a", "a")])))

    assert [texts[key] for key in ("e0", "e1", "e2")] == [["likes tea"], ["[[tea]] == 'green'"], []]


def test_a_box_has_room_for_its_name_and_its_type() -> None:
    low = {"logical_id": "a", "name": "Ask", "type": "no_op"}
    wide = {"logical_id": "b", "name": "Ask", "type": "workflow_run_evaluator"}
    high = {"logical_id": "c", "name": "Ask for the address and the telephone number", "type": "no_op"}

    picture = drawn(to_dot(graph([low, wide, high], [])))

    widths, heights = ([float(node[key]) * 72 for node in picture["objects"]] for key in ("width", "height"))
    assert widths[0] < widths[1]
    assert heights[0] == heights[1] >= 15 + 13
    assert round(heights[2] - heights[0]) == 2 * 15


def test_a_global_node_is_marked_instead_of_drawing_its_hops() -> None:
    everywhere = {"is_global": True, "condition": {"condition_freeform": "asks for help"}}
    nodes = [{"logical_id": key, "type": "say_llm"} for key in "abc"]

    texts = shown(to_dot(graph([*nodes, {"logical_id": "help", "global_node_config": everywhere}], [])))

    assert set(texts) == {"n0", "n1", "n2", "n3"}
    assert texts["n3"][-1].endswith("global")


def test_disabled_nodes_and_edges_and_forks_look_different() -> None:
    fork = {"type": "direct", "companion_thread_config": {"is_companion_thread": True}}
    nodes = [{"logical_id": "a"}, {"logical_id": "off", "disabled": True}]
    edges = [edge("a", "off", disabled=True), edge("a", "off", **fork), edge("a", "off")]

    picture = drawn(to_dot(graph(nodes, edges)))

    assert "dashed" in picture["objects"][1]["style"]
    assert [line.get("style") for line in picture["edges"]] == ["dotted", "dashed", None]


def test_an_edge_to_a_missing_node_leads_to_a_ghost() -> None:
    dot = to_dot(graph([{"logical_id": "a"}], [edge("a", "gone"), edge("a", "gone"), edge("a", None)]))

    assert [line["head"] for line in drawn(dot)["edges"]] == [1, 1, 2]
    assert shown(dot)["n1"] == ["gone", "missing"]
    assert shown(dot)["n2"][-1] == "missing"


def test_the_start_stands_at_the_top_wherever_it_stands_in_the_document() -> None:
    nodes = [{"logical_id": "b"}, {"logical_id": "a", "is_start": True}]

    picture = drawn(to_dot(graph(nodes, [edge("a", "b"), edge("b", "a")])))

    start, other = (float(node["pos"].split(",")[1]) for node in picture["objects"])
    assert start > other  # Graphviz counts upwards
