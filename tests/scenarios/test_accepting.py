from __future__ import annotations

import json
from pathlib import Path

import pytest

from debugger.errors import InputError
from debugger.exports.records import ExportedRun
from debugger.scenarios.accepting import accept_result, is_expected_still, show_difference
from debugger.scenarios.loading import load_text
from debugger.scenarios.runner import ScenarioRunner
from tests.support.factories import direct, document, say, static, worker
from tests.support.scenarios import embedded, run_text

TEXT = """version: 1
name: Hours  # asked daily
workflow: workflow_clinic_front_desk
turns:
  - say: My name is Ada Moreno, and I'd like to book an appointment.
    expect:
      - {expectation}  # kept
"""


def failed(expectation, *, at_end=False):
    """The text, the failed check, its run with workflow, and the backend."""
    text = TEXT.format(expectation=expectation)
    if at_end:
        text = text.replace("    expect:\n      - ", "expect:\n  - ")
    return text, *run_failing(text)


def run_failing(text):
    """The failed check of a text, its run with workflow, and the backend."""
    backend = embedded()
    with ScenarioRunner(lambda _: backend, backend.settings, store=backend.store) as runner:
        [result] = runner.run(load_text(text, Path()))
    [repetition] = result.repetitions
    [check] = repetition.failures
    record = backend.record(repetition.run_id)
    workflow = backend.workflow(record.run.workflow_id)
    return check, ExportedRun(record, workflow), workflow, backend


@pytest.mark.parametrize(
    "expectation",
    [
        "status: completed",
        "path: [Greeting, Goodbye]",
        "says: we are closed for ever",
        "says: {equals: We are closed}",
        "{hint: {node: Greeting}, message: Tone}",
        "edge_taken: refill",
        "variable: {name: runtime.full_name, equals: Ben}",
    ],
)
def test_accepted_result_passes_the_next_run(expectation):
    text, check, run, workflow, backend = failed(expectation)

    accepted = accept_result(text, check, run, workflow)

    assert run_text(accepted, backend).outcome == "passed"
    lines = [
        (old, new) for old, new in zip(text.splitlines(), accepted.splitlines(), strict=False) if old != new
    ]
    assert "# asked daily" in accepted
    assert lines[0][0].lstrip().startswith("- ")
    assert ("message: Tone" in accepted) == ("message" in expectation)


def test_accepted_at_end_is_of_the_last_turn():
    text, check, run, workflow, backend = failed("status: completed", at_end=True)

    accepted = accept_result(text, check, run, workflow)

    assert "status: waiting_for_user_input" in accepted
    assert run_text(accepted, backend).outcome == "passed"


@pytest.mark.parametrize(
    ("comparison", "accepted"),
    [
        ("at_most: 2", "at_most: 3"),
        ("less_than: 3", "at_most: 3"),
        ("at_least: 4", "at_least: 3"),
        ("greater_than: 3", "at_least: 3"),
        ("one_of: [1, 2]", "one_of: [1, 2, 3]"),
        ("equals: 4", "equals: 3"),
        ("regex: four", "regex: ^3$"),
        ("absent: true", "equals: 3"),
    ],
)
def test_accepted_variable_is_compared_as_before(comparison, accepted):
    backend = embedded()
    parts = worker("count", {"cups": {"type": "integer"}}), static("bye", "Bye"), direct("count", "bye")
    stored = backend.create_workflow(document(*parts, name=f"Cups {comparison}"))
    mock = "{node: count, output: {variables: {cups: 3}}}"
    head = f"version: 1\nname: Cups\nworkflow: {stored.id}\nmocks: [{mock}]\n"
    text = f"{head}turns:\n  - say: Hi\n    expect: [variable: {{name: runtime.cups, {comparison}}}]\n"
    check, run, workflow, _ = run_failing(text)

    found = accept_result(text, check, run, workflow)

    assert found == text.replace(comparison, accepted)
    assert run_text(found, backend).outcome == "passed"


@pytest.mark.parametrize(
    ("value", "comparison", "accepted"),
    [
        (["ant", "bee"], "contains: cow", "equals: [ant, bee]"),
        ({"kind": "green tea leaves"}, "contains: black", "equals: {kind: green tea leaves}"),
        ("green tea leaves", "contains: black tea", "contains: green tea leaves"),
        (9007199254740993, "at_most: 2", "equals: 9007199254740993"),
        ("new", "one_of: ['[phone]']", "one_of: ['[phone]', new]"),
        ("Say {{who}}", r"equals: '\{{it}}'", r"equals: 'Say \{{who}}'"),
    ],
)
def test_accepted_variable_holds_for_its_value(value, comparison, accepted):
    text, check, run, workflow, backend = accepting(comparison, value)

    found = accept_result(text, check, run, workflow)

    assert found == text.replace(comparison, accepted)
    assert run_text(found, backend).outcome == "passed"


@pytest.mark.parametrize(
    ("before", "after", "comparison"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, "equals: {a: 9}"),
        ([1], [1, 2], "one_of: [[3]]"),
        (5, None, "at_most: 4"),
        (["ant"], ["bee", "cow"], "contains: dog"),
    ],
)
def test_value_of_an_earlier_turn_is_not_accepted(before, after, comparison):
    text, check, run, workflow, backend = accepting(comparison, before, after)

    try:
        found = accept_result(text, check, run, workflow)
    except InputError as error:
        assert "no value that can take the place" in error.message
    else:
        assert run_text(found, backend).outcome == "passed"


@pytest.mark.parametrize("comparison", ["equals: no", "one_of: ['[phone]']"])
def test_secret_value_of_a_variable_is_not_accepted(comparison):
    text, check, run, workflow, _ = accepting(comparison, SECRET)

    with pytest.raises(InputError, match="has a secret in it"):
        accept_result(text, check, run, workflow)


