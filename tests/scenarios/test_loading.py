# ruff: noqa: E501  # whole messages are asserted

from __future__ import annotations

import json

import pytest

from debugger.errors import InputError
from debugger.scenarios.loading import find_scenarios, load_scenario, load_text
from debugger.scenarios.mistakes import ScenarioFileError
from tests.support.factories import direct, document, static

HEAD = "version: 1\nname: Test\nworkflow: some_workflow\n"


def test_mistakes_are_reported_all_at_once(tmp_path):
    text = """\
version: 1
nmae: Test
workflow: missing.json
clock: tomorrow
tags: smoke
rows: [{a: 1}, {b: 2}]
turns:
  - say: "{{a}}"
    expct: []
  - say: [1]
    expect:
      - says: {equals: a, contains: b}
      - says: {equls: a}
      - variable: {name: runtime.x, equlas: 1}
      - status: wating
      - at_most: {tokens: many}
      - {}
      - says: {regex: "("}
  - {}
"""
    with pytest.raises(ScenarioFileError) as caught:
        load_text(text, tmp_path, path=tmp_path / "a.scenario.yaml")

    file = (tmp_path / "a.scenario.yaml").as_posix()
    kinds = "says, reached, not_reached, path, edge_taken, edge_not_taken, variable, hint, status, no_side_effect, at_most, events, judge"
    statuses = "'not_started', 'pending', 'started', 'running', 'paused', 'waiting_for_user_input', 'completed', 'failed', 'cancelled' or 'aborted_looping_risk'"
    assert str(caught.value).splitlines() == [
        f"{file}:1:1: name: this key is missing.",
        f"{file}:2:1: nmae: this key is unknown. Did you mean 'name'?",
        f"{file}:3:1: The file 'missing.json' cannot be read: No such file or directory. "
        "Paths are relative to this file.",
        f'{file}:4:1: clock: expected a date with a time, such as 2026-03-02T09:00:00Z, found "tomorrow".',
        f'{file}:5:1: tags: expected a list, found "smoke".',
        f"{file}:6:16: Row 2 has no 'a', which the placeholder {{{{a}}}} needs. Known are b.",
        f"{file}:9:5: expct: this key is unknown. Did you mean 'expect'?",
        f"{file}:10:5: say: expected a text, found a list.",
        f"{file}:12:9: says: needs exactly one of equals, contains, regex, similar, not, not equals and contains.",
        f"{file}:13:16: equls: this key is unknown. Did you mean 'equals'?",
        f"{file}:14:37: equlas: this key is unknown. Did you mean 'equals'?",
        f'{file}:15:9: status: expected {statuses}, found "wating".',
        f'{file}:16:19: tokens: expected a whole number, found "many".',
        f"{file}:17:9: expect: needs exactly one of {kinds}.",
        f"{file}:18:16: regex: '(' is not a regular expression: missing ), unterminated subpattern.",
    ]
    assert (caught.value.problems[0].line, caught.value.problems[-1].column) == (1, 16)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a", "1:1: This: expected a mapping of keys to values, found a list."),
        ("", "1:1: This: expected a mapping of keys to values, found nothing."),
        ("a: b: c", "1:5: This is not YAML: mapping values are not allowed here. Put a text in quotes where"),
        ("name: a\nname: b", "2:1: The key 'name' is there twice. Keep one."),
        (
            HEAD + "rows: []\nturns: [{say: '{{a}}'}]",
            "5:10: The placeholder {{a}} is found, and no rows. Add 'rows',",
        ),
        (HEAD + "turns: [{say: '{{a}}'}]", "4:10: The placeholder {{a}} is found, and no rows. Add 'rows',"),
        (HEAD + "turns: [{say: a, advance: 1}]", "4:9: turns: has 'advance' beside 'say' or 'send';"),
        (
            HEAD + "rows: [{a: [1]}]\nturns: [{say: '{{a}}'}]",
            "5:10: Row 1: say: expected a text, found a list.",
        ),
        (HEAD + "mocks: [{node: a}]\nturns: [{say: a}]", "4:9: mocks: needs either 'output', or 'error' or"),
        (
            HEAD + "repeat: {times: 2, passes: 3}\nturns: [{say: a}]",
            "4:1: repeat: 'passes' 3 is more than 'times' 2.",
        ),
        (HEAD + "rows: none.csv\nturns: [{say: a}]", "4:1: The file 'none.csv' cannot be read: No such file"),
        (
            HEAD + "script: none.yaml\nturns: [{say: a}]",
            "4:1: The file 'none.yaml' cannot be read: No such file",
        ),
        (
            HEAD + "rows: a.csv\nturns: [{say: '{{c}}'}]",
            "5:10: The placeholder {{c}} is no column of the file. Known are a, b.",
        ),
        (
            HEAD + "rows: uneven.csv\nturns: [{say: a}]",
            "4:1: The file 'uneven.csv' cannot be read at its line 3: it has",
        ),
        (
            HEAD + "rows: empty.csv\nturns: [{say: a}]",
            "4:1: The file 'empty.csv' has 0 rows; expected are 1 to 100,000.",
        ),
        (
            HEAD + "rows: twice.csv\nturns: [{say: a}]",
            "4:1: The file 'twice.csv' has the column 'a' twice. Keep one.",
        ),
        (
            HEAD + "script: bad.yaml\nturns: [{say: a}]",
            "4:1: The file 'bad.yaml' is not a script: line 1, column 1: a script",
        ),
        (
            "version: 1\nname: a\nworkflow: bad.json\nturns: [{say: a}]",
            "3:1: The file 'bad.json' is not a workflow: ",
        ),
        (
            "version: 1\nname: a\nworkflow: flow.json\nworkflow_version: 2\nturns: [{say: a}]",
            "4:1: A JSON file has one version only. Remove workflow_version.",
        ),
    ],
)
def test_mistake_names_its_place(tmp_path, text, message):
    for name, content in {
        "a.csv": "a,b\n1,2\n",
        "uneven.csv": "a,b\n1,2\n3\n",
        "empty.csv": "a,b\n",
        "twice.csv": "a,b,a\n1,2,3\n",
        "bad.yaml": "version: 1",
        "bad.json": "{",
        "flow.json": json.dumps(document(static("greet", "Hi"))),
    }.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(ScenarioFileError) as caught:
        load_text(text, tmp_path)

    assert str(caught.value).startswith(f"{tmp_path.as_posix()}/unsaved.scenario.yaml:{message}")


