from __future__ import annotations

from debugger.analysis.comparison.tables import structure_changes
from tests.factories import direct, say, static, workflow


def told(a, b):
    return [(change.part, change.sign, change.name) for change in structure_changes(a, b)]


def test_equal_workflows_have_no_changes():
    assert told(workflow(say("a")), workflow(say("a"))) == []


def test_nodes_and_edges_are_added_and_removed():
    a = workflow(say("a"), static("b", "Hi"), direct("a", "b"))
    b = workflow(say("a"), static("c", "Hi"), direct("a", "c", name="on"))

    assert told(a, b) == [
        ("node", "−", "B"),
        ("node", "+", "C"),
        ("edge", "−", "A → B"),
        ("edge", "+", "A → C (on)"),
    ]


def test_a_changed_node_tells_its_fields():
    (change,) = structure_changes(workflow(say("a", "Talk.")), workflow(say("a", "Sing.")))

    assert [(field.path, field.after) for field in change.fields] == [
        ("main_response_config.prompt", "Sing.")
    ]


def test_settings_of_the_workflow_are_told_apart_from_its_graph():
    a, b = workflow(say("a"), defaults={"shop": "Leaf"}), workflow(say("a"), defaults={"shop": "Bean"})

    assert told(a, b) == [("settings", "~", "Workflow")]
