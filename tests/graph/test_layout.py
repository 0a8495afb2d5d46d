from __future__ import annotations

import json
import re
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from debugger.errors import DebuggerError, InputError
from debugger.graph import Graph, graphviz_layout, graphviz_program, layout
from debugger.graph.diagram import DIRECTIONS, Diagram
from debugger.graph.layout import Layout, _layouts, layout_both_ways
from debugger.graph.placement import Placement
from debugger.protocol.workflow import Workflow


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    _layouts.clear()


def workflow(nodes: list[dict[str, Any]] | int = 3, *edges: dict[str, Any]) -> Workflow:
    if isinstance(nodes, int):
        nodes = [
            {"logical_id": f"n{place}", "type": "no_op", "is_start": place == 0} for place in range(nodes)
        ]
        edges = edges or tuple(edge(f"n{place}", f"n{place + 1}") for place in range(len(nodes) - 1))
    return Workflow.from_document({"node_configs": nodes, "edge_configs": list(edges)})


def edge(source: str | None, destination: str | None, **fields: Any) -> dict[str, Any]:
    ends = {"source_node_logical_id": source, "destination_node_logical_id": destination}
    return {"logical_id": f"{source}-{destination}", "type": "direct", **ends, **fields}


def last_point(path: str) -> tuple[float, float]:
    x, y = re.findall(r"-?[\d.]+", path)[-2:]
    return float(x), float(y)


def assert_is_a_chain_downwards(made: Layout) -> None:
    ys = [node.y for node in made.nodes]
    assert ys == sorted(ys) and len(set(ys)) == len(ys)
    for line, below in zip(made.edges, made.nodes[1:], strict=True):
        x, y = last_point(line.path)
        assert abs(y - (below.y - below.height / 2)) < 1.5
        assert abs(x - below.x) < below.width / 2
    for node in made.nodes:
        assert node.width / 2 <= node.x <= made.width - node.width / 2
        assert node.height / 2 <= node.y <= made.height - node.height / 2


def test_a_chain_leads_downwards() -> None:
    assert_is_a_chain_downwards(layout(workflow()))


@pytest.mark.parametrize("count", [0, 1])
def test_a_workflow_of_next_to_nothing_is_drawn(count: int) -> None:
    made = layout(workflow(count))

    assert len(made.nodes) == count
    assert made.width > 0 and made.height > 0


def test_every_node_and_edge_is_there_under_its_own_id() -> None:
    ids = ["]", "\n", '"', "\\", "n1", "n0", "<b>", "a:b"]
    nodes = [{"logical_id": key, "name": "10 kB " * 1700} for key in ids]

    made = layout(workflow(nodes, edge("]", "n1"), edge("n0", "]"), edge("<b>", "<b>")))

    assert [node.id for node in made.nodes] == ids
    assert [(line.id, line.source, line.target) for line in made.edges] == [
        ("]-n1", "]", "n1"),
        ("n0-]", "n0", "]"),
        ("<b>-<b>", "<b>", "<b>"),
    ]


def test_what_is_special_about_nodes_and_edges_is_told() -> None:
    everywhere = {"is_global": True, "condition": {"condition_freeform": "asks for help"}}
    fork = {"companion_thread_config": {"is_companion_thread": True}}
    nodes = [
        {"logical_id": "a", "type": "say_llm", "is_start": True},
        {"logical_id": "help", "type": "say_llm", "global_node_config": everywhere},
        {"logical_id": "off", "type": "no_op", "disabled": True},
    ]

    made = layout(
        workflow(nodes, edge("a", "off", disabled=True), edge("a", "off", **fork), edge("a", "gone"))
    )

    start, everywhere_node, off, missing = made.nodes
    assert (start.start, start.caption) == (True, "say_llm · start")
    assert (everywhere_node.is_global, everywhere_node.caption) == (True, "say_llm · global")
    assert (off.disabled, off.caption) == (True, "no_op · disabled")
    assert (missing.id, missing.missing, missing.type, missing.caption) == ("gone", True, None, "missing")
    assert [(line.disabled, line.forks) for line in made.edges] == [
        (True, False),
        (False, True),
        (False, False),
    ]
    assert not any(node.missing for node in (start, everywhere_node, off))