def test_unknown_names_are_reported_by_place(tmp_path):
    flow = document(static("greet", "Hi"), static("bye", "Bye"), direct("greet", "bye", name="onward"))
    (tmp_path / "flow.json").write_text(json.dumps(flow), encoding="utf-8")
    text = """\
version: 1
name: Test
workflow: flow.json
rows: [{node: nothing}]
mocks:
  - {node: gret, error: x}
  - {tool: anything, called_by: Greet, error: x}
turns:
  - say: a
    expect:
      - reached: [Greet, bey]
      - path: [greet, ..., "{{node}}"]
      - events: [start_workflow, {type: end_node_run, node: by}]
expect:
  - edge_not_taken: [onward, onwards]
  - hint: {node: desk}
"""
    with pytest.raises(ScenarioFileError) as caught:
        load_text(text, tmp_path)

    assert [(each.line, each.column, each.message) for each in caught.value.problems] == [
        (6, 5, "The workflow has no node 'gret'. Did you mean 'greet'?"),
        (11, 9, "The workflow has no node 'bey'. Did you mean 'bye'?"),
        (13, 9, "The workflow has no node 'by'. Did you mean 'bye'?"),
        (15, 5, "The workflow has no edge 'onwards'. Did you mean 'onward'?"),
        (16, 5, "The workflow has no node 'desk'. It has greet, bye, Greet, Bye."),
    ]


