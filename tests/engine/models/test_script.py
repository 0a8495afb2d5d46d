from __future__ import annotations

import re
from pathlib import Path

import pytest

import debugger
from debugger.engine.models import Script
from debugger.engine.models.script import read_answers, read_tool_answers
from debugger.engine.models.yaml_lines import read_yaml
from debugger.errors import InputError

HEAD = "version: 1\nworkflow: workflow_tea\n"


def test_a_script_is_read_whole():
    script = Script.load(
        HEAD
        + "demo: [Two cups of Assam, no]\n"
        + "alternatives:\n  just cake:\n    - Cake\n"
        + "anywhere:\n  - {when: human, take: node_human}\n"
        + "nodes:\n  node_desk:\n    - {when: tea, say: Which one, visit: 2}\n    - say: Yes?\n"
    )

    assert script.workflow == "workflow_tea"
    assert script.demo == ("Two cups of Assam", "no")
    assert script.alternatives == {"just cake": ("Cake",)}
    assert [rule.take for rule in script.anywhere] == ["node_human"]
    first, second = script.rules_of("node_desk", "Desk")
    assert (first.visit, first.say, first.label) == (2, "Which one", "rule 1 of 'node_desk' (line 11)")
    assert second.when is None
    assert second.label == "rule 2 of 'node_desk' (line 12)"


def test_a_script_may_hold_no_rules():
    script = Script.load(HEAD)

    assert (script.demo, script.anywhere, script.rules_of("node_desk", "Desk")) == ((), (), ())


def test_rules_by_id_win_over_name():
    script = Script.load(HEAD + "nodes:\n  Desk:\n    - say: by name\n  node_desk:\n    - say: by id\n")

    assert [rule.say for rule in script.rules_of("node_desk", "Desk")] == ["by id"]
    assert [rule.say for rule in script.rules_of("node_other", "Desk")] == ["by name"]


def test_the_example_of_the_documentation_is_a_script():
    page = Path(debugger.__file__).with_name("docs") / "scripts.md"
    examples = re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)

    script = Script.load("".join(examples))

    assert len(script.rules_of("node_order", "Order")) == 2
    asks, tells = script.rules_of("node_stock", "Stock")
    assert [(call.tool, call.args) for call in asks.calls] == [("tea_stock", {"tea": "$1"})]
    assert tells.after == "tea_stock"
    assert [answer.body for answer in script.answers] == [{"number": 7}, None]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1, column 1: a script must be a mapping of keys to values, not nothing."),
        ("- a", "line 1, column 1: a script must be a mapping of keys to values, not a list."),
        ("workflow: w", "line 1, column 1: a script must say its version."),
        ("version: 2\nworkflow: w", "line 1, column 1: this is version 2 of the script format."),
        ("version: true\nworkflow: w", "line 1, column 1: this is version True of the script format."),
        ("version: 1", "line 1, column 1: a script must say its workflow."),
        ("version: 1\nworkflow: 7", "line 2, column 1: workflow must be a text, not 7."),
        (HEAD + "rules: []", "line 3, column 1: a script has the unknown key 'rules'."),
        (HEAD + "demo: hello", "line 3, column 1: demo must be a list, not hello."),
        (HEAD + "demo:\n  - hi\n  - true", "line 5, column 5: a message of demo must be a text, not true."),
        (HEAD + "answers: hello", "line 3, column 1: answers must be a list, not hello."),
        (HEAD + "nodes: []", "line 3, column 1: nodes must be a mapping of keys to values, not a list."),
        (HEAD + "nodes:\n  a: {say: x}", "line 4, column 3: the rules of 'a' must be a list, not a mapping."),
    ],
)
def test_script_error_names_its_line(text, message):
    with pytest.raises(InputError) as caught:
        Script.load(text)

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("x", "rule 1 of 'a' must be a mapping of keys to values, not x."),
        ("sai: x", "rule 1 of 'a' has the unknown key 'sai'. It takes when, if, visit, after, take,"),
        ("when: x", "rule 1 of 'a' answers nothing."),
        ("{say: x, when: (x}", "'(x' is not a regular expression: missing ), unterminated subpattern"),
        ("{say: x, when: 7}", "when must be a text, not 7."),
        ("{say: x, if: '[[a]] =='}", "the condition of 'if' cannot be read"),
        ("{say: x, visit: 0}", "visit must be a whole number from 1, not 0."),
        ("{say: x, visit: true}", "visit must be a whole number from 1, not True."),
        ("say: '{{x}}'", "say cannot fill {{ }}."),
        ("say: [x]", "say must be a text, not a list."),
        ("fill: x", "fill must be a mapping of keys to values, not x."),
        ("{say: x, args: {b: 1}}", "rule 1 of 'a' has args and takes no transition."),
        ("fill: {b: $1}", "fill uses $1, which 'when' has no group for."),
        ("{when: (x), fill: {b: [$2]}}", "fill uses $2, which 'when' has no group for."),
        ("{when: (x), fill: {b: '${c}'}}", "fill uses ${c}, which 'when' has no group for."),
        ("call: 7", "call must be a text, not 7."),
        ("call: []", "call names no tool."),
        ("call: {}", "call must be a text, not a mapping."),
        ("call: {add: 7}", "call of add must be a mapping of keys to values, not 7."),
        ("{when: (x), call: [{add: {a: $2}}]}", "call of add uses $2, which 'when' has no group for."),
        ("{call: add, take: b}", "rule 1 of 'a' has both call and take. Put 'take' into a rule of its own,"),
        ("{call: add, fill: {b: 1}}", "rule 1 of 'a' has both call and fill."),
        ("{say: x, after: [add]}", "after must be a text, not a list."),
    ],
)
def test_rule_error_names_its_line(rule, message):
    with pytest.raises(InputError) as caught:
        Script.load(f"{HEAD}nodes:\n  a:\n    - {rule}")

    assert str(caught.value).startswith("line 5, column ")
    assert message in str(caught.value)


