from __future__ import annotations

import pytest

from debugger.analysis.undecided import EdgeExpression, edge_expression
from debugger.engine.variables import VariableEdit
from debugger.expressions import Scope
from debugger.graph import Graph
from debugger.protocol.workflow import Workflow
from debugger.session.step_values import (
    OpenedStep,
    UnsetVariables,
    answer_fields,
    edits_for,
    needed_for,
    pinned_output,
    unset_variables,
)
from tests.support.factories import document, node, static, when

SCHEMA = {"type": "object", "properties": {"kind": {"enum": ["new", "old"]}, "n": {"type": "integer"}}}


def test_output_makes_expression_true():
    expression = EdgeExpression("[[kind]] == 'old'", (), {"kind": ("kind",)})

    assert answer_fields(expression, {"kind": "new", "n": 0}, SCHEMA, Scope()) == {"kind": "old", "n": 0}


def test_output_fits_schema():
    expression = EdgeExpression("[[kind]] == 'odd'", (), {"kind": ("kind",)})

    assert answer_fields(expression, {"kind": "new"}, SCHEMA, Scope()) is None


def test_value_is_one_that_only_the_schema_names():
    kinds = {"type": "object", "properties": {"kind": {"enum": ["low", "high", "unknown"]}}}
    expression = EdgeExpression("[[kind]] != 'low'", ("[[kind]] == 'high'",), {"kind": ("kind",)})

    assert answer_fields(expression, {"kind": "low"}, kinds, Scope()) == {"kind": "unknown"}


def test_value_inside_an_object_is_set_with_the_object():
    scope = Scope(runtime={"carrier": {"id": "P1", "shipment": None}})
    values = {("runtime", "carrier.shipment.state"): "LOST", ("runtime", "ok"): True}

    assert edits_for(values, scope) == (
        VariableEdit("runtime", "carrier", {"id": "P1", "shipment": {"state": "LOST"}}),
        VariableEdit("runtime", "ok", True),
    )
    assert scope.runtime == {"carrier": {"id": "P1", "shipment": None}}


def test_value_of_variable_that_is_no_object_makes_one():
    values = {("runtime", "carrier.late"): 15, ("runtime", "carrier.state"): "LOST"}

    made = edits_for(values, Scope(runtime={"carrier": None}))

    assert made == (VariableEdit("runtime", "carrier", {"late": 15, "state": "LOST"}),)


def test_place_in_a_list_has_no_edit():
    assert edits_for({("runtime", "rows[0].id"): 1}, Scope()) is None


@pytest.mark.parametrize("path", ["poll.done", "thread_lab.done"])
def test_value_that_is_read_elsewhere_has_no_edit(path):
    scope = Scope(runtime={"poll.done": False}, threads={"lab": {"done": False}})

    assert edits_for({("runtime", path): True}, scope) is None


def test_expressions_before_do_not_hold():
    answered = {"ok": ("success",), "result.kind": ("result", "kind")}
    expression = EdgeExpression("[[result.kind]] == 'full'", ("[[ok]] == false",), answered)

    found = answer_fields(expression, {"success": False, "result": ""}, None, Scope())

    assert found == {"success": True, "result": {"kind": "full"}}


def test_variables_of_others_stay():
    expression = EdgeExpression("[[n]] == 1 AND {{tier}} == 'gold'", (), {"n": ("n",)})

    assert answer_fields(expression, {"n": 0}, None, Scope()) is None
    assert answer_fields(expression, {"n": 0}, None, Scope(dynamic={"tier": "gold"})) == {"n": 1}
    assert needed_for(expression).startswith(
        "It needs [[n]] == 1 AND {{tier}} == 'gold', and {{tier}} must be set elsewhere"
    )


def test_output_that_is_given_is_not_changed():
    fields = {"n": 0}

    answer_fields(EdgeExpression("[[n]] == 1", (), {"n": ("n",)}), fields, None, Scope())

    assert fields == {"n": 0}


HELLO, BYE = static("hello", "Hi {{person.name}}, {{now}}"), static("bye", "Bye")


def missing(scope, *edges):
    graph = Graph(Workflow.from_wire(document(HELLO, BYE, *edges)))
    return unset_variables(graph.node("hello"), graph, scope)


@pytest.mark.parametrize("person", [{}, {"person": {}}, {"person": {"name": ""}}])
def test_empty_text_counts_as_missing(person):
    found = missing(Scope(dynamic=person))

    assert (found.paths, found.names) == (("person.name",), ["person"])


def test_global_variable_is_set_by_its_own_name():
    graph = Graph(Workflow.from_document(document(static("a", "{{global.shop.name}}"))))

    found = unset_variables(graph.start, graph, Scope())

    assert found.names == ["shop"]
    assert unset_variables(graph.start, graph, Scope(dynamic={"shop": {"name": "Leaf"}})).paths == ()


def test_value_is_not_missing():
    assert missing(Scope(dynamic={"person": {"name": "Ada"}})) == UnsetVariables((), ())


def test_step_has_fewest_edits_that_open_it():
    found = missing(Scope(), when("hello", "bye", "{{tier}} == 'gold' AND [[n]] > 2"))

    tier, n = VariableEdit("dynamic", "tier", "gold"), VariableEdit("runtime", "n", 3)
    assert found.steps == (OpenedStep("Bye", "edge_hello_bye", (tier, n)),)


def test_written_variable_opens_no_step():
    found = missing(Scope(runtime={"n": 1}), when("hello", "bye", "[[n]] > 2"))

    assert found.steps == ()


def test_pinned_output_is_a_success_with_what_the_edge_asks_for():
    fetch = node("fetch", "http_request")
    edge = when("fetch", "late", "[[http_request_result.state]] == 'LATE'")
    graph = Graph(Workflow.model_validate(document(fetch, static("late"), edge)))
    expression = edge_expression(graph.edges["edge_fetch_late"], graph, graph.nodes["fetch"])

    assert pinned_output(expression, graph.nodes["fetch"], Scope()) == {
        "variables": {
            "http_request_result": {"state": "LATE"},
            "http_request_result_success": True,
            "http_request_result_error": None,
        }
    }


def test_output_that_does_not_decide_is_not_pinned():
    edge = when("fetch", "late", "[[http_request_result_success]] == true AND {{tier}} == 'gold'")
    graph = Graph(Workflow.model_validate(document(node("fetch", "http_request"), static("late"), edge)))
    expression = edge_expression(graph.edges["edge_fetch_late"], graph, graph.nodes["fetch"])

    assert pinned_output(expression, graph.nodes["fetch"], Scope()) is None
