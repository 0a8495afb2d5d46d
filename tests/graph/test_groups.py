from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import debugger.samples
from debugger.engine.super_nodes import expand, unfold
from debugger.errors import NotFoundError
from debugger.graph import Graph
from debugger.graph.diagram import HEADER_HEIGHT, Direction
from debugger.graph.groups import Group, thread_groups
from debugger.graph.layout import Layout, PlacedNode, layout
from debugger.protocol.workflow import Workflow
from tests.support.factories import direct, document, node, say, static, when, workflow

SAMPLES = Path(debugger.samples.__file__).parent


def no_stored_workflow(workflow_id: str, version: int | None) -> Workflow:
    raise NotFoundError(f"There is no workflow {workflow_id!r}.")


def opened_sample(direction: Direction) -> Layout:
    """Lay out the sample with a super node, opened, and a companion thread."""
    document = json.loads((SAMPLES / "lab_results.json").read_text(encoding="utf-8"))
    written = Workflow.from_document(document)
    graph, groups = unfold(written, expand(written, no_stored_workflow))
    threads = thread_groups(graph, [group.members[0] for group in groups])
    assert groups and threads
    return layout(graph, direction, (*groups, *threads))


def fork(source: str, target: str, thread_id: str | None) -> dict[str, Any]:
    config = {"is_companion_thread": True, "thread_id": thread_id}
    return {**direct(source, target), "companion_thread_config": config}


def is_inside(inner: PlacedNode, outer: PlacedNode) -> bool:
    across = abs(inner.x - outer.x) + inner.width / 2 <= outer.width / 2
    top = outer.y - outer.height / 2 + HEADER_HEIGHT
    return (
        across
        and inner.y - inner.height / 2 >= top
        and inner.y + inner.height / 2 <= outer.y + outer.height / 2
    )


def overlap(one: PlacedNode, other: PlacedNode) -> bool:
    across = abs(one.x - other.x) < (one.width + other.width) / 2
    return across and abs(one.y - other.y) < (one.height + other.height) / 2


@pytest.mark.parametrize("direction", ["down", "right"])
def test_layout_puts_members_into_their_group(direction: Direction) -> None:
    made = opened_sample(direction)
    nodes = {box.id: box for box in made.nodes}
    inner = [box for box in made.nodes if box.id.startswith("node_book_follow_up/")]

    assert len(inner) == 4
    assert nodes["node_book_follow_up"].kind == "super_node"
    assert all(is_inside(box, nodes["node_book_follow_up"]) for box in inner)
    assert all(
        box.kind == "node" for box in made.nodes if box.id not in ("node_book_follow_up", *thread_ids(made))
    )


@pytest.mark.parametrize("direction", ["down", "right"])
def test_layout_keeps_other_nodes_out_of_groups(direction: Direction) -> None:
    made = opened_sample(direction)

    for group in (box for box in made.nodes if box.kind != "node"):
        outside = [box for box in made.nodes if box is not group and not is_inside(box, group)]
        assert not any(overlap(box, group) for box in outside)
    single = [box for box in made.nodes if box.kind == "node"]
    assert not any(overlap(one, other) for at, one in enumerate(single) for other in single[at + 1 :])


@pytest.mark.parametrize("direction", ["down", "right"])
def test_edges_end_at_the_border_of_a_group(direction: Direction) -> None:
    made = opened_sample(direction)
    group = next(box for box in made.nodes if box.kind == "super_node")
    entering = [edge for edge in made.edges if edge.target == group.id]

    assert entering
    for edge in entering:
        x, y = (float(number) for number in re.findall(r"-?[\d.]+", edge.path)[-2:])
        is_at_side = abs(abs(x - group.x) - group.width / 2) < 0.2 and abs(y - group.y) <= group.height / 2
        is_at_top = abs(abs(y - group.y) - group.height / 2) < 0.2 and abs(x - group.x) <= group.width / 2
        assert is_at_side or is_at_top


def test_inner_edges_stay_inside_their_group() -> None:
    made = opened_sample("down")
    group = next(box for box in made.nodes if box.kind == "super_node")
    inner = [edge for edge in made.edges if edge.id.startswith("node_book_follow_up/")]

    assert len(inner) == 4
    for edge in inner:
        for x, y in re.findall(r"(-?[\d.]+),(-?[\d.]+)", edge.path):
            assert abs(float(x) - group.x) <= group.width / 2 and abs(float(y) - group.y) <= group.height / 2
        assert abs(edge.label_at[0] - group.x) <= group.width / 2


