from __future__ import annotations

import json

import pytest

from debugger.errors import InputError, WorkflowError
from debugger.protocol.workflow import Workflow, WorkflowSummary
from tests.support.factories import direct, document, static


@pytest.mark.parametrize(
    "wrap",
    [
        lambda inner: inner,
        lambda inner: {"workflow_config": inner},
        lambda inner: {"workflow": {"_id": "x", "workflow_config": inner}, "execution_url": "wss://x"},
    ],
)
def test_a_document_is_found_in_every_wrapping(wrap):
    inner = document(static("a", "Hi"), static("b", "Bye"), direct("a", "b"))

    found = Workflow.from_document(wrap(inner))

    assert [node.logical_id for node in found.node_configs] == ["a", "b"]
    assert found.to_wire() == inner


def test_unknown_fields_of_a_document_survive():
    inner = document({**static("a", "Hi"), "realtime_overrides": {"speed": 1.0}}, somewhere={"new": [1]})

    text = json.dumps(Workflow.from_document(inner).to_wire())

    assert text == json.dumps(inner)


@pytest.mark.parametrize("nonsense", [None, [], "text", {}, {"workflow_config": {"name": "no graph"}}])
def test_what_is_no_workflow_is_refused_with_what_to_do(nonsense):
    with pytest.raises(WorkflowError) as caught:
        Workflow.from_document(nonsense)

    assert "node_configs" in caught.value.message
    assert "fully_hydrate" in caught.value.advice


def test_an_edge_of_an_unknown_type_fails_the_document():
    inner = document(static("a", "Hi"), {**direct("a", "a"), "type": "wormhole"})

    with pytest.raises(InputError, match=r"edge_configs\.0\.type"):
        Workflow.from_document(inner)


def test_a_node_of_an_unknown_type_is_kept():
    inner = document({"type": "from_next_year", "logical_id": "a", "own": 1})

    found = Workflow.from_document(inner)

    assert found.node_configs[0].type == "from_next_year"
    assert found.node_configs[0].to_wire()["own"] == 1


def test_the_name_of_a_row_may_sit_two_levels_deep():
    row = {"_id": "665f00000000000000000001", "workflow_config": {"workflow_config": {"name": "Booking"}}}

    summary = WorkflowSummary.from_row(row)

    assert (summary.id, summary.name) == ("665f00000000000000000001", "Booking")
