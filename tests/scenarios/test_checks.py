"""Every kind of expectation, seen to pass and to fail with its whole message."""

# ruff: noqa: E501  # whole messages are asserted

from __future__ import annotations

import json

import pytest

from debugger.analysis.trouble import LABELS
from debugger.engine.models.base import Reply
from debugger.scenarios import checks, model
from debugger.scenarios.loading import load_text
from debugger.scenarios.mistakes import ScenarioFileError
from debugger.scenarios.model import Limits
from debugger.scenarios.runner import ScenarioRunner
from debugger.settings import Settings
from tests.support.factories import direct, document, node, say, static, tool, when, worker

SCRIPT = """
version: 1
workflow: workflow_shop
nodes:
  desk:
    - when: (?P<cups>\\d+) cups
      take: order
    - say: What would you like, tea or cake?
  facts:
    - when: (?P<cups>\\d+) cups of (?P<tea>\\w+)
      fill: {cups: $1, tea: $2}
"""
SCENARIO = """
version: 1
name: Order
workflow: shop.json
script: shop.script.yaml
turns:
  - say: hello
    expect: [{first}]
  - say: 2 cups of Assam
    expect: [{second}]
expect: [{end}]
"""
DESK = "'What would you like, tea or cake?'"
BOTH = f"'Welcome to the shop.' / {DESK}"
THANKS = "'Thank you, your tea is on its way.'"


class Judging:
    """A judge that finds only what speaks of tea."""

    def reply(self, prompt):
        said = " ".join(message["content"] for message in prompt.history())
        is_true = prompt.choices[0].condition.split()[-1] in said
        return Reply(chosen=prompt.choices[0] if is_true else None, reason="It says so." if is_true else "")


@pytest.fixture(scope="module")
def runner():
    with ScenarioRunner(
        lambda name: pytest.fail(f"{name} is asked for"), Settings(), judge=Judging()
    ) as made:
        yield made


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("shop")
    shop = document(
        static("greet", "Welcome to the shop.", is_start=True),
        say("desk"),
        worker("facts", {"cups": {"type": "integer"}, "tea": {"type": "string"}}),
        node("text", "send_sms", destination_phone_number="+15550100", message="On its way"),
        static("thanks", "Thank you, your tea is on its way."),
        direct("greet", "desk"),
        when("desk", "facts", freeform="The guest orders", name="order"),
        direct("facts", "text"),
        direct("text", "thanks"),
        logical_id="workflow_shop",
    )
    (found / "shop.json").write_text(json.dumps(shop), encoding="utf-8")
    (found / "shop.script.yaml").write_text(SCRIPT, encoding="utf-8")
    return found


def checked(runner, folder, place, expectation):
    places = {"first": "", "second": "", "end": ""} | {place: expectation}
    [result] = runner.run(load_text(SCENARIO.format(**places), folder))
    [repetition] = result.repetitions
    assert repetition.error == ""
    [check] = [each for each in repetition.checks if each.expectation.message not in LABELS.values()]
    return repetition.outcome, check