def test_groups_in_groups_are_laid_out() -> None:
    graph = Graph(workflow(static("a", "Hi"), static("b", "Hi"), static("b/c", "Hi"), static("b/c/d", "Hi")))
    groups = (Group("b", "B", ("b/c",), "super_node"), Group("b/c", "C", ("b/c/d",), "super_node"))

    nodes = {box.id: box for box in layout(graph, "down", groups).nodes}

    assert is_inside(nodes["b/c"], nodes["b"]) and is_inside(nodes["b/c/d"], nodes["b/c"])
    assert not overlap(nodes["a"], nodes["b"])


def test_thread_that_leaves_its_super_node_is_in_it_only_there() -> None:
    graph = Graph(workflow(static("a", "Hi"), say("g"), say("after"), say("g/in"), say("g/poll")))
    groups = (
        Group("g", "G", ("g/in", "g/poll"), "super_node"),
        Group("t", "T", ("g/poll", "after", "g"), "thread"),
    )

    nodes = {box.id: box for box in layout(graph, "down", groups).nodes}

    assert len(nodes) == 6
    assert is_inside(nodes["g/poll"], nodes["t"]) and is_inside(nodes["t"], nodes["g"])
    assert not overlap(nodes["after"], nodes["g"])


def test_layout_changes_version_with_its_groups() -> None:
    graph = Graph(workflow(static("a", "Hi"), static("b", "Hi")))

    plain, grouped = layout(graph), layout(graph, "down", (Group("t", "T", ("b",), "thread"),))

    assert plain.version != grouped.version
    assert layout(graph).version == plain.version


def test_entry_of_a_group_is_at_its_top() -> None:
    graph = Graph(
        workflow(static("a", "Hi"), static("x", "Hi"), say("y"), direct("x", "y"), direct("y", "x"))
    )

    nodes = {box.id: box for box in layout(graph, "down", (Group("t", "T", ("y", "x"), "thread"),)).nodes}

    assert nodes["y"].y < nodes["x"].y


def test_thread_group_has_what_only_its_thread_reaches() -> None:
    graph = Graph(
        workflow(
            static("begin", "Hi"),
            say("chat"),
            node("poll", "no_op"),
            node("over", "no_op"),
            direct("begin", "chat"),
            fork("begin", "poll", "lab"),
            when("poll", "over", "[[done]]"),
        )
    )

    (group,) = thread_groups(graph)

    assert (group.title, group.members, group.kind) == ("lab", ("poll", "over"), "thread")
    assert group.id not in graph.nodes


@pytest.mark.parametrize("named_by", ["node", "edge"])
def test_box_of_a_thread_has_an_id_that_no_node_has(named_by: str) -> None:
    begin, chat, poll = static("begin", "Hi"), say("chat"), node("poll", "no_op")
    forking = fork("begin", "poll", "lab")
    odd = f"thread of {forking['logical_id']}"
    others = [node(odd, "no_op")] if named_by == "node" else []
    graph = Graph(
        workflow(begin, chat, poll, *others, direct("begin", "chat"), forking, when("chat", odd, "[[done]]"))
    )

    made = layout(graph, "down", thread_groups(graph))

    boxes = {box.id: box for box in made.nodes}
    assert boxes[odd].kind == "node" and boxes[odd].missing == (named_by == "edge")
    assert sorted(box.kind for box in made.nodes) == ["node"] * 4 + ["thread"]
    assert is_inside(boxes["poll"], next(box for box in made.nodes if box.kind == "thread"))


def test_node_of_the_main_thread_is_in_no_group() -> None:
    graph = Graph(
        workflow(
            static("begin", "Hi"),
            say("chat"),
            node("poll", "no_op"),
            direct("begin", "chat"),
            fork("begin", "poll", None),
            when("poll", "chat", "[[done]]"),
        )
    )

    (group,) = thread_groups(graph)

    assert (group.title, group.members) == ("companion", ("poll",))


def test_only_direct_edge_forks_no_thread() -> None:
    assert thread_groups(Graph(workflow(static("a", "Hi"), say("b"), fork("a", "b", "lab")))) == ()


def test_companion_threads_are_side_by_side() -> None:
    graph = Graph(
        Workflow.from_document(
            document(
                static("begin", "Hi"),
                say("chat"),
                node("one", "no_op"),
                node("two", "no_op"),
                direct("begin", "chat"),
                fork("begin", "one", "first"),
                fork("begin", "two", "second"),
            )
        )
    )
    groups = thread_groups(graph)

    for direction, along in (("down", "y"), ("right", "x")):
        made = layout(graph, direction, groups)
        first, second = (box for box in made.nodes if box.kind == "thread")
        assert getattr(first, along) == pytest.approx(getattr(second, along), abs=1)


def thread_ids(made: Layout) -> list[str]:
    return [box.id for box in made.nodes if box.kind == "thread"]