def accepting(comparison, *values):
    """A scenario whose turns set a variable, and what `run_failing` returns of it."""
    backend = embedded()
    schema = {"cups": {}}
    parts = worker("first", schema), say("chat", wait_for_user_message=True), worker("second", schema)
    ends = direct("first", "chat"), direct("chat", "second"), static("bye", "Bye"), direct("second", "bye")
    stored = backend.create_workflow(document(*parts, *ends, name=f"Cups {comparison} {values}"))
    mocks = ", ".join(
        f"{{node: {node}, output: {{variables: {{cups: {json.dumps(value)}}}}}}}"
        for node, value in zip(("first", "second"), values, strict=False)
    )
    head = f"version: 1\nname: Cups\nworkflow: {stored.id}\nmocks: [{mocks}]\nturns:\n  - say: Hi\n"
    more = "".join("  - say: Ho\n" for _ in values[1:])
    text = f"{head}{more}    expect: [variable: {{name: runtime.cups, {comparison}}}]\n"
    return text, *run_failing(text)


@pytest.mark.parametrize(
    "expectation",
    [
        "not_reached: Greeting",
        "says: {not: Juniper}",
        "variable: {name: runtime.unknown, equals: 1}",
        "variable: {name: runtime.full_name, not_equals: Ada Moreno}",
    ],
)
def test_expectation_without_value_of_the_run_is_refused(expectation):
    text, check, run, workflow, _ = failed(expectation)

    with pytest.raises(InputError, match="no value that can take the place"):
        accept_result(text, check, run, workflow)


def test_expectation_that_is_gone_is_refused():
    text, check, run, workflow, _ = failed("status: completed")

    with pytest.raises(InputError, match="has another expectation now"):
        accept_result(text.replace("completed", "failed"), check, run, workflow)


def test_difference_has_changed_lines():
    assert show_difference("a\nb\nc\nd\ne", "a\nb\nC\nd\ne") == " a\n b\n-c\n+C\n d\n e"


def test_result_of_other_turns_is_refused():
    text, check, run, workflow, _ = failed("status: completed")
    changed = text.replace("turns:\n", "turns:\n  - say: Hi\n    expect: [status: completed]\n")

    with pytest.raises(InputError, match="has other turns than this run"):
        accept_result(changed, check, run, workflow)


@pytest.mark.parametrize(("turn", "expectation"), [(2, "says: never"), (3, "path: [Greeting]")])
def test_accepted_result_is_that_of_the_turn(turn, expectation):
    """Background work is a turn of the scenario, and as many of the run as it has taken steps."""
    turns = ["say: This is Ada Moreno, born on March 3, 1990.", "advance: 6", "say: That is all."]
    turns[turn - 1] += f"\n    expect: [{expectation}]"
    head = "version: 1\nname: Lab\nworkflow: workflow_lab_results\nclock: 2026-03-02T09:00:00Z\nturns:\n"
    text = head + "".join(f"  - {each}\n" for each in turns)
    check, run, workflow, backend = run_failing(text)

    accepted = accept_result(text, check, run, workflow)

    assert accepted.splitlines()[:-turn] == text.splitlines()[:-turn]
    assert run_text(accepted, backend).outcome == "passed"


def test_turns_of_background_work_that_follow_each_other_are_refused():
    turns = "  - say: This is Ada Moreno, born on March 3, 1990.\n  - advance: 1\n  - advance: 5\n"
    head = "version: 1\nname: Lab\nworkflow: workflow_lab_results\nclock: 2026-03-02T09:00:00Z\nturns:\n"
    text = f"{head}{turns}    expect: [says: never]\n"
    check, run, workflow, _ = run_failing(text)

    with pytest.raises(InputError, match="background work that follow each other"):
        accept_result(text, check, run, workflow)


SECRET = "sk-proj-Zk3mQ9vT7xL2pR8wN4bY6cH1jF5dG0sA"


@pytest.mark.parametrize("match", ["equals", "similar"])
def test_secret_is_not_accepted(match):
    backend = embedded()
    own = document(static("hello", f"The key is {SECRET}, keep it."), name=f"Secret {match}")
    stored = backend.create_workflow(own)
    head = f"version: 1\nname: Key\nworkflow: {stored.id}\nturns:\n  - say: Hi\n"
    text = f"{head}    expect: [says: {{{match}: never}}]\n"
    check, run, workflow, _ = run_failing(text)

    with pytest.raises(InputError, match="has a secret in it"):
        accept_result(text, check, run, workflow)
    part = accept_result(text.replace(match, "contains"), *run_failing(text.replace(match, "contains"))[:3])

    assert SECRET not in part
    assert run_text(part, backend).outcome == "passed"


def test_accepted_expectation_is_gone():
    text, check, run, workflow, _ = failed("status: completed")

    after = load_text(accept_result(text, check, run, workflow), Path()).scenario

    assert is_expected_still(check, load_text(text, Path()).scenario)
    assert not is_expected_still(check, after)


@pytest.mark.parametrize("edit", [{"message": "It is over."}, {"turn": "before"}])
def test_failed_expectation_elsewhere_or_with_message_stays(edit):
    text, check, *_ = failed("status: completed")
    scenario = load_text(text, Path()).scenario
    expected = check.expectation.model_copy(update={"message": edit.get("message")})
    turn = scenario.turns[0].model_copy(update={"expect": [expected]})
    moved = [*([scenario.turns[0].model_copy(update={"expect": []})] if "turn" in edit else []), turn]

    assert is_expected_still(check, scenario.model_copy(update={"turns": moved, "expect": []}))
