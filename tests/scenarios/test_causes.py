from __future__ import annotations

import json

import pytest

from debugger.scenarios.loading import load_text
from debugger.scenarios.reports.texts import warning_lines
from debugger.scenarios.runner import ScenarioRunner
from debugger.settings import Settings
from tests.support.factories import direct, document, everywhere, node, say, static, tool, when, worker


def failures(folder, expectation, *parts, more="", say="Hello"):
    """Return the failed checks of a turn with one expectation."""
    (folder / "flow.json").write_text(json.dumps(document(*parts)), encoding="utf-8")
    text = (
        f"version: 1\nname: A\nworkflow: flow.json\n{more}turns: [{{say: {say}, expect: [{expectation}]}}]\n"
    )
    with ScenarioRunner(lambda name: pytest.fail(name), Settings()) as runner:
        [found] = runner.run(load_text(text, folder))
    assert not found.repetitions[0].error
    return found.repetitions[0].failures


def cause(*arguments, **options):
    [failed] = failures(*arguments, **options)
    return failed.why


def fork(*more):
    """Return a node whose two edges depend on a number."""
    return (
        tool("count", "def count():\n    return 3\n", result_runtime_variable_name="n"),
        static("few", "A few."),
        static("many", "Many."),
        when("count", "few", "[[n]] < 3", name="below"),
        when("count", "many", "[[n]] > 3", name="above"),
        *more,
    )


def test_edges_have_operands_and_values(tmp_path):
    [failed] = failures(tmp_path, "{reached: many}", *fork())

    assert failed.why == (
        "Left at 'Count' (event 6): no edge was taken, so the thread ends here; "
        "not 'above' to 'Many': false ([[n]] > 3, here 3 > 3); "
        "not 'below' to 'Few': false ([[n]] < 3, here 3 < 3). 'Count' ran (events 3 to 4), tool result 3"
    )
    assert failed.event == 6


def test_text_leads_to_its_node(tmp_path):
    assert cause(tmp_path, "{says: Many}", *fork()).startswith(
        "'Many' has this text and did not run. Left at 'Count' (event 6)"
    )


def test_failed_call_is_named_with_its_error(tmp_path):
    code = "def look(city):\n    raise OSError('No way to ' + city)\n"
    found = cause(
        tmp_path,
        "{variable: {name: runtime.found, equals: yes}}",
        tool("look", code, {"city": "Rome"}, result_runtime_variable_name="found"),
        static("end", "Bye"),
        direct("look", "end"),
    )

    assert 'called with {"city":"Rome"}' in found
    assert "The code raised OSError in line 2: No way to Rome" in found


def test_bound_names_nodes_with_their_durations(tmp_path):
    more = "mocks: [{node: slow, delay_seconds: 0.3}]\n"
    parts = static("fast", "Hi"), node("slow", "no_op"), direct("fast", "slow")

    found = cause(tmp_path, "{at_most: {ms: 200}}", *parts, more=more)

    assert found.startswith("Longest: 'Slow' 3")
    assert " ms (event " in found


def test_node_runs_of_a_loop_are_counted(tmp_path):
    code = "def count(n):\n    return int(n) + 1 if str(n).isdigit() else 1\n"
    found = cause(
        tmp_path,
        "{at_most: {node_runs: 2}}",
        tool("count", code, {"n": "[[n]]"}, result_runtime_variable_name="n"),
        static("end", "Bye"),
        when("count", "end", "[[n]] >= 4", name="enough"),
        when("count", "count", "[[n]] < 4", name="again"),
    )

    assert found.startswith("Runs: 'Count' 4, 'End' 1. Decided at 'Count' (event ")
    assert "([[n]] >= 4, here 4 >= 4)" in found


def test_unset_variable_names_writers_that_did_not_run(tmp_path):
    parts = (*fork(), worker("note", {"mood": {"type": "string"}}), direct("many", "note"))

    found = cause(tmp_path, "{variable: {name: runtime.mood, equals: good}}", *parts)

    assert found.startswith("'Note' would set it, and did not run. Left at 'Count' (event 6)")


def test_variable_that_no_node_sets_has_similar_names(tmp_path):
    parts = worker("note", {"full_name": {"type": "string"}}), static("end", "Bye"), direct("note", "end")

    found = cause(tmp_path, "{variable: {name: runtime.fullname, equals: Ada}}", *parts)

    assert found.startswith("No node of the workflow sets runtime.fullname; similar is full_name")


def test_forbidden_node_names_the_decision_that_led_there(tmp_path):
    parts = (*fork(), static("three", "Three."), when("count", "three", "[[n]] == 3", name="three"))

    found = cause(tmp_path, "{not_reached: three}", *parts)

    assert found.startswith(
        "Decided at 'Count' (event 6): 'three' to 'Three' was taken ([[n]] == 3, here 3 == 3)"
    )