SECTION = r"""
- to: POST https://api\.example/slots
  status: 201
  body: {booked: true, at: [9, 10]}
- to: put
  error: The service is down.
- to: GET
  body: plain text
"""


def test_answers_are_read_in_order():
    booked, down, text = read_answers(read_yaml(SECTION))

    assert booked.target.search("POST https://api.example/slots?day=1")
    assert not booked.target.search("POST https://apixexample/slots")
    assert (booked.status, booked.body, booked.error) == (201, {"booked": True, "at": [9, 10]}, None)
    assert down.target.search("PUT https://x/")
    assert (down.status, down.body, down.error) == (None, None, "The service is down.")
    assert (text.status, text.body) == (None, "plain text")


@pytest.mark.parametrize(
    ("section", "complaint"),
    [
        ("to: x", "line 1, column 1: answers must be a list"),
        ("- to: x\n- body: 1", "line 2, column 3: answer 2 does not say which calls it is for. Add 'to'"),
        (
            "- to: x\n  url: y",
            "line 2, column 3: answer 1 has the unknown key 'url'. It takes to, status, body, error.",
        ),
        ("- to: '['", "line 1, column 3: '[' is not a regular expression"),
        ("- to: x\n  status: ok", "line 2, column 3: status must be a whole number from 100 to 599"),
        ("- to: x\n  status: 99", "line 2, column 3: status must be a whole number from 100 to 599"),
        ("- to: x\n  status: true", "line 2, column 3: status must be a whole number from 100 to 599"),
        ("- to: x\n  error: ''", "line 2, column 3: error must say why no answer came"),
        (
            "- to: x\n  status: 200\n  error: down",
            "line 3, column 3: answer 1 has an error besides a status or a body",
        ),
    ],
)
def test_error_names_its_line(section, complaint):
    with pytest.raises(InputError) as caught:
        read_answers(read_yaml(section))

    assert complaint in str(caught.value)


TOOLS = r"""
book:
  - with: {slot.day: sun, cups: 2}
    error: We are closed.
  - result: {day: "[[slot.day]]", cups: "[[cups]]", text: "on [[slot.day]]"}
list:
  - result: []
"""


def test_tool_answers_are_read_in_order():
    closed, booked, listed = read_tool_answers(read_yaml(TOOLS))

    assert closed.fits("book", {"slot": {"day": "On Sunday"}, "cups": 2})
    assert not closed.fits("book", {"slot": {"day": "On Sunday"}, "cups": 3})
    assert not closed.fits("list", {"slot": {"day": "On Sunday"}, "cups": 2})
    assert (closed.error, booked.conditions, listed.tool) == ("We are closed.", (), "list")
    assert booked.to_result({"slot": {"day": "Friday"}, "cups": 3}) == {
        "day": "Friday",
        "cups": 3,
        "text": "on Friday",
    }


@pytest.mark.parametrize(
    ("section", "complaint"),
    [
        ("- book", "line 1, column 1: tools must be a mapping"),
        ("book: {result: 1}", "line 1, column 1: the answers of 'book' must be a list"),
        ("book:\n- with: {a: 1}", "line 2, column 3: answer 1 of 'book' needs either a result or an error"),
        (
            "book:\n- {result: 1, error: x}",
            "line 2, column 3: answer 1 of 'book' needs either a result or an error",
        ),
        ("book:\n- {results: 1}", "answer 1 of 'book' has the unknown key 'results'"),
        ("book:\n- {result: 1, with: {'a..b': 1}}", "line 2, column 22: 'a..b' is not a path"),
        ("book:\n- {result: 1, with: {'a[].b': 1}}", "line 2, column 22: 'a[].b' leads to many places"),
        ("book:\n- {result: 1, with: {a: '['}}", "line 2, column 22: '[' is not a regular expression"),
    ],
)
def test_malformed_tool_answer_names_its_line(section, complaint):
    with pytest.raises(InputError) as caught:
        read_tool_answers(read_yaml(section))

    assert complaint in str(caught.value)
