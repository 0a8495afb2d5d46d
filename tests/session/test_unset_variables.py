from __future__ import annotations

import pytest

from debugger.engine.variables import VariableEdit
from debugger.expressions import Scope
from debugger.graph import Graph
from debugger.protocol.workflow import Workflow
from debugger.session.unset_variables import OpenedStep, UnsetVariables, unset_variables
from tests.support.factories import document, static, when

HELLO, BYE = static("hello", "Hi {{person.name}}, {{now}}"), static("bye", "Bye")


def missing(scope, *edges):
    graph = Graph(Workflow.from_wire(document(HELLO, BYE, *edges)))
    return unset_variables(graph.node("hello"), graph, scope)


@pytest.mark.parametrize("person", [{}, {"person": {}}, {"person": {"name": ""}}])
def test_empty_text_counts_as_missing(person):
    found = missing(Scope(dynamic=person))

    assert (found.paths, found.names) == (("person.name",), ["person"])


def test_value_is_not_missing():
    assert missing(Scope(dynamic={"person": {"name": "Ada"}})) == UnsetVariables((), ())


def test_step_has_fewest_edits_that_open_it():
    found = missing(Scope(), when("hello", "bye", "{{tier}} == 'gold' AND [[n]] > 2"))

    tier, n = VariableEdit("dynamic", "tier", "gold"), VariableEdit("runtime", "n", 3)
    assert found.steps == (OpenedStep("Bye", "edge_hello_bye", (tier, n)),)


def test_written_variable_opens_no_step():
    found = missing(Scope(runtime={"n": 1}), when("hello", "bye", "[[n]] > 2"))

    assert found.steps == ()
