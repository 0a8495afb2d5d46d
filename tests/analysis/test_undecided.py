from __future__ import annotations

import pytest

from debugger.analysis.undecided import Step, undecided_node
from debugger.backends.embedded import EmbeddedBackend
from debugger.graph.graph import Graph
from debugger.protocol.runs import TurnInput
from debugger.session.session import DebugSession
from debugger.settings import Settings
from tests.support.factories import document, everywhere, node, say, static, when, worker
from tests.support.super_nodes import super_node

BYE = static("bye", "Bye")
LEAVES = when("chat", "bye", freeform="The user leaves")


@pytest.fixture
def undecided(tmp_path):
    """Returns what the stand-in left open in the first turn of a workflow."""
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules"))

    def found(*parts, text="Hello"):
        session = DebugSession(backend, backend.create_workflow(document(*parts)).id)
        session.start(TurnInput.with_message(text))
        session.wait(10)
        return undecided_node(session.turns[0], Graph(session.workflow))

    yield found
    backend.close()


def test_speaking_node_without_match_is_undecided(undecided):
    found = undecided(say("chat"), BYE, LEAVES)

    assert found and (found.node, found.text) == ("chat", "The stand-in chose no edge of Chat.")
    assert found.steps == (Step("Bye", "edge_chat_bye", "bye"),)


def test_matched_edge_leaves_nothing_open(undecided):
    assert undecided(say("chat"), BYE, LEAVES, text="the user leaves now") is None


def test_node_without_edges_is_not_undecided(undecided):
    assert undecided(say("chat")) is None


def test_judged_edges_of_static_node_are_undecided(undecided):
    found = undecided(static("hello", "Hi"), BYE, when("hello", "bye", freeform="The user leaves"))

    assert found and found.node == "hello"


def test_global_nodes_are_steps(undecided):
    found = undecided(
        say("chat"), static("help", "Help", global_node_config=everywhere("The user needs help"))
    )

    assert found and found.steps == (Step("Help", "", "help"),)


def test_worker_without_fields_is_undecided(undecided):
    found = undecided(worker("facts", {"n": {"type": "integer"}}), BYE, when("facts", "bye", "[[n]] == 1"))

    assert found and (found.node, found.steps) == ("facts", ())


def test_tool_node_without_tool_is_undecided(undecided):
    found = undecided(
        node("stock", "tool_node"), BYE, when("stock", "bye", "[[tool_result_success]] == true")
    )

    assert found and (found.node, found.text) == ("stock", "Stock has no tool.")


def test_missing_tool_stays_open_behind_edge(undecided):
    found = undecided(
        node("stock", "tool_node"), BYE, when("stock", "bye", "[[tool_result_success]] == false")
    )

    assert found and found.node == "stock"


def test_node_inside_super_node_has_no_drawn_steps(undecided):
    inside = document(say("ask"), static("end", "End"), when("ask", "end", freeform="The user leaves"))

    found = undecided(super_node("booking", inside))

    assert found and (found.node, found.steps) == ("booking/ask", ())
    assert found.text == "The stand-in chose no edge of Ask."