def test_rows_fill_texts_and_values(tmp_path):
    text = (
        HEAD
        + "rows: [{who: Ada, age: 36, plan: {day: Monday}}]\n"
        "input: {dynamic_variables: {plan: '{{plan}}'}}\n"
        "turns: [{say: 'I am {{who}}, {{ age }}', expect: [{variable: {name: runtime.age, equals: '{{age}}'}}]}]\n"
        "expect: [{says: '{{plan}}'}]\n".replace("expect: [{says: '{{plan}}'}]\n", "")
    )
    [(number, row, filled)] = load_text(text, tmp_path).cases()

    assert (number, row["who"]) == (1, "Ada")
    assert filled.input == {"dynamic_variables": {"plan": {"day": "Monday"}}}
    assert filled.turns[0].say == "I am Ada, 36"
    assert filled.turns[0].expect[0].variable.comparison == ("equals", 36)


def test_csv_cells_are_texts_or_numbers(tmp_path):
    (tmp_path / "a.csv").write_bytes('\ufeffzip,count,said\r\n01067,3,"Hi, ""you"""\r\n'.encode())
    loaded = load_text(HEAD + "rows: a.csv\nturns: [{say: '{{count}} {{said}}'}]", tmp_path)

    assert loaded.rows == [{"zip": "01067", "count": 3, "said": 'Hi, "you"'}]
    assert [filled.turns[0].say for _, _, filled in loaded.cases()] == ['3 Hi, "you"']


def test_yes_and_dates_are_texts(tmp_path):
    text = HEAD + "input: {a: yes, b: 2026-01-02, c: 010, d: 1.5}\nturns: [{say: no}]"
    loaded = load_text(text, tmp_path)

    assert loaded.scenario.input == {"a": "yes", "b": "2026-01-02", "c": "010", "d": 1.5}
    assert loaded.scenario.turns[0].say == "no"
    assert [case[0] for case in loaded.cases()] == [None]


def test_folders_are_searched_for_scenarios(tmp_path):
    for name in ("b/two.scenario.yaml", "b/notes.yaml", "a.scenario.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("", encoding="utf-8")

    named = tmp_path / "b" / "notes.yaml"
    assert find_scenarios([tmp_path, named, tmp_path / "b"]) == [
        tmp_path / "a.scenario.yaml",
        tmp_path / "b" / "two.scenario.yaml",
        named,
    ]
    with pytest.raises(InputError, match="There is no file or folder"):
        find_scenarios([tmp_path / "c"])


def test_unreadable_file_is_reported(tmp_path):
    (tmp_path / "latin.scenario.yaml").write_bytes(b"name: caf\xe9")

    with pytest.raises(InputError, match="is not UTF-8"):
        load_scenario(tmp_path / "latin.scenario.yaml")
    with pytest.raises(InputError, match="cannot be read: No such file"):
        load_scenario(tmp_path / "none.scenario.yaml")


@pytest.mark.parametrize(("rows", "who"), [("", r"\{{who}}"), ("rows: [{who: Ada}]\n", "{{who}}")])
def test_escaped_placeholder_is_plain_text(tmp_path, rows, who):
    text = (
        HEAD + rows + "turns: [{say: 'I am " + who + r", \{{plan}} and \\{{ plan }}', send: {x: ['\{{a}}']}}]"
    )

    (_, _, case) = next(load_text(text, tmp_path).cases())

    name = "Ada" if rows else "{{who}}"
    assert case.turns[0].say == f"I am {name}, {{{{plan}}}} and \\{{{{ plan }}}}"
    assert case.turns[0].send == {"x": ["{{a}}"]}


def test_empty_rows_leave_no_escapes(tmp_path):
    loaded = load_text(HEAD + "rows: []\nturns: [{say: '\\{{a}}'}]", tmp_path)

    assert loaded.scenario.turns[0].say == "{{a}}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "mocks: [{node: a, output: {says: Hi}}]\nturns: [{}]",
            "4:9: mocks: 'says' of the output of a node must be a list.",
        ),
        (
            "mocks: [{tool: a, error: b, attempts: often}]\nturns: [{}]",
            "4:29: attempts: 'often' names no hits.",
        ),
        ("turns:\n  - expect: [{at_most: {tokens: }}]", "5:15: at_most: needs one of tokens, ms, turns"),
        ('turns:\n  - say: "\\ud83d\\ude00"', "5:5: A text has half of a character"),
        ('turns:\n  - say: "A\\0B"', "5:5: A text has the character 0"),
        ("turns: [{}]\ninput: " + "{a: " * 300 + "1" + "}" * 300, ": This is nested too deeply."),
        ("turns: [{}]\ninput: {runtime_variables: [1]}", "5:1: input: runtime_variables: Input should be"),
        (
            "turns:\n  - {say: a, send: {thread_to_node_inputs: {'0': 5}}}",
            "5:14: send: thread_to_node_inputs.0: ",
        ),
        (
            "rows: [{a: go}]\nturns: [{send: {command: '{{a}}'}}]",
            "5:10: Row 1: send: command: Input should be",
        ),
    ],
)
def test_mistakes_of_values_are_found(tmp_path, text, message):
    with pytest.raises(ScenarioFileError) as caught:
        load_text(HEAD + text, tmp_path)

    assert message in str(caught.value)


