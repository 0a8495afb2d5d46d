from __future__ import annotations

import pytest

from debugger.analysis.comparison.ignored import NULLS
from debugger.analysis.comparison.tables import message_pairs, variable_rows, workflow_changes
from tests.support.factories import direct, everywhere, say, static, when, workflow
from tests.support.short_turns import hears, shows, speaks, turn


def told(rows):
    return [(row.sign, row.path, row.a, row.b) for row in rows]


def test_variables_are_compared_by_scope_and_name():
    a = [turn(1, None, shows(tea="Assam", cup={"size": 1}, gone=1), dynamic_variables={"shop": "Leaf"})]
    b = [turn(1, None, shows(tea="Assam", cup={"size": 2}, new=None), dynamic_variables={"shop": "Bean"})]

    assert told(variable_rows(a, b, ())) == [
        ("~", "dynamic.shop", "Leaf", "Bean"),
        ("~", "runtime.cup.size", 1, 2),
        ("−", "runtime.gone", 1, None),
        ("+", "runtime.new", None, None),
    ]


def test_variables_of_input_have_its_scope():
    a, b = ([turn(1, None, runtime_variables={"tea": tea})] for tea in ("Assam", "Ceylon"))

    assert told(variable_rows(a, b, ())) == [("~", "input.tea", "Assam", "Ceylon")]


def test_variable_rows_include_same_on_request():
    turns = [turn(1, None, shows(tea="Assam"))]

    assert variable_rows(turns, turns, ()) == []
    assert told(variable_rows(turns, turns, (), with_same=True)) == [("=", "runtime.tea", "Assam", "Assam")]


def test_variable_rows_skip_ignored_names():
    def state(number):
        evaluated = {"now": number, "rand_int": number, "shop": "Leaf"}
        shown = shows(justification=f"rule {number}", tea="Assam")
        shown["workflow_runtime_variables"] = {"_evaluated_dynamic_variables": evaluated}
        return [turn(1, None, shown)]

    everything = variable_rows(state(1), state(2), ())
    left = variable_rows(state(1), state(2), {"times", "random values", "justifications"})

    assert {row.path for row in everything} == {"system.now", "system.rand_int", "runtime.justification"}
    assert left == []


def test_variable_rows_take_absent_for_null():
    a, b = [turn(1, None, shows(tea=None, cup={"size": None}))], [turn(1, None, shows(cup={}, milk=None))]

    assert len(variable_rows(a, b, ())) == 3
    assert variable_rows(a, b, {NULLS}) == []
    assert {row.path for row in variable_rows(a, b, {NULLS}, with_same=True)} == {
        "runtime.tea",
        "runtime.cup",
        "runtime.milk",
    }


def described_changes(a, b, *ignoring):
    return [(change.part, change.sign, change.name) for change in workflow_changes(a, b, ignoring)]


def test_workflow_changes_take_absent_for_null():
    a, b = workflow(say("a")), workflow({**say("a"), "own": None})

    assert described_changes(a, b) == [("node", "~", "A")]
    assert described_changes(a, b, NULLS) == []


def test_equal_workflows_have_no_changes():
    assert described_changes(workflow(say("a")), workflow(say("a"))) == []


def test_nodes_and_edges_are_added_and_removed():
    a = workflow(say("a"), static("b", "Hi"), direct("a", "b"))
    b = workflow(say("a"), static("c", "Hi"), direct("a", "c", name="on"))

    assert described_changes(a, b) == [
        ("node", "−", "B"),
        ("node", "+", "C"),
        ("edge", "−", "A → B"),
        ("edge", "+", "A → C (on)"),
    ]


def test_a_changed_node_tells_its_fields():
    (change,) = workflow_changes(workflow(say("a", "Talk.")), workflow(say("a", "Sing.")))

    assert [(field.path, field.after) for field in change.fields] == [
        ("main_response_config.prompt", "Sing.")
    ]