@pytest.mark.parametrize(
    ("place", "expectation", "text"),
    [
        (
            "first",
            "{says: tea}",
            "expected a message of the agent in the turn that contains 'tea'; got 'What would you like, tea or cake?'",
        ),
        (
            "first",
            "{says: {equals: Welcome to the shop.}}",
            "expected a message of the agent in the turn that equals 'Welcome to the shop.'; got 'Welcome to the shop.'",
        ),
        (
            "first",
            "{says: {contains: WELCOME}}",
            "expected a message of the agent in the turn that contains 'WELCOME'; got 'Welcome to the shop.'",
        ),
        (
            "first",
            "{says: {regex: 'tea or \\w+'}}",
            "expected a message of the agent in the turn that matches the pattern 'tea or \\\\w+'; got 'What would you like, tea or cake?'",
        ),
        (
            "first",
            "{says: {similar: 'What would you like, tea?'}}",
            "expected a message of the agent in the turn that is similar to 'What would you like, tea?' (at least 0.8); got 'What would you like, tea or cake?'",
        ),
        (
            "first",
            "{says: {not: cocoa}}",
            "expected no message of the agent in the turn that contains 'cocoa'; got none",
        ),
        (
            "second",
            "{reached: [facts, Thanks]}",
            "expected that the turn reaches 'facts' and 'Thanks'; got Desk > Facts > Text > Thanks",
        ),
        (
            "second",
            "{not_reached: greet}",
            "expected that the turn does not reach 'greet'; got Desk > Facts > Text > Thanks",
        ),
        (
            "end",
            "{path: [greet, Desk, ..., thanks]}",
            "expected the path greet > Desk > ... > thanks; got Greet > Desk > Desk > Facts > Text > Thanks",
        ),
        (
            "second",
            "{edge_taken: order}",
            "expected that the turn takes the edge 'order'; got order > always > always",
        ),
        (
            "second",
            "{edge_taken: The guest orders}",
            "expected that the turn takes the edge 'The guest orders'; got order > always > always",
        ),
        (
            "first",
            "{edge_not_taken: order}",
            "expected that the turn does not take the edge 'order'; got always > stays",
        ),
        (
            "second",
            "{variable: {name: runtime.tea, equals: Assam}}",
            'expected that runtime.tea equals "Assam"; got "Assam"',
        ),
        (
            "second",
            "{variable: {name: runtime.tea, not_equals: Darjeeling}}",
            'expected that runtime.tea does not equal "Darjeeling"; got "Assam"',
        ),
        (
            "second",
            "{variable: {name: runtime.tea, one_of: [Assam, Ceylon]}}",
            'expected that runtime.tea is one of ["Assam", "Ceylon"]; got "Assam"',
        ),
        (
            "second",
            "{variable: {name: runtime.tea, contains: assa}}",
            'expected that runtime.tea contains "assa"; got "Assam"',
        ),
        (
            "second",
            "{variable: {name: runtime.tea, regex: ^A}}",
            'expected that runtime.tea matches the pattern "^A"; got "Assam"',
        ),
        (
            "second",
            "{variable: {name: runtime.cups, less_than: 3}}",
            "expected that runtime.cups is less than 3; got 2",
        ),
        (
            "second",
            "{variable: {name: runtime.cups, at_most: 2}}",
            "expected that runtime.cups is at most 2; got 2",
        ),
        (
            "second",
            "{variable: {name: runtime.cups, greater_than: 1}}",
            "expected that runtime.cups is greater than 1; got 2",
        ),
        (
            "second",
            "{variable: {name: runtime.cups, at_least: 2}}",
            "expected that runtime.cups is at least 2; got 2",
        ),
        (
            "first",
            "{variable: {name: runtime.cups, absent: true}}",
            "expected that runtime.cups has no value; got no value",
        ),
        (
            "first",
            "{hint: {node: desk}}",
            "expected that the run waits for the user at 'desk'; got message: Desk waits for the user's message.",
        ),
        (
            "second",
            "{hint: {waiting: false}}",
            "expected that the run does not wait for the user; got ended: The run is completed and takes no more messages.",
        ),
        (
            "second",
            "{hint: {kind: ended}}",
            "expected the hint ended; got ended: The run is completed and takes no more messages.",
        ),
        ("end", "{status: completed}", "expected the status completed; got completed"),
        (
            "end",
            "{no_side_effect: [read, write]}",
            "expected no call in the run of the class 'read' or 'write'; got none",
        ),
        (
            "end",
            "{at_most: {tokens: 0, turns: 2, node_runs: 9}}",
            "expected at most 0 tokens, 2 turns, 9 node runs in the run; got 0 tokens, 2 turns, 6 node runs",
        ),
        (
            "second",
            "{events: [conditional_edge, {type: start_node_run, node: facts}, end_workflow]}",
            "expected these events in the turn in this order: conditional_edge, start_node_run of 'facts', end_workflow; got all of them",
        ),
        (
            "second",
            "{events: [user_messages, end_workflow]}",
            "expected these events in the turn in this order: user_messages, end_workflow; got all of them",
        ),
        (
            "end",
            "{judge: {criterion: The agent offers tea}}",
            "expected that 'The agent offers tea' is true; got It says so.",
        ),
    ],
)
def test_expectation_passes(runner, folder, place, expectation, text):
    outcome, check = checked(runner, folder, place, expectation)

    assert (outcome, check.text) == ("passed", text)