def test_mapping_for_rows_is_one_mistake_each(tmp_path):
    with pytest.raises(ScenarioFileError) as caught:
        load_text(f"{HEAD}rows: {{}}\nturns: [{{}}]", tmp_path)

    assert [line.partition(".yaml:")[2] for line in str(caught.value).splitlines()] == [
        "4:1: rows: expected a list, found a mapping.",
        "4:1: rows: expected a text, found a mapping.",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("turns: [{say: 2.50}]", "4:10: 2.50 would be read as the number 2.5. Put it in quotes."),
        ("tags: [1.10]\nturns: [{}]", "4:8: 1.10 would be read as the number 1.1. Put it in quotes."),
        ("turns: [{expect: [{says: {equals: +2.5}}]}]", "4:27: +2.5 would be read as the number 2.5."),
        ("turns: [{expect: [{reached: 1.0e3}]}]", "4:20: 1.0e3 would be read as the number 1000.0."),
        ("rows: [{a: 2.50}]\nturns: [{say: '{{a}}'}]", "4:9: 2.50 would be read as the number 2.5."),
    ],
)
def test_numbers_in_texts_are_not_rewritten(tmp_path, text, message):
    with pytest.raises(ScenarioFileError) as caught:
        load_text(HEAD + text, tmp_path)

    [problem] = caught.value.problems
    assert f"{problem.line}:{problem.column}: {problem.message}".startswith(message)


def test_numbers_as_written_are_texts_and_values(tmp_path):
    text = "input: {dynamic_variables: {price: 2.50}}\nturns: [{say: 2.5}, {say: '2.50'}, {say: 12}]"

    scenario = load_text(HEAD + text, tmp_path).scenario

    assert [turn.say for turn in scenario.turns] == ["2.5", "2.50", "12"]
    assert scenario.input == {"dynamic_variables": {"price": 2.5}}


def test_number_in_says_is_a_text(tmp_path):
    scenario = load_text(HEAD + "turns: [{expect: [{says: 42}, {says: {not: 7}}]}]", tmp_path).scenario

    first, second = (each.says for each in scenario.turns[0].expect)
    assert (first.contains, second.not_.contains) == ("42", "7")


def test_infinity_in_csv_is_a_text(tmp_path):
    (tmp_path / "a.csv").write_text("limit\n-Infinity\n-12\n")

    loaded = load_text(HEAD + "rows: a.csv\nturns: [{say: '{{limit}}'}]", tmp_path)

    assert loaded.rows == [{"limit": "-Infinity"}, {"limit": -12}]


def test_blank_rows_of_csv_are_no_rows(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,\n,\n,,\n")

    loaded = load_text(HEAD + "rows: a.csv\nturns: [{say: '{{a}}'}]", tmp_path)

    assert loaded.rows == [{"a": 1, "b": ""}]