def test_global_node_is_named_where_it_is_expected(tmp_path):
    parts = (
        say("desk", wait_for_user_message=True),
        static("person", "A person.", global_node_config=everywhere("A human")),
    )

    found = cause(tmp_path, "{reached: person}", *parts)

    assert "'global node' to 'Person' (A human)" in found or "waits" in found, found


def test_values_of_secrets_are_no_part(tmp_path):
    parts = (
        static("hello", "Hello {{api_key}}"),
        static("other", "Other"),
        when("hello", "other", "{{api_key}} == 'x'", name="same"),
    )
    more = "input: {dynamic_variables: {api_key: k-4711-secret}}\n"

    found = cause(tmp_path, "{variable: {name: dynamic.api_key, equals: other}}", *parts, more=more)

    assert "k-4711" not in found


@pytest.mark.parametrize("expectation", ["{says: Bye}", "{reached: other}"])
def test_cut_and_quoted_secrets_are_no_part(tmp_path, expectation):
    parts = (
        static("hello", "Hello {{api_key}} {{password}}"),
        static("other", "Other"),
        when("hello", "other", "{{api_key}} == 'x' AND {{password}} == 'y'", name="same"),
    )
    words = " ".join(f"word{at}" for at in range(60))
    more = f"input: {{dynamic_variables: {{api_key: {words}, password: 'a \"hush\" b'}}}}\n"

    found = cause(tmp_path, expectation, *parts, more=more)

    assert "same" in found
    assert "word2" not in found and "hush" not in found


def test_failed_run_has_a_cause(tmp_path):
    more = "mocks: [{node: stop, error: Out of order}]\n"
    parts = static("hello", "Hi"), node("stop", "no_op"), direct("hello", "stop")

    [failed, *_] = failures(tmp_path, "{says: Hi}", *parts, more=more)

    assert "Out of order" in failed.why


def test_event_at_the_end_is_where_the_path_was_left(tmp_path):
    parts = (say("desk"), static("done", "Done"), when("desk", "done", "[[n]] == 1", name="done"))
    (tmp_path / "flow.json").write_text(json.dumps(document(*parts)), encoding="utf-8")
    expected = "{path: [desk, desk, done]}", "{reached: done}", "{edge_taken: done}", "{hint: {node: done}}"
    head = "version: 1\nname: A\nworkflow: flow.json\nturns: [{say: a}, {say: b}]\n"
    with ScenarioRunner(lambda name: pytest.fail(name), Settings()) as runner:
        [found] = runner.run(load_text(f"{head}expect: [{', '.join(expected)}]\n", tmp_path))

    failed = found.repetitions[0].failures
    assert len(failed) == len(expected)
    for each in failed:
        assert each.why.startswith(f"Left at 'Desk' (event {each.event}): "), each.why
    assert len({each.event for each in failed}) == 1


def test_soft_failure_has_its_cause_in_the_warnings(tmp_path):
    (tmp_path / "flow.json").write_text(json.dumps(document(*fork())), encoding="utf-8")
    text = "version: 1\nname: A\nworkflow: flow.json\nturns: [{expect: [{reached: many, soft: true}]}]\n"
    with ScenarioRunner(lambda name: pytest.fail(name), Settings()) as runner:
        [found] = runner.run(load_text(text, tmp_path))

    [line] = warning_lines(found)
    assert "; why: Left at 'Count' (event 5): " in line


@pytest.mark.parametrize("expected", ["{reached: goal}", "{says: Goal}", "{path: [hall, gate, goal]}"])
def test_path_is_left_in_the_turn_that_is_checked(tmp_path, expected):
    parts = (
        say("desk", wait_for_user_message=True),
        say("hall", wait_for_user_message=True),
        static("gate", "Gate"),
        static("goal", "Goal"),
        when("desk", "goal", "{{way}} == 'goal'", name="straight"),
        when("desk", "hall", "{{way}} == 'hall'", name="aside"),
        when("hall", "gate", "{{way}} == 'gate'", name="through"),
        direct("gate", "goal"),
    )
    (tmp_path / "flow.json").write_text(json.dumps(document(*parts)), encoding="utf-8")
    turns = "turns: [{say: a}, {say: b, send: {dynamic_variables: {way: hall}}, expect: [{reached: hall}]}, "
    turns += f"{{say: c, send: {{dynamic_variables: {{way: none}}}}, expect: [{expected}]}}]\n"
    with ScenarioRunner(lambda name: pytest.fail(name), Settings()) as runner:
        [found] = runner.run(load_text(f"version: 1\nname: A\nworkflow: flow.json\n{turns}", tmp_path))

    [failed] = found.repetitions[0].failures

    assert "Left at 'Hall'" in failed.why
    assert "not 'through' to 'Gate': false ({{way}} == 'gate', here 'none' == 'gate')" in failed.why
    assert failed.event == found.repetitions[0].checks[-1].event > 18