@pytest.mark.parametrize(
    ("place", "expectation", "text"),
    [
        (
            "first",
            "{says: cocoa}",
            "expected a message of the agent in the turn that contains 'cocoa'; got 'Welcome to the shop.' / 'What would you like, tea or cake?'",
        ),
        (
            "first",
            "{says: {equals: Welcome}}",
            "expected a message of the agent in the turn that equals 'Welcome'; got 'Welcome to the shop.' / 'What would you like, tea or cake?'",
        ),
        (
            "first",
            "{says: {regex: 'co+a'}}",
            "expected a message of the agent in the turn that matches the pattern 'co+a'; got 'Welcome to the shop.' / 'What would you like, tea or cake?'",
        ),
        (
            "first",
            "{says: {similar: Would you like tea, at_least: 0.9}}",
            "expected a message of the agent in the turn that is similar to 'Would you like tea' (at least 0.9); got 'Welcome to the shop.' / 'What would you like, tea or cake?' (similarity 0.73)",
        ),
        (
            "first",
            "{says: {not: tea}}",
            "expected no message of the agent in the turn that contains 'tea'; got 'What would you like, tea or cake?'",
        ),
        (
            "first",
            "{reached: [desk, facts]}",
            "expected that the turn reaches 'desk' and 'facts'; got Greet > Desk",
        ),
        (
            "second",
            "{not_reached: [facts, greet]}",
            "expected that the turn does not reach 'facts' or 'greet'; got Desk > Facts > Text > Thanks",
        ),
        (
            "end",
            "{path: [greet, facts, ...]}",
            "expected the path greet > facts > ...; got Greet > Desk > Desk > Facts > Text > Thanks",
        ),
        (
            "end",
            "{path: [greet, desk]}",
            "expected the path greet > desk; got Greet > Desk > Desk > Facts > Text > Thanks",
        ),
        ("first", "{edge_taken: order}", "expected that the turn takes the edge 'order'; got always > stays"),
        (
            "second",
            "{edge_not_taken: [order]}",
            "expected that the turn does not take the edge 'order'; got order > always > always",
        ),
        (
            "second",
            "{variable: {name: runtime.tea, equals: Ceylon}}",
            'expected that runtime.tea equals "Ceylon"; got "Assam"',
        ),
        (
            "second",
            "{variable: {name: runtime.tea, not_equals: Assam}}",
            'expected that runtime.tea does not equal "Assam"; got "Assam"',
        ),
        (
            "second",
            "{variable: {name: runtime.tea, one_of: [Ceylon]}}",
            'expected that runtime.tea is one of ["Ceylon"]; got "Assam"',
        ),
        (
            "second",
            "{variable: {name: runtime.tea, contains: Cey}}",
            'expected that runtime.tea contains "Cey"; got "Assam"',
        ),
        (
            "second",
            "{variable: {name: runtime.tea, regex: ^C}}",
            'expected that runtime.tea matches the pattern "^C"; got "Assam"',
        ),
        (
            "second",
            "{variable: {name: runtime.cups, less_than: 2}}",
            "expected that runtime.cups is less than 2; got 2",
        ),
        (
            "second",
            "{variable: {name: runtime.cups, at_most: 1}}",
            "expected that runtime.cups is at most 1; got 2",
        ),
        (
            "second",
            "{variable: {name: runtime.cups, greater_than: 2}}",
            "expected that runtime.cups is greater than 2; got 2",
        ),
        (
            "second",
            "{variable: {name: runtime.cups, at_least: 3}}",
            "expected that runtime.cups is at least 3; got 2",
        ),
        (
            "second",
            "{variable: {name: runtime.cups, absent: true}}",
            "expected that runtime.cups has no value; got 2",
        ),
        (
            "first",
            "{variable: {name: runtime.cups, absent: false}}",
            "expected that runtime.cups has a value; got no value",
        ),
        (
            "first",
            "{hint: {node: greet}}",
            "expected that the run waits for the user at 'greet'; got message: Desk waits for the user's message.",
        ),
        (
            "first",
            "{hint: {waiting: false}}",
            "expected that the run does not wait for the user; got message: Desk waits for the user's message.",
        ),
        (
            "second",
            "{hint: {kind: message}}",
            "expected the hint message; got ended: The run is completed and takes no more messages.",
        ),
        (
            "end",
            "{status: waiting_for_user_input}",
            "expected the status waiting_for_user_input; got completed",
        ),
        (
            "end",
            "{no_side_effect: contact}",
            "expected no call in the run of the class 'contact'; got contact (blocked): SMS to +15550100 by 'Text'",
        ),
        (
            "end",
            "{at_most: {turns: 1, node_runs: 3}}",
            "expected at most 1 turn, 3 node runs in the run; got 2 turns, 6 node runs",
        ),
        (
            "second",
            "{events: [end_workflow, start_node_run]}",
            "expected these events in the turn in this order: end_workflow, start_node_run; got no start_node_run after end_workflow",
        ),
        (
            "second",
            "{events: [{type: start_node_run, node: greet}]}",
            "expected these events in the turn in this order: start_node_run of 'greet'; got no start_node_run of 'greet' in the turn",
        ),
        (
            "end",
            "{judge: {criterion: The agent offers cocoa}}",
            "expected that 'The agent offers cocoa' is true; got not true",
        ),
        (
            "end",
            "{status: failed, message: It breaks}",
            "It breaks: expected the status failed; got completed",
        ),
    ],
)
def test_expectation_fails(runner, folder, place, expectation, text):
    outcome, check = checked(runner, folder, place, expectation)

    assert (outcome, check.text) == ("failed", text)