def test_edges_without_an_end_lead_to_missing_nodes_of_their_own() -> None:
    made = layout(workflow([{"logical_id": "a"}], edge("a", None), edge(None, "a")))

    assert [node.missing for node in made.nodes] == [False, True, True]
    assert len({node.id for node in made.nodes}) == 3


def test_parallel_edges_stay_apart() -> None:
    nodes = [{"logical_id": "a"}, {"logical_id": "b"}]

    made = layout(workflow(nodes, edge("a", "b"), edge("a", "b"), edge("b", "a")))

    assert len({line.path for line in made.edges}) == 3


def test_every_edge_has_room_for_label_and_numbers() -> None:
    nodes = [{"logical_id": "a"}, {"logical_id": "b"}]

    made = layout(workflow(nodes, edge("a", "b", name="yes"), edge("a", "b"), edge("a", "a", name="again")))

    named, nameless, loop = made.edges
    for line in (named, nameless):
        assert 0 < line.label_at[0] < made.width and 0 < line.label_at[1] < made.height
    assert named.label_room > named.label_width > 0
    assert nameless.label_room > nameless.label_width == 0
    assert loop.label_at[0] > made.nodes[0].x + made.nodes[0].width / 2


def test_each_direction_is_laid_out_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(
        graphviz_layout,
        "place",
        lambda drawing, real=graphviz_layout.place: calls.append(drawing.direction) or real(drawing),
    )

    down = layout(workflow())
    right = layout(workflow(), "right")

    assert layout(workflow()) is down and layout(workflow(), "right") is right
    assert calls == ["down", "right"]
    assert down.version != right.version
    assert down.height > down.width and right.width > right.height


def test_both_directions_are_laid_out_and_the_sizes_of_both_told() -> None:
    graph = Graph(workflow(4))

    made = layout_both_ways(graph, "right")

    down, right = (layout(graph, direction) for direction in DIRECTIONS)
    assert made.sizes == {"down": (down.width, down.height), "right": (right.width, right.height)}
    assert replace(made, sizes={}) == right


