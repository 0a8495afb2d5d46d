from __future__ import annotations

import json
import re

import pytest

from debugger.analysis.position import position
from debugger.analysis.run_tables import unmapped_edges
from debugger.graph import graphviz_program
from debugger.graph.graph import Graph
from debugger.graph.layout import layout
from debugger.protocol.events import (
    ConditionalEdgeEvent,
)
from debugger.views.components.graph.node_states import node_states
from debugger.views.components.graph.props import geometry
from tests.support.factories import static, workflow
from tests.views.components.graph.small_runs import graph, hop, start, turn


def test_nodes_that_version_lacks_are_drawn_below_it():
    subject = graph()
    placed = layout(subject)
    found = position(turn(start("greet"), start("gone")), subject)

    shape = geometry(placed, subject, found.missing_nodes)

    missing = shape["nodes"][-1]
    assert (missing["id"], missing["missing"], list(missing["lines"])) == ("gone", True, ["Gone"])
    assert missing["y"] > placed.height
    assert shape["height"] > missing["y"]
    assert node_states(found, subject)["nodes"]["gone"]["state"] in ("current", "missing")


def test_whole_picture_is_plain_json():
    subject = graph()

    shape = geometry(layout(subject), subject, {})

    assert json.loads(json.dumps(shape, allow_nan=False))["nodes"][0]["title"].startswith("Greet\nsay_static")
    assert [edge["title"] for edge in shape["edges"]][1] == "[[done]] == true\nconditional edge"


def test_missing_nodes_are_laid_out_with_edges_between_them_and_to_rest():
    subject = graph()
    events = [start("greet"), hop("greet", "old"), start("old"), hop("old", "older"), start("older")]
    found = position(turn(*events), subject)

    shape = geometry(layout(subject), subject, found.missing_nodes, unmapped_edges(found, subject))

    nodes = {node["id"]: node for node in shape["nodes"]}
    edges = {edge["id"]: edge for edge in shape["edges"]}
    assert layout(subject).height < nodes["old"]["y"] < nodes["older"]["y"] < shape["height"]
    assert (edges["edge_greet_old"]["unmapped"], edges["edge_old_older"]["unmapped"]) == (
        "removed",
        "removed",
    )
    assert [edge["id"] for edge in shape["edges"]].count("edge_old_older") == 1
    assert edges["edge_greet_old"]["title"].endswith("not in this version")


def test_of_workflow_that_is_gone_all_that_run_did_is_drawn():
    subject = Graph(workflow())
    found = position(turn(start("greet"), hop("greet", "ask"), start("ask")), subject)

    shape = geometry(layout(subject), subject, found.missing_nodes, unmapped_edges(found, subject))

    assert [node["id"] for node in shape["nodes"]] == ["greet", "ask"]
    assert [edge["id"] for edge in shape["edges"]] == ["edge_greet_ask"]
    assert shape["width"] > 0 < shape["height"]


def test_added_edge_begins_and_ends_at_borders_of_its_boxes():
    subject = graph()
    away = ConditionalEdgeEvent(
        origin_thread_id="0", source_node_logical_id="ask", destination_node_logical_id="human"
    )
    found = position(turn(start("ask"), away, start("human")), subject)

    shape = geometry(layout(subject), subject, {}, unmapped_edges(found, subject))

    edge = shape["edges"][-1]
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", edge["path"])]
    boxes = {node["id"]: node for node in shape["nodes"]}
    assert edge["unmapped"] == "without_edge"
    assert is_on_border(numbers[:2], boxes["ask"])
    assert is_on_border(numbers[-2:], boxes["human"])


def is_on_border(point, box):
    across = abs(point[0] - box["x"]) - box["width"] / 2
    along = abs(point[1] - box["y"]) - box["height"] / 2
    return max(across, along) == pytest.approx(0, abs=0.2)


def test_what_run_adds_changes_version_and_not_ground():
    subject = graph()
    placed = layout(subject)

    plain, more = geometry(placed, subject, {}), geometry(placed, subject, {"gone": "Gone"})

    assert plain["version"] != more["version"]
    assert plain["ground"] == more["ground"] == placed.version
    assert geometry(placed, subject, {})["version"] == plain["version"]


def test_what_author_wrote_about_node_is_part_of_version():
    before = Graph(workflow(static("a", "Hi", description="Says hi")))
    after = Graph(workflow(static("a", "Hi", description="Greets")))

    assert geometry(layout(before), before, {})["version"] != geometry(layout(after), after, {})["version"]


def test_of_workflow_that_is_gone_all_is_drawn_without_a_program(monkeypatch):
    monkeypatch.setattr(graphviz_program, "find_program", lambda output: None)
    subject = Graph(workflow())
    found = position(turn(start("greet"), hop("greet", "ask"), start("ask"), hop("ask", "greet")), subject)

    shape = geometry(layout(subject), subject, found.missing_nodes, unmapped_edges(found, subject))

    assert [node["id"] for node in shape["nodes"]] == ["greet", "ask"]
    assert [edge["id"] for edge in shape["edges"]] == ["edge_greet_ask", "edge_ask_greet"]


def test_missing_nodes_alone_do_not_stand_for_a_graph_that_is_not_laid_out(monkeypatch):
    monkeypatch.setattr(graphviz_program, "find_program", lambda output: None)
    subject = graph()

    shape = geometry(layout(subject), subject, {"gone": "Gone"})

    assert shape["nodes"] == shape["edges"] == []
    assert "pip install graphviz-pure" in shape["note"]
