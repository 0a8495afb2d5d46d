from __future__ import annotations

import pytest

from debugger.analysis.position import position
from debugger.analysis.undecided import EdgeExpression, Step, answered_field, undecided_nodes
from debugger.backends.embedded import EmbeddedBackend
from debugger.graph.graph import Graph
from debugger.protocol.runs import TurnInput
from debugger.protocol.workflow import NodeConfig
from debugger.session.session import DebugSession
from debugger.settings import Settings
from tests.support.factories import direct, document, everywhere, node, say, static, tool, when, worker
from tests.support.super_nodes import super_node

BYE = static("bye", "Bye")
LEAVES = when("chat", "bye", freeform="The user leaves")

COMPANION = (
    node("entry", "no_op"),
    say("chat"),
    worker("poll", {"done": {"type": "boolean"}}, wait_for_user_message=False),
    static("ready", "Ready"),
    direct("entry", "chat"),
    {
        **direct("entry", "poll"),
        "companion_thread_config": {"is_companion_thread": True, "thread_id": "lab"},
    },
    when("chat", "ready", "[[thread_lab.done]] == true"),
)


@pytest.fixture
def undecided(tmp_path):
    """Returns what the built-in rules left open in the first turn of a workflow."""
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules"))

    def found(*parts, text="Hello", is_over=False):
        session = DebugSession(backend, backend.create_workflow(document(*parts)).id)
        session.start(TurnInput.with_message(text))
        session.wait(10)
        graph = Graph(session.workflow)
        return undecided_nodes(session.turns[0], graph, position(session.turns, graph), is_over=is_over)

    yield found
    backend.close()


def test_speaking_node_without_match_is_undecided(undecided):
    found = undecided(say("chat"), BYE, LEAVES)

    assert found and (found.nodes, found.text) == (("chat",), "The built-in rules chose no edge of Chat.")
    assert found.steps == (Step("Bye", "edge_chat_bye", "bye", "chat"),)


def test_matched_edge_leaves_nothing_open(undecided):
    assert undecided(say("chat"), BYE, LEAVES, text="the user leaves now") is None


def test_way_back_from_global_node_is_open(undecided):
    helper = say("helper", global_node_config=everywhere("The user needs help", back="All is well"))

    found = undecided(say("chat"), helper, text="The user needs help")

    assert found and found.steps == (Step("Chat", "", "chat", "helper"),)


def test_parallel_edges_are_told_apart(undecided):
    other = when("chat", "bye", freeform="The user is angry", name="angry") | {"logical_id": "other"}

    found = undecided(say("chat"), BYE, LEAVES, other)

    assert found and [step.label for step in found.steps] == ["Bye (The user leaves)", "Bye (angry)"]


def test_node_without_edges_is_not_undecided(undecided):
    assert undecided(say("chat")) is None


def test_judged_edges_of_static_node_are_undecided(undecided):
    found = undecided(static("hello", "Hi"), BYE, when("hello", "bye", freeform="The user leaves"))

    assert found and found.nodes == ("hello",)


def test_global_nodes_are_steps(undecided):
    found = undecided(
        say("chat"), static("help", "Help", global_node_config=everywhere("The user needs help"))
    )

    assert found and found.steps == (Step("Help", "", "help", "chat"),)


def test_worker_without_fields_is_undecided(undecided):
    found = undecided(worker("facts", {"n": {"type": "integer"}}), BYE, when("facts", "bye", "[[n]] == 1"))

    expression = EdgeExpression("[[n]] == 1", (), {"n": ("n",)})
    assert found and found.nodes == ("facts",)
    assert found.steps == (Step("Bye", "edge_facts_bye", "bye", "facts", expression),)


def test_expression_over_other_variables_is_no_step(undecided):
    found = undecided(worker("facts", {"n": {"type": "integer"}}), BYE, when("facts", "bye", "[[m]] == 1"))

    assert found and (found.nodes, found.steps) == (("facts",), ())


def test_expressions_before_count_for_step(undecided):
    late = static("late", "Late")
    edges = when("facts", "bye", "[[n]] > 1"), when("facts", "late", "[[facts.n]] > 0")

    found = undecided(worker("facts", {"n": {"type": "integer"}}), BYE, late, *edges)

    assert found and found.steps[1].expression == EdgeExpression(
        "[[facts.n]] > 0", ("[[n]] > 1",), {"facts.n": ("n",), "n": ("n",)}
    )


def test_node_left_by_its_answer_is_offered_at_end(undecided):
    late = static("late", "Late")
    edges = when("facts", "bye", "isEmpty([[n]])"), when("facts", "late", "[[n]] > 0")

    found = undecided(worker("facts", {"n": {"type": "integer"}}), BYE, late, *edges, is_over=True)

    assert found and found.text == "The built-in rules answered for Facts."
    assert [step.label for step in found.steps] == ["Late"]


def test_companion_answer_is_step_of_main_thread(undecided):
    found = undecided(*COMPANION)

    assert found and found.nodes == ("chat",)
    (step,) = found.steps
    assert (step.edge, step.asked) == ("edge_chat_ready", "poll")
    assert step.expression and step.expression.answered == {"thread_lab.done": ("done",)}


def test_every_open_thread_is_undecided(undecided):
    calm = static("calm", "Calm")
    found = undecided(*COMPANION, calm, when("poll", "calm", freeform="All is well"))

    assert found and found.nodes == ("poll", "chat")
    assert found.text == "The built-in rules chose no edge of Poll and Chat."


@pytest.mark.parametrize(
    ("config", "path", "keys"),
    [
        (worker("facts", {"kind": {}}), "kind", ("kind",)),
        (worker("facts", {"kind": {}}), "Facts.kind.name", ("kind", "name")),
        (worker("facts", {"kind": {}}), "other", None),
        (worker("facts", {"kind": {}}), "kind[0]", None),
        (node("stock", "tool_node"), "tool_result.a", ("result", "a")),
        (node("stock", "tool_node", result_runtime_variable_name="found"), "found_success", ("success",)),
        (node("stock", "tool_node", result_runtime_variable_name="found"), "tool_result", None),
        (tool("stock", "def stock():\n    return 1"), "tool_result", None),
        (static("hello", "Hi"), "kind", None),
    ],
)
def test_answered_field_of_variable(config, path, keys):
    assert answered_field(NodeConfig.from_wire(config), path) == keys


def test_tool_node_without_tool_is_undecided(undecided):
    found = undecided(
        node("stock", "tool_node"), BYE, when("stock", "bye", "[[tool_result_success]] == true")
    )

    assert found and (found.nodes, found.text) == (("stock",), "Stock has no tool.")
    (step,) = found.steps
    assert step.expression and step.expression.answered == {"tool_result_success": ("success",)}


def test_missing_tool_stays_open_behind_edge(undecided):
    found = undecided(
        node("stock", "tool_node"), BYE, when("stock", "bye", "[[tool_result_success]] == false")
    )

    assert found and found.nodes == ("stock",)


def test_node_inside_super_node_has_no_drawn_steps(undecided):
    inside = document(say("ask"), static("end", "End"), when("ask", "end", freeform="The user leaves"))

    found = undecided(super_node("booking", inside))

    assert found and (found.nodes, found.steps) == (("booking/ask",), ())
    assert found.text == "The built-in rules chose no edge of Ask."