def test_secret_parts_of_values_are_masked(runner, folder):
    own = "input: {dynamic_variables: {login: {user: Ada, client_secret: hush-1}}}\nturns:"
    expectation = "{variable: {name: dynamic.login, equals: {client_secret: hush-2}}}"
    text = SCENARIO.format(first=expectation, second="", end="").replace("turns:", own)

    [result] = runner.run(load_text(text, folder))

    [check] = result.repetitions[0].checks
    assert (check.expected, check.got) == (
        'that dynamic.login equals {"client_secret": "***"}',
        '{"user": "Ada", "client_secret": "***"}',
    )


@pytest.mark.parametrize(
    ("expectation", "text"),
    [
        (
            "{variable: {name: dynamic.shop, contains: [tea]}}",
            'expected that dynamic.shop contains ["tea"]; got {"tea": 1}',
        ),
        (
            "{variable: {name: dynamic.price, equals: 1234568.5}}",
            "expected that dynamic.price equals 1234568.5; got 1234567.5",
        ),
        (
            "{variable: {name: dynamic.price, less_than: 1234567}}",
            "expected that dynamic.price is less than 1234567; got 1234567.5",
        ),
        (
            "{at_most: {tokens: 1234567, node_runs: 0}}",
            "expected at most 1234567 tokens, 0 node runs in the turn; got 0 tokens, 1 node run",
        ),
    ],
)
def test_failures_show_whole_values(runner, tmp_path, expectation, text):
    shop = document(static("greet", "Hello."), logical_id="workflow_values")
    (tmp_path / "shop.json").write_text(json.dumps(shop), encoding="utf-8")
    scenario = (
        "version: 1\nname: Values\nworkflow: shop.json\n"
        "input: {dynamic_variables: {shop: {tea: 1}, price: 1234567.5}}\n"
        f"turns: [{{expect: [{expectation}]}}]\n"
    )

    [result] = runner.run(load_text(scenario, tmp_path))

    assert [check.text for check in result.repetitions[0].checks] == [text]