def test_workflow_changes_tell_the_order_of_conditions():
    nodes, to_b, to_c = [say(name) for name in "abc"], when("a", "b", "1 == 1"), when("a", "c", "1 == 1")

    (change,) = workflow_changes(workflow(*nodes, to_b, to_c), workflow(*nodes, to_c, to_b))

    assert (change.part, change.sign, change.name) == ("node", "~", "A")
    (order,) = change.fields
    assert (order.before, order.after) == (["edge_a_b", "edge_a_c"], ["edge_a_c", "edge_a_b"])


@pytest.mark.parametrize("kind", ["direct", "companion"])
def test_workflow_changes_have_the_order_of_edges_without_condition(kind):
    nodes = say("a"), say("b"), say("c")
    to_b, to_c = (direct("a", end, type=kind) for end in "bc")

    (change,) = workflow_changes(workflow(*nodes, to_b, to_c), workflow(*nodes, to_c, to_b))

    assert (change.part, change.id) == ("node", "a")
    assert [each.path for each in change.fields] == [f"{kind} edges[order]"]


def test_workflow_changes_have_the_order_of_global_nodes():
    one, other = (say(each, global_node_config=everywhere(each)) for each in "bc")

    (change,) = workflow_changes(workflow(say("a"), one, other), workflow(say("a"), other, one))

    assert change.part == "settings"
    assert [(each.path, each.before, each.after) for each in change.fields] == [
        ("global nodes[order]", ["b", "c"], ["c", "b"])
    ]


def test_workflow_changes_separate_settings_from_graph():
    a, b = workflow(say("a"), defaults={"shop": "Leaf"}), workflow(say("a"), defaults={"shop": "Bean"})

    assert described_changes(a, b) == [("settings", "~", "Workflow")]


def described_lines(found):
    return [(line.status, line.turn, line.role) for line in found]


def test_message_pairs_mark_differing_words():
    a = [turn(1, "hi", hears("a", "hi"), speaks("a", "Would you like some tea today?"))]
    b = [turn(1, "hi", hears("a", "hi"), speaks("a", "Would you like some coffee today?"))]

    user, agent = message_pairs(a, b)

    assert described_lines([user, agent]) == [("same", 1, "user"), ("changed", 1, "agent")]
    assert [(piece.op, piece.text) for piece in agent.pieces if piece.op != "same"] == [
        ("removed", "tea"),
        ("added", "coffee"),
    ]


def test_message_pairs_of_unrelated_texts():
    a, b = [turn(1, "The earlier one, please.")], [turn(1, "I was born in June.")]

    (line,) = message_pairs(a, b)

    assert [(piece.op, piece.text) for piece in line.pieces] == [
        ("removed", "The earlier one, please."),
        ("added", "I was born in June."),
    ]


def test_message_pairs_match_across_nodes():
    a, b = [turn(1, "hi", speaks("tea", "Tea?"))], [turn(1, "hi", speaks("bye", "Bye."))]

    assert described_lines(message_pairs(a, b)) == [("same", 1, "user"), ("changed", 1, "agent")]


def test_what_only_one_says_stands_alone():
    a = [turn(1, "hi", speaks("a", "One.")), turn(2, "on")]
    b = [turn(1, "hi", speaks("a", "One."), speaks("a", "Two."))]

    assert described_lines(message_pairs(a, b)) == [
        ("same", 1, "user"), ("same", 1, "agent"), ("only_b", 1, "agent"), ("only_a", 2, "user")
    ]  # fmt: skip


def test_message_pairs_apply_the_turn_offset():
    a, b = [turn(1, None), turn(2, "tea")], [turn(1, "tea")]

    assert described_lines(message_pairs(a, b, shift=1)) == [("same", 2, "user")]


def test_message_pairs_of_very_long_turns():
    many = [turn(1, None, *(speaks("a", f"Line {n}") for n in range(400)))]
    few = [turn(1, None, *(speaks("a", f"Line {n}") for n in range(2)))]

    found = message_pairs(many, few)

    assert [line.status for line in found[:3]] == ["same", "same", "only_a"]
    assert len(found) == 400
