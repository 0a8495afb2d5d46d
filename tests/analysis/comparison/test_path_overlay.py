from __future__ import annotations

from debugger.analysis.comparison.path_overlay import Visit, joint_workflow, overlay_paths
from debugger.analysis.position import position
from debugger.graph.graph import Graph
from tests.support.factories import direct, say, static, workflow
from tests.support.short_turns import at, transition, turn

TEA = workflow(
    say("desk"), static("tea", "Tea"), static("bye", "Bye"), direct("desk", "tea"), direct("desk", "bye")
)


def both(a, b, of_a=TEA, of_b=TEA):
    joint = Graph(joint_workflow(of_a, of_b))
    return overlay_paths(position(a, Graph(of_a)), position(b, Graph(of_b)), joint)


def test_overlay_paths_shares_nodes_and_edges():
    a = [turn(1, None, at("desk"), transition("desk", "tea", kind="direct_edge"), at("tea"))]
    b = [turn(1, None, at("desk"), transition("desk", "bye", kind="direct_edge"), at("bye"))]

    found = both(a, b)

    assert {node: passage.share for node, passage in found.nodes.items()} == {
        "desk": "common",
        "tea": "only_a",
        "bye": "only_b",
    }
    assert {edge: passage.share for edge, passage in found.edges.items()} == {
        "edge_desk_tea": "only_a",
        "edge_desk_bye": "only_b",
    }
    assert (found.count("common"), found.count("only_a")) == ((1, 0), (1, 1))


def test_visit_label_counts_both_runs():
    assert [Visit(1, 0).label, Visit(0, 2).label, Visit(2, 1).label] == ["A", "B ×2", "A ×2 B"]


def test_overlay_paths_missing_nodes_are_in_neither_version():
    newer = workflow(say("desk"), static("new", "New"))
    a, b = [turn(1, None, at("desk"))], [turn(1, None, at("new"), at("lost"))]

    assert both(a, b, TEA, newer).missing_nodes == {"lost": "Lost"}


def test_overlay_paths_of_edgeless_transitions():
    a = [turn(1, None, at("desk"), transition("desk", "bye") | {"edge_logical_id": None}, at("bye"))]
    loop = transition("desk", "desk", kind="self_loop_edge") | {"edge_logical_id": None}

    found = both(a, [turn(1, None, at("desk"), loop)])

    assert {way: passage.share for way, passage in found.edges.items()} == {found.unmapped[0].id: "only_a"}
    assert [(transition.source, transition.destination) for transition in found.unmapped] == [("desk", "bye")]


def test_overlay_paths_of_redirected_edge():
    redirected = workflow(
        say("desk"), static("bye", "Bye"), direct("desk", "bye", logical_id="edge_desk_tea", name="done")
    )
    a = [turn(1, None, at("desk"), transition("desk", "tea", kind="direct_edge"), at("tea"))]
    to_bye = transition("desk", "bye", kind="direct_edge") | {"edge_logical_id": "edge_desk_tea"}
    b = [turn(1, None, at("desk"), to_bye, at("bye"))]

    found = both(a, b, TEA, redirected)

    assert {edge: passage.share for edge, passage in found.edges.items()} == {
        "edge_desk_tea": "only_a",
        "desk > bye": "only_b",
    }
    assert [(transition.id, transition.destination) for transition in found.unmapped] == [
        ("desk > bye", "bye")
    ]


def test_joint_workflow_merges_nodes_and_edges():
    newer = workflow(say("desk", "Other prompt."), static("new", "New"), direct("desk", "new"))

    found = joint_workflow(TEA, newer)

    assert [node.logical_id for node in found.node_configs] == ["desk", "tea", "bye", "new"]
    assert [edge.logical_id for edge in found.edge_configs] == [
        "edge_desk_tea",
        "edge_desk_bye",
        "edge_desk_new",
    ]
    assert found.node_configs[0].to_wire() == TEA.node_configs[0].to_wire()


def test_joint_workflow_of_one_version():
    assert joint_workflow(TEA, TEA) is TEA