def test_name_of_several_nodes_is_refused(runner, tmp_path):
    shop = document(
        static("greet", "Hello."),
        static("unused", "Help!", name="Emergency"),
        static("used", "Help!", name="Emergency"),
        direct("greet", "used"),
        logical_id="workflow_twins",
    )
    (tmp_path / "shop.json").write_text(json.dumps(shop), encoding="utf-8")
    text = "version: 1\nname: A\nworkflow: shop.json\nturns: [{expect: [{not_reached: %s}]}]\n"

    with pytest.raises(ScenarioFileError) as caught:
        load_text(text % "Emergency", tmp_path)
    by_id = [next(runner.run(load_text(text % name, tmp_path))).outcome for name in ("unused", "used")]

    assert "The workflow has 2 nodes 'Emergency'. Name one by its logical id: unused, used." in str(
        caught.value
    )
    assert by_id == ["passed", "failed"]


def test_wrong_pattern_with_escape_is_an_error(runner, tmp_path):
    shop = document(static("greet", "Hello."), logical_id="workflow_pattern")
    (tmp_path / "shop.json").write_text(json.dumps(shop), encoding="utf-8")
    text = "version: 1\nname: A\nworkflow: shop.json\nturns: [{expect: [{says: {regex: '\\{{x}} ['}}]}]\n"

    [result] = runner.run(load_text(text, tmp_path))

    assert result.outcome == "error"
    assert result.repetitions[0].error.startswith("Turn 1, says: '{{x}} [' is not a regular expression: ")


@pytest.mark.parametrize(("node", "outcome"), [("greet", "passed"), ("desk", "failed")])
def test_hint_not_waiting_is_of_its_node(runner, folder, node, outcome):
    found, check = checked(runner, folder, "first", f"{{hint: {{node: {node}, waiting: false}}}}")

    assert found == outcome
    assert check.expected == f"that the run does not wait for the user at {node!r}"


@pytest.mark.parametrize(
    ("path", "outcome"), [("poll, poll, poll, ready", "passed"), ("poll, ready", "failed")]
)
def test_self_loop_counts_as_often_as_taken(runner, tmp_path, path, outcome):
    code = "def poll(n):\n    return int(n) + 1 if str(n).isdigit() else 1\n"
    loop = {"enabled": True, "max_retries": 5, "time_between_retries": 2}
    poll = tool("poll", code, {"n": "[[n]]"}, result_runtime_variable_name="n", self_loop_config=loop)
    flow = document(poll, static("ready", "Ready."), when("poll", "ready", "[[n]] >= 3"))
    (tmp_path / "flow.json").write_text(json.dumps(flow), encoding="utf-8")
    head = "version: 1\nname: A\nworkflow: flow.json\nclock: 2026-03-02T09:00:00Z\n"

    [result] = runner.run(load_text(f"{head}turns: [{{expect: [{{path: [{path}]}}]}}]\n", tmp_path))

    assert result.outcome == outcome
    assert result.repetitions[0].checks[0].got == "Poll > Poll > Poll > Ready"


def test_self_loop_over_turns_counts_runs(runner, tmp_path):
    flow = document(say("desk"), logical_id="workflow_desk")
    (tmp_path / "flow.json").write_text(json.dumps(flow), encoding="utf-8")
    turns = "turns: [{say: a, expect: [{path: [desk]}]}, {say: b, expect: [{path: [desk]}]}]\n"
    head = "version: 1\nname: A\nworkflow: flow.json\n"

    [result] = runner.run(load_text(f"{head}{turns}expect: [{{path: [desk, desk]}}]\n", tmp_path))

    assert [check.text for check in result.repetitions[0].failures] == []


def test_every_comparison_of_a_variable_has_its_check():
    assert set(checks._COMPARISONS) == set(model._COMPARISONS)


@pytest.mark.parametrize("limit", Limits.model_fields)
def test_every_limit_is_checked(runner, folder, limit):
    _, check = checked(runner, folder, "end", f"{{at_most: {{{limit}: 0}}}}")

    assert check.expected.startswith("at most 0 ")