def test_direction_that_cannot_be_laid_out_gives_way_to_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    place = graphviz_layout.place

    def refuse(drawing: Diagram) -> Placement:
        if drawing.direction == "down":
            raise InputError("The workflow takes more time than a layout may take.")
        return place(drawing)

    monkeypatch.setattr(graphviz_layout, "place", refuse)

    made = layout_both_ways(Graph(workflow(4)), "down")

    assert (made.direction, list(made.sizes), made.note) == ("right", ["right"], "")
    monkeypatch.setattr(graphviz_layout, "place", lambda drawing: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        layout_both_ways(Graph(workflow(5)), "down")


def test_it_is_plain_json() -> None:
    made = layout(workflow(4))

    data = json.loads(json.dumps(made.to_json(), allow_nan=False))

    assert set(data) == {"version", "direction", "width", "height", "nodes", "edges", "sizes", "note"}
    assert data["nodes"][0]["lines"] == ["n0"]
    assert data["edges"][0]["path"].startswith("M")


def test_the_same_structure_is_laid_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(
        graphviz_layout, "place", lambda drawing, real=graphviz_layout.place: calls.append(1) or real(drawing)
    )
    nodes = [{"logical_id": "a", "type": "say_static", "text": "hello"}]

    first = layout(workflow(nodes))
    changed_elsewhere = layout(Graph(workflow([nodes[0] | {"text": "good day"}])))
    renamed = layout(workflow([nodes[0] | {"name": "Greeting"}]))

    assert changed_elsewhere is first
    assert renamed.version != first.version
    assert len(calls) == 2


def test_two_threads_that_ask_at_once_share_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    second_call = threading.Event()

    def place(drawing: Any, real: Any = graphviz_layout.place) -> Any:
        calls.append(1)
        if len(calls) > 1:
            second_call.set()
        second_call.wait(0.3)
        return real(drawing)

    monkeypatch.setattr(graphviz_layout, "place", place)
    made: list[Layout] = []
    threads = [threading.Thread(target=lambda: made.append(layout(workflow()))) for _ in range(4)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(calls) == 1
    assert len(made) == 4
    assert all(one is made[0] for one in made)


def test_another_workflow_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    has_begun, goes_on = threading.Event(), threading.Event()

    def place(drawing: Any, real: Any = graphviz_layout.place) -> Any:
        if len(drawing.boxes) == 3:
            has_begun.set()
            assert goes_on.wait(10)
        return real(drawing)

    monkeypatch.setattr(graphviz_layout, "place", place)
    slow = threading.Thread(target=layout, args=(workflow(3),))
    slow.start()
    assert has_begun.wait(10)

    try:
        assert len(layout(workflow(2)).nodes) == 2
    finally:
        goes_on.set()
        slow.join()


def test_a_failure_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(graphviz_layout, "place", lambda drawing: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            layout(workflow())

    assert len(layout(workflow()).nodes) == 3


def test_only_the_latest_layouts_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    first, other = workflow(1), workflow([{"logical_id": "other"}])
    kept, forgotten = layout(first), layout(other)

    for number in range(63):
        layout(workflow([{"logical_id": f"n{number + 2}"}]))
        assert layout(first) is kept

    assert layout(other) is not forgotten


def test_what_is_too_large_to_be_drawn_is_told_at_once_in_a_sentence() -> None:
    many = [edge(f"n{place % 50}", f"n{place % 49}", name=str(place)) for place in range(5_001)]

    made = layout(workflow(50, *many))

    assert (made.nodes, made.edges) == ((), ())
    assert "50 nodes and 5,001 edges" in made.note


def test_what_takes_too_long_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "dot"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setattr(graphviz_program, "find_program", lambda output: str(slow))
    monkeypatch.setattr(graphviz_program, "_version", lambda program: "slow")
    monkeypatch.setattr(graphviz_layout, "SECONDS", 0.2)

    made = layout(workflow())

    assert made.nodes == made.edges == ()
    assert made.note.startswith("The workflow takes more time than a layout may take. Close super nodes;")


@pytest.mark.parametrize(("took", "wait"), [(10.0, 120.0), (1.0, 30.0)])
def test_failure_is_tried_again_after_some_time(
    monkeypatch: pytest.MonkeyPatch, took: float, wait: float
) -> None:
    clock, calls = [100.0], []
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])

    def place(drawing: Any) -> None:
        calls.append(1)
        clock[0] += took
        raise InputError("too long") if took >= graphviz_layout.SECONDS else DebuggerError("another program")

    with monkeypatch.context() as patch:
        patch.setattr(graphviz_layout, "place", place)
        for seconds in (0.0, wait - 1.0, 2.0):
            clock[0] += seconds
            assert layout(workflow()).note
        assert len(calls) == 2

    clock[0] += wait + 1.0
    assert len(layout(workflow()).nodes) == 3
    clock[0] += 9_000.0
    assert layout(workflow()) is layout(workflow())


def test_limit_of_computing_is_met_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, calls = [100.0], []
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])

    def place(drawing: Any) -> None:
        calls.append(1)
        clock[0] += 3.0
        raise InputError("The workflow takes more time than a layout may take.")

    monkeypatch.setattr(graphviz_layout, "place", place)

    for _ in range(2):
        assert layout(workflow()).note
        clock[0] += 9_000.0

    assert len(calls) == 1


def test_missing_program_is_told_and_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(graphviz_program, "find_program", lambda output: None)
        made = layout(workflow())

    assert made.nodes == ()
    assert "pip install graphviz-pure" in made.note and made.note.endswith("The table shows the same.")
    again = layout(workflow())
    assert len(again.nodes) == 3
    assert again.version != made.version


def test_name_that_is_wrapped_inside_a_word_is_kept_whole() -> None:
    name = "Rechtsschutzversicherungsgesellschaftsprüfung"
    made = layout(workflow([{"logical_id": "a", "type": "no_op", "is_start": True, "name": name}]))

    (box,) = made.nodes
    assert box.name == name != " ".join(box.lines)
